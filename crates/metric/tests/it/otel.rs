//! What the fields of a message mean, in any order and grouping, and bad pieces.

use metric::{Format, Reason, wire};

use crate::common::{
    Collect, Item, Sample, encode, golden10, items, lambda_duration, points, split,
};

/// A message under construction: fields in the order they are added.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

impl Message {
    fn bytes(mut self, field: u32, content: &[u8]) -> Self {
        wire::put_bytes(field, content, &mut self.0);
        self
    }
    fn message(self, field: u32, content: Message) -> Self {
        self.bytes(field, &content.0)
    }
    fn fixed(mut self, field: u32, bits: u64) -> Self {
        wire::put_varint(u64::from(wire::tag_fixed64(field)), &mut self.0);
        self.0.extend_from_slice(&bits.to_le_bytes());
        self
    }
    fn double(self, field: u32, value: f64) -> Self {
        self.fixed(field, value.to_bits())
    }
    fn uint(mut self, field: u32, value: u64) -> Self {
        wire::put_varint(u64::from(wire::tag_varint(field)), &mut self.0);
        wire::put_varint(value, &mut self.0);
        self
    }
    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

fn new() -> Message {
    Message::default()
}

/// `KeyValue` with a string.
fn text(key: &str, value: &str) -> Message {
    new().bytes(1, key.as_bytes()).message(2, new().bytes(1, value.as_bytes()))
}

fn label(key: &str, value: &str) -> Message {
    new().bytes(1, key.as_bytes()).bytes(2, value.as_bytes())
}

fn quantile(quantile: f64, value: f64) -> Message {
    new().double(1, quantile).double(2, value)
}

const START: u64 = 1_795_178_040_000_000_000;
const END: u64 = START + 60_000_000_000;

fn times() -> Message {
    new().fixed(2, START).fixed(3, END).fixed(4, 3)
}

fn named10() -> Message {
    times().message(7, text("Namespace", "N")).message(7, text("MetricName", "m"))
}

fn named07() -> Message {
    new().message(1, label("Namespace", "N")).message(1, label("MetricName", "m")).raw(&times().0)
}

/// A record of one data point.
fn record(data_point: Message) -> Vec<u8> {
    record_of_metric(new().bytes(3, b"ms").message(11, new().message(1, data_point)))
}

fn record_of_metric(metric: Message) -> Vec<u8> {
    framed(new().message(1, new().message(1, resource()).message(2, new().message(2, metric))))
}

fn resource() -> Message {
    new().message(1, text("cloud.account.id", "1")).message(1, text("cloud.region", "r"))
}

fn framed(message: Message) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_varint(message.0.len() as u64, &mut out);
    out.extend_from_slice(&message.0);
    out
}

#[track_caller]
fn one(record: &[u8]) -> Sample {
    let [sample] = &points(record)[..] else { panic!("not one point") };
    sample.clone()
}

/// Asserts that `record` holds nothing but one reject of `reason`, and returns its bytes.
#[track_caller]
fn rejected(record: &[u8], reason: Reason) -> Vec<u8> {
    match &items(record)[..] {
        [Item::Reject { offset, bytes, reason: found, detail }] => {
            assert_eq!(*found, reason, "{detail}");
            assert_eq!(&record[*offset..*offset + bytes.len()], &bytes[..]);
            bytes.clone()
        }
        items => panic!("{items:?}"),
    }
}

/// *Scenario:* quantile messages with nothing, with the quantile alone, the value alone, or both.
/// *Guarantees:* an empty one is a minimum of zero; none at all leaves minimum and maximum unknown;
/// an absent sum is zero.
#[test]
fn absent_numbers_are_zero() {
    let empty = one(&record(named10().message(6, new())));
    assert_eq!((empty.min, empty.max, empty.sum), (Some(0.0), None, Some(0.0)));
    let max = one(&record(named10().message(6, new().double(1, 1.0))));
    assert_eq!((max.min, max.max), (None, Some(0.0)));
    let min = one(&record(named10().message(6, new().double(2, 4.0)).double(5, 9.0)));
    assert_eq!((min.min, min.max, min.sum), (Some(4.0), None, Some(9.0)));
    let none = one(&record(named10()));
    assert_eq!((none.min, none.max, none.count), (None, None, 3.0));
    let negative_zero = one(&record(named10().message(6, quantile(-0.0, -0.0))));
    assert_eq!(negative_zero.min.map(f64::to_bits), Some((-0.0_f64).to_bits()));
    let any_order =
        one(&record(named10().message(6, new().double(2, 7.0).uint(9, 1).double(1, 1.0))));
    assert_eq!(any_order.max, Some(7.0));
}

/// *Scenario:* percentiles, also 0 and 100, which collide with minimum and maximum.
/// *Guarantees:* percentiles keep their order and exact names; of two maxima the larger stays.
#[test]
fn percentiles_are_named_exactly() {
    let sample = one(&record(
        named10()
            .message(6, quantile(0.0, 2.0))
            .message(6, quantile(0.999, 1.0))
            .message(6, quantile(0.9999, 2.0))
            .message(6, quantile(0.001, 3.0))
            .message(6, quantile(0.952_345, 4.0))
            .message(6, quantile(0.57, 5.0))
            .message(6, quantile(1.0, 6.0))
            .message(6, quantile(1.0, 5.0))
            .message(6, quantile(0.0, 1.0)),
    ));
    let names: Vec<&str> = sample.extra.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["p99.9", "p99.99", "p0.1", "p95.2345", "p57"]);
    assert_eq!((sample.min, sample.max), (Some(1.0), Some(6.0)));
}

/// *Scenario:* the first two labels of 0.7 come again as dimensions of the same names.
/// *Guarantees:* the first are CloudWatch's, later ones dimensions. Format 1.0 nests them.
#[test]
fn a_dimension_may_be_called_namespace() {
    let point = named07().message(1, label("Namespace", "x")).message(1, label("MetricName", "y"));
    let expect =
        [("Namespace".to_owned(), "x".to_owned()), ("MetricName".to_owned(), "y".to_owned())];
    let sample = one(&record(point));
    assert_eq!((sample.namespace.as_str(), sample.name.as_str()), ("N", "m"));
    assert_eq!(sample.dimensions, expect);
    let list = new().message(1, text("Namespace", "x")).message(1, text("MetricName", "y"));
    let nested = new().bytes(1, b"Dimensions").message(2, new().message(6, list));
    // The list comes before the names it must not be taken for.
    let point = times()
        .message(7, nested)
        .message(7, text("Namespace", "N"))
        .message(7, text("MetricName", "m"));
    let sample = one(&record(point));
    assert_eq!((sample.namespace.as_str(), sample.name.as_str()), ("N", "m"));
    assert_eq!(sample.dimensions, expect);
}

/// *Scenario:* 1.0 without `Dimensions`, with an empty list or no value, with flat attributes beside
/// it, with a string called Dimensions, and twice.
/// *Guarantees:* none is lost, and no dimension is made up.
#[test]
fn dimensions_are_nested_or_flat() {
    let list = |list: Message| new().bytes(1, b"Dimensions").message(2, new().message(6, list));
    let pairs = |point: Message| one(&record(point)).dimensions;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(pairs(named10()), []);
    assert_eq!(pairs(named10().message(7, list(new()))), []);
    assert_eq!(pairs(named10().message(7, new().bytes(1, b"Dimensions"))), []);
    assert_eq!(pairs(named10().message(7, new().bytes(1, b"Dimensions").bytes(2, b""))), []);
    assert_eq!(pairs(named10().message(7, text("Dimensions", "x"))), [pair("Dimensions", "x")]);
    let flat = named10()
        .message(7, text("a", "1"))
        .message(7, list(new().message(1, text("b", "2"))))
        .message(7, list(new().message(1, text("c", "3"))))
        .message(7, text("d", "4"));
    assert_eq!(pairs(flat), [pair("a", "1"), pair("b", "2"), pair("c", "3"), pair("d", "4")]);
}

/// *Scenario:* the list of `Dimensions` in two pieces: two values, two lists in a value, with fields
/// between that nobody knows; and a value of another kind before it, between the pieces, behind them.
/// *Guarantees:* the pieces are one list, as protobuf merges messages; of several kinds the last counts.
#[test]
fn pieces_of_a_list_are_merged() {
    let piece = |name: &str, value: &str| new().message(6, new().message(1, text(name, value)));
    let (a, b) = (piece("a", "1"), piece("b", "2"));
    let both = new().raw(&a.0).raw(&b.0);
    let text_first = new().bytes(1, b"x");
    let list = || new().bytes(1, b"Dimensions");
    let all = ["a", "b"].as_slice();
    for (attribute, expect) in [
        (list().message(2, a.clone()).message(2, b.clone()), all),
        (new().message(2, a.clone()).message(2, b.clone()).bytes(1, b"Dimensions"), all),
        (list().message(2, both.clone()), all),
        (list().message(2, new().uint(99, 1).raw(&both.0).uint(99, 1)), all),
        (list().message(2, new().raw(&a.0).uint(99, 1).raw(&b.0)), all),
        (list().message(2, a.clone()).bytes(2, b"").message(2, b.clone()), all),
        (list().message(2, text_first.clone()).message(2, both), all),
        (list().message(2, a.clone()).message(2, text_first.clone()).message(2, b), &["b"]),
        (list().message(2, a).message(2, text_first), &["Dimensions"]),
    ] {
        let point = one(&record(named10().message(7, attribute)));
        let names: Vec<&str> = point.dimensions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expect);
    }
}

/// *Scenario:* dimension values that are no strings.
/// *Guarantees:* numbers and truth values become text, no value empty text; bytes, arrays and
/// nested lists reject the data point.
#[test]
fn values_of_other_kinds_become_text() {
    let any = |value: Message| new().bytes(1, b"d").message(2, value);
    let nested = |entry: Message| {
        named10().message(
            7,
            new().bytes(1, b"Dimensions").message(2, new().message(6, new().message(1, entry))),
        )
    };
    for (value, expect) in [
        (new().uint(2, 1), "true"),
        (new().uint(2, 0), "false"),
        (new().uint(3, 42), "42"),
        (new().uint(3, u64::MAX), "-1"),
        (new().double(4, 2.5), "2.5"),
        (new(), ""),
        (new().uint(3, 42).bytes(1, b"last"), "last"),
        (new().bytes(1, b"known").uint(99, 1), "known"),
        (new().uint(99, 1).bytes(1, b"known"), "known"),
    ] {
        for point in [nested(any(value.clone())), named10().message(7, any(value))] {
            assert_eq!(one(&record(point)).dimensions, [("d".to_owned(), expect.to_owned())]);
        }
    }
    for value in
        [new().bytes(5, b""), new().bytes(6, b""), new().bytes(7, b"x"), new().bytes(9, b"x")]
    {
        rejected(&record(nested(any(value))), Reason::MalformedMessage);
    }
    rejected(&record(nested(any(new().double(4, f64::NAN)))), Reason::NotFinite);
    // A name that is a number is no name.
    let numeric = times()
        .message(7, new().bytes(1, b"Namespace").message(2, new().uint(3, 1)))
        .message(7, text("MetricName", "m"));
    rejected(&record(numeric), Reason::MissingName);
}

/// *Scenario:* data points with labels and attributes, as proto 0.9 to 0.11 allowed.
/// *Guarantees:* both are merged, what is said twice is taken once, and the metric is not offered
/// for copying as 1.0.
#[test]
fn labels_and_attributes_are_merged() {
    let list = new().message(1, text("a", "1")).message(1, text("b", "2"));
    let point = named07()
        .message(1, label("a", "1"))
        .message(7, text("Namespace", "N"))
        .message(7, text("MetricName", "m"))
        .message(7, new().bytes(1, b"Dimensions").message(2, new().message(6, list)));
    let mut collect = Collect::default();
    metric::Decoder::new().decode(&record(point), &mut collect);
    let [Item::Point(sample)] = &collect.items[..] else { panic!("{:?}", collect.items) };
    assert_eq!(
        sample.dimensions,
        [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]
    );
    assert_eq!(collect.copies, [None]);
}

/// *Scenario:* fields in reverse order at every level, the resource after the metrics, twice, or
/// absent; several scopes, metrics and points; unknown fields, and groups of them, everywhere.
/// *Guarantees:* order and grouping do not matter and unknown fields are passed over.
#[test]
fn any_order_and_grouping_is_read() {
    let unknown = [0x9b, 0x06, 0x08, 1, 0x9c, 0x06];
    let value = new().bytes(1, b"v").raw(&unknown);
    let reversed_entry = new().message(2, value).bytes(1, b"d").uint(77, 1).raw(&unknown);
    let dimensions = new()
        .message(2, new().bytes(6, &new().fixed(20, 1).message(1, reversed_entry).0))
        .bytes(1, b"Dimensions");
    let point = new()
        .message(7, dimensions)
        .message(7, text("MetricName", "m"))
        .message(7, text("Namespace", "N"))
        .message(6, quantile(1.0, 2.0))
        .double(5, 4.0)
        .fixed(4, 2)
        .fixed(3, END)
        .fixed(2, START)
        .uint(99, 5)
        .raw(&unknown)
        .bytes(100, b"new");
    let metric = |point: &Message| {
        new()
            .bytes(40, b"?")
            .raw(&unknown)
            .message(
                11,
                new().uint(9, 1).raw(&unknown).message(1, point.clone()).message(1, point.clone()),
            )
            .bytes(3, b"By")
            .bytes(1, b"any")
    };
    let scope = new().bytes(3, b"schema").message(2, metric(&point)).message(1, text("scope", "x"));
    let group = new()
        .message(2, scope.clone())
        .bytes(3, b"schema")
        .message(2, scope)
        .message(1, new().message(1, text("cloud.region", "r")))
        .uint(1000, 1)
        .raw(&unknown)
        .message(
            1,
            new()
                .uint(2, 7)
                .raw(&unknown)
                .message(1, text("other", "x"))
                .message(1, text("cloud.account.id", "1")),
        );
    let bare = new().message(2, new().message(2, metric(&point)));
    let found = points(&framed(new().raw(&unknown).message(1, group).message(1, bare)));
    assert_eq!(found.len(), 6);
    let expect = Sample {
        stream: String::new(),
        exporter_arn: String::new(),
        account: "1".to_owned(),
        region: "r".to_owned(),
        namespace: "N".to_owned(),
        name: "m".to_owned(),
        dimensions: vec![("d".to_owned(), "v".to_owned())],
        unit: "Bytes".to_owned(),
        start_ns: START,
        end_ns: Some(END),
        min: None,
        max: Some(2.0),
        sum: Some(4.0),
        count: 2.0,
        extra: Vec::new(),
    };
    assert_eq!(found[..4], vec![expect.clone(); 4]);
    let bare = Sample { account: String::new(), region: String::new(), ..expect };
    assert_eq!(found[4..], vec![bare; 2]);
}

/// *Scenario:* a metric of each kind that is no summary, one without data, some with both.
/// *Guarantees:* one reject for each metric, with its name; of several kinds the last one counts, as
/// in protobuf, and what it displaced is in the reject.
#[test]
fn other_kinds_are_rejected_once_each() {
    for (field, kind) in [
        (4, "a gauge"),
        (5, "a gauge"),
        (6, "a sum"),
        (7, "a sum"),
        (8, "a histogram"),
        (9, "a histogram"),
        (10, "an exponential histogram"),
    ] {
        let points = new().message(1, new().fixed(2, 1)).message(1, new().fixed(2, 1));
        let metric = new().bytes(1, b"the.name").message(field, points);
        let record = record_of_metric(metric.clone());
        assert_eq!(rejected(&record, Reason::UnsupportedMetric), metric.0);
        let [Item::Reject { detail, .. }] = &items(&record)[..] else { panic!("one reject") };
        assert_eq!(detail, &format!("metric \"the.name\" is {kind}, not a summary"));
    }
    rejected(&record_of_metric(new().bytes(1, b"bare")), Reason::UnsupportedMetric);
    let (sum, summary) = (new().message(7, new()), new().message(11, new().message(1, named10())));
    let join = |parts: &[&Message]| parts.iter().fold(new(), |all, part| all.raw(&part.0));
    for (parts, used) in [
        (&[&sum, &summary][..], 1),
        (&[&summary, &sum], 0),
        (&[&summary, &sum, &summary], 1),
        (&[&summary, &sum, &summary, &summary], 2),
    ] {
        let metric = join(parts);
        let (samples, rejects) = split(&record_of_metric(metric.clone()));
        let [(_, length, Reason::UnsupportedMetric)] = rejects[..] else { panic!("{rejects:?}") };
        assert_eq!((samples.len(), length), (used, metric.0.len()));
    }
    // A summary that came in two pieces is one summary.
    let pieces =
        new().message(11, new().message(1, named10())).message(11, new().message(1, named10()));
    assert_eq!(points(&record_of_metric(pieces)).len(), 2);
}

/// *Scenario:* numbers that are not finite, quantiles out of range, names that are missing, text
/// that is not UTF-8, times that are no instants, the flag of a point without value, an open group.
/// *Guarantees:* each rejects its data point with the reason, and nothing else.
#[test]
fn a_bad_data_point_is_rejected_alone() {
    use Reason::{InvalidUtf8, MalformedMessage, MissingName, NotFinite, UnsupportedMetric};
    let not_utf8 = |field: u32| new().bytes(1, b"k").message(2, new().bytes(field, b"\xff"));
    let list = |entry: Message| {
        new().bytes(1, b"Dimensions").message(2, new().message(6, new().message(1, entry)))
    };
    let names = || new().message(7, text("Namespace", "N")).message(7, text("MetricName", "m"));
    for (name, point, reason) in [
        ("NaN sum", named10().double(5, f64::NAN), NotFinite),
        ("infinite value", named10().message(6, quantile(0.0, f64::INFINITY)), NotFinite),
        ("NaN quantile", named10().message(6, quantile(f64::NAN, 1.0)), NotFinite),
        ("quantile above", named10().message(6, quantile(1.5, 1.0)), MalformedMessage),
        ("quantile below", named10().message(6, quantile(-0.1, 1.0)), MalformedMessage),
        ("no namespace", times().message(7, text("MetricName", "m")), MissingName),
        ("no name", times().message(1, label("Namespace", "N")), MissingName),
        (
            "empty name",
            times().message(7, text("Namespace", "N")).message(7, text("MetricName", "")),
            MissingName,
        ),
        ("nothing", new(), MissingName),
        ("text", named10().message(7, not_utf8(1)), InvalidUtf8),
        ("nested text", named10().message(7, list(not_utf8(1))), InvalidUtf8),
        ("key", named10().message(7, new().bytes(1, b"\xc3")), InvalidUtf8),
        ("label", named07().message(1, new().bytes(1, b"k").bytes(2, b"\xff")), InvalidUtf8),
        (
            "namespace",
            times()
                .message(7, text("MetricName", "m"))
                .message(7, new().bytes(1, b"Namespace").message(2, new().bytes(1, b"\x80"))),
            InvalidUtf8,
        ),
        ("no time", names(), MalformedMessage),
        ("1970", names().fixed(2, 999_999), MalformedMessage),
        ("year 2262", names().fixed(2, 1 << 63), MalformedMessage),
        ("end in 2262", names().fixed(2, 1).fixed(3, u64::MAX), MalformedMessage),
        ("no recorded value", named10().uint(8, 1), UnsupportedMetric),
        ("open group", named10().raw(&[0x4b]), MalformedMessage),
        ("wire type", named10().uint(2, 1), MalformedMessage),
        ("cut", named10().raw(&[0x11, 0, 0]), MalformedMessage),
        ("attribute", named10().bytes(7, &[0x0a, 5]), MalformedMessage),
        ("quantile", named10().bytes(6, &[0x09, 5]), MalformedMessage),
        ("field 0", named10().raw(&[0x02, 0]), MalformedMessage),
    ] {
        assert_eq!(rejected(&record(point.clone()), reason), point.0, "{name}");
        // Beside good points of the same metric it is still the only one rejected.
        let three = new().message(1, named10()).message(1, point).message(1, named07());
        let (samples, rejects) = split(&record_of_metric(new().message(11, three)));
        assert_eq!((samples.len(), rejects.len()), (2, 1), "{name}");
    }
    assert_eq!(points(&record(named10().uint(8, 2))).len(), 1);
}

/// *Scenario:* lengths of two bytes whose second byte is a line feed, where the first bytes of a
/// usual attribute or dimension would stand if the length were one byte.
/// *Guarantees:* a length is read as the varint it is: these reach beyond the data point.
#[test]
fn a_long_length_is_not_taken_for_a_short_one() {
    let value = |text: &str| [&[0x0a, text.len() as u8][..], text.as_bytes()].concat();
    let name = text("MetricName", "m").0;
    let long = "N".repeat(113);
    let namespace = [&[0x3a, 0x80, 0x0a, 0x09][..], b"Namespace", &[0x12, 115], &value(&long)];
    let point = times().raw(&namespace.concat()).bytes(7, &name);
    rejected(&record(point), Reason::MalformedMessage);

    let entry = [&[0x0a, 0x01, b'k', 0x12, 0x80][..], &value(&"v".repeat(126))].concat();
    let list = new().message(6, new().bytes(1, &entry));
    let point = named10().message(7, new().bytes(1, b"Dimensions").message(2, list));
    rejected(&record(point), Reason::MalformedMessage);
}

/// *Scenario:* a writer that knows one time only.
/// *Guarantees:* the one time is the instant, and no end is made up.
#[test]
fn one_time_is_the_instant() {
    let names = || new().message(7, text("Namespace", "N")).message(7, text("MetricName", "m"));
    for point in [names().fixed(2, START), names().fixed(3, START)] {
        let sample = one(&record(point));
        assert_eq!((sample.start_ns, sample.end_ns), (START, None));
    }
}

/// *Scenario:* a thousand dimensions and statistics, and one more.
/// *Guarantees:* the limit is where it is said to be, in every way to write them.
#[test]
fn dimensions_and_statistics_are_bounded() {
    let list = |count: usize| {
        let entries =
            (0..count).fold(new(), |list, at| list.message(1, text(&format!("d{at}"), "v")));
        named10().message(7, new().bytes(1, b"Dimensions").message(2, new().message(6, entries)))
    };
    let labels = |count: usize| {
        (0..count).fold(named07(), |point, at| point.message(1, label(&format!("d{at}"), "v")))
    };
    // Labels and attributes count together.
    let both = |count: usize| labels(count - 1).message(7, text("Namespace", "N"));
    let quantiles = |count: usize| {
        (1..=count).fold(named10(), |point, at| point.message(6, quantile(at as f64 / 1e6, 1.0)))
    };
    for make in [&list as &dyn Fn(usize) -> Message, &labels, &both, &quantiles] {
        assert_eq!(points(&record(make(1000))).len(), 1);
        rejected(&record(make(1001)), Reason::MalformedMessage);
    }
}

/// *Scenario:* malformed fields at each level above the data point, behind good ones.
/// *Guarantees:* what was good stays, the rest of that level is one reject, the next level goes on.
#[test]
fn damage_stays_in_its_level() {
    let metric = new().message(11, new().message(1, named10()));
    let scope = new().message(2, metric.clone());
    let bad = [0x12, 0x7f, 0x01];
    for (name, scope) in [
        ("scope", scope.clone().raw(&bad)),
        ("metric", scope.clone().message(2, metric.clone().raw(&bad))),
        ("summary", new().message(2, new().message(11, new().message(1, named10()).raw(&bad)))),
    ] {
        let group = new()
            .message(1, resource())
            .message(2, scope)
            .message(2, new().message(2, metric.clone()));
        let (samples, rejects) = split(&framed(new().message(1, group)));
        assert_eq!((samples.len(), rejects.len()), (2, 1), "{name}");
        assert_eq!(rejects[0].2, Reason::MalformedMessage, "{name}");
    }
    let group = new().message(1, resource()).message(2, scope.clone()).raw(&bad);
    let (samples, rejects) =
        split(&framed(new().message(1, group).message(1, new().message(2, scope.clone()))));
    assert_eq!((samples.len(), rejects.len(), rejects[0].1), (2, 1, bad.len()));
    // Without its resource a point has no identity, so a malformed one rejects its group.
    let group = new().bytes(1, &bad).message(2, scope.clone());
    assert_eq!(
        rejected(&framed(new().message(1, group.clone())), Reason::MalformedMessage),
        group.0
    );
    let group = new()
        .message(
            1,
            new().message(1, new().bytes(1, b"cloud.region").message(2, new().bytes(1, b"\xff"))),
        )
        .message(2, scope);
    rejected(&framed(new().message(1, group)), Reason::InvalidUtf8);
    rejected(&framed(new().message(1, new().uint(9, 9))), Reason::MalformedMessage);
}

/// *Scenario:* metrics that hold one point and nothing else, two points, a description, a unit or
/// name that is not UTF-8.
/// *Guarantees:* a copy is offered only of a metric that holds its one point and is checked text.
#[test]
fn only_whole_checked_metrics_may_be_copied() {
    let copies = |metric: Message| {
        let mut collect = Collect::default();
        metric::Decoder::new().decode(&record_of_metric(metric), &mut collect);
        collect.copies
    };
    let summary = |points: &[Message]| {
        points.iter().fold(new(), |summary, point| summary.message(1, point.clone()))
    };
    let plain =
        new().bytes(1, b"amazonaws.com/N/m").bytes(3, b"ms").message(11, summary(&[named10()]));
    assert_eq!(copies(plain.clone()), [Some(plain.0)]);
    let reversed = new().message(11, summary(&[named10()])).bytes(1, b"n");
    assert_eq!(copies(reversed.clone()), [Some(reversed.0)]);
    let unicode = new()
        .bytes(1, "n\u{e9}".as_bytes())
        .message(11, summary(&[named10().message(7, text("\u{e9}", "\u{e9}"))]));
    assert_eq!(copies(unicode.clone()), [Some(unicode.0)]);
    assert_eq!(copies(new().message(11, summary(&[named10(), named10()]))), [None, None]);
    assert_eq!(copies(new().bytes(2, b"\xff").message(11, summary(&[named10()]))), [None]);
    assert_eq!(copies(new().bytes(1, b"\xff").message(11, summary(&[named10()]))), [None]);
    assert_eq!(
        copies(new().bytes(1, b"\xff").bytes(1, b"n").message(11, summary(&[named10()]))),
        [None]
    );
    assert_eq!(copies(new().message(11, summary(&[named07()]))), [None]);
    // Text that was overridden has not been checked.
    let doubled =
        new().bytes(1, b"k").message(2, new().bytes(1, b"\xff")).message(2, new().bytes(1, b"v"));
    assert_eq!(copies(new().message(11, summary(&[named10().message(7, doubled)]))), [None]);
    // A copy would have the time 0, or none of its begin; or a group, which not every reader takes.
    let names = || new().message(7, text("Namespace", "N")).message(7, text("MetricName", "m"));
    for point in [
        new().fixed(2, START).raw(&names().0),
        new().fixed(3, END).raw(&names().0),
        named10().raw(&[0x4b, 0x4c]),
    ] {
        assert_eq!(copies(new().message(11, summary(&[point]))), [None]);
    }
    let unit = record_of_metric(new().bytes(3, b"\xff").message(11, summary(&[named10()])));
    rejected(&unit, Reason::InvalidUtf8);
}

/// *Scenario:* a copied metric is put under a new resource.
/// *Guarantees:* it decodes to the same point, so that a sink may forward by copying.
#[test]
fn a_copied_metric_is_the_same_metric() {
    let mut collect = Collect::default();
    metric::Decoder::new().decode(&golden10(), &mut collect);
    let copy = collect.copies[0].clone().expect("a copy");
    let again = lambda_duration().with(|point| {
        let mut body = Vec::new();
        assert_eq!(metric::encode::otel10_metric(point, &mut body), 0);
        body
    });
    assert_eq!(copy, again);
}

/// *Scenario:* metrics of three accounts and two regions in one record.
/// *Guarantees:* each point has the account, region and stream of its own resource.
#[test]
fn accounts_and_regions_are_kept_apart() {
    let place = |account: &str, region: &str| Sample {
        account: account.to_owned(),
        region: region.to_owned(),
        ..lambda_duration()
    };
    let samples = [
        place("1", "eu-west-1"),
        place("2", "eu-west-1"),
        place("2", "us-east-1"),
        place("3", "us-east-1"),
    ];
    for format in [Format::Otel07, Format::Otel10] {
        assert_eq!(points(&encode(format, &samples)), samples);
    }
}

/// *Scenario:* dimension names and values of all lengths around those where a length takes another byte.
/// *Guarantees:* both formats carry them unchanged.
#[test]
fn lengths_around_128_are_read() {
    for length in (0..20).chain(100..150).chain([255, 1024, 16_383, 16_384, 20_000]) {
        let dimensions = vec![
            ("n".repeat(length / 2), "v".repeat(length)),
            ("e".into(), "\u{e9}".repeat(length / 2)),
        ];
        let sample = Sample { dimensions, ..lambda_duration() };
        for format in [Format::Otel07, Format::Otel10] {
            assert_eq!(one(&encode(format, std::slice::from_ref(&sample))), sample, "{length}");
        }
    }
}
