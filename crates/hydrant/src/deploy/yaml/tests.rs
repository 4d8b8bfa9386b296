//! What YAML would take for something else is quoted.

use super::{Node, bare, document, entry, reference, remarked, sub, text};

/// *Scenario:* texts that look like dates, numbers, booleans, tags and mappings.
/// *Guarantees:* they are quoted; plain words and sentences are not.
#[test]
fn scalars() {
    for plain in ["AWS/EC2", "opentelemetry1.0", "One sentence, plain; and (more)", "s3:GetObject"]
    {
        assert_eq!(super::scalar(plain), plain);
    }
    for odd in ["2012-10-17", "true", "No", "", "*", "a: b", "a #b", "{x}", "!Ref", "3", "a:", "x "]
    {
        assert!(super::scalar(odd).starts_with('"'), "{odd}");
    }
    assert_eq!(super::scalar(r#"{"a":"${B}"}"#), r#""{\"a\":\"${B}\"}""#);
}

/// *Scenario:* mappings and lists in one another, a remark, tags.
/// *Guarantees:* block style, as CloudFormation's own examples have it.
#[test]
fn block_style() {
    let item = Node::Map(vec![entry("A", text("x")), entry("B", Node::List(vec![bare(1)]))]);
    let inner = vec![
        entry("One", Node::Map(vec![remarked("Why.", "R", reference("Name"))])),
        entry("Two", Node::Map(vec![entry("L", Node::List(vec![item, sub("a-${Name}")]))])),
    ];
    let expected = r#"Version: "2010-09-09"

Resources:
  One:
    # Why.
    R: !Ref Name

  Two:
    L:
      - A: x
        B:
          - 1
      - !Sub "a-${Name}"
"#;
    let entries = [entry("Version", text("2010-09-09")), entry("Resources", Node::Map(inner))];
    assert_eq!(document(&entries), expected);
}
