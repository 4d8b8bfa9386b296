//! Pieces: what an entry is made of, one record after the other, whatever form the entry has.
//!
//! Owns: reading the envelope of a Firehose delivery, and records with their lengths.
//!
//! Always: a piece has the same number however its entry is read, whole or as a stream. One record
//! is in memory, besides a body that is there anyway.
//!
//! Not here: what is in a record.

use std::io::Read;

use aws::firehose::envelope::{EnvelopeFault, EnvelopeReader, Limits};
use entry::Kind;
use entry::records::{self, ReadFault};

use crate::feed::Plain;

/// Reasons for quarantine besides those of the decoder: a header or a body that cannot be read,
pub(crate) const BROKEN_ENTRY: &str = "broken_entry";
/// an envelope that cannot be read to its end,
pub(crate) const BROKEN_ENVELOPE: &str = "broken_envelope";
/// and a body that the disk does not give back.
pub(crate) const UNREADABLE: &str = "unreadable_entry";

/// No reason for quarantine, but for reading again: the disk failed in the middle of an entry.
pub(crate) const UNREAD: &str = "unread";

/// The door has checked records already; this only bounds memory if the disk lies.
const READ_LIMITS: Limits = Limits { records: u32::MAX, record_text: 128 * 1024 * 1024 };

/// A record, or a piece that is none.
pub(crate) type Piece<'a> = Result<&'a [u8], Broken<'a>>;

/// A piece of an entry that is no record.
pub(crate) struct Broken<'a> {
    /// [`UNREAD`] when the bytes below could not be read; the same bytes may be readable later.
    pub reason: &'static str,
    pub detail: String,
    pub bytes: &'a [u8],
}

/// The pieces of a body.
pub(crate) enum Pieces<'a> {
    /// Of a Firehose delivery.
    Envelope(EnvelopeReader<'a>),
    /// Of several records in memory.
    Slices(records::Slices<'a>),
    /// Of several records that are read as a stream.
    Records(records::Reader<Box<dyn Read + Send + 'a>>),
}

impl<'a> Pieces<'a> {
    fn whole(kind: Kind, plain: &'a [u8]) -> Pieces<'a> {
        match kind {
            Kind::Records => Pieces::Slices(records::each(plain)),
            _ => Pieces::Envelope(EnvelopeReader::whole(plain, READ_LIMITS)),
        }
    }

    /// Reads a plain body as a stream.
    pub(crate) fn stream(kind: Kind, plain: Box<dyn Read + Send + 'a>) -> Pieces<'a> {
        match kind {
            Kind::Records => Pieces::Records(records::Reader::new(plain)),
            _ => Pieces::Envelope(EnvelopeReader::stream(plain, READ_LIMITS)),
        }
    }

    /// The next record, read into `record` where it does not lie in memory as it is; the flag says
    /// that nothing can follow.
    pub(crate) fn next_piece<'b>(
        &'b mut self,
        record: &'b mut Vec<u8>,
    ) -> Option<(Piece<'b>, bool)> {
        match self {
            Pieces::Envelope(reader) => next_of_envelope(reader, record),
            Pieces::Slices(slices) => Some(match slices.next()? {
                Ok(bytes) => (Ok(bytes), false),
                Err(error) => (Err(broken(BROKEN_ENTRY, &error)), true),
            }),
            Pieces::Records(reader) => match reader.next_into(record) {
                Ok(false) => None,
                Ok(true) => Some((Ok(record), false)),
                Err(fault) => {
                    let reason = match fault {
                        ReadFault::Read(_) => UNREAD,
                        ReadFault::CutShort(_) => BROKEN_ENTRY,
                    };
                    Some((Err(broken(reason, &fault)), true))
                }
            },
        }
    }
}

impl Plain {
    /// Calls `each` with every record, in order, until it fails.
    pub(crate) fn each_record(
        &mut self,
        kind: Kind,
        record: &mut Vec<u8>,
        each: &mut dyn FnMut(u32, Piece<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut pieces = match self {
            Plain::Whole(plain) => Pieces::whole(kind, plain),
            Plain::Records(kept) => Pieces::whole(Kind::Records, kept),
            Plain::Bytes(plain) => Pieces::whole(kind, plain),
            Plain::Stream(plain) => Pieces::stream(kind, Box::new(plain.as_mut())),
            Plain::Record(bytes) => return each(0, Ok(bytes)),
            Plain::Broken(why, bytes) => {
                let detail = why.clone();
                return each(0, Err(Broken { reason: BROKEN_ENTRY, detail, bytes }));
            }
            Plain::Unreadable(why) => {
                let (reason, detail) = (UNREADABLE, why.clone());
                return each(0, Err(Broken { reason, detail, bytes: &[] }));
            }
            Plain::Foreign => return Ok(()),
        };
        let mut index = 0;
        while let Some((piece, last)) = pieces.next_piece(record) {
            if let Err(Broken { reason: UNREAD, detail, .. }) = piece {
                return Err(detail);
            }
            each(index, piece)?;
            if last {
                break;
            }
            index += 1;
        }
        Ok(())
    }
}

fn next_of_envelope<'a>(
    reader: &'a mut EnvelopeReader<'_>,
    record: &'a mut Vec<u8>,
) -> Option<(Piece<'a>, bool)> {
    match reader.next() {
        Ok(None) => None,
        Ok(Some(text)) => match codec::base64::decode_into(text, record) {
            Ok(()) => Some((Ok(record), false)),
            Err(error) => {
                let detail = error.to_string();
                Some((Err(Broken { reason: BROKEN_ENVELOPE, detail, bytes: text }), false))
            }
        },
        Err(fault) => {
            let reason = match fault {
                EnvelopeFault::Read(_) => UNREAD,
                _ => BROKEN_ENVELOPE,
            };
            Some((Err(broken(reason, &fault)), true))
        }
    }
}

fn broken(reason: &'static str, fault: &dyn std::fmt::Display) -> Broken<'static> {
    Broken { reason, detail: fault.to_string(), bytes: &[] }
}
