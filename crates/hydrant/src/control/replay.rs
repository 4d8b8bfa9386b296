//! What `hydrant replay` and the process that runs say to each other about records put back.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Records for one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutBack {
    /// Its name.
    pub stream: String,
    /// They; none asks only whether more may come.
    pub records: Vec<Returned>,
}

/// One record put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// Its bytes, as they came the first time.
    #[serde(with = "base64_text")]
    pub data: Bytes,
    /// The source it came through.
    pub source: String,
    /// Source ARN of its delivery.
    pub source_arn: String,
    /// Request id of its delivery.
    pub request_id: String,
    /// Common attributes of its delivery.
    pub attributes: Vec<(String, String)>,
    /// The items that are wanted; none is all.
    pub only: Vec<(u32, u32)>,
    /// Tells a repeat, for the case that a crash hides whether it was put back; `None` never does.
    #[serde(with = "hex_text")]
    pub key: Option<u128>,
}

/// What became of a batch. Whatever is not refused is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// One for each record, in their order.
    pub outcomes: Vec<Outcome>,
    /// Why some were refused.
    pub refusal: Option<Refusal>,
    /// Why no more should come for now.
    pub hold: Option<String>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Durable.
    Stored,
    /// Was durable already.
    Repeat,
    /// Not stored.
    Refused,
}

/// Why a record was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "refused", rename_all = "snake_case")]
pub enum Refusal {
    /// There is no room; later.
    Full {
        /// Who holds it.
        why: String,
    },
    /// The disk.
    Disk {
        /// What it said.
        why: String,
    },
    /// The process is stopping.
    Closing,
}

/// Bytes as base64.
mod base64_text {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(data: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        let mut text = Vec::new();
        codec::base64::encode_into(data, &mut text);
        to.serialize_str(&String::from_utf8_lossy(&text))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        let mut data = Vec::new();
        codec::base64::decode_into(text.as_bytes(), &mut data).map_err(D::Error::custom)?;
        Ok(data.into())
    }
}

/// 128 bits as hex: JSON numbers end at 53.
mod hex_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(key: &Option<u128>, to: S) -> Result<S::Ok, S::Error> {
        key.map(|key| format!("{key:032x}")).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<u128>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| u128::from_str_radix(&text, 16).map_err(D::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* a record with and without a key, ranges and bytes that are no text.
    /// *Guarantees:* it survives the way through JSON.
    #[test]
    fn a_batch_survives_json() {
        let record = Returned {
            data: Bytes::from_static(b"\x00\xff{\n"),
            source: "aws".to_owned(),
            source_arn: "arn".to_owned(),
            request_id: "r".to_owned(),
            attributes: vec![("a".to_owned(), "b".to_owned()), ("a".to_owned(), "c".to_owned())],
            only: vec![(1, 2)],
            key: Some(u128::MAX - 1),
        };
        let records = vec![Returned { key: None, ..record.clone() }, record];
        let batch = PutBack { stream: "s".to_owned(), records };
        let text = serde_json::to_string(&batch).unwrap();
        assert_eq!(serde_json::from_str::<PutBack>(&text).unwrap(), batch);
    }
}
