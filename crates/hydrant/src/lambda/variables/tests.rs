use super::*;

fn read_of(pairs: &[(&str, &str)]) -> Result<Variables, String> {
    read(&Environment::of(pairs), Path::new("/nowhere"))
}

#[track_caller]
fn refused(pairs: &[(&str, &str)], part: &str) {
    let said = read_of(pairs).map(|_| ()).unwrap_err();
    assert!(said.contains(part), "{part} is not in:\n{said}");
}

fn otlp(variables: &Variables) -> &sink::otlp::Config {
    match &variables.stream.destination {
        Destination::Fixed(sink::Config::Otlp(config)) => config,
        other => panic!("{other:?}"),
    }
}

const TO_OTLP: [(&str, &str); 2] = [
    ("HYDRANT_STREAM__DESTINATION__TYPE", "otlp"),
    ("HYDRANT_STREAM__DESTINATION__ENDPOINT", "https://c:4318"),
];

/// *Scenario:* the same stream by keys, by a body in blocks, by a body in braces over two lines.
/// *Guarantees:* all three give the same stream, with nothing that waits.
#[test]
fn three_spellings_of_a_stream() {
    let keys = [
        TO_OTLP[0],
        TO_OTLP[1],
        ("HYDRANT_STREAM__DESTINATION__RESOURCE_ATTRIBUTES", "{service.name: a}"),
        ("HYDRANT_STREAM__RETRY_DURATION", "20s"),
        ("HYDRANT_STREAM__INCLUDE", "[{namespace: AWS/EC2}]"),
        ("HYDRANT_STREAM__CONCURRENCY", "2"),
    ];
    let block = "destination:\n  type: otlp\n  endpoint: https://c:4318\n  resource_attributes:\n    \
                 service.name: a\nretry_duration: 20s\ninclude: [{namespace: AWS/EC2}]\n\
                 concurrency: 2\n";
    let braces = "{destination: {type: otlp, endpoint: 'https://c:4318',\n resource_attributes: \
                  {service.name: a}}, retry_duration: 20s, include: [{namespace: AWS/EC2}],\n\
                  concurrency: 2}";
    let one = read_of(&keys).unwrap();
    for body in [block, braces] {
        let other = read_of(&[("HYDRANT_STREAM", body)]).unwrap();
        assert_eq!(one.stream, other.stream, "{body}");
    }
    assert_eq!(one.stream.concurrency, 2);
    assert!(one.stream.buffering.interval.is_zero() && one.delivers && !one.has_bucket);
    assert_eq!((one.memory_bytes, one.margin), (128 << 20, Duration::from_secs(1)));
}

/// *Scenario:* text that YAML would bend: a token with braces, quotes, a reference and a hash.
/// *Guarantees:* it arrives as it is; only what begins with a brace or a bracket is YAML.
#[test]
fn text_is_taken_as_it_is() {
    let token = r#"a: "b" 'c' #d ${HOME} %e \f"#;
    let mut pairs = TO_OTLP.to_vec();
    pairs.push(("HYDRANT_STREAM__DESTINATION__BEARER_TOKEN", token));
    let variables = read_of(&pairs).unwrap();
    assert_eq!(otlp(&variables).bearer_token.as_ref().unwrap().expose(), token);
}

/// *Scenario:* keys that contradict each other, keys that have no meaning in Lambda, half a key.
/// *Guarantees:* each is refused with the name of its variable; a variable set to nothing is not set.
#[test]
fn contradictions_are_refused() {
    let with = |name, value| [TO_OTLP[0], TO_OTLP[1], (name, value)];
    refused(
        &with("HYDRANT_STREAM__DESTINATION", "{type: blackhole}"),
        "HYDRANT_STREAM__DESTINATION and HYDRANT_STREAM__DESTINATION__ENDPOINT both say",
    );
    refused(&with("HYDRANT_STREAM__A____B", "x"), "HYDRANT_STREAM__A____B: two underscores");
    refused(
        &with("HYDRANT_STREAM", "{}"),
        "HYDRANT_STREAM and HYDRANT_STREAM__DESTINATION__ENDPOINT",
    );
    refused(&with("HYDRANT_STREAM__BACKUP__MODE", "all_data"), "all_data needs backup.s3");
    refused(&with("HYDRANT_STREAM__DESTINATOIN__URL", "x"), "HYDRANT_STREAM__DESTINATOIN__URL");
    refused(&with("HYDRANT_SOURCE__REGOIN", "x"), "HYDRANT_SOURCE__REGOIN: unknown key");
    let own = "a function is its own source";
    refused(
        &with("HYDRANT_STREAM__SOURCE", "aws"),
        &format!("HYDRANT_STREAM__SOURCE: source: {own}"),
    );
    for body in [
        "source: aws\ndestination: {type: blackhole}",
        "{source: aws, destination: {type: blackhole}}",
    ] {
        refused(&[("HYDRANT_STREAM", body)], &format!("HYDRANT_STREAM: source: {own}"));
    }
    refused(&with("HYDRANT_STREAM_INCLUDE", "[]"), "HYDRANT_STREAM_INCLUDE: nobody reads it");
    refused(&with("HYDRANT_STREAM__INCLUDE", "[{a: b"), "HYDRANT_STREAM__INCLUDE: not YAML");
    refused(
        &[TO_OTLP[0]],
        "HYDRANT_STREAM__DESTINATION__ENDPOINT: destination.endpoint: is missing",
    );
    let from_request = "{type: dynatrace, from_request: {allowed_hosts: [a.b], token_key: \
                        'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='}}";
    refused(&[("HYDRANT_STREAM__DESTINATION", from_request)], "has no request that names a target");
    read_of(&with("HYDRANT_STREAM", "")).unwrap();
}

/// *Scenario:* variables that are read by nobody, or only by a reference of another.
/// *Guarantees:* the ones are told at start, the others are not.
#[test]
fn what_nobody_reads_is_told() {
    let with = |name, value| read_of(&[TO_OTLP[0], TO_OTLP[1], (name, value)]).unwrap().warnings;
    assert_eq!(with("HYDRANT_ON_REFUSE", "fail"), ["HYDRANT_ON_REFUSE is not used"]);
    let prefix = with("HYDRANT_SOURCE__PREFIX", "cw/");
    assert_eq!(
        prefix,
        ["HYDRANT_SOURCE__PREFIX is not used: the events say which objects are read"]
    );
    let body = "{destination: {type: dynatrace, url: 'https://a.live.dynatrace.com', api_token: \
                \"${HYDRANT_STREAM_TOKEN}\"}}";
    let referred = [("HYDRANT_STREAM", body), ("HYDRANT_STREAM_TOKEN", "dt0c01.x")];
    assert_eq!(read_of(&referred).unwrap().warnings, Vec::<String>::new());
}

/// *Scenario:* a destination of type file.
/// *Guarantees:* a warning at start: the disk of a function is lost.
#[test]
fn the_disk_of_a_function_is_warned_of() {
    let file = [("HYDRANT_STREAM__DESTINATION", "{type: file, path: /tmp/a}")];
    let warnings = read_of(&file).unwrap().warnings;
    assert!(warnings.iter().any(|one| one.contains("lost with it: take s3")), "{warnings:?}");
}

/// *Scenario:* nothing that says where to deliver, with and without filters.
/// *Guarantees:* it is good, for a function that only transforms, and says that it does not deliver.
#[test]
fn no_destination_is_no_mistake() {
    assert!(!read_of(&[]).unwrap().delivers);
    let filtered = [("HYDRANT_STREAM__EXCLUDE", "[{namespace: AWS/EC2}]")];
    let variables = read_of(&filtered).unwrap();
    assert!(!variables.delivers && variables.stream.exclude.len() == 1);
}

/// *Scenario:* URLs of the recipes with and without a path.
/// *Guarantees:* what the recipe would post to is what is posted to: nothing is appended.
#[test]
fn the_url_of_a_recipe_is_taken_as_given() {
    for (given, taken) in [
        ("https://h", "https://h/?"),
        ("https://h/", "https://h/?"),
        ("https://h:4318/v1/metrics", "https://h:4318/v1/metrics"),
        ("https://h?a=b", "https://h?a=b"),
    ] {
        let variables = read_of(&[("OTEL_COLLECTOR_URL", given)]).unwrap();
        assert_eq!(otlp(&variables).endpoint, taken);
    }
}

/// *Scenario:* the recipe with OAuth2 without its secret.
/// *Guarantees:* the variable that is missing is named.
#[test]
fn a_recipe_names_what_it_misses() {
    let pairs = [("ENDPOINT_URL", "https://h/x"), ("TOKEN_URL", "https://h/t"), ("CLIENT_ID", "i")];
    refused(&pairs, "environment variable CLIENT_SECRET is not set");
}
