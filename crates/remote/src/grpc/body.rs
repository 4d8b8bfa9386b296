//! A message with its prefix, out and in. Out, it is two frames: the message itself is not copied.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame};

use super::PREFIX;

/// One message on its way out.
pub(super) struct Framed {
    prefix: Bytes,
    message: Bytes,
}

impl Framed {
    pub(super) fn new(compressed: bool, message: Bytes) -> Framed {
        // A parcel is bounded far below four gigabytes.
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let [a, b, c, d] = length.to_be_bytes();
        let prefix = [u8::from(compressed), a, b, c, d];
        Framed { prefix: Bytes::copy_from_slice(&prefix), message }
    }
}

impl Body for Framed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match std::mem::take(&mut self.prefix) {
            prefix if prefix.is_empty() => std::mem::take(&mut self.message),
            prefix => prefix,
        };
        Poll::Ready((!next.is_empty()).then(|| Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.prefix.is_empty() && self.message.is_empty()
    }
}

/// The message of an answer and whether it is compressed: empty where none came, `None` where what
/// came is not one message (cut, several).
pub(super) fn unframe(body: &Bytes) -> Option<(bool, Bytes)> {
    if body.is_empty() {
        return Some((false, Bytes::new()));
    }
    let ([flag @ (0 | 1), a, b, c, d], message) = body.split_first_chunk::<PREFIX>()? else {
        return None;
    };
    let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok()?;
    (message.len() == length).then(|| (*flag == 1, body.slice(PREFIX..)))
}
