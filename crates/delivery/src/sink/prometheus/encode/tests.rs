//! What was said to repeat does repeat: read back by others, compared with a plain writer.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::label::{LABEL_NAME, LABEL_VALUE};
use super::*;

type Samples = Vec<(f64, i64)>;

/// A family: number of its base name, labels by number and value, how many of them make a phrase,
/// the statistics of its series.
#[derive(Clone, Debug)]
struct Family {
    base: u8,
    labels: [Vec<(u8, u8)>; 3],
    run: usize,
    series: Vec<(usize, Samples)>,
}

const STATISTIC: [(&[u8], &[u8]); 6] = [
    (b"", b"0"),
    (b"", b"1"),
    (b"_sum", b""),
    (b"_count", b""),
    (b"_sample_count", b""),
    (b"_x", b"0.99"),
];

fn samples() -> impl Strategy<Value = Samples> {
    let value = prop_oneof![select(vec![0.0, 1.0, 60.0, 0.1, -2.5, 1e300]), any::<f64>()];
    let at = prop_oneof![
        6 => select(vec![1_795_176_000_000_i64, 1_795_176_060_000]),
        1 => select(vec![0, 127, 128, -1, i64::MAX, i64::MIN, 1 << 42]),
    ];
    vec((value, at), 0..4)
}

fn family() -> impl Strategy<Value = Family> {
    let labels = || vec((0..12_u8, 0..6_u8), 0..4);
    let series = vec((0..STATISTIC.len(), samples()), 0..6);
    (0..5_u8, [labels(), labels(), labels()], 1..4_usize, series)
        .prop_map(|(base, labels, run, series)| Family { base, labels, run, series })
}

fn name(base: u8) -> Vec<u8> {
    format!("aws_{}", "name".repeat(usize::from(base) * 9)).into_bytes()
}

fn label((name, value): (u8, u8)) -> (Vec<u8>, Vec<u8>) {
    let value = "v".repeat(usize::from(value) * 27) + &value.to_string();
    (format!("dimension_{name}").into_bytes(), value.into_bytes())
}

fn plain_field(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    metric::wire::put_varint(content.len() as u64, out);
    out.extend_from_slice(content);
}

fn plain_label(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let mut label = Vec::new();
    plain_field(LABEL_NAME, name, &mut label);
    plain_field(LABEL_VALUE, value, &mut label);
    plain_field(SERIES_LABEL, &label, out);
}

/// The family as the format says, piece after piece.
fn plain(family: &Family, out: &mut Vec<u8>) {
    for (statistic, samples) in &family.series {
        let (suffix, quantile) = STATISTIC[*statistic];
        let mut series = Vec::new();
        let put = |part: usize, series: &mut Vec<u8>| {
            for (name, value) in family.labels[part].iter().map(|pair| label(*pair)) {
                plain_label(&name, &value, series);
            }
        };
        put(0, &mut series);
        plain_label(b"__name__", &[&name(family.base), suffix].concat(), &mut series);
        put(1, &mut series);
        if !quantile.is_empty() {
            plain_label(b"quantile", quantile, &mut series);
        }
        put(2, &mut series);
        for (value, at) in samples {
            let mut sample = vec![SAMPLE_VALUE];
            sample.extend_from_slice(&value.to_le_bytes());
            sample.push(SAMPLE_TIMESTAMP);
            metric::wire::put_varint(at.cast_unsigned(), &mut sample);
            plain_field(SERIES_SAMPLE, &sample, &mut series);
        }
        if !samples.is_empty() {
            plain_field(REQUEST_TIMESERIES, &series, out);
        }
    }
}

fn encode(family: &Family, phrases: &mut Phrases, encoder: &mut Encoder) {
    let base = phrases.one(|out| out.put(&name(family.base))).unwrap();
    let labels = family.labels.clone().map(|part| {
        let labels: Vec<_> = part.iter().map(|pair| label(*pair)).collect();
        let mut numbers = Vec::new();
        for labels in labels.chunks(family.run) {
            numbers.extend(phrases.run(|out| {
                for (name, value) in labels {
                    put_label(out, name, value);
                }
            }));
        }
        numbers
    });
    let [front, middle, back] = &labels;
    let mut series = Series::new(phrases, base, [front, middle, back]);
    encoder.next_family(&series);
    for (statistic, samples) in &family.series {
        (series.suffix, series.quantile) = STATISTIC[*statistic];
        // The last one is an additional one.
        series.statistic = (statistic + 1 < STATISTIC.len()).then_some(*statistic);
        encoder.series(&series, samples.iter().copied());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// *Scenario:* requests of any families, one after the other, whose names, labels, numbers and
    /// instants repeat or do not, with lengths of one and two bytes.
    /// *Guarantees:* another reader of Snappy gets, byte for byte, what a plain writer writes.
    #[test]
    fn as_a_plain_writer_writes(requests in vec(vec(family(), 0..8), 1..5)) {
        let mut encoder = Encoder::new();
        for families in requests {
            let (mut phrases, mut expected) = (Phrases::new(), Vec::new());
            for family in &families {
                plain(family, &mut expected);
                encode(family, &mut phrases, &mut encoder);
            }
            let mut packed = Vec::new();
            prop_assert_eq!(encoder.text().finish(&mut packed), expected.len());
            let read = snap::raw::Decoder::new().decompress_vec(&packed).unwrap();
            prop_assert!(read == expected);
        }
    }
}
