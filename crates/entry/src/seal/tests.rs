//! Keys from text, sealed bytes, and lane names.

use super::{KEY_ID, PREFIX, SealError, SealKey};

const TEXT: &str = "a text of more than thirty-two characters";

fn key() -> SealKey {
    SealKey::from_text(TEXT).unwrap()
}

/// *Scenario:* a secret sealed twice for one context.
/// *Guarantees:* it opens; two sealings differ (random nonce); nothing of it is readable.
#[test]
fn what_is_sealed_opens() {
    for secret in [&b""[..], b"dt0c01.ABC", &[0; 5000]] {
        let (one, two) = (key().seal(secret, b"lane 1"), key().seal(secret, b"lane 1"));
        assert_ne!(one, two);
        assert_eq!(one.len(), PREFIX + secret.len() + 16);
        for sealed in [one, two] {
            assert_eq!(key().open(&sealed, b"lane 1").as_deref(), Ok(secret));
            assert!(secret.is_empty() || !sealed.windows(secret.len()).any(|part| part == secret));
        }
    }
}

/// *Scenario:* sealed bytes cut, changed in any byte, moved to another context, opened with another
/// key, or made by a newer release.
/// *Guarantees:* refused, and each told apart as far as it can be.
#[test]
fn what_was_changed_does_not_open() {
    let sealed = key().seal(b"token", b"here");
    assert_eq!(key().open(&sealed, b"there"), Err(SealError::Damaged));
    let other = SealKey::from_text("another text of more than thirty-two characters").unwrap();
    assert_eq!(other.open(&sealed, b"here"), Err(SealError::OtherKey));
    for length in 0..sealed.len() {
        assert_eq!(key().open(&sealed[..length], b"here"), Err(SealError::Damaged), "{length}");
    }
    for at in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[at] ^= 0x10;
        let expected = match at {
            0 => SealError::Newer(0x11),
            1..=KEY_ID => SealError::OtherKey,
            _ => SealError::Damaged,
        };
        assert_eq!(key().open(&bad, b"here"), Err(expected), "{at}");
    }
}

/// *Scenario:* sealed bytes and a lane id made by this release's first build.
/// *Guarantees:* they open and match for ever (I8).
#[test]
fn golden_bytes() {
    let bytes: Vec<u8> = GOLDEN
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect();
    assert_eq!(key().open(&bytes, b"lane").as_deref(), Ok(&b"dt0c01.token"[..]));
    let lane = key().lane_id("https://a.live.dynatrace.com", b"dt0c01.token");
    assert_eq!(lane.0.map(|byte| format!("{byte:02x}")).concat(), GOLDEN_LANE);
}

const GOLDEN: &str =
    "01d6e29a81516937fecd23e577ead5d008445f38a9938c2a154ba6636dc222cd5b7c971e80d795eb7a6392c363";
const GOLDEN_LANE: &str = "d5b5d89b087c99d3e80e4b573256beeb";

/// *Scenario:* the same 32 bytes in hexadecimal of either case and in base64; short and long texts.
/// *Guarantees:* one key for one value; less than 32 characters is refused with what to give.
#[test]
fn keys_from_text() {
    let hex = "000102030405060708090a0b0c0d0e0fF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF";
    let base64 = "AAECAwQFBgcICQoLDA0OD/Dx8vP09fb3+Pn6+/z9/v8=";
    let sealed = SealKey::from_text(hex).unwrap().seal(b"x", b"");
    for text in [hex.to_lowercase(), base64.to_owned(), format!("  {hex}\n")] {
        let opened = SealKey::from_text(&text).unwrap().open(&sealed, b"");
        assert_eq!(opened.as_deref(), Ok(&b"x"[..]), "{text}");
    }
    assert!(SealKey::from_text(&"k".repeat(32)).is_ok());
    assert!(SealKey::from_text(&"\u{e9}".repeat(32)).is_ok());
    for short in ["", "secret", &"k".repeat(31), &"\u{e9}".repeat(31), &" ".repeat(40)] {
        let message = SealKey::from_text(short).unwrap_err().to_string();
        assert!(message.contains("64 hexadecimal digits"), "{message}");
    }
}

/// *Scenario:* lanes of targets and tokens that run together to the same text, and other keys.
/// *Guarantees:* the same pair has the same name, all others have others.
#[test]
fn lanes_are_told_apart() {
    let lane = |target: &str, token: &str| key().lane_id(target, token.as_bytes());
    assert_eq!(lane("a", "bc"), lane("a", "bc"));
    assert_ne!(lane("a", "bc"), lane("ab", "c"));
    assert_ne!(lane("a", "bc"), lane("a", "bd"));
    let other = SealKey::from_text("another text of more than thirty-two characters").unwrap();
    assert_ne!(lane("a", "bc"), other.lane_id("a", b"bc"));
}

/// *Scenario:* a key in a debug message.
/// *Guarantees:* nothing of it is printed.
#[test]
fn a_key_is_never_printed() {
    assert_eq!(format!("{:?}", key()), "SealKey(***)");
}

/// *Scenario:* any bytes offered as sealed ones.
/// *Guarantees:* no panic, and none opens.
#[test]
fn any_bytes_do_not_open() {
    proptest::proptest!(|(bytes: Vec<u8>)| {
        assert!(key().open(&bytes, b"").is_err());
        let near = [&key().seal(b"", b"")[..PREFIX], &bytes[..]].concat();
        assert!(key().open(&near, b"").is_err());
    });
}
