//! Members of a header: tag, length, value.
//!
//! Not here: which members a header has by which tag; the parent's constants say that.

use super::{
    ARRIVAL, ATTRIBUTE, CRITICAL, ENCODING, Encoding, Header, HeaderError, KIND, Kind, LANE,
    LaneId, ONLY, PLAIN_BYTES, RECORDS, REQUEST_ID, SOURCE, SOURCE_ARN, VERSION,
};

/// Appends a member: tag, length in four bytes little endian, value.
pub(super) fn member(tag: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
}

/// Appends a text; an empty one is left away.
pub(super) fn text_member(tag: u8, text: &str, out: &mut Vec<u8>) {
    if !text.is_empty() {
        member(tag, text.as_bytes(), out);
    }
}

/// Tag, value and what follows, or `None` when the bytes are cut short.
pub(super) fn split_member(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((tag, value, rest))
}

/// The members of a header as they are found.
#[derive(Default)]
pub(super) struct Fields {
    kind: Option<Kind>,
    encoding: Option<Encoding>,
    arrival_ms: Option<i64>,
    plain_bytes: Option<u64>,
    records: Option<u32>,
    source: Option<String>,
    source_arn: Option<String>,
    request_id: Option<String>,
    attributes: Vec<(String, String)>,
    lane: Option<LaneId>,
    only: Vec<(u32, u32)>,
}

impl Fields {
    pub(super) fn take(&mut self, tag: u8, value: &[u8]) -> Result<(), HeaderError> {
        match tag {
            KIND => once(&mut self.kind, kind(value)?),
            ENCODING => once(&mut self.encoding, encoding(value)?),
            ARRIVAL => once(&mut self.arrival_ms, i64::from_le_bytes(exact(value)?)),
            PLAIN_BYTES => once(&mut self.plain_bytes, u64::from_le_bytes(exact(value)?)),
            RECORDS => once(&mut self.records, u32::from_le_bytes(exact(value)?)),
            SOURCE => once(&mut self.source, text(value)?),
            SOURCE_ARN => once(&mut self.source_arn, text(value)?),
            REQUEST_ID => once(&mut self.request_id, text(value)?),
            LANE => once(&mut self.lane, LaneId(exact(value)?)),
            ONLY => {
                self.only.push(range(value)?);
                Ok(())
            }
            ATTRIBUTE => {
                self.attributes.push(attribute(value)?);
                Ok(())
            }
            unknown if unknown & CRITICAL != 0 => Err(HeaderError::Newer(VERSION)),
            _ => Ok(()),
        }
    }

    pub(super) fn header(self) -> Result<Header, HeaderError> {
        Ok(Header {
            kind: self.kind.ok_or(HeaderError::Malformed)?,
            encoding: self.encoding.ok_or(HeaderError::Malformed)?,
            arrival_ms: self.arrival_ms.ok_or(HeaderError::Malformed)?,
            plain_bytes: self.plain_bytes.ok_or(HeaderError::Malformed)?,
            records: self.records.ok_or(HeaderError::Malformed)?,
            source: self.source.unwrap_or_default(),
            source_arn: self.source_arn.unwrap_or_default(),
            request_id: self.request_id.unwrap_or_default(),
            attributes: self.attributes,
            lane: self.lane,
            only: self.only,
        })
    }
}

/// A member that may come once: two would let two readers disagree.
fn once<T>(field: &mut Option<T>, value: T) -> Result<(), HeaderError> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(HeaderError::Malformed),
    }
}

fn exact<const N: usize>(value: &[u8]) -> Result<[u8; N], HeaderError> {
    value.try_into().map_err(|_| HeaderError::Malformed)
}

fn text(value: &[u8]) -> Result<String, HeaderError> {
    std::str::from_utf8(value).map(str::to_owned).map_err(|_| HeaderError::Malformed)
}

fn kind(value: &[u8]) -> Result<Kind, HeaderError> {
    match exact(value)? {
        [1] => Ok(Kind::FirehoseDelivery),
        [2] => Ok(Kind::Record),
        [3] => Ok(Kind::Records),
        [4] => Ok(Kind::Metrics),
        [_] => Err(HeaderError::Newer(VERSION)),
    }
}

fn encoding(value: &[u8]) -> Result<Encoding, HeaderError> {
    match exact(value)? {
        [0] => Ok(Encoding::Identity),
        [1] => Ok(Encoding::Gzip),
        [_] => Err(HeaderError::Newer(VERSION)),
    }
}

fn range(value: &[u8]) -> Result<(u32, u32), HeaderError> {
    let [a, b, c, d, e, f, g, h] = exact(value)?;
    Ok((u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])))
}

/// A name with its length before it, then the value.
fn attribute(value: &[u8]) -> Result<(String, String), HeaderError> {
    let (length, rest) = value.split_first_chunk::<4>().ok_or(HeaderError::Malformed)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (name, value) = rest.split_at_checked(length).ok_or(HeaderError::Malformed)?;
    Ok((text(name)?, text(value)?))
}
