//! Which file holds the settings.

use std::path::{Path, PathBuf};

use super::environment::Environment;
use crate::terminal::Paint;

/// Looked at in this order when neither `-c` nor `HYDRANT_CONFIG` names a file.
const DEFAULT_FILES: [&str; 2] = ["./hydrant.yaml", "/etc/hydrant/hydrant.yaml"];
/// The variable that names the file.
const VARIABLE: &str = "HYDRANT_CONFIG";

/// The least there is to say; printed when there is no file, and checked by a test.
pub const EXAMPLE: &str = "\
data_dir: ./hydrant-data
sources:
  aws:
    type: firehose
    listen: 127.0.0.1:4433
    access_keys: [\"${FIREHOSE_ACCESS_KEY:-change-me}\"]
streams:
  to-file:
    source: aws
    destination:
      type: file
      path: ./metrics.ndjson
";

/// There is no settings file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFound;

/// The file named by `flag`, by the environment, or found in a usual place. A file that was named
/// is taken at its word: whether it can be read is found when it is.
pub fn locate(flag: Option<&Path>, environment: &Environment) -> Result<PathBuf, NotFound> {
    if let Some(file) = flag {
        return Ok(file.to_owned());
    }
    if let Some(file) = environment.text(VARIABLE).filter(|file| !file.is_empty()) {
        return Ok(PathBuf::from(file));
    }
    DEFAULT_FILES.iter().map(PathBuf::from).find(|file| file.is_file()).ok_or(NotFound)
}

/// How to begin.
pub(super) fn begin_hint() -> String {
    format!("a minimal one is\n\n{EXAMPLE}")
}

impl NotFound {
    /// What to tell a person.
    pub fn text(self, paint: Paint) -> String {
        let files = DEFAULT_FILES.join(" nor ");
        format!(
            "{} no settings file: neither -c nor {VARIABLE} names one, and there is neither {files}\n\
             {} write hydrant.yaml; to begin with, this is enough:\n\n{}\n\
             Or see everything at work without one: hydrant demo",
            paint.error("error:"),
            paint.hint("hint:"),
            EXAMPLE,
        )
    }
}
