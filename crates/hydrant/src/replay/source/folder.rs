//! Files and folders. Links to folders are not followed: they may lead in circles.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::{Listed, Visit, Where};
use crate::exit::Exit;
use crate::replay::stop::Stop;

/// Ends files that are being written.
const PART: &str = "part";

pub(super) fn each(path: &Path, visit: Visit<'_>) -> Result<(), Stop> {
    let about = fs::metadata(path).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        Stop::failed(Exit::Failed, &what, Some("name a file, a folder or s3://bucket/prefix"))
    })?;
    if about.is_dir() { below(path, visit) } else { visit(listed(path, &about)) }
}

fn below(folder: &Path, visit: Visit<'_>) -> Result<(), Stop> {
    let unreadable = |error: std::io::Error| {
        Stop::failed(Exit::Failed, &format!("{}: {error}", folder.display()), None)
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name());
    }
    names.sort_unstable();
    for name in names {
        let path = folder.join(name);
        let Ok(own) = fs::symlink_metadata(&path) else { continue };
        // What is gone since the folder was read needs no word.
        let Ok(about) = fs::metadata(&path) else { continue };
        let being_written = path.extension().is_some_and(|extension| extension == PART);
        if own.is_dir() {
            below(&path, visit)?;
        } else if about.is_file() && !being_written {
            visit(listed(&path, &about))?;
        }
    }
    Ok(())
}

fn listed(path: &Path, about: &fs::Metadata) -> Listed {
    let since = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Listed {
        name: path.display().to_string(),
        bytes: about.len(),
        modified_ms: since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)),
        place: Where::File(path.to_owned()),
    }
}
