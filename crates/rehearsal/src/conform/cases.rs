//! The cases, in the order in which they are tried. docs/conform.md has the rule behind each.

use super::Needs::{Key, Nothing, Room, Time};
use super::Order::{AtOnce, InTurn};
use super::{Case, Delivery, Demand, Draft, Needs, Verdict, make, spoil};

/// All of them.
pub const CASES: &[Case] = &[
    yes("json", "a record of JSON lines", make::json),
    yes("otel07", "a record of OpenTelemetry 0.7", make::otel07),
    yes("otel10", "a record of OpenTelemetry 1.0", make::otel10),
    yes("json-gzip", "JSON, the body as gzip", make::json_gzip),
    yes("otel07-gzip", "OpenTelemetry 0.7, gzip", make::otel07_gzip),
    yes("otel10-gzip", "OpenTelemetry 1.0, gzip", make::otel10_gzip),
    yes("messages", "five messages in a record, 0.7 and 1.0", make::messages),
    yes("records", "twenty records", make::records),
    yes("empty-record", "an empty record between two others", make::empty_record),
    yes("only-empty", "one record, and it is empty", make::only_empty),
    yes("ten-thousand", "10,000 records, the most there are", make::ten_thousand),
    yes("largest-record", "a record of 1,000 KiB", make::largest_record),
    needs(Room, yes("largest-delivery", "records of 64 MiB together", make::largest_delivery)),
    yes("largest-headers", "50 common attributes of full length", make::largest_headers),
    yes("odd-attributes", "attributes with quotes, empty ones", make::odd_attributes),
    yes("other-source", "source ARNs of other forms", make::other_source),
    unseen(REPEATS, yes("repeat", "the same delivery once more", make::twice)),
    at_once(unseen(REPEATS, yes("repeat-at-once", "the same delivery twice at once", make::twice))),
    needs(Time, yes("slow", "a body that takes eight seconds", make::slow)),
    Case {
        demand: Demand::Either,
        unseen: "whether it kept the record that is none, and those beside it, cannot be seen",
        ..yes("no-metrics", "a record that is no metrics, between others", make::no_metrics)
    },
    key("wrong-key", "another access key", spoil::wrong_key),
    key("missing-key", "no access key", spoil::missing_key),
    no("cut-gzip", "gzip that ends half way", PART, spoil::cut_gzip),
    no("gzip-checksum", "gzip with a wrong checksum", DAMAGED, spoil::gzip_checksum),
    no("hidden-gzip", "gzip that no header tells of", UNREAD, spoil::hidden_gzip),
    no("wrong-base64", "a record that is not base64", DAMAGED, spoil::wrong_base64),
    no("other-id", "another requestId in the body", MIXED, spoil::other_id),
    no("not-json", "text", UNREAD, spoil::not_json),
    no("cut-json", "JSON that ends half way", PART, spoil::cut_json),
    no("no-records", "a body without records", PART, spoil::no_records),
    harmless("zero-records", "an empty list of records", NOTHING_IN_IT, spoil::zero_records),
    harmless("no-id", "no request id in the head", NO_ID, spoil::no_id),
    harmless("other-version", "protocol version 9.0", VERSION, spoil::other_version),
    Case { demand: Demand::Answer, ..yes("get", "GET, as a health check", make::get) },
];

const REPEATS: &str = "whether it stored that once or twice cannot be seen from here";
const PART: &str = "a yes to a part: Firehose forgets the rest, too";
const DAMAGED: &str = "a yes to damaged data: Firehose forgets the good copy it has";
const UNREAD: &str = "a yes to what it cannot read: Firehose forgets the delivery";
const MIXED: &str = "a yes to one delivery in the name of another, which Firehose forgets";
const ANYONE: &str = "anybody who knows the URL can send it metrics";
const NOTHING_IN_IT: &str = "the schema asks for at least one record; there was nothing to lose";
const NO_ID: &str = "Firehose always sends one; this came from somebody else";
const VERSION: &str = "what another version of the protocol means, nobody knows yet";

type Make = fn(&Draft<'_>) -> Vec<Delivery>;

const fn yes(name: &'static str, sends: &'static str, make: Make) -> Case {
    let (demand, unseen) = (Demand::Yes, "");
    Case { name, sends, demand, unseen, needs: Nothing, order: InTurn, make }
}

const fn no(name: &'static str, sends: &'static str, because: &'static str, make: Make) -> Case {
    let demand = Demand::No { best: &[], yes: Verdict::Loss, because };
    Case { name, sends, demand, unseen: "", needs: Nothing, order: InTurn, make }
}

const fn harmless(
    name: &'static str,
    sends: &'static str,
    because: &'static str,
    make: Make,
) -> Case {
    let demand = Demand::No { best: &[], yes: Verdict::Cosmetic, because };
    Case { name, sends, demand, unseen: "", needs: Nothing, order: InTurn, make }
}

const fn key(name: &'static str, sends: &'static str, make: Make) -> Case {
    let demand = Demand::No { best: &[401, 403], yes: Verdict::Open, because: ANYONE };
    Case { name, sends, demand, unseen: "", needs: Key, order: InTurn, make }
}

const fn needs(needs: Needs, case: Case) -> Case {
    Case { needs, ..case }
}

const fn unseen(unseen: &'static str, case: Case) -> Case {
    Case { unseen, ..case }
}

const fn at_once(case: Case) -> Case {
    Case { order: AtOnce, ..case }
}
