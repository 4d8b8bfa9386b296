//! A stream that knows when its connection last got on with something, and that closes gently.
//!
//! Owns the socket and the [`Vigil`] it reports to. Closing lingers: the write side is shut first and
//! what the client still sends is read and thrown away for a while. Otherwise the kernel would reset
//! the connection over unread bytes, and a client that is still sending a body that was refused would
//! see the reset instead of the answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a closed connection waits for the next byte of its client: a long round trip.
const LINGER_IDLE: Duration = Duration::from_secs(2);
/// The same once the listener is stopping: nobody should wait for a silent client.
const LINGER_STOPPING: Duration = Duration::from_millis(50);
/// How long it reads what nobody wants, at most: a 96 MiB body at 30 Mbit/s.
const LINGER_TOTAL: Duration = Duration::from_secs(30);
/// Reads thrown away before other connections get their turn.
const LINGER_READS: usize = 16;
/// Bytes thrown away per read.
const SCRAP: usize = 8 * 1024;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between requests.
    Idle(Instant),
    /// A head has begun, or is awaited on a new connection.
    Head(Instant),
    /// A handler runs; it bounds itself.
    Busy,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    stopping: bool,
}

/// Shared by the stream, the service and the task of one connection.
#[derive(Debug)]
pub(crate) struct Vigil {
    state: Mutex<State>,
    header_time: Duration,
    idle_time: Duration,
}

impl Vigil {
    pub(crate) fn new(header_time: Duration, idle_time: Duration) -> Arc<Vigil> {
        let state = State { phase: Phase::Head(Instant::now()), stopping: false };
        Arc::new(Vigil { state: Mutex::new(state), header_time, idle_time })
    }
    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
    /// The handler has begun.
    pub(crate) fn busy(&self) {
        self.with(|s| s.phase = Phase::Busy);
    }
    /// The handler has answered.
    pub(crate) fn idle(&self) {
        self.with(|s| s.phase = Phase::Idle(Instant::now()));
    }
    pub(crate) fn stopping(&self) {
        self.with(|s| s.stopping = true);
    }
    fn has_read(&self) {
        self.with(|s| {
            if matches!(s.phase, Phase::Idle(_)) {
                s.phase = Phase::Head(Instant::now());
            }
        });
    }
    fn has_written(&self) {
        self.with(|s| {
            if matches!(s.phase, Phase::Idle(_)) {
                s.phase = Phase::Idle(Instant::now());
            }
        });
    }
    /// When the connection will have been too slow; `None` while a handler runs.
    fn deadline(&self) -> Option<Instant> {
        match self.with(|s| s.phase) {
            Phase::Idle(since) => Some(since + self.idle_time),
            Phase::Head(since) => Some(since + self.header_time),
            Phase::Busy => None,
        }
    }
    pub(crate) fn is_over(&self) -> bool {
        self.deadline().is_some_and(|deadline| Instant::now() >= deadline)
    }
    /// When to look again. A phase may change while one sleeps, so never later than half the shorter
    /// of the two times: a slow head is let go after one and a half of its time at the latest.
    pub(crate) fn look_again(&self) -> Instant {
        let soon = Instant::now() + self.header_time.min(self.idle_time) / 2;
        self.deadline().map_or(soon, |deadline| deadline.min(soon))
    }
}

struct Linger {
    until: Instant,
    quiet: Pin<Box<Sleep>>,
}

pub(crate) struct Watched<S> {
    inner: S,
    vigil: Arc<Vigil>,
    linger: Option<Linger>,
}

impl<S> Watched<S> {
    pub(crate) fn new(inner: S, vigil: Arc<Vigil>) -> Self {
        Self { inner, vigil, linger: None }
    }
    fn linger_step(&self) -> Duration {
        if self.vigil.with(|s| s.stopping) { LINGER_STOPPING } else { LINGER_IDLE }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let before = out.filled().len();
        let read = ready!(Pin::new(&mut me.inner).poll_read(cx, out));
        if out.filled().len() > before {
            me.vigil.has_read();
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let wrote = ready!(Pin::new(&mut me.inner).poll_write(cx, bytes));
        me.vigil.has_written();
        Poll::Ready(wrote)
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let wrote = ready!(Pin::new(&mut me.inner).poll_write_vectored(cx, bytes));
        me.vigil.has_written();
        Poll::Ready(wrote)
    }
    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        if me.linger.is_none() {
            ready!(Pin::new(&mut me.inner).poll_shutdown(cx))?;
            let now = Instant::now();
            let quiet = Box::pin(sleep_until(now + me.linger_step()));
            me.linger = Some(Linger { until: now + LINGER_TOTAL, quiet });
        }
        me.poll_linger(cx)
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let step = self.linger_step();
        let Some(linger) = &mut self.linger else { return Poll::Ready(Ok(())) };
        let mut scrap = [0; SCRAP];
        for _ in 0..LINGER_READS {
            let mut out = ReadBuf::new(&mut scrap);
            match Pin::new(&mut self.inner).poll_read(cx, &mut out) {
                Poll::Pending => return linger.quiet.as_mut().poll(cx).map(Ok),
                // The end, or a client that has given up: both are what was waited for.
                Poll::Ready(Err(_)) => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) if out.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {
                    let now = Instant::now();
                    if now >= linger.until {
                        return Poll::Ready(Ok(()));
                    }
                    linger.quiet.as_mut().reset(now + step);
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
