use super::metrics_url;

/// *Scenario:* endpoints with and without a path, and what is no endpoint.
/// *Guarantees:* the path of the metrics service is added only where none was given.
#[test]
fn the_path_is_added_where_there_is_none() {
    let table = [
        ("https://collector:4318", "https://collector:4318/v1/metrics"),
        ("https://collector:4318/", "https://collector:4318/v1/metrics"),
        (" http://127.0.0.1:4318 ", "http://127.0.0.1:4318/v1/metrics"),
        ("https://x.example/v1/metrics", "https://x.example/v1/metrics"),
        ("https://x.example/otlp/", "https://x.example/otlp/"),
        ("https://x.example/api?k=v", "https://x.example/api?k=v"),
    ];
    for (endpoint, expected) in table {
        assert_eq!(metrics_url(endpoint).unwrap(), expected);
    }
    for endpoint in ["", "collector:4318", "grpc://x", "https://", "https:///x", "https://a b"] {
        assert!(metrics_url(endpoint).is_err(), "{endpoint}");
    }
    assert!(!metrics_url("https://u:hunter2@x").unwrap_err().contains("hunter2"));
}
