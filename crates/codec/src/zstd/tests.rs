//! Frames out and in.

use proptest::prelude::*;

use super::{ZstdEncoder, ZstdError, decompress};

fn compressed(plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    ZstdEncoder::default().compress(plain, &mut out).unwrap();
    out
}

/// *Scenario:* bodies of several sizes by one encoder, appended after other bytes.
/// *Guarantees:* they come back, at the limit and not above it; two frames are both read.
#[test]
fn round_trip_at_the_limit() {
    let mut encoder = ZstdEncoder::new(1);
    let mut out = Vec::new();
    for length in [0, 1, 1000, 70_000, 3_000_000] {
        let plain: Vec<u8> = (0..length).map(|n: usize| (n * n / 7) as u8).collect();
        let mut body = b"before".to_vec();
        encoder.compress(&plain, &mut body).unwrap();
        let body = body.strip_prefix(b"before").unwrap();
        assert_eq!(decompress(body, &mut out, length), Ok(()));
        assert_eq!(out, plain);
        if let Some(limit) = length.checked_sub(1) {
            assert_eq!(decompress(body, &mut out, limit), Err(ZstdError::TooLarge { limit }));
            assert!(out.is_empty());
        }
        let twice = [body, body].concat();
        assert_eq!(decompress(&twice, &mut out, 2 * length), Ok(()));
        assert_eq!(out, [&plain[..], &plain].concat());
    }
}

/// *Scenario:* a bomb, a cut frame, no frame, bytes after a frame, a window of 128 MiB.
/// *Guarantees:* refused, and memory stays near the limit.
#[test]
fn what_is_wrong_is_refused() {
    let mut out = Vec::new();
    let bomb = compressed(&vec![0; 64 << 20]);
    assert_eq!(decompress(&bomb, &mut out, 1 << 20), Err(ZstdError::TooLarge { limit: 1 << 20 }));
    assert!(out.capacity() <= 4 << 20, "{}", out.capacity());
    let body = compressed(&b"some text, some text, some text".repeat(9));
    for length in 0..body.len() {
        let result = decompress(&body[..length], &mut out, 10_000);
        assert!(matches!(result, Err(ZstdError::Corrupt(_))), "{length}");
    }
    let follow = [&body[..], b"x"].concat();
    assert!(matches!(decompress(&follow, &mut out, 10_000), Err(ZstdError::Corrupt(_))));
    // A frame header that asks for a window of 2^27 bytes: magic, descriptor, window descriptor.
    let wide = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00];
    assert!(matches!(decompress(&wide, &mut out, 10_000), Err(ZstdError::Corrupt(_))));
}

proptest! {
    /// *Scenario:* any bytes, alone and behind the magic number.
    /// *Guarantees:* no panic, never more than the limit.
    #[test]
    fn any_bytes_decompress_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut out = Vec::new();
        for input in [bytes.clone(), [&[0x28, 0xb5, 0x2f, 0xfd], &bytes[..]].concat()] {
            drop(decompress(&input, &mut out, 5000));
            prop_assert!(out.len() <= 5000);
        }
    }
}
