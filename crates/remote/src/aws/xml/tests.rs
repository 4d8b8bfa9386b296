//! Tests: documents as services write them, documents that are none, any bytes.

use proptest::prelude::*;

use super::*;

/// *Scenario:* a listing with a declaration, a namespace, attributes with `>` in them, entities,
/// CDATA, a comment, empty elements in both forms.
/// *Guarantees:* names, texts and order are what was written.
#[test]
fn document_is_read() {
    let text = "\u{feff}<?xml version=\"1.0\"?>\n<!-- a > b --><s3:List xmlns:s3=\"x>y\" b='/'>\n\
        <Key>a&amp;b&#x2F;&#99;</Key><Key ><![CDATA[<&>]]></Key ><Empty/><E></E></s3:List>\n";
    let root = parse(text.as_bytes()).unwrap();
    assert_eq!(root.name, "List");
    let keys: Vec<&str> = root.children.iter().map(|child| child.text.as_str()).collect();
    assert_eq!(keys, ["a&b/c", "<&>", "", ""]);
    assert_eq!(root.text_of("Empty"), Some(""));
    assert_eq!(root.find("E").unwrap().name, "E");
}

/// *Scenario:* what is cut, crossed, of a document type, an entity of its own, HTML, too deep.
/// *Guarantees:* nothing.
#[test]
fn what_is_no_document_is_refused() {
    let deep = "<a>".repeat(100) + &"</a>".repeat(100);
    let cut: Vec<&str> = vec![
        "",
        "hello",
        "<a>",
        "<a><b></a></b>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>x",
        "<a b=\"></a>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
        "<a>&x;</a>",
        "<a>&#xD800;</a>",
        "<a>&amp</a>",
        "<!doctype html><html></html>",
        "<1/>",
        "<a><![CDATA[x</a>",
        "x<a/>",
        "< a/>",
        &deep,
    ];
    for text in cut {
        assert_eq!(parse(text.as_bytes()), None, "{text}");
    }
    assert_eq!(parse(b"<a>\xff</a>"), None);
}

fn write(element: &Element) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let children: String = element.children.iter().map(write).collect();
    format!("<{0}>{1}{2}</{0}>", element.name, escape(&element.text), children)
}

fn elements() -> impl Strategy<Value = Element> {
    let leaf = ("[A-Za-z_][A-Za-z0-9._-]{0,5}", any::<String>()).prop_map(|(name, text)| Element {
        name,
        text,
        children: Vec::new(),
    });
    leaf.prop_recursive(4, 20, 4, |inner| {
        ("[a-z]{1,3}", any::<String>(), prop::collection::vec(inner, 0..4))
            .prop_map(|(name, text, children)| Element { name, text, children })
    })
}

proptest! {
    /// *Scenario:* any tree, written.
    /// *Guarantees:* the same tree.
    #[test]
    fn what_is_written_is_read(element in elements()) {
        let text = write(&element);
        prop_assert_eq!(parse(text.as_bytes()), Some(element));
    }

    /// *Scenario:* any tree written and cut anywhere; any bytes.
    /// *Guarantees:* no panic; a cut document is none.
    #[test]
    fn cuts_and_noise_are_refused(
        element in elements(), at in any::<prop::sample::Index>(), noise in any::<Vec<u8>>(),
    ) {
        let text = write(&element);
        prop_assert_eq!(parse(&text.as_bytes()[..at.index(text.len())]), None);
        parse(&noise);
    }
}
