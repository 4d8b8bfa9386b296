//! Bytes that nobody means well with: mutations, repetition, nesting.

use std::time::{Duration, Instant};

use metric::{Decoder, Format, Point, Reject, Shapes, Visit, sniff};

use crate::common::{GOLDEN_JSON, Sample, encode, golden07, golden10, lambda_duration};

/// Checks what must hold of every item of every record, and digests all of it.
struct Strict<'r> {
    record: &'r [u8],
    items: usize,
    digest: u64,
}

impl Strict<'_> {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.digest = self.digest.rotate_left(7) ^ bytes.len() as u64;
    }
}

impl Visit for Strict<'_> {
    fn point(&mut self, point: &Point<'_>) {
        self.items += 1;
        let texts = [
            point.stream,
            point.exporter_arn,
            point.account,
            point.region,
            point.namespace,
            point.name,
            point.unit.cloudwatch(),
            point.unit.otel(),
        ];
        let pairs = point.dimensions.iter().flat_map(|(name, value)| [*name, *value]);
        for text in texts.into_iter().chain(pairs) {
            assert!(std::str::from_utf8(text).is_ok(), "text is UTF-8");
            self.add(text);
        }
        assert!(!point.namespace.is_empty() && !point.name.is_empty());
        assert!(point.instant_ms() > 0 && i64::try_from(point.start_ns).is_ok());
        assert!(point.dimensions.len() <= 1000 && point.extra.len() <= 1000);
        let base = [point.min, point.max, point.sum, Some(point.count)].into_iter().flatten();
        for number in base.chain(point.extra.iter().map(|extra| extra.value)) {
            assert!(number.is_finite());
            self.add(&number.to_bits().to_le_bytes());
        }
        let mut name = Vec::new();
        for extra in point.extra {
            extra.statistic.write_name(&mut name);
        }
        assert!(std::str::from_utf8(&name).is_ok());
        self.add(&name);
        self.add(&point.start_ns.to_le_bytes());
        self.add(&point.end_ns.unwrap_or(0).to_le_bytes());
    }
    fn reject(&mut self, reject: &Reject<'_>) {
        self.items += 1;
        let end = reject.offset + reject.bytes.len();
        assert_eq!(self.record.get(reject.offset..end), Some(reject.bytes), "bytes are in place");
        assert!(reject.detail.len() < 500 && !reject.detail.is_empty());
        self.add(&reject.offset.to_le_bytes());
        self.add(reject.reason.code().as_bytes());
        self.add(reject.detail.as_bytes());
    }
}

/// Decodes with all checks; returns number of items and digest.
fn strict(decoder: &mut Decoder, record: &[u8]) -> (usize, u64) {
    let mut visit = Strict { record, items: 0, digest: 0 };
    decoder.decode(record, &mut visit);
    (visit.items, visit.digest)
}

/// A stream of numbers that a seed fixes (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

/// Valid records of every form, short enough for many rounds.
fn valid_records() -> Vec<Vec<u8>> {
    let unicode = Sample {
        name: "na\u{ef}ve \"quoted\"".to_owned(),
        dimensions: vec![("d\u{e9}".into(), "\u{1f600}".into()), ("Namespace".into(), "x".into())],
        unit: "furlong".to_owned(),
        ..lambda_duration()
    };
    let all = [lambda_duration(), unicode];
    vec![
        golden07(),
        golden10(),
        GOLDEN_JSON.as_bytes().to_vec(),
        [golden07(), b"\n".to_vec(), golden10()].concat(),
        encode(Format::Json, &all),
        encode(Format::Otel07, &all),
        encode(Format::Otel10, &all),
    ]
}

/// One mutation of `record`, with pieces of `other`.
fn mutate(random: &mut Random, record: &mut Vec<u8>, other: &[u8]) {
    const SPECIAL: [u8; 12] =
        [0x00, 0x0a, 0x0d, 0x12, 0x22, 0x32, 0x3a, 0x5a, 0x5c, 0x7b, 0x80, 0xff];
    if record.is_empty() {
        record.extend_from_slice(other);
    }
    let at = random.below(record.len());
    match random.below(7) {
        0 => record[at] ^= 1 << random.below(8),
        1 => record[at] = SPECIAL[random.below(SPECIAL.len())],
        2 => record.truncate(at),
        3 => record.insert(at, SPECIAL[random.below(SPECIAL.len())]),
        4 => {
            record.remove(at);
        }
        5 => {
            let from = random.below(other.len());
            let to = from + random.below(other.len() - from);
            record.splice(at..at, other[from..to].iter().copied());
        }
        _ => {
            let to = at + random.below(record.len() - at);
            record.drain(at..to);
        }
    }
}

/// *Scenario:* 100,000 seeded mutations of valid records: flipped bits, cuts, inserted and removed
/// bytes, spliced pieces, read by one decoder and by a new one.
/// *Guarantees:* no panic; all text is UTF-8, all numbers finite, every reject in its place; the
/// same bytes give the same items whatever was decoded before.
#[test]
fn mutations_do_no_harm() {
    let valid = valid_records();
    let mut random = Random(7);
    let (mut decoder, mut shapes) = (Decoder::new(), Shapes::new());
    let mut seen = 0;
    for round in 0..100_000 {
        let mut record = valid[random.below(valid.len())].clone();
        for _ in 0..=random.below(3) {
            let other = &valid[random.below(valid.len())];
            mutate(&mut random, &mut record, other);
        }
        record.truncate(4096);
        let found = strict(&mut decoder, &record);
        if round % 8 == 0 {
            assert_eq!(found, strict(&mut Decoder::new(), &record), "round {round}");
            sniff(&record);
            lambda_duration().with(|point| shapes.intern(point));
        }
        seen += found.0;
    }
    assert!(seen > 100_000, "mutations still leave points: {seen}");
}

/// Repeats `piece` up to a size.
fn repeated(piece: &[u8], size: usize) -> Vec<u8> {
    piece.iter().copied().cycle().take(size).collect()
}

/// Damage, and behind it candidates for the next message at every fifth byte, each of which reaches
/// to the end over the heads of all others. `end` is the content of the last field.
fn overlapping_candidates(size: usize, end: &[u8]) -> Vec<u8> {
    let count = size / 5;
    let mut record = vec![0xff, 0xff, 0xff, 0x7f];
    for at in 0..count {
        let rest = (count - at - 1) * 5 + 2 + end.len();
        let length = [rest as u8 | 0x80, (rest >> 7) as u8 | 0x80, (rest >> 14) as u8];
        record.extend_from_slice(&[0x0a, 0x03]);
        record.extend_from_slice(&length);
    }
    record.extend_from_slice(&[0x0a, 0x01]);
    record.extend_from_slice(end);
    record
}

/// *Scenario:* damage before thousands of candidates for the next message that overlap, well-formed
/// to the end and not.
/// *Guarantees:* the search is paid for by the record's length: the time is linear.
#[test]
fn overlapping_candidates_cost_linear_time() {
    for end in [&b"x"[..], b""] {
        let time = |size: usize| {
            let record = overlapping_candidates(size, end);
            let start = Instant::now();
            strict(&mut Decoder::new(), &record);
            start.elapsed()
        };
        // Sixteen times the bytes; see above.
        let small = time(8 << 10).max(Duration::from_micros(500));
        let large = (0..5).map(|_| time(128 << 10)).find(|large| *large < small * 100);
        assert!(large.is_some(), "{end:x?}: {small:?}");
    }
}

/// *Scenario:* 4 KiB and 64 KiB of each pattern that could make a decoder go back: openings
/// without ends, nesting, empty messages, candidates for the search after damage.
/// *Guarantees:* the time is linear: sixteen times the bytes take nowhere near 256 times as long.
#[test]
fn repetition_costs_linear_time() {
    let chain = [vec![0x7f], golden10()].concat();
    let cut = golden10()[..golden10().len() - 1].to_vec();
    let patterns: Vec<(&str, Vec<u8>)> = vec![
        ("zeros", vec![0]),
        ("line feeds", vec![b'\n']),
        ("spaces", vec![b' ']),
        ("line feeds and a letter", b"\n\n\n\n\n\n\nx".to_vec()),
        ("text lines", b"ab\n".to_vec()),
        ("braces", b"{".to_vec()),
        ("brace lines", b"{\n".to_vec()),
        ("open objects", b"{\"a\":\n".to_vec()),
        ("open dimensions", b"{\"dimensions\":\n".to_vec()),
        ("open arrays", b"{\"a\":[\n".to_vec()),
        ("brackets", b"[".to_vec()),
        ("quotes", b"{\"".to_vec()),
        ("empty objects", b"{}".to_vec()),
        ("continuations", b"{\"a\"\n\"".to_vec()),
        ("golden with gap", [GOLDEN_JSON.as_bytes(), b"\x01\x02\n"].concat()),
        ("empty resources", vec![0x0a, 0x00]),
        ("candidates", vec![0x02, 0x0a, 0x00, 0xff]),
        ("nested", vec![0x0a, 0x7f]),
        ("long varints", vec![0xff]),
        ("ten", vec![0x0a, 0x0a, 0x08]),
        ("damaged chain", chain),
        ("cut messages", cut),
        ("groups", vec![0x0b]),
        ("closed groups", vec![0x0b, 0x0b, 0x0c, 0x0c]),
    ];
    for (name, pattern) in patterns {
        for prefix in [&b""[..], b"{\"x\n", &[0xff, 0xff, 0x7f, 0x0a, 0xfe]] {
            let time = |size: usize| {
                let record = [prefix, &repeated(&pattern, size)].concat();
                let start = Instant::now();
                strict(&mut Decoder::new(), &record);
                start.elapsed()
            };
            // Linear is 16 times, quadratic would be 256; the floor hides the clock's grain. The
            // fastest of some attempts counts, since other processes take the machine away.
            let small = time(4 << 10).max(Duration::from_micros(500));
            let large = (0..20).map(|_| time(64 << 10)).find(|large| *large < small * 100);
            assert!(large.is_some(), "{name} {prefix:x?}: {small:?} becomes {:?}", time(64 << 10));
        }
    }
}

/// *Scenario:* JSON nested a hundred thousand deep, known keys and unknown ones.
/// *Guarantees:* the stack does not grow with it: a reject or a point, never an abort.
#[test]
fn deep_nesting_is_bounded() {
    for key in ["x", "dimensions", "value", "timestamp"] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let depth = 100_000;
            let text = format!("{{\"{key}\":{}1{}}}", open.repeat(depth), close.repeat(depth));
            assert_eq!(strict(&mut Decoder::new(), text.as_bytes()).0, 1, "{key} {open}");
        }
    }
}
