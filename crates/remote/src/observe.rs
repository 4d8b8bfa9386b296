//! One exchange as a judge of receivers needs it: the body may go slowly, and the reason phrase of the
//! answer is kept.
//!
//! Not here: what any of it means.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use crate::client::{Answer, Client, Request};
use crate::unreachable::Unreachable;

#[cfg(test)]
mod tests;

/// A slow sender: the body in this many pieces, with a pause between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many pieces, at least one.
    pub pieces: usize,
    /// Between two pieces.
    pub pause: Duration,
}

/// An answer, and how its status line explained itself.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The answer.
    pub answer: Answer,
    /// The reason phrase; empty when there was none.
    pub reason: String,
}

impl Client {
    /// One attempt. The time that the client gives an answer holds for a slow body, too.
    pub async fn observe(
        &self,
        mut request: Request,
        pace: Option<Pace>,
    ) -> Result<Observed, Unreachable> {
        let body = std::mem::take(&mut request.body);
        let body = match pace {
            Some(pace) => reqwest::Body::wrap(Paced::new(body, pace)),
            None => reqwest::Body::from(body),
        };
        let incoming = self.open_with(request, body, self.limits()).await?;
        let reason = incoming.reason();
        let answer = incoming.read(self.answer_bytes()).await?;
        Ok(Observed { answer, reason })
    }
}

struct Paced {
    rest: Bytes,
    piece_bytes: usize,
    pause: Duration,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    fn new(body: Bytes, pace: Pace) -> Paced {
        let piece_bytes = body.len().div_ceil(pace.pieces.max(1)).max(1);
        Paced { rest: body, piece_bytes, pause: pace.pause, wait: None }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(wait) = &mut self.wait
            && wait.as_mut().poll(context).is_pending()
        {
            return Poll::Pending;
        }
        let length = self.piece_bytes.min(self.rest.len());
        let piece = self.rest.split_to(length);
        self.wait = Some(Box::pin(sleep(self.pause)));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    /// Known, so that `Content-Length` is sent and no chunks, as Firehose does.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
