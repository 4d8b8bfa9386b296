//! The resource of a group of metrics: the four attributes that CloudWatch sets.
//!
//! Owns which of them a point carries. Any other attribute, scope and schema URL is passed over:
//! CloudWatch sends none, and a point has no place for them.

use super::{Fault, is_text};
use crate::wire::Reader;

/// Where metrics come from; empty where it was not said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Resource<'a> {
    pub(super) account: &'a [u8],
    pub(super) region: &'a [u8],
    pub(super) exporter_arn: &'a [u8],
    pub(super) stream: &'a [u8],
}

/// Before the stream's name in `aws.exporter.arn`.
const STREAM_PREFIX: &[u8] = b"metric-stream/";

impl<'a> Resource<'a> {
    /// Takes the attributes of one `Resource` message. The first value of a key stays.
    pub(super) fn merge(&mut self, body: &'a [u8]) -> Result<(), Fault> {
        let mut reader = Reader::new(body);
        while !reader.is_empty() {
            match reader.tag().ok_or(Fault::Resource)? {
                0x0a => self.attribute(reader.bytes().ok_or(Fault::Resource)?)?,
                tag => reader.skip(tag).ok_or(Fault::Resource)?,
            }
        }
        Ok(())
    }

    fn attribute(&mut self, body: &'a [u8]) -> Result<(), Fault> {
        let (key, value) = key_and_text(body).ok_or(Fault::Resource)?;
        let field = match key {
            b"cloud.account.id" => &mut self.account,
            b"cloud.region" => &mut self.region,
            b"aws.exporter.arn" => &mut self.exporter_arn,
            _ => return Ok(()),
        };
        if !is_text(value) {
            return Err(Fault::ResourceText);
        }
        if field.is_empty() {
            *field = value;
        }
        if key == b"aws.exporter.arn" {
            let at = memchr::memmem::find(self.exporter_arn, STREAM_PREFIX);
            let name = at.and_then(|at| self.exporter_arn.get(at + STREAM_PREFIX.len()..));
            self.stream = name.unwrap_or(&[]);
        }
        Ok(())
    }
}

/// Key and string value of a `KeyValue`; a value of another kind reads as empty.
fn key_and_text(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(body);
    let (mut key, mut text): (&[u8], &[u8]) = (&[], &[]);
    while !reader.is_empty() {
        match reader.tag()? {
            0x0a => key = reader.bytes()?,
            0x12 => {
                let mut value = Reader::new(reader.bytes()?);
                while !value.is_empty() {
                    match value.tag()? {
                        0x0a => text = value.bytes()?,
                        tag => value.skip(tag)?,
                    }
                }
            }
            tag => reader.skip(tag)?,
        }
    }
    Some((key, text))
}
