//! The style of `terraform fmt`.

use super::{Expression, Item, block, comment, file, quoted, set, text};

/// *Scenario:* a block with short and long keys, a remark, a list and an object between them.
/// *Guarantees:* neighbours on one line each are aligned, what takes several lines stands alone.
#[test]
fn alignment() {
    let list = |items: &[&str]| {
        Expression::List(items.iter().map(|item| Expression::Text((*item).to_owned())).collect())
    };
    let object = Expression::Object(vec![
        ("a".to_owned(), Expression::Bare("1".to_owned())),
        ("ccc".to_owned(), list(&["x", "y"])),
        ("dd".to_owned(), Expression::Bare("2".to_owned())),
    ]);
    let items = vec![
        text("name", "a"),
        set("longer_name", "var.b"),
        Item::Attribute("object".to_owned(), object),
        set("z", "1"),
        comment("A remark."),
        set("zzzz", "2"),
        Item::Attribute("one".to_owned(), list(&["a"])),
        Item::Blank,
        block("empty", Vec::new()),
    ];
    let expected = r#"resource "x" "y" {
  name        = "a"
  longer_name = var.b
  object = {
    a = 1
    ccc = [
      "x",
      "y",
    ]
    dd = 2
  }
  z = 1
  # A remark.
  zzzz = 2
  one  = ["a"]

  empty {}
}

locals {
  a = 1
}
"#;
    let locals = block("locals", vec![set("a", "1")]);
    assert_eq!(file(&[block("resource \"x\" \"y\"", items), locals]), expected);
}

/// *Scenario:* text with quotes, backslashes, line ends and what looks like a template.
/// *Guarantees:* HCL reads the text back, and replaces nothing in it.
#[test]
fn text_is_literal() {
    assert_eq!(quoted(r#"a"b\c ${d} %{e}"#), r#""a\"b\\c $${d} %%{e}""#);
    assert_eq!(quoted("a\nb"), r#""a\nb""#);
}
