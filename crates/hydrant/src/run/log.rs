//! Logs: one line per fact, to stderr, text on a terminal and JSON otherwise.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;

use crate::settings::{Log, LogFormat, LogLevel};

/// Starts logging; once a process. A second call changes nothing.
pub fn start(log: Log) {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let terminal = std::io::stderr().is_terminal();
    let json = match log.format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        // It would be said on stderr too, by a macro that panics when nobody reads there.
        .log_internal_errors(false)
        .with_target(false);
    let started = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_ansi(terminal && crate::terminal::colours_wanted()).try_init()
    };
    // Only a test starts it twice; the first one stays.
    drop(started);
}
