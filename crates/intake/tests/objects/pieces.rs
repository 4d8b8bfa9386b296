//! The cutter: any container, any format, any chunks, and what is none.

use std::io::{self, Read};

use codec::container::{Compressor, Container};
use intake::objects::Reason;
use intake::objects::pieces::{
    BARREN_BYTES, KEPT_BYTES, PIECE_BYTES, PIECE_BYTES_MAX, Pieces, Rejected, Step,
};
use metric::Format;
use proptest::prelude::*;

use crate::common::{object, points};

const LIMIT: u64 = 1 << 40;

fn steps(from: impl Read) -> Vec<Step> {
    let mut pieces = Pieces::new(from, LIMIT);
    let mut found = Vec::new();
    while let Some(step) = pieces.next().unwrap() {
        found.push(step);
    }
    assert!(pieces.next().unwrap().is_none(), "the end stays the end");
    found
}

fn count(steps: &[Step]) -> (usize, Vec<Reason>) {
    let mut found = (0, Vec::new());
    for step in steps {
        match step {
            Step::Piece(piece) => found.0 += points(&piece.bytes),
            Step::Rejected(rejected) => found.1.push(rejected.reason),
        }
    }
    found
}

fn only(bytes: &[u8]) -> Rejected {
    match &steps(bytes)[..] {
        [Step::Rejected(rejected)] => rejected.clone(),
        other => panic!("{} steps", other.len()),
    }
}

fn packed(container: Container, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(container).compress("object", bytes, &mut out).unwrap();
    out
}

/// Gives its bytes in chunks of these lengths, in turn.
struct Chunks<'a> {
    rest: &'a [u8],
    lengths: Vec<usize>,
    at: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.at += 1;
        let length = self.lengths[self.at % self.lengths.len()];
        let length = length.min(out.len()).min(self.rest.len());
        out[..length].copy_from_slice(&self.rest[..length]);
        self.rest = &self.rest[length..];
        Ok(length)
    }
}

/// *Scenario:* an object of each format in each container, several pieces long.
/// *Guarantees:* all points arrive in pieces of the size of a record of Firehose; offsets and numbers
/// follow each other without a gap.
#[test]
fn every_container_and_format_is_cut() {
    for format in [Format::Json, Format::Otel07, Format::Otel10] {
        let plain = object(format, 8000, 1);
        for container in codec::container::CONTAINERS {
            let found = steps(&packed(container, &plain)[..]);
            assert_eq!(count(&found), (8000, Vec::new()), "{format:?} {container}");
            let (mut at, mut number) = (0, 0);
            for step in found {
                let Step::Piece(piece) = step else { panic!("all are pieces") };
                assert_eq!((piece.offset, piece.number), (at, number));
                assert!(piece.bytes.len() <= PIECE_BYTES);
                (at, number) = (at + piece.bytes.len() as u64, number + 1);
            }
            assert!(at == plain.len() as u64 && number > 1, "{number} pieces");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// *Scenario:* the same object, compressed or not, damaged or not, arrives in any chunks.
    /// *Guarantees:* the steps are the same, byte by byte.
    #[test]
    fn chunks_change_nothing(
        lengths in prop::collection::vec(1_usize..100_000, 1..6),
        gzip in any::<bool>(),
        noise in any::<bool>(),
        json in any::<bool>(),
    ) {
        let format = if json { Format::Json } else { Format::Otel10 };
        let mut bytes = object(format, 4000, 2);
        if noise {
            let middle = bytes.len() / 2;
            bytes.splice(middle..middle, [0x7f; 300]);
        }
        if gzip {
            bytes = packed(Container::Gzip, &bytes);
        }
        let whole = steps(&bytes[..]);
        let chunks = steps(Chunks { rest: &bytes, lengths, at: 0 });
        prop_assert!(whole == chunks);
    }
}

/// *Scenario:* what people put under a prefix by mistake, small and large, compressed and not.
/// *Guarantees:* each is one part set aside with the reason that names it, and its first bytes.
#[test]
fn what_is_no_metric_stream_is_named() {
    let csv = b"id,name,value\r\n1,a,2\r\n";
    let logs = br#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logEvents":[]}"#;
    let failed = b"{\"attemptsMade\":4,\"errorCode\":\"X\",\"rawData\":\"eyJ9\"}\n";
    let trail = b"{\"Records\":[{\"eventName\":\"RunInstances\"}]}";
    let cases: [(&[u8], Reason); 9] = [
        (b"", Reason::Empty),
        (b" \r\n\n", Reason::Empty),
        (csv, Reason::Text),
        (logs, Reason::CloudWatchLogs),
        (failed, Reason::FailedRecords),
        (trail, Reason::OtherJson),
        (b"<!DOCTYPE html><html></html>", Reason::Markup),
        (b"PAR1\x15\x04\x15\x10PAR1", Reason::Parquet),
        (b"\xff\xfe\x00\x01", Reason::Unknown),
    ];
    for (bytes, reason) in cases {
        for times in [1, 3, 100_000] {
            let bytes = if bytes.is_empty() { Vec::new() } else { bytes.repeat(times) };
            let found = only(&bytes);
            assert_eq!(found.reason, reason, "{times}");
            if reason != Reason::Empty {
                assert!(bytes.starts_with(&found.bytes) && !found.bytes.is_empty());
                assert!(found.bytes.len() == bytes.len().min(KEPT_BYTES));
                assert_eq!(only(&packed(Container::Gzip, &bytes)).reason, reason);
            }
        }
    }
}

/// *Scenario:* gigabytes of text.
/// *Guarantees:* reading ends after the first 16 MiB, and the detail says so.
#[test]
fn what_is_barren_is_not_read_to_its_end() {
    let found = steps(io::repeat(b'x').take(1 << 40));
    let [Step::Rejected(rejected)] = &found[..] else { panic!("one part") };
    assert_eq!(rejected.reason, Reason::Text);
    assert!(rejected.length <= BARREN_BYTES + 2 * PIECE_BYTES_MAX as u64);
    assert!(rejected.detail.contains("16 MiB"));
}

/// *Scenario:* objects of each container cut short in the middle, and with a byte changed.
/// *Guarantees:* what was whole before is kept, and the fault is told once, with its reason.
#[test]
fn a_fault_keeps_what_was_good_before() {
    let plain = object(Format::Json, 20_000, 3);
    for container in codec::container::CONTAINERS.into_iter().filter(|one| *one != Container::Plain)
    {
        let bytes = packed(container, &plain);
        let (found, reasons) = count(&steps(&bytes[..bytes.len() / 2]));
        // A zip is checked at its end, the others as they go.
        assert!(found > 1000, "{container}: {found}");
        assert_eq!(reasons, [Reason::CutShort], "{container}");
    }
    let mut bytes = packed(Container::Gzip, &plain);
    let last = bytes.len() - 6;
    bytes[last] ^= 0xff;
    let (found, reasons) = count(&steps(&bytes[..]));
    assert!(found > 10_000 && reasons == [Reason::Damaged], "{found} {reasons:?}");
    // Everything before the damage is whole: nothing of it is kept out.
    let few = object(Format::Json, 20, 3);
    let trailed = [&packed(Container::Gzip, &few)[..], b"garbage"].concat();
    assert_eq!(count(&steps(&trailed[..])), (20, vec![Reason::Damaged]));
    let mut pieces = Pieces::new(&plain[..], 1000);
    let Step::Rejected(rejected) = pieces.next().unwrap().unwrap() else {
        panic!("over the limit")
    };
    assert_eq!(rejected.reason, Reason::TooLarge);
}

/// *Scenario:* damage in the middle of a good object, small and larger than any piece.
/// *Guarantees:* the points on both sides arrive; the large one is set aside as noise, whole.
#[test]
fn damage_in_the_middle_is_passed() {
    let good = object(Format::Otel10, 2000, 4);
    let noise = vec![0x7f; 2 * PIECE_BYTES_MAX];
    let bytes = [&good[..], &noise, &good].concat();
    let (found, reasons) = count(&steps(&bytes[..]));
    assert_eq!((found, reasons), (4000, vec![Reason::Noise]));
    let line = object(Format::Json, 1, 4);
    let huge = [&b"{\"metric_stream_name\":\""[..], &vec![b'x'; 9 << 20], b"\"}\n"].concat();
    let bytes = [&line[..], &huge, &line].concat();
    let (found, reasons) = count(&steps(&bytes[..]));
    assert_eq!((found, reasons), (2, vec![Reason::PieceTooLarge]));
}

/// *Scenario:* the source of an object fails in the middle.
/// *Guarantees:* it is an error of the source, never an end and never a fault of the object.
#[test]
fn a_source_that_fails_is_no_end() {
    struct Fails<'a>(&'a [u8]);
    impl Read for Fails<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            match self.0.read(out)? {
                0 => Err(io::ErrorKind::ConnectionReset.into()),
                read => Ok(read),
            }
        }
    }
    let plain = object(Format::Json, 100, 5);
    for bytes in [plain.clone(), packed(Container::Gzip, &plain)] {
        let mut pieces = Pieces::new(Fails(&bytes[..bytes.len() / 2]), LIMIT);
        let mut next = pieces.next();
        while let Ok(Some(Step::Piece(_))) = next {
            next = pieces.next();
        }
        assert_eq!(next.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
}
