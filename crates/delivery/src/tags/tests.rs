use testkit::TempDir;

use super::{TagFile, TagState};

fn body(value: &str) -> String {
    format!(
        r#"{{"version":1,"regions":[{{"fetched_at":"2026-11-20T12:00:00Z","resources":{{"arn:aws:sqs:r:1:q":{{"team":"{value}"}}}}}}]}}"#
    )
}

/// *Scenario:* a snapshot that is missing at first, appears, is replaced by a broken one, by a good
/// one, vanishes, and comes back.
/// *Guarantees:* each good file is taken once; a bad or missing one changes nothing but the failure,
/// which names the file and what to do.
#[test]
fn only_a_good_file_takes_over() {
    let folder = TempDir::new("tags");
    let path = folder.join("tags.json");
    let tags = rules::Tags {
        file: path.clone(),
        keys: vec!["team".to_owned()],
        prefix: "tag.".to_owned(),
        rules: rules::ArnRules::built_in(),
    };
    let put = |text: &str| {
        let part = folder.write("part", text);
        std::fs::rename(part, &path).unwrap();
    };
    let file = TagFile::open(&tags, 0);
    assert_eq!(file.generation(), 0);
    let failure = file.state().failure.expect("it is missing");
    assert!(failure.contains("tags.json") && failure.contains("hydrant tags fetch"), "{failure}");

    put(&body("a"));
    file.look();
    file.look();
    let good =
        TagState { fetched_ms: Some(1_795_176_000_000), resources: 1, ..TagState::default() };
    assert_eq!((file.generation(), file.state()), (1, good.clone()));

    put("{\"version\":1,");
    file.look();
    let broken = file.state();
    assert!(broken.failure.as_ref().is_some_and(|text| text.contains("line 1")), "{broken:?}");
    assert_eq!((file.generation(), broken.resources), (1, 1));

    put(&body("b"));
    file.look();
    assert_eq!((file.generation(), file.state()), (2, good.clone()));

    std::fs::remove_file(&path).unwrap();
    file.look();
    assert_eq!((file.generation(), file.state().resources), (2, 1));
    assert!(file.state().failure.is_some());

    put(&body("b"));
    file.look();
    assert_eq!((file.generation(), file.state()), (3, good));
}
