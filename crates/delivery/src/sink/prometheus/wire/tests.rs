//! Settings that cannot work.

use remote::Secret;

use super::super::tests_support::config;
use super::*;

/// *Scenario:* addresses, labels and credentials that cannot work.
/// *Guarantees:* the setting is named, and no secret is shown.
#[test]
fn unusable_settings_are_named() {
    remote::install_provider();
    let check = |change: &dyn Fn(&mut Config), expect: &str| {
        let mut config = config("http://127.0.0.1:9/api/v1/write");
        change(&mut config);
        let error = Wire::new(&config).err().expect("it cannot work");
        assert!(error.contains(expect) && !error.contains("SECRET"), "{error}");
    };
    check(&|c| c.url = "127.0.0.1:9090".to_owned(), "url: ");
    check(&|c| c.url = "http://".to_owned(), "url: ");
    check(&|c| c.url = "http://user:SECRET@x/".to_owned(), "user name or password");
    check(&|c| c.external_labels = vec![("__name__".to_owned(), "x".to_owned())], "__name__");
    check(&|c| c.external_labels = vec![("a-b".to_owned(), "x".to_owned())], "a-b");
    check(&|c| c.external_labels = vec![(String::new(), "x".to_owned())], "external_labels");
    check(
        &|c| {
            c.naming = Naming::Otel;
            c.external_labels = vec![("quantile".to_owned(), "x".to_owned())];
        },
        "quantile",
    );
    check(&|c| c.headers = vec![("a b".to_owned(), Secret::new("SECRET"))], "a b");
    check(&|c| c.basic_auth = Some(("a:b".to_owned(), Secret::new("SECRET"))), "colon");
    check(
        &|c| {
            c.bearer_token = Some(Secret::new("SECRET"));
            c.basic_auth = Some(("a".to_owned(), Secret::new("SECRET")));
        },
        "twice",
    );
}
