//! Counts and money, to the last digit.

use std::fmt::Write;
use std::time::Duration;

use clap::Parser;
use codec::base64;

use super::Reading;
use super::estimate::Estimate;
use super::output::{grouped, table};
use super::prices::{Charge, Item, Prices};
use super::tally::updates_of;
use crate::cli::{Cli, Command, CostArgs};
use crate::terminal::Paint;

const START_MS: u64 = 1_795_176_000_000;

/// A JSON line of a metric, so many minutes after the start, with additional statistics.
fn line(namespace: &str, name: &str, minute: u64, statistics: usize) -> String {
    let mut extra = String::new();
    for at in 0..statistics {
        write!(extra, r#","p{}":1.0"#, at + 10).expect("a String takes text");
    }
    format!(
        "{{\"metric_stream_name\":\"m\",\"account_id\":\"111122223333\",\"region\":\"us-east-1\",\
         \"namespace\":\"{namespace}\",\"metric_name\":\"{name}\",\"dimensions\":{{}},\
         \"timestamp\":{},\"value\":{{\"max\":1.0,\"min\":1.0,\"sum\":1.0,\"count\":1.0{extra}}},\
         \"unit\":\"Percent\"}}\n",
        START_MS + minute * 60_000
    )
}

/// A Firehose request body of these records.
fn body(records: &[String]) -> Vec<u8> {
    let data = |record: &String| {
        let mut text = Vec::new();
        base64::encode_into(record.as_bytes(), &mut text);
        format!(r#"{{"data":"{}"}}"#, String::from_utf8(text).expect("base64 is ASCII"))
    };
    let records: Vec<String> = records.iter().map(data).collect();
    let records = records.join(",");
    format!(r#"{{"requestId":"r","timestamp":{START_MS},"records":[{records}]}}"#).into_bytes()
}

/// Blank lines make a record as long as wanted.
fn padded(mut record: String, bytes: usize) -> String {
    while record.len() < bytes {
        record.push('\n');
    }
    record
}

fn args(words: &[&str]) -> CostArgs {
    let words = ["hydrant", "cost"].iter().chain(words);
    let parsed = Cli::try_parse_from(words).expect("the words of a test are right");
    let Command::Cost(args) = parsed.command else { panic!("it is another command") };
    args
}

fn estimate(bytes: Vec<u8>, words: &[&str]) -> Estimate {
    let args = args(words);
    let prices = Prices::read(args.prices.as_deref(), &args.region).expect("the table is sound");
    let mut reading = Reading::default();
    reading.file("test", &bytes);
    Estimate::new(&reading.tally, &args, &prices, reading.undecodable)
}

#[track_caller]
fn near(found: Option<f64>, wanted: f64) {
    let found = found.expect("there is a figure");
    assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted}");
}

/// *Scenario:* 0 to 11 additional statistics.
/// *Guarantees:* each started five are one more update, as CloudWatch bills.
#[test]
fn additional_statistics_are_billed_by_started_fives() {
    let billed = [0, 1, 4, 5, 6, 10, 11].map(updates_of);
    assert_eq!(billed, [1, 2, 2, 2, 3, 3, 4]);
}

/// *Scenario:* the prices that ship, on the worked figures of AWS's own pricing examples and of the
/// metric streams' documentation.
/// *Guarantees:* 1,000 series a minute for 30 days cost 129.60 USD; 1,000 records of 5 KB a second are
/// 12,359.62 GB and 358.43 USD. Beyond the last known tier nothing is guessed; of an unknown region
/// nothing is known.
#[test]
fn prices_give_the_known_sums() {
    let prices = Prices::read(None, "us-east-1").expect("the table is sound");
    near(prices.charge(Item::MetricUpdate, 43_200_000.0).usd, 129.6);
    let gigabytes = 1000.0 * 5.0 / 1_048_576.0 * 86_400.0 * 30.0;
    assert_eq!(format!("{gigabytes:.2}"), "12359.62");
    near(prices.charge(Item::FirehoseGb, gigabytes).usd, 358.428_955_078_125);
    let beyond = prices.charge(Item::FirehoseGb, 512_100.0);
    near(beyond.usd, 14_848.0);
    near(Some(beyond.unpriced), 100.0);
    let elsewhere = Prices::read(None, "mars-north-1").expect("the table is sound");
    let nothing = elsewhere.charge(Item::MetricUpdate, 7.0);
    assert_eq!(nothing, Charge { usd: None, unpriced: 7.0 });
}

/// *Scenario:* an operator's table with two tiers, in the wrong order; broken ones.
/// *Guarantees:* tiers are climbed from the lowest; a broken line is named.
#[test]
fn prices_are_read() {
    let text = "# remark\n\nfirehose_gb\tr\t1\t-\t0.5\td\ts\nfirehose_gb\tr\t1\t10\t2\td\ts\n";
    let prices = Prices::parse(text, "r").expect("it is sound");
    near(prices.charge(Item::FirehoseGb, 4.0).usd, 8.0);
    near(prices.charge(Item::FirehoseGb, 14.0).usd, 22.0);
    for (line, why) in [
        ("firehose_gb\tr\t1", "line 1: has 3 columns"),
        ("lambda\tr\t1\t-\t1\td\ts", "line 1: \"lambda\" is no item"),
        ("firehose_gb\tr\t0\t-\t1\td\ts", "line 1: per is 0"),
        ("firehose_gb\tr\t1\t-\tfree\td\ts", "line 1: usd is \"free\""),
        ("firehose_gb\tr\t1\t-\t-1\td\ts", "line 1: usd is \"-1\""),
    ] {
        let said = Prices::parse(line, "r").expect_err("it is broken");
        assert!(said.starts_with(why), "{said}");
    }
}

/// *Scenario:* a request body with records of a line, of exactly 5 KB, and of a byte more.
/// *Guarantees:* each is rounded by itself; what is billed is shared by the points of each record.
#[test]
fn each_record_is_rounded_up() {
    let exact = padded(line("AWS/EC2", "CPUUtilization", 0, 0), 5120);
    let over = line("AWS/EC2", "CPUUtilization", 0, 0) + &line("AWS/EBS", "VolumeReadOps", 0, 0);
    let records = [line("AWS/EBS", "VolumeReadOps", 0, 0), exact, padded(over, 5121)];
    let bytes: usize = records.iter().map(String::len).sum();
    let told = estimate(body(&records), &[]);
    assert_eq!((told.capture.records, told.capture.bytes), (3, bytes as u64));
    assert_eq!(told.total.firehose_bytes, 20_480.0);
    let of = |name: &str| told.namespaces.iter().find(|n| n.name == name).map(|n| n.line);
    assert_eq!(of("AWS/EC2").map(|line| line.firehose_bytes), Some(10_240.0));
    assert_eq!(of("AWS/EBS").map(|line| line.firehose_bytes), Some(10_240.0));
    assert!(told.notes.is_empty(), "{:?}", told.notes);
}

/// *Scenario:* the same lines without borders, as an S3 object holds them.
/// *Guarantees:* they are rounded once, and that is said.
#[test]
fn objects_are_rounded_once() {
    let lines = line("A", "B", 0, 0) + &line("A", "B", 1, 0);
    let told = estimate(lines.into_bytes(), &[]);
    assert_eq!((told.total.firehose_bytes, told.capture.records), (5120.0, 0));
    assert!(told.notes.iter().any(|note| note.contains("without borders")), "{:?}", told.notes);
}

/// An hour: a point a minute of one metric, one with six additional statistics beside it.
fn an_hour() -> Vec<u8> {
    let of = |minute| line("AWS/ECS", "Cpu", minute, 0) + &line("AWS/EC2", "NetworkIn", minute, 6);
    body(&(0..60).map(of).collect::<Vec<_>>())
}

/// *Scenario:* an hour of two series, one with six additional statistics.
/// *Guarantees:* 60 and 180 updates are 172,800 in 30 days, which cost 0.5184 USD; the Firehose part
/// is 60 records of 5 KB an hour; both by metric.
#[test]
fn an_hour_becomes_a_month() {
    let told = estimate(an_hour(), &[]);
    assert_eq!(told.capture.span_seconds, Some(3600.0));
    assert_eq!((told.total.updates, told.total.billed_updates), (120, 240));
    let sum = told.total.estimate.expect("the span is known");
    assert_eq!(sum.billed_updates, 172_800.0);
    near(sum.updates_usd, 0.5184);
    near(Some(sum.firehose_gb), 60.0 * 5120.0 * 720.0 / 1_073_741_824.0);
    near(sum.firehose_usd, 60.0 * 5120.0 * 720.0 / 1_073_741_824.0 * 0.029);
    let first = told.namespaces.first().expect("there are two");
    assert_eq!((first.name.as_str(), first.line.billed_updates), ("AWS/EC2", 180));
    assert_eq!(first.line.share, 0.75);
    near(first.line.estimate.and_then(|sum| sum.updates_usd), 0.3888);
}

/// *Scenario:* the same with `--for` and `--span`.
/// *Guarantees:* both scale; the time range of the points no longer matters.
#[test]
fn period_and_span_can_be_given() {
    let told = estimate(an_hour(), &["--for", "1d", "--span", "2h"]);
    let sum = told.total.estimate.expect("the span is known");
    assert_eq!((sum.billed_updates, told.period_seconds), (240.0 * 12.0, 86_400.0));
    assert_eq!(told.capture.span_seconds, Some(7200.0));
}

/// *Scenario:* what filters of each kind would save.
/// *Guarantees:* what is kept and what is saved make the whole, in counts and in money.
#[test]
fn filters_tell_what_they_save() {
    let told = estimate(an_hour(), &[]).total.estimate.and_then(|sum| sum.usd);
    for (words, saved) in [
        (&["--exclude", "AWS/EC2:NetworkIn"][..], 180),
        (&["--exclude", "AWS/EC2"][..], 180),
        (&["--exclude", "AWS/EC2:Other"][..], 0),
        (&["--include", "AWS/EC2"][..], 60),
        (&["--include", "AWS/EC2", "--include", "AWS/ECS:Cpu"][..], 0),
        (&["--include", "aws/ec2"][..], 240),
    ] {
        let filter = estimate(an_hour(), words).filter.expect("a filter was given");
        assert_eq!(filter.saved.billed_updates, saved, "{words:?}");
        assert_eq!(filter.kept.billed_updates, 240 - saved, "{words:?}");
        let usd = |line: super::estimate::Line| line.estimate.and_then(|sum| sum.usd);
        let both = usd(filter.saved).zip(usd(filter.kept)).map(|(saved, kept)| saved + kept);
        near(both, told.expect("prices are known"));
    }
    let unseen = estimate(an_hour(), &["--exclude", "AWS/EC2:Other"]);
    assert!(unseen.notes.iter().any(|note| note.contains("nothing of AWS/EC2")), "{unseen:?}");
}

/// *Scenario:* a point a day late beside those of a minute; a region without prices; no points.
/// *Guarantees:* what makes the figures doubtful is said, and what is not known is not guessed.
#[test]
fn doubts_are_said() {
    let late = line("AWS/S3", "BucketSizeBytes", 0, 0) + &line("AWS/EC2", "A", 1440, 0);
    let told = estimate(body(&[late]), &[]);
    assert!(told.notes.iter().any(|note| note.contains("2 of the 1441 minutes")), "{told:?}");
    let told = estimate(an_hour(), &["--region", "mars-north-1"]);
    assert_eq!(told.total.estimate.and_then(|sum| sum.usd), None);
    let said = told.notes.join("\n");
    assert!(said.contains("no price of metric_update"), "{said}");
    assert!(said.contains("points of us-east-1 are counted at the prices of mars-north-1"));
    let told = estimate(body(&[]), &[]);
    assert_eq!((told.total.updates, told.total.estimate), (0, None));
}

/// *Scenario:* the table of that hour.
/// *Guarantees:* sums, shares and money stand in it; metrics beyond `--top` are one line.
#[test]
fn the_table_is_readable() {
    let told = estimate(an_hour(), &["--exclude", "AWS/EC2"]);
    let text = table(&told, 10, Paint::PLAIN);
    for part in [
        "2026-11-20T12:00:00Z to 2026-11-20T13:00:00Z, taken as 1h",
        "METRIC       UPDATES  BILLED   SHARE  BILLED IN 30D   USD\n",
        "AWS/EC2           60     180   75.0%        129,600  0.39\n",
        "  NetworkIn       60     180   75.0%        129,600  0.39\n",
        "total            120     240  100.0%        172,800  0.52\n",
        "metric updates    0.52 USD  172,800 in 30d, 0.003 USD per 1,000 (us-east-1, 2026-11-20)\n",
        "Firehose          0.01 USD  0.206 GB in 30d, 0.029 USD per GB up to 512,000 (us-east-1, 2026-07-29)\n",
        "the filter saves  0.39 USD  129,600 metric updates, 75.0%\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(table(&told, 0, Paint::PLAIN).contains("  (1 more)\n"));
    assert_eq!(grouped(1_234_567.0), "1,234,567");
    assert_eq!(Duration::from_secs_f64(told.period_seconds), Duration::from_hours(720));
}
