//! What a receiver's conduct in one case means.

use aws::firehose::headers;

use super::answer::{
    Answer, Outcome, Silence, View, error_named, remarks_on_no, remarks_on_yes, view, words,
};
use super::{Case, Delivery, Demand, Verdict};

/// The finding of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it means.
    pub verdict: Verdict,
    /// What the receiver did, in a few words.
    pub did: String,
    /// Why, in sentences.
    pub notes: Vec<String>,
}

/// Judges what came back for the deliveries of a case, in their order.
pub fn judge(case: &Case, exchanges: &[(Delivery, Outcome)]) -> Finding {
    let parts: Vec<Finding> =
        exchanges.iter().map(|(delivery, outcome)| one(case, delivery, outcome)).collect();
    let verdict = parts.iter().map(|part| part.verdict).max().unwrap_or(Verdict::Stall);
    let mut dids: Vec<String> = parts.iter().map(|part| part.did.clone()).collect();
    let (count, is_yes) = (dids.len(), dids.iter().any(|did| did == "200"));
    dids.dedup();
    let did = match dids.as_slice() {
        [same] if count > 1 => format!("{same}, {count} times"),
        _ => dids.join(", "),
    };
    let mut notes: Vec<String> = Vec::new();
    for note in parts.into_iter().flat_map(|part| part.notes) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    // Doubts about a yes are of interest only when there was one.
    if verdict.is_conformant() && !case.unseen.is_empty() && is_yes {
        notes.push(case.unseen.to_owned());
    }
    Finding { verdict, did, notes }
}

fn one(case: &Case, delivery: &Delivery, outcome: &Outcome) -> Finding {
    let answer = match outcome {
        Outcome::Answer(answer) => answer,
        Outcome::Silence(silence) => return silent(case.demand, *silence),
    };
    if case.demand == Demand::Answer {
        return asked(answer);
    }
    let view = view(answer, &delivery.request_id);
    let did = match (answer.status, &view) {
        (200, View::Again { .. }) => "200, not valid".to_owned(),
        (status, _) => status.to_string(),
    };
    let (verdict, notes) = match view {
        View::Delivered => yes(case.demand, answer),
        View::GivenUp => (Verdict::Loss, given_up(answer)),
        View::Again { code, why } => again(case.demand, answer, delivery, code, why),
    };
    Finding { verdict, did, notes }
}

fn yes(demand: Demand, answer: &Answer) -> (Verdict, Vec<String>) {
    let remarks = remarks_on_yes(answer);
    match (demand, error_named(answer)) {
        (Demand::No { yes, because, .. }, _) => (yes, vec![because.to_owned()]),
        (Demand::Yes, Some(error)) => {
            let forgets = "to Firehose it is delivered, and forgotten, all the same";
            (Verdict::Loss, vec![format!("a 200 that names an error, {error:?}: {forgets}")])
        }
        _ if remarks.is_empty() => (Verdict::Ok, remarks),
        _ => (Verdict::Cosmetic, remarks),
    }
}

fn given_up(answer: &Answer) -> Vec<String> {
    let told = "Firehose gives up what is answered 413 at once and does not write it to its backup";
    let mut notes = vec![told.to_owned()];
    notes.extend(quoted(answer));
    notes
}

fn again(
    demand: Demand,
    answer: &Answer,
    delivery: &Delivery,
    code: &str,
    why: String,
) -> (Verdict, Vec<String>) {
    let is_refusal = (400..=599).contains(&answer.status);
    match demand {
        Demand::Yes => {
            let why = if why.is_empty() { String::new() } else { format!("{why}: ") };
            let mut notes = vec![format!("{why}to Firehose {code}; it delivers again")];
            notes.extend(quoted(answer).filter(|_| is_refusal));
            (Verdict::Stall, notes)
        }
        // Who sends another key, or none, is no Firehose: to him, any 2xx says that it was taken.
        Demand::No { best: [_, ..], yes, because } if matches!(answer.status, 200..=299) => {
            let (status, wanted) = (answer.status, demand.text());
            (yes, vec![format!("{status} is no refusal, {wanted} is: {because}")])
        }
        Demand::No { .. } | Demand::Either | Demand::Answer if !is_refusal => {
            let wanted = demand.text();
            let kept = format!("Firehose keeps it only because {why} ({code})");
            (Verdict::Cosmetic, vec![format!("no refusal, {wanted} is: {kept}")])
        }
        Demand::No { best, .. } => {
            // An answer cannot name what the head did not.
            let named = delivery.headers.iter().any(|(name, _)| *name == headers::REQUEST_ID);
            let id = named.then_some(delivery.request_id.as_str());
            let mut notes = remarks_on_no(answer, id);
            if !best.is_empty() && !best.contains(&answer.status) {
                notes.insert(0, format!("{} says it better", demand.text()));
            }
            if best.is_empty() && matches!(answer.status, 401 | 403) {
                let status = answer.status;
                notes.insert(0, format!("{status} sends the operator to look at the access key"));
            }
            (if notes.is_empty() { Verdict::Ok } else { Verdict::Cosmetic }, notes)
        }
        Demand::Either | Demand::Answer => {
            let whole =
                "the whole delivery waits in Firehose for one record, then is in its backup";
            (Verdict::Ok, vec![whole.to_owned()])
        }
    }
}

/// A health check.
fn asked(answer: &Answer) -> Finding {
    let did = answer.status.to_string();
    if answer.status < 500 {
        return Finding { verdict: Verdict::Ok, did, notes: Vec::new() };
    }
    let note = "a load balancer takes the receiver for broken".to_owned();
    Finding { verdict: Verdict::Cosmetic, did, notes: vec![note] }
}

fn silent(demand: Demand, silence: Silence) -> Finding {
    let (did, code) = match silence {
        Silence::Timeout => ("no answer", "HttpEndpoint.RequestTimeout"),
        Silence::Closed => ("closed", "HttpEndpoint.ConnectionReset"),
        Silence::Refused => ("no connection", "HttpEndpoint.ConnectionFailed"),
        Silence::Garbled => ("not HTTP", "HttpEndpoint.IllegalMessageStart"),
    };
    let (verdict, note) = match (demand, silence) {
        (Demand::Answer, Silence::Timeout | Silence::Closed | Silence::Garbled) => {
            (Verdict::Cosmetic, "a load balancer takes the receiver for broken".to_owned())
        }
        (Demand::No { .. } | Demand::Either, Silence::Closed | Silence::Garbled) => {
            let note = format!("Firehose keeps it, but nobody is told why: to Firehose {code}");
            (Verdict::Cosmetic, note)
        }
        _ => (Verdict::Stall, format!("to Firehose {code}; it delivers again")),
    };
    Finding { verdict, did: did.to_owned(), notes: vec![note] }
}

/// What the receiver said, made harmless for a terminal.
fn quoted(answer: &Answer) -> Option<String> {
    words(answer).map(|text| format!("it said {text:?}"))
}
