//! One object to the journal: broken in the middle and begun again.

use std::io::{self, Read};
use std::sync::Arc;

use intake::objects::{Carrier, Halt, Object, Stats};
use metric::Format;
use tokio::sync::watch;

use crate::common::{House, object};

/// Fails after so many bytes.
struct Breaks<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl Read for Breaks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let length = out.len().min(self.left);
        let read = self.bytes.read(&mut out[..length])?;
        self.left -= read;
        Ok(read)
    }
}

/// *Scenario:* reading an object breaks off at many places, as when the process is killed, and it is
/// read again from its beginning, by a new carrier on the same journal.
/// *Guarantees:* every point is stored exactly once; what was stored is told as a repeat.
#[test]
fn an_object_read_twice_is_stored_once() {
    let bytes = object(Format::Json, 20_000, 1);
    let mut house = House::new();
    let (_stop, stop) = watch::channel(false);
    let whole = Object { place: "s3://b/k".to_owned(), identity: Some("etag".to_owned()) };
    let carrier =
        |house: &House| Carrier::new("archive", &house.parts(), u64::MAX, Arc::<Stats>::default());
    let mut stored = 0;
    for part in 1..6 {
        let from = Breaks { bytes: &bytes, left: bytes.len() * part / 6 };
        let broken = carrier(&house).carry(&whole, from, &stop);
        assert!(matches!(broken, Err(Halt::Below(_))));
        stored += house.points();
    }
    let carried = carrier(&house).carry(&whole, &bytes[..], &stop).unwrap();
    assert!(carried.repeats >= 3 && carried.bytes == bytes.len() as u64, "{carried:?}");
    assert_eq!(stored + house.points(), 20_000);
    let again = carrier(&house).carry(&whole, &bytes[..], &stop).unwrap();
    assert_eq!((again.records, again.repeats), (0, carried.records + carried.repeats));
    let other = Object { identity: Some("another".to_owned()), ..whole };
    let again = carrier(&house).carry(&other, &bytes[..], &stop).unwrap();
    assert_eq!((again.repeats, house.points()), (0, 20_000));
}

/// *Scenario:* an object without identity (standard input) is carried twice; a stop comes before.
/// *Guarantees:* it is stored twice, since nothing tells it from new data; a stop stores no more.
#[test]
fn without_identity_nothing_is_a_repeat() {
    let bytes = object(Format::Otel10, 50, 1);
    let mut house = House::new();
    let (stop, stopped) = watch::channel(false);
    let stdin = Object { place: "stdin".to_owned(), identity: None };
    let carrier = Carrier::new("in", &house.parts(), u64::MAX, Arc::<Stats>::default());
    for _ in 0..2 {
        carrier.carry(&stdin, &bytes[..], &stopped).unwrap();
    }
    assert_eq!(house.points(), 100);
    stop.send_replace(true);
    let halted = carrier.carry(&stdin, &object(Format::Json, 20_000, 1)[..], &stopped);
    assert!(matches!(halted, Err(Halt::Stopped)));
}
