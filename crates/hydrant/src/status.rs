//! `hydrant status` and `hydrant stream`: ask the running process, or read its folder when none runs.

mod table;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::cli::{StatusArgs, StatusOutput, StreamArgs, StreamCommand, StreamTarget};
use crate::control::{self, Answer, Request};
use crate::exit::Exit;
use crate::run::{
    Folder, FolderError, JournalReport, Report, TopicReport, control_socket, damage_copies,
};
use crate::settings;
use crate::terminal::{self, Paint, fail};
pub(crate) use table::age;

/// For a folder or a file that may not be read.
const AS_ITS_USER: &str = "run this as the user that runs hydrant, or as root";

/// Runs `hydrant status`.
pub fn command(args: &StatusArgs) -> Exit {
    let data_dir = match data_dir(args.config.as_deref(), args.data_dir.as_deref()) {
        Ok(data_dir) => data_dir,
        Err(exit) => return exit,
    };
    if args.ready {
        let asked = control::ask(&control_socket(&data_dir), &Request::Report);
        return ready(asked.map_err(|error| error.to_string()));
    }
    let report = match report_of(&data_dir).and_then(|report| match report {
        Some(report) => Ok(report),
        None => read_folder(&data_dir),
    }) {
        Ok(report) => report,
        Err(exit) => return exit,
    };
    let text = match args.output {
        StatusOutput::Table => table::text(&report, Paint::for_stdout()),
        StatusOutput::Json => serde_json::to_string_pretty(&report).unwrap_or_default() + "\n",
    };
    match terminal::print(text.as_bytes()) {
        Ok(()) => Exit::Done,
        Err(error) => terminal::unwritten(&error),
    }
}

/// What `--ready` says: nothing when all is well.
fn ready(asked: Result<Option<Answer>, String>) -> Exit {
    let why = match asked {
        Ok(Some(Answer::Report { report })) if report.ready => return Exit::Done,
        Ok(Some(Answer::Report { report })) => report.reasons.join("\n"),
        Ok(Some(other)) => return fail(Exit::Bug, &format!("unexpected answer {other:?}"), None),
        Ok(None) => "no process is running".to_owned(),
        Err(error) => format!("asking the process: {error}"),
    };
    fail(Exit::Failed, &why, None)
}

/// Runs `hydrant stream forget` and `hydrant stream drop-backlog`.
pub fn stream_command(args: &StreamArgs) -> Exit {
    let (target, request, deed) = match &args.command {
        StreamCommand::Forget(target) => {
            let stream = target.name.clone();
            (target, Request::Forget { stream }, "forget what it has not delivered")
        }
        StreamCommand::DropBacklog(target) => {
            let stream = target.name.clone();
            (target, Request::DropBacklog { stream }, "drop what it has not delivered")
        }
    };
    let data_dir = match data_dir(target.config.as_deref(), target.data_dir.as_deref()) {
        Ok(data_dir) => data_dir,
        Err(exit) => return exit,
    };
    let running = match report_of(&data_dir) {
        Ok(running) => running,
        Err(exit) => return exit,
    };
    let known = match running {
        Some(report) => knows(&report, &request),
        None => knows_alone(&data_dir, &request),
    };
    if let Err(exit) = known {
        return exit;
    }
    if !confirmed(target, deed) {
        return fail(Exit::Failed, "not confirmed", Some("pass --yes to do it without asking"));
    }
    let answer = match control::ask(&control_socket(&data_dir), &request) {
        Ok(Some(answer)) => answer,
        Ok(None) => alone(&data_dir, &target.name),
        Err(error) => return not_asked(&data_dir, &error),
    };
    match answer {
        Answer::Done { count } => {
            let unit = if matches!(request, Request::Forget { .. }) {
                "bytes freed"
            } else {
                "points dropped"
            };
            terminal::say(&format!("stream {}: {count} {unit}", target.name));
            Exit::Done
        }
        Answer::Failed { why } => fail(Exit::Failed, &why, None),
        _ => fail(Exit::Bug, "unexpected answer", None),
    }
}

/// Whether there is anything to lose by this command: nobody is asked about what is not there.
fn knows(report: &Report, request: &Request) -> Result<(), Exit> {
    let of_streams = || report.streams.iter().map(|stream| stream.name.as_str()).collect();
    let of_forgotten = || report.forgotten.iter().map(|cursor| cursor.name.as_str()).collect();
    let (name, kind, there): (_, _, Vec<&str>) = match request {
        Request::DropBacklog { stream } => (stream, "stream", of_streams()),
        // Of a stream of the settings the process says what to do first.
        Request::Forget { stream } if of_streams().contains(&stream.as_str()) => return Ok(()),
        Request::Forget { stream } => (stream, "removed stream", of_forgotten()),
        _ => return Ok(()),
    };
    let all_data = format!("{name}{}", delivery::ALL_DATA_SUFFIX);
    if there.iter().any(|one| *one == name || *one == all_data) {
        return Ok(());
    }
    let hint = match there.as_slice() {
        [] => "there is none; hydrant status shows what there is".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    };
    Err(fail(Exit::Failed, &format!("no {kind} is called {name}"), Some(&hint)))
}

/// The same without a process: forgetting needs none, dropping needs one that counts.
fn knows_alone(data_dir: &Path, request: &Request) -> Result<(), Exit> {
    if matches!(request, Request::DropBacklog { .. }) {
        let hint = "start hydrant run: it counts what is dropped";
        return Err(fail(Exit::Failed, "no process is running", Some(hint)));
    }
    knows(&read_folder(data_dir)?, request)
}

/// Never asks where nobody can answer.
fn confirmed(target: &StreamTarget, deed: &str) -> bool {
    if target.yes {
        return true;
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return false;
    }
    let mut stderr = std::io::stderr().lock();
    drop(write!(stderr, "stream {}: {deed}? [y/N] ", target.name).and_then(|()| stderr.flush()));
    let mut line = String::new();
    stdin.read_line(&mut line).is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

/// The report of the process that works with this folder; `None` when there is none.
pub(crate) fn report_of(data_dir: &Path) -> Result<Option<Report>, Exit> {
    match control::ask(&control_socket(data_dir), &Request::Report) {
        Ok(Some(Answer::Report { report })) => Ok(Some(*report)),
        Ok(Some(other)) => Err(fail(Exit::Bug, &format!("unexpected answer {other:?}"), None)),
        Ok(None) => Ok(None),
        Err(error) => Err(not_asked(data_dir, &error)),
    }
}

/// For commands that could not reach the process that works there.
pub(crate) fn not_asked(data_dir: &Path, error: &std::io::Error) -> Exit {
    let what = format!("asking the process of {}: {error}", data_dir.display());
    let is_refused = error.kind() == std::io::ErrorKind::PermissionDenied;
    fail(Exit::Failed, &what, is_refused.then_some(AS_ITS_USER))
}

/// For commands that can do nothing without a process.
pub(crate) fn no_process(data_dir: &Path) -> Exit {
    let what = format!("no hydrant process works with {}", data_dir.display());
    fail(Exit::Failed, &what, Some("start hydrant run, or name its folder with --data-dir"))
}

/// The data folder, as given or as the settings say.
pub(crate) fn data_dir(config: Option<&Path>, data_dir: Option<&Path>) -> Result<PathBuf, Exit> {
    if let Some(data_dir) = data_dir {
        return Ok(data_dir.to_owned());
    }
    settings::open_data_dir(config).inspect_err(|_| {
        terminal::say("hint: --data-dir names the folder without the settings");
    })
}

/// Without a process: what the folder holds. Nothing in it is changed, by whoever this is run: a file
/// that root made here would keep the service from starting.
fn read_folder(data_dir: &Path) -> Result<Report, Exit> {
    let place = Folder::look(data_dir).map_err(|error| unreadable(&error))?;
    let (journal, recovery) = journal::Journal::look(&place)
        .map_err(|error| fail(Exit::Disk, &error.to_string(), Some(AS_ITS_USER)))?;
    let mut report = Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: data_dir.to_owned(),
        reasons: vec!["no process is running".to_owned()],
        journal: JournalReport {
            bytes: journal.bytes(),
            torn_bytes: recovery.torn_bytes,
            rotten_bytes: recovery.rotten_bytes,
            copies: damage_copies(&place),
            ..JournalReport::default()
        },
        ..Report::default()
    };
    for topic in journal.status() {
        report.forgotten.extend(topic.cursors.into_iter().map(|c| crate::run::CursorReport {
            name: c.name,
            topic: topic.topic.clone(),
            bytes: c.bytes,
            entries: c.entries,
            left: false,
        }));
        report.journal.topics.push(TopicReport {
            name: topic.topic,
            bytes: topic.bytes,
            end: topic.end,
            rotten_bytes: topic.rotten_bytes,
            ..TopicReport::default()
        });
    }
    journal.close();
    Ok(report)
}

/// Why a folder cannot be reported on, with what to do.
fn unreadable(error: &FolderError) -> Exit {
    let hint = match error {
        FolderError::Missing(_) | FolderError::NotOurs(_) => Some(
            "hydrant run makes it at its first start; -c names other settings, --data-dir another folder",
        ),
        FolderError::InUse(_) => Some("one that starts or stops answers in a moment: try again"),
        FolderError::Io { .. } => Some(AS_ITS_USER),
        FolderError::Newer { .. } | FolderError::Unknown(_) => None,
    };
    fail(Exit::Failed, &error.to_string(), hint)
}

/// Forgets a stream without a process.
fn alone(data_dir: &Path, stream: &str) -> Answer {
    let forgotten = Folder::open_existing(data_dir).map_err(|e| e.to_string()).and_then(|folder| {
        let (journal, _) = journal::Journal::open(&folder.journal(), journal::Options::default())
            .map_err(|e| e.to_string())?;
        let freed = crate::run::forget(&journal, stream);
        journal.close();
        freed
    });
    match forgotten {
        Ok(count) => Answer::Done { count },
        Err(why) => Answer::Failed { why },
    }
}
