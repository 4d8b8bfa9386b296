//! Known values: what lies on disk is checked with these for ever.

use super::{Hasher128, crc32c};

/// *Scenario:* the vectors of RFC 3720 B.4, and one text in pieces.
/// *Guarantees:* this is CRC32C, and continuing from a seed is the same as going on.
#[test]
fn crc32c_vectors() {
    assert_eq!(crc32c(0, &[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(0, &[0xff; 32]), 0x62a8_ab43);
    assert_eq!(crc32c(0, b"123456789"), 0xe306_9283);
    assert_eq!(crc32c(crc32c(0, b"1234"), b"56789"), 0xe306_9283);
    assert_ne!(crc32c(1, b"123456789"), 0xe306_9283);
}

/// *Scenario:* one text in several splits, and near texts.
/// *Guarantees:* the value does not depend on the pieces and never changes between releases.
#[test]
fn hash_in_pieces() {
    let hash = |pieces: &[&str]| {
        let mut hasher = Hasher128::new();
        for piece in pieces {
            hasher.update(piece.as_bytes());
        }
        hasher.digest()
    };
    assert_eq!(hash(&[]), 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
    assert_eq!(hash(&["ab", "c"]), hash(&["abc"]));
    assert_eq!(hash(&["abc"]), 0x06b0_5ab6_733a_6185_78af_5f94_892f_3950);
    assert_ne!(hash(&["abd"]), hash(&["abc"]));
}
