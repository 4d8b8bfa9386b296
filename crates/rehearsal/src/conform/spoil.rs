//! Deliveries that no receiver may say yes to: what a proxy, a cut connection or a stranger makes of
//! those that Firehose sends.

use aws::firehose::headers;
use metric::Format;

use super::draft::{Coding, Delivery, Draft};

/// No key of anybody.
const WRONG_KEY: &str = "hydrant-conform-wrong-access-key";

fn good(draft: &Draft<'_>, coding: Coding) -> Delivery {
    let record = draft.record(Format::Json, 2, 1);
    draft.delivery(0, coding, &[record.clone(), record.clone(), record])
}

fn with_body(draft: &Draft<'_>, body: String) -> Vec<Delivery> {
    vec![Delivery { body: body.into_bytes(), ..good(draft, Coding::Plain) }]
}

pub(super) fn wrong_key(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![good(draft, Coding::Plain).with(headers::ACCESS_KEY, WRONG_KEY)]
}

pub(super) fn missing_key(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![good(draft, Coding::Plain).without(headers::ACCESS_KEY)]
}

pub(super) fn cut_gzip(draft: &Draft<'_>) -> Vec<Delivery> {
    let mut delivery = good(draft, Coding::Gzip);
    delivery.body.truncate(delivery.body.len() / 2);
    vec![delivery]
}

/// One bit of the checksum in the trailer, eight bytes before the end, is wrong.
pub(super) fn gzip_checksum(draft: &Draft<'_>) -> Vec<Delivery> {
    let mut delivery = good(draft, Coding::Gzip);
    if let Some(byte) = delivery.body.iter_mut().rev().nth(7) {
        *byte ^= 1;
    }
    vec![delivery]
}

pub(super) fn hidden_gzip(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![good(draft, Coding::Gzip).without(headers::CONTENT_ENCODING)]
}

/// The record in the middle begins with a character that base64 does not have.
pub(super) fn wrong_base64(draft: &Draft<'_>) -> Vec<Delivery> {
    let mut delivery = good(draft, Coding::Plain);
    let begin = br#","#.len() + br#"{"data":""#.len();
    let middle = delivery.body.windows(2).position(|two| two == b"},").unwrap_or(0) + 1 + begin;
    if let Some(byte) = delivery.body.get_mut(middle) {
        *byte = b'*';
    }
    vec![delivery]
}

/// The body of one delivery under the head of another.
pub(super) fn other_id(draft: &Draft<'_>) -> Vec<Delivery> {
    let head = good(draft, Coding::Plain);
    let record = draft.record(Format::Json, 2, 1);
    vec![Delivery { body: draft.delivery(1, Coding::Plain, &[record]).body, ..head }]
}

pub(super) fn no_id(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![good(draft, Coding::Plain).without(headers::REQUEST_ID)]
}

pub(super) fn not_json(draft: &Draft<'_>) -> Vec<Delivery> {
    with_body(draft, "this is not the JSON of a delivery".to_owned())
}

/// The end is missing, and the length says that this is all.
pub(super) fn cut_json(draft: &Draft<'_>) -> Vec<Delivery> {
    let mut delivery = good(draft, Coding::Plain);
    delivery.body.truncate(delivery.body.len() / 2);
    vec![delivery]
}

pub(super) fn no_records(draft: &Draft<'_>) -> Vec<Delivery> {
    let (id, now_ms) = (draft.id(0), draft.setup.now_ms);
    with_body(draft, format!(r#"{{"requestId":"{id}","timestamp":{now_ms}}}"#))
}

pub(super) fn zero_records(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![draft.delivery(0, Coding::Plain, &[[0_u8; 0]; 0])]
}

pub(super) fn other_version(draft: &Draft<'_>) -> Vec<Delivery> {
    vec![good(draft, Coding::Plain).with(headers::PROTOCOL_VERSION, "9.0")]
}
