//! The shared files: `~/.aws/config` and `~/.aws/credentials`.
//!
//! Owns their grammar: sections, keys, comments, nested keys under an indented block. Always: what
//! is not understood is skipped, as AWS's own tools do; a file that is there and cannot be read is a
//! fault that names it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fault::Kind;
use super::{Fault, Variables};

/// Far above any file a person or a tool writes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

type Keys = BTreeMap<String, String>;

/// What the files say. A nested key is `outer.inner`.
#[derive(Clone, Default)]
pub(super) struct Profiles {
    profiles: BTreeMap<String, Keys>,
    sessions: BTreeMap<String, Keys>,
    services: BTreeMap<String, Keys>,
    /// Where was looked.
    files: Vec<PathBuf>,
}

/// What kind of section a key belongs to.
#[derive(Clone)]
enum Section {
    Profile(String),
    Session(String),
    Services(String),
    Unknown,
}

impl Profiles {
    /// Reads both files; one that is not there says nothing.
    pub(super) fn read(variables: &Variables) -> Result<Profiles, Fault> {
        let mut profiles = Profiles::default();
        let file = |variable: &str, name: &str| match variables.get(variable) {
            Some(path) => Some(at_home(path, variables)),
            None => variables.get("HOME").map(|home| Path::new(home).join(".aws").join(name)),
        };
        if let Some(path) = file("AWS_CONFIG_FILE", "config") {
            profiles.take(&path, true)?;
        }
        // Last, because its keys win.
        if let Some(path) = file("AWS_SHARED_CREDENTIALS_FILE", "credentials") {
            profiles.take(&path, false)?;
        }
        Ok(profiles)
    }

    fn take(&mut self, path: &Path, config: bool) -> Result<(), Fault> {
        self.files.push(path.to_owned());
        let text = match read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => {
                return Err(Fault::ours(
                    Kind::NoCredentials,
                    "read the shared files of AWS",
                    "UnreadableFile",
                    &format!("{}: {error}", path.display()),
                    "give this user the right to read it, or point AWS_CONFIG_FILE and \
                     AWS_SHARED_CREDENTIALS_FILE at files that can be read",
                ));
            }
        };
        self.parse(&text, config);
        Ok(())
    }

    fn parse(&mut self, text: &str, config: bool) {
        let mut section = Section::Unknown;
        let mut outer: Option<String> = None;
        // `[profile default]` wins over `[default]`, wherever they stand.
        let plain_default =
            config && text.lines().any(|line| header(line) == Some("profile default"));
        for line in text.lines() {
            let indented = line.starts_with([' ', '\t']);
            let bare = line.trim();
            if bare.is_empty() || bare.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = header(line) {
                section = named(name, config, plain_default);
                outer = None;
                continue;
            }
            let Some((key, value)) = bare.split_once('=') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), without_comment(value));
            let key = match (&outer, indented) {
                (Some(outer), true) => format!("{outer}.{key}"),
                _ => {
                    outer = value.is_empty().then(|| key.clone());
                    key
                }
            };
            if let Some(keys) = self.keys_of(&section) {
                keys.insert(key, value.to_owned());
            }
        }
    }

    fn keys_of(&mut self, section: &Section) -> Option<&mut Keys> {
        let (all, name) = match section {
            Section::Profile(name) => (&mut self.profiles, name),
            Section::Session(name) => (&mut self.sessions, name),
            Section::Services(name) => (&mut self.services, name),
            Section::Unknown => return None,
        };
        Some(all.entry(name.clone()).or_default())
    }

    /// Where was looked, for a person.
    pub(super) fn places(&self) -> String {
        if self.files.is_empty() {
            return "any file: HOME is not set".to_owned();
        }
        let names: Vec<String> = self.files.iter().map(|file| file.display().to_string()).collect();
        names.join(", ")
    }

    /// Whether the profile is in one of the files.
    pub(super) fn has(&self, profile: &str) -> bool {
        self.profiles.contains_key(profile)
    }

    /// A key of a profile.
    pub(super) fn value(&self, profile: &str, key: &str) -> Option<&str> {
        of(&self.profiles, profile, key)
    }

    /// A key of an `[sso-session]`.
    pub(super) fn session(&self, session: &str, key: &str) -> Option<&str> {
        of(&self.sessions, session, key)
    }

    /// `endpoint_url` for a service: of the profile's `services` section, else of the profile.
    pub(super) fn endpoint(&self, profile: &str, service: &str) -> Option<&str> {
        let section = self.value(profile, "services");
        let key = format!("{service}.endpoint_url");
        let own = section.and_then(|section| of(&self.services, section, &key));
        own.or_else(|| self.value(profile, "endpoint_url"))
    }
}

fn of<'a>(all: &'a BTreeMap<String, Keys>, name: &str, key: &str) -> Option<&'a str> {
    let value = all.get(name)?.get(key)?;
    (!value.is_empty()).then_some(value.as_str())
}

/// The text between the brackets of a section's line.
fn header(line: &str) -> Option<&str> {
    let inner = line.strip_prefix('[')?.split_once(']')?.0;
    Some(inner.trim())
}

fn named(header: &str, config: bool, plain_default: bool) -> Section {
    let mut words = header.splitn(2, [' ', '\t']);
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    let name = second.map(|name| name.trim().trim_matches(['"', '\'']).to_owned());
    match (first, name) {
        _ if !config => Section::Profile(header.to_owned()),
        ("default", None) if !plain_default => Section::Profile(first.to_owned()),
        ("profile", Some(name)) => Section::Profile(name),
        ("sso-session", Some(name)) => Section::Session(name),
        ("services", Some(name)) => Section::Services(name),
        _ => Section::Unknown,
    }
}

/// A `#` or `;` behind white space begins a comment.
fn without_comment(value: &str) -> &str {
    let mut last_space = true;
    for (at, c) in value.char_indices() {
        if last_space && matches!(c, '#' | ';') {
            return value.get(..at).unwrap_or_default().trim();
        }
        last_space = c.is_whitespace();
    }
    value.trim()
}

/// `~/` at the beginning is the home of the user.
pub(super) fn at_home(path: &str, variables: &Variables) -> PathBuf {
    match (path.strip_prefix("~/"), variables.get("HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// The text of a small file.
pub(super) fn read(path: &Path) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}
