//! What a person sees of a replay while it runs, and how it hears that it should stop.
//!
//! On a terminal a bar with rate and time left; elsewhere a line every few seconds. Colours are not
//! needed for either, so none are used.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use super::stop::Stop;
use crate::exit::Exit;
use crate::settings::quantity;
use crate::terminal;

/// A line this often where there is no terminal.
const LINE: Duration = Duration::from_secs(5);
/// A signal is heard this soon while it waits.
const STEP: Duration = Duration::from_millis(50);

/// Characters of a reason that are shown.
const WHY_CHARS: usize = 120;

/// The bar counts in thousandths: of bytes, whatever they come to.
const WHOLE: u64 = 1000;

/// Progress and interruption.
pub(super) struct Watch {
    stopped: Arc<AtomicBool>,
    bar: Option<ProgressBar>,
    said: Instant,
    begun: Instant,
    /// Bytes of objects read.
    read: Arc<AtomicU64>,
    total: u64,
    doing: &'static str,
    points: u64,
    rate: Option<u32>,
}

impl Watch {
    /// Begins to listen for signals.
    pub(super) fn new(runtime: &Runtime, rate: Option<u32>) -> Watch {
        let stopped = Arc::new(AtomicBool::new(false));
        let heard = Arc::clone(&stopped);
        runtime.spawn(async move {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if heard.swap(true, Ordering::AcqRel) {
                    // The second one does not wait for what is in flight: the journal has it.
                    std::process::exit(i32::from(Exit::Interrupted.code()));
                }
            }
        });
        let now = Instant::now();
        Watch {
            stopped,
            bar: None,
            said: now,
            begun: now,
            read: Arc::default(),
            total: 0,
            doing: "",
            points: 0,
            rate,
        }
    }

    /// Begins a pass over `total` bytes.
    pub(super) fn begin(&mut self, doing: &'static str, total: u64) -> Arc<AtomicU64> {
        self.end();
        (self.begun, self.said) = (Instant::now(), Instant::now());
        (self.doing, self.total, self.points) = (doing, total, 0);
        self.read = Arc::default();
        let dumb = crate::terminal::is_dumb();
        if std::io::stderr().is_terminal() && !dumb {
            let bar = ProgressBar::with_draw_target(Some(WHOLE), ProgressDrawTarget::stderr());
            // What has no total has no bar.
            let template = match total {
                0 => "{prefix}: {msg}",
                _ => "{prefix} [{bar:30}] {percent:>3}%  {msg}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(doing);
            self.bar = Some(bar);
        }
        Arc::clone(&self.read)
    }

    /// Takes the bar away.
    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Says a line without tearing the bar.
    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| terminal::say(line)),
            None => terminal::say(line),
        }
    }

    /// Was it told to stop?
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    pub(super) fn check(&self) -> Result<(), Stop> {
        if self.is_stopped() { Err(Stop::Interrupted) } else { Ok(()) }
    }

    /// So many points more.
    pub(super) fn count(&mut self, points: u64) {
        self.points += points;
        self.show(None);
    }

    /// Waits for as long as the rate asks for.
    pub(super) fn pace(&mut self) -> Result<(), Stop> {
        let Some(rate) = self.rate else { return Ok(()) };
        let due = Duration::from_secs_f64(self.points as f64 / f64::from(rate));
        let ahead = due.saturating_sub(self.begun.elapsed());
        self.sleep(ahead, None)
    }

    /// Waits for something outside, and says for what.
    pub(super) fn waits(&mut self, why: &str, pause: Duration) -> Result<(), Stop> {
        self.sleep(pause, Some(why))
    }

    fn sleep(&mut self, pause: Duration, why: Option<&str>) -> Result<(), Stop> {
        let until = Instant::now() + pause;
        loop {
            self.check()?;
            self.show(why);
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(STEP));
        }
    }

    /// Points a second since the pass began.
    pub(super) fn speed(&self) -> f64 {
        self.points as f64 / self.begun.elapsed().as_secs_f64().max(0.001)
    }

    fn show(&mut self, why: Option<&str>) {
        let (read, speed) = (self.read.load(Ordering::Relaxed).min(self.total), self.speed());
        let done = read as f64 / (self.total as f64).max(1.0);
        let left = self.begun.elapsed().as_secs_f64() * (1.0 - done) / done;
        let left = if read > 0 && left.is_finite() && self.total > 0 {
            let left = Duration::from_secs(left as u64);
            format!(", {} left", quantity::duration_text(left))
        } else {
            String::new()
        };
        let why = why.map(|why| why.lines().next().unwrap_or_default());
        let why = why.map(|why| why.chars().take(WHY_CHARS).collect::<String>());
        let counted = format!("{} points, {speed:.0} points/s{left}", self.points);
        let text = match why {
            Some(why) if self.total == 0 => why,
            Some(why) => format!("{counted}; waits: {why}"),
            None => counted,
        };
        if let Some(bar) = &self.bar {
            bar.set_position((done * WHOLE as f64) as u64);
            bar.set_message(text);
        } else if self.said.elapsed() >= LINE {
            self.said = Instant::now();
            let percent =
                if self.total == 0 { String::new() } else { format!("{:.0}%, ", done * 100.0) };
            terminal::say(&format!("{}: {percent}{text}", self.doing));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}
