//! Streams of records cut into pieces: as the decoder sees the whole, so it sees the pieces.

use metric::boundary::{Cut, Sizes, cut};
use metric::{Format, Reason};
use proptest::prelude::*;

use crate::common::{GOLDEN_JSON, Sample, bytes, encode, golden07, golden10, points, split};
use crate::properties::samples;

/// All cuts of a stream that is read in windows as a reader would: a little more than the target
/// first, the largest window when that was not enough.
fn cuts(stream: &[u8], sizes: Sizes) -> Vec<(Cut, Vec<u8>)> {
    let mut rest = stream;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let answer = [sizes.target + sizes.target / 8, sizes.window_max()]
            .map(|length| {
                let window = rest.get(..length).unwrap_or(rest);
                cut(window, sizes, window.len() == rest.len())
            })
            .into_iter()
            .find(|answer| *answer != Cut::More)
            .expect("the largest window always gives an answer");
        let length = match answer {
            Cut::At(length) | Cut::Damaged(length) | Cut::Lost(length) | Cut::TooLarge(length) => {
                length
            }
            Cut::More => unreachable!("filtered out"),
        };
        assert!(length > 0, "each cut takes something");
        let (piece, after) = rest.split_at(length.min(rest.len()));
        found.push((answer, piece.to_vec()));
        rest = after;
    }
    found
}

/// The points of all cuts that are for the decoder, and how many rejects there were.
fn through_cuts(stream: &[u8], sizes: Sizes) -> (Vec<Sample>, usize) {
    let (mut found, mut rejected) = (Vec::new(), 0);
    for (answer, piece) in cuts(stream, sizes) {
        if !matches!(answer, Cut::At(_) | Cut::Damaged(_)) {
            rejected += 1;
            continue;
        }
        let (samples, rejects) = split(&piece);
        found.extend(samples);
        rejected += rejects.len();
    }
    (found, rejected)
}

const SIZES: Sizes = Sizes { target: 2048, most: 16 << 10 };

/// An object of JSON over several lines, as tools indent it.
fn indented() -> String {
    GOLDEN_JSON
        .replace("{\"", "{\n  \"")
        .replace(",\"", ",\n  \"")
        .replace('}', "\n}")
        .replace("}\n,", "},")
}

/// A frame whose length is the byte of a line feed.
fn ten_bytes() -> Vec<u8> {
    bytes(r#"0a 0a08 0a06 0a04 0a02 "kk""#)
}

/// *Scenario:* each layout a stream of records may have, a thousand metrics long.
/// *Guarantees:* all points come out of the pieces, nothing is rejected, and no piece is over the
/// target, so that cuts were really found.
#[test]
fn every_layout_is_cut_within_the_target() {
    let line = GOLDEN_JSON.trim_end();
    let unit = |text: &str| text.as_bytes().to_vec();
    let layouts: [(&str, Vec<u8>); 12] = [
        ("lines", unit(GOLDEN_JSON)),
        ("back to back", unit(line)),
        ("CRLF", unit(&format!("{line}\r\n"))),
        ("blank lines", unit(&format!("{line}\n\n \n"))),
        ("indented", unit(&indented())),
        ("array", unit(&format!("{line},\n"))),
        ("array without lines", unit(&format!("{line},"))),
        ("brackets", unit(&format!("[{line}]"))),
        ("OTel 1.0", golden10()),
        ("OTel 0.7, delimited", [golden07(), vec![b'\n']].concat()),
        ("OTel among messages of ten bytes", [golden10(), ten_bytes()].concat()),
        ("JSON and OTel", [unit(GOLDEN_JSON), golden10(), golden07()].concat()),
    ];
    for (name, unit) in layouts {
        let stream = unit.repeat(300);
        let found = cuts(&stream, SIZES);
        let longest = found.iter().map(|(_, piece)| piece.len()).max();
        assert!(longest <= Some(SIZES.target) && found.len() > 10, "{name}: {longest:?}");
        let (samples, rejected) = through_cuts(&stream, SIZES);
        let whole = points(&stream);
        assert_eq!((samples.len(), rejected), (whole.len(), 0), "{name}");
        assert!(samples == whole, "{name}");
    }
}

/// *Scenario:* a byte order mark and an opening bracket before the first object, a closing one last.
/// *Guarantees:* they belong to pieces and cost nothing.
#[test]
fn marks_and_brackets_are_delimiters() {
    let line = GOLDEN_JSON.trim_end();
    let inner = vec![line; 40].join(",\n");
    for stream in [format!("\u{feff}{}", GOLDEN_JSON.repeat(40)), format!("[\n{inner}\n]\n")] {
        let (samples, rejected) = through_cuts(stream.as_bytes(), SIZES);
        assert_eq!((samples.len(), rejected), (40, 0));
    }
}

/// *Scenario:* an object and a message larger than the target, and others larger than the most.
/// *Guarantees:* the former are pieces of their own; the latter are told apart, and what follows
/// them is found again.
#[test]
fn large_pieces_stand_alone_and_too_large_ones_are_passed_over() {
    let named =
        |length: usize| GOLDEN_JSON.replace("\"f1\"", &format!("\"{}\"", "x".repeat(length)));
    let framed = |length: usize| {
        let sample = Sample { name: "y".repeat(length), ..points(&golden10()).remove(0) };
        encode(Format::Otel10, &[sample])
    };
    for large in [named(5000).into_bytes(), framed(5000)] {
        let stream = [GOLDEN_JSON.as_bytes(), &large, GOLDEN_JSON.as_bytes()].concat();
        assert!(cuts(&stream, SIZES).contains(&(Cut::At(large.len()), large.clone())));
        assert_eq!(through_cuts(&stream, SIZES).0.len(), 3);
    }
    for (length, huge) in [20_000, 200_000]
        .map(|n| [(n, named(n).into_bytes()), (n, framed(n))])
        .into_iter()
        .flatten()
    {
        let stream = [GOLDEN_JSON.as_bytes(), &huge, &GOLDEN_JSON.repeat(3).into_bytes()].concat();
        let found = cuts(&stream, SIZES);
        assert!(found.iter().any(|(answer, _)| matches!(answer, Cut::TooLarge(_))), "{length}");
        let (samples, _) = through_cuts(&stream, SIZES);
        assert_eq!(samples.len(), 4, "{length}");
    }
}

/// *Scenario:* damage of each kind in the middle of a stream: a broken line, a line that lost its
/// quote, text that is no JSON, noise between messages, a message whose length is wrong.
/// *Guarantees:* all points that the decoder finds in the whole are found in the pieces.
#[test]
fn damage_costs_no_neighbour() {
    let (line, frame) = (GOLDEN_JSON.as_bytes().to_vec(), golden10());
    let noise: Vec<u8> =
        (0..3000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut wrong = golden10();
    wrong[0] ^= 0x05;
    let damages: [&[u8]; 6] = [
        b"{\"metric_stream_name\":\"x\n",
        b"{\"metric_stream_name\":\"x\"\n",
        b"id,value\n1,2\n",
        &noise,
        &wrong,
        &b"\x7f".repeat(40_000),
    ];
    for good in [line, frame] {
        for damage in damages {
            let stream = [good.repeat(50), damage.to_vec(), good.repeat(50)].concat();
            let (samples, rejected) = through_cuts(&stream, SIZES);
            assert!(samples.len() >= 99, "{} points", samples.len());
            assert!(rejected > 0, "the damage is told");
        }
    }
}

/// *Scenario:* what is no metric stream at all, longer than any piece: text, noise, other JSON.
/// *Guarantees:* text and noise are lost, never taken for pieces beyond the most; nothing panics.
#[test]
fn what_is_no_stream_is_lost() {
    let text = b"2026-11-20,eu-west-1,CPUUtilization,12.5\r\n".repeat(4000);
    assert!(cuts(&text, SIZES).iter().any(|(answer, _)| matches!(answer, Cut::Lost(_))));
    let noise: Vec<u8> =
        (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
    assert!(cuts(&noise, SIZES).iter().all(|(_, piece)| piece.len() <= SIZES.most));
    let open = b"{\"a\":[".repeat(60_000);
    assert!(cuts(&open, SIZES).iter().all(|(_, piece)| piece.len() <= SIZES.window_max()));
}

/// *Scenario:* a stream is cut short at every byte.
/// *Guarantees:* all whole metrics come out, and the torn one is told once, by the decoder.
#[test]
fn a_torn_end_keeps_what_is_whole() {
    let stream = [golden10(), golden07(), golden10()].concat();
    for end in 0..stream.len() {
        let torn = &stream[..end];
        let whole = split(torn);
        let (samples, rejected) = through_cuts(torn, Sizes { target: 500, most: 4096 });
        assert_eq!((samples, rejected), (whole.0, whole.1.len()), "{end}");
    }
    let (_, rejects) = split(&stream[..stream.len() - 1]);
    assert_eq!(rejects[0].2, Reason::MalformedFrame);
}

/// One record: any metrics in any form, with what may follow it.
fn record() -> impl Strategy<Value = Vec<u8>> {
    let form = prop::sample::select(vec![Format::Json, Format::Otel07, Format::Otel10]);
    let delimiter = prop::sample::select(vec![&b""[..], b"\n", b"\r\n", b"\n\n", b"\n\n\n\n"]);
    let extra = prop::sample::select(vec![false, false, false, true]);
    (samples(), form, delimiter, extra).prop_map(|(samples, form, delimiter, extra)| {
        let mut record = encode(form, &samples);
        record.extend_from_slice(delimiter);
        if extra && form != Format::Json {
            record.extend_from_slice(&ten_bytes());
        }
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// *Scenario:* random records of all formats in one stream, with and without delimiters, cut
    /// with targets down to less than one piece.
    /// *Guarantees:* the pieces put together are the stream, and decode to the points of the stream.
    #[test]
    fn pieces_decode_as_the_whole(
        records in prop::collection::vec(record(), 1..12),
        target in 16_usize..4000,
    ) {
        let stream = records.concat();
        let sizes = Sizes { target, most: 64 << 10 };
        let found = cuts(&stream, sizes);
        prop_assert!(found.iter().all(|(answer, _)| matches!(answer, Cut::At(_))));
        let joined: Vec<u8> = found.into_iter().flat_map(|(_, piece)| piece).collect();
        prop_assert_eq!(&joined, &stream);
        let (whole, rejects) = split(&stream);
        prop_assert_eq!(through_cuts(&stream, sizes), (whole, rejects.len()));
    }

    /// *Scenario:* a good stream with a stretch of random bytes written over it, and random bytes
    /// alone.
    /// *Guarantees:* every cut takes at least a byte and no more than its sizes allow, so that a
    /// reader always goes on and always ends.
    #[test]
    fn any_bytes_are_cut(
        records in prop::collection::vec(record(), 0..6),
        noise in prop::collection::vec(any::<u8>(), 1..600),
        at in any::<prop::sample::Index>(),
    ) {
        let mut stream = records.concat();
        let at = at.index(stream.len() + 1);
        let end = (at + noise.len()).min(stream.len());
        stream.splice(at..end, noise);
        let sizes = Sizes { target: 300, most: 1000 };
        let found = cuts(&stream, sizes);
        let most = found.iter().map(|(_, piece)| piece.len()).max().unwrap_or(0);
        prop_assert!(most <= sizes.window_max());
    }
}
