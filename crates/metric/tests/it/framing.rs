//! Several messages in a record, inserted line feeds, and damage.

use metric::{Format, Reason, wire};

use crate::common::{
    GOLDEN_JSON, Item, Sample, bytes, encode, golden07, golden10, items, lambda_duration, points,
    split,
};

/// Three messages that differ, as frames.
fn frames() -> [Vec<u8>; 3] {
    ["one", "two", "three"].map(|name| {
        let sample = Sample { name: name.to_owned(), ..lambda_duration() };
        encode(Format::Otel10, &[sample])
    })
}

fn names(samples: &[Sample]) -> Vec<&str> {
    samples.iter().map(|sample| sample.name.as_str()).collect()
}

/// A legal message of ten bytes that holds no item: a resource with one empty attribute.
fn ten_bytes() -> Vec<u8> {
    bytes(r#"0a 0a08 0a06 0a04 0a02 "kk""#)
}

/// A legal message of ten bytes that holds one item: a metric without data, which is rejected.
fn ten_bytes_with_item() -> Vec<u8> {
    bytes(r#"0a 0a08 1206 1204 0a02 "mx""#)
}

/// *Scenario:* messages of both versions follow each other, empty ones between.
/// *Guarantees:* every message is read, and the version is decided for each data point.
#[test]
fn formats_may_switch_within_a_record() {
    let record = [golden07(), vec![0], golden10(), vec![0, 0], golden07()].concat();
    assert_eq!(points(&record), [lambda_duration(), lambda_duration(), lambda_duration()]);
}

/// *Scenario:* lines of JSON and messages in one record, as when objects are joined over a change
/// of the output format.
/// *Guarantees:* each piece is told for itself.
#[test]
fn json_and_messages_may_mix() {
    let line = GOLDEN_JSON.as_bytes().to_vec();
    let record =
        [line.clone(), golden10(), line.clone(), golden07(), b"\n".to_vec(), line].concat();
    assert_eq!(points(&record).len(), 5);
}

/// *Scenario:* one or more line feeds, and carriage returns, before, between and after messages.
/// *Guarantees:* no message is lost and nothing is rejected.
#[test]
fn inserted_line_feeds_are_passed_over() {
    let [one, two, three] = frames();
    for delimiter in [&b"\n"[..], b"\n\n", b"\r\n", b"\n\n\n\n\n\n\n\n\n\n\n\n"] {
        for mask in 0..16_u8 {
            let mut record = Vec::new();
            for (at, piece) in [&[][..], &one, &two, &three].into_iter().enumerate() {
                record.extend_from_slice(piece);
                if mask & 1 << at != 0 {
                    record.extend_from_slice(delimiter);
                }
            }
            assert_eq!(names(&points(&record)), ["one", "two", "three"], "{mask:04b}");
        }
    }
}

/// *Scenario:* legal messages of ten bytes, whose length is a line feed, among others, with and
/// without inserted line feeds.
/// *Guarantees:* each is read as the message it is, and no line feed is taken for one.
#[test]
fn a_message_of_ten_bytes_is_no_line_feed() {
    let [one, two, _] = frames();
    let ten = ten_bytes_with_item();
    for feeds in [&b""[..], b"\n", b"\n\n"] {
        let pieces = [&one[..], &ten, &ten, &two, &ten];
        let record = pieces.join(feeds);
        let found = items(&record);
        let kinds: Vec<bool> = found.iter().map(|item| matches!(item, Item::Point(_))).collect();
        assert_eq!(kinds, [true, false, false, true, false]);
        // The reject of the second piece points at the metric inside it.
        let Item::Reject { offset, bytes, reason, .. } = &found[1] else { panic!("a reject") };
        assert_eq!(*offset, one.len() + feeds.len() + 7);
        assert_eq!((bytes.as_slice(), *reason), (&ten[7..], Reason::UnsupportedMetric));
    }
    let record = [b"\n".to_vec(), ten_bytes(), b"\n".to_vec(), one, ten_bytes()].concat();
    assert_eq!(names(&points(&record)), ["one"]);
}

/// A field that begins with its length.
fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_bytes(number, content, &mut out);
    out
}

/// The smallest metrics of a resource, with a metric name of `length` bytes.
fn small_metrics(length: usize) -> Vec<u8> {
    let label = |key: &[u8], value: &[u8]| field(1, &[field(1, key), field(2, value)].concat());
    let name = label(b"MetricName", "n".repeat(length).as_bytes());
    let mut point = [label(b"Namespace", b"N"), name].concat();
    wire::put_fixed64(2, 1_000_000, &mut point);
    field(2, &field(2, &field(11, &field(1, &point))))
}

/// *Scenario:* a line feed before a message whose first bytes, taken with the line feed as length,
/// read as ten bytes with an unknown field and a `resource_metrics`.
/// *Guarantees:* the line feed is passed over: a message as short as that may hold no unknown field.
#[test]
fn a_line_feed_is_no_message_of_ten_bytes() {
    let resource = field(1, &bytes(r#"0a03 0a01 "x""#));
    let message = (1..20)
        .map(|length| field(1, &[&resource[..], &small_metrics(length)].concat()))
        // The length reads as the tag of a field of four bytes.
        .find(|message| message.len() < 128 && message.len() % 8 == 5)
        .expect("one of that size");
    let record = [&[b'\n', message.len() as u8][..], &message].concat();
    assert_eq!(points(&record).len(), 1);
    assert_eq!(points(&[&record[..], &record].concat()).len(), 2);
}

/// *Scenario:* a message of 123 bytes, whose length is an opening brace, alone, repeated and among
/// lines of JSON; and JSON that begins with a brace and a line feed.
/// *Guarantees:* neither is taken for the other.
#[test]
fn a_message_of_123_bytes_is_no_json() {
    let sized = |length: usize| {
        let message = field(1, &small_metrics(length));
        [&[message.len() as u8][..], &message].concat()
    };
    let frame = (1..90).map(sized).find(|frame| frame[0] == b'{').expect("one of 123 bytes");
    assert_eq!((frame.len(), &frame[..2]), (124, &b"{\n"[..]));
    assert_eq!(points(&frame).len(), 1);
    let line = GOLDEN_JSON.as_bytes().to_vec();
    let record = [frame.clone(), frame.clone(), line.clone(), frame.clone(), line].concat();
    assert_eq!(points(&record).len(), 5);

    let pretty = GOLDEN_JSON.replacen('{', "{\n", 1).replace(',', ",\n  ");
    assert_eq!(points(pretty.as_bytes()).len(), 1);
    let record = [pretty.as_bytes(), &frame, pretty.as_bytes()].concat();
    assert_eq!(points(&record).len(), 3);
}

/// *Scenario:* a record is cut at every byte.
/// *Guarantees:* whole messages stay, and the rest is one reject from its first byte to the end.
#[test]
fn a_cut_record_keeps_its_whole_messages() {
    let [one, two, three] = frames();
    let record = [one.clone(), two.clone(), three].concat();
    for cut in 0..record.len() {
        let (samples, rejects) = split(&record[..cut]);
        let (whole, start) = match cut {
            cut if cut < one.len() => (0, 0),
            cut if cut < one.len() + two.len() => (1, one.len()),
            _ => (2, one.len() + two.len()),
        };
        assert_eq!(samples.len(), whole, "cut at {cut}");
        if cut == start {
            assert!(rejects.is_empty());
        } else {
            let [(offset, length, reason)] = rejects[..] else { panic!("{cut}: {rejects:?}") };
            assert_eq!((offset, length), (start, cut - start));
            assert_eq!(reason, Reason::MalformedFrame, "cut at {cut}");
        }
    }
}

/// *Scenario:* wrong lengths: too long for the record, of six bytes, of eleven; and bytes that are
/// no message behind good ones.
/// *Guarantees:* the good messages stay, each damage is one reject with its offset and its reason.
#[test]
fn wrong_lengths_are_rejected_with_their_offset() {
    let [one, ..] = frames();
    for (tail, reason) in [
        (&[0xff, 0xff, 0xff, 0xff, 0x0f, 0x0a, 0x00][..], Reason::MalformedFrame),
        (&[0x84, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0a, 0x02, 0x0a, 0x00], Reason::MalformedFrame),
        (&[0xff; 11], Reason::MalformedFrame),
        (&[0x80], Reason::MalformedFrame),
        (b"not a message at all", Reason::UnknownFormat),
        (&[0x02, 0x0a, 0x05], Reason::UnknownFormat),
    ] {
        let record = [&one[..], tail].concat();
        let (samples, rejects) = split(&record);
        assert_eq!(samples.len(), 1);
        assert_eq!(rejects, [(one.len(), tail.len(), reason)]);
        // Alone it is rejected whole.
        assert_eq!(split(tail).1, [(0, tail.len(), reason)]);
    }
}

/// *Scenario:* the length of the middle message is wrong in either direction, or its bytes were
/// lost or doubled in part.
/// *Guarantees:* the messages around it are found again, one reject covers the damage.
#[test]
fn messages_behind_damage_are_found() {
    let [one, two, three] = frames();
    let mut longer = two.clone();
    longer[0] += 20;
    let mut shorter = two.clone();
    shorter[0] -= 20;
    let lost = [&two[..100], &two[140..]].concat();
    let doubled = [&two[..140], &two[100..]].concat();
    let garbage = vec![0xee; 300];
    for (name, middle) in [
        ("longer", longer),
        ("shorter", shorter),
        ("lost", lost),
        ("doubled", doubled),
        ("garbage", garbage),
    ] {
        let record = [&one[..], &middle, &three].concat();
        let (samples, rejects) = split(&record);
        let names = names(&samples);
        assert_eq!(names.first(), Some(&"one"), "{name}");
        assert_eq!(names.last(), Some(&"three"), "{name}");
        // A piece that reaches into the next message is rejected with those bytes.
        assert_eq!(rejects.is_empty(), name == "longer", "{name}");
        for (offset, length, _) in rejects {
            let within = one.len()..one.len() + middle.len();
            assert!(within.contains(&offset) && offset + length < record.len(), "{name}");
        }
    }
}

/// *Scenario:* behind damage, a message that gives a point and a reject, then a good one.
/// *Guarantees:* only a piece without any reject is a proof that the record goes on there.
#[test]
fn a_piece_with_a_reject_proves_nothing() {
    let [one, two, _] = frames();
    let doubtful = field(1, &[&small_metrics(1)[..], &bytes(r#"1206 1204 0a02 "mx""#)].concat());
    let doubtful = [&[doubtful.len() as u8][..], &doubtful].concat();
    let record = [&one[..], &[0xee; 9], &doubtful, &two].concat();
    let (samples, rejects) = split(&record);
    assert_eq!(names(&samples), ["one", "two"]);
    assert_eq!(rejects.len(), 1);
    assert_eq!((rejects[0].0, rejects[0].1), (one.len(), 9 + doubtful.len()));
    // Without damage before it, its point is used.
    let (samples, rejects) = split(&[&one[..], &doubtful, &two].concat());
    assert_eq!((samples.len(), rejects.len()), (3, 1));
}

/// *Scenario:* a length that swallows the start of the next message, after a whole resource.
/// *Guarantees:* the resource's points stay, the next message is found at its first byte, and
/// nothing is rejected, since nothing was lost.
#[test]
fn a_wrong_length_around_a_whole_message_costs_nothing() {
    let [one, two, _] = frames();
    let mut longer = one;
    longer[0] += 7;
    let record = [longer, two].concat();
    assert_eq!(names(&points(&record)), ["one", "two"]);
}

/// *Scenario:* a message whose second resource is malformed, with a good message behind it.
/// *Guarantees:* the first resource is used, the bad field is rejected from its tag, the next message is read.
#[test]
fn good_resources_of_a_bad_message_are_used() {
    let [one, two, _] = frames();
    let resource = &one[2..];
    let bad = [0x0a, 0x7f, 0x01];
    let length = resource.len() + bad.len();
    let head = [(length & 0x7f) as u8 | 0x80, (length >> 7) as u8];
    let record = [&head[..], resource, &bad, &two].concat();
    let (samples, rejects) = split(&record);
    assert_eq!(names(&samples), ["one", "two"]);
    assert_eq!(rejects, [(2 + resource.len(), 3, Reason::MalformedMessage)]);
}

/// *Scenario:* text, binary bytes, other protobuf, and nothing but white space.
/// *Guarantees:* what is no metric data is rejected whole; white space and empty messages are no items.
#[test]
fn unknown_records_are_rejected_whole() {
    for record in
        [&b"hello world"[..], b"hello\nworld\n", b"<xml/>", &[0xde, 0xad, 0x0e, 0xef], b"[1]"]
    {
        assert_eq!(split(record), (vec![], vec![(0, record.len(), Reason::UnknownFormat)]));
    }
    for record in [&b""[..], b"\n", b" \r\n\t", &[0], &[0, 0, 0]] {
        assert_eq!(split(record), (vec![], vec![]));
    }
    // A message without the one field that it has in every version.
    assert_eq!(split(b"\x02hi"), (vec![], vec![(0, 3, Reason::UnknownFormat)]));
}

/// *Scenario:* padded lengths and tags, as writers that patch them later make.
/// *Guarantees:* they are read like short ones.
#[test]
fn padded_varints_are_read() {
    let frame = golden10();
    // 402 in five bytes, and the resource's tag and length (399) in two and four.
    let padded = [&bytes("9283808000 8a00 8f838000")[..], &frame[5..]].concat();
    let mut padded = padded;
    // The longer tag and length make the message three bytes longer.
    padded[0] = 0x95;
    assert_eq!(points(&padded), [lambda_duration()]);
}
