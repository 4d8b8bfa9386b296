//! `--name value` pairs of the command line.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

/// The pairs, by name.
pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut pairs = BTreeMap::new();
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--").ok_or(format!("{word} is no option"))?;
            let value = words.next().ok_or(format!("{word} needs a value"))?;
            pairs.insert(name.to_owned(), value);
        }
        Ok(Self(pairs))
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn needed(&self, name: &str) -> Result<&str, String> {
        self.text(name).ok_or(format!("--{name} is needed"))
    }

    pub fn directory(&self) -> Result<PathBuf, String> {
        self.needed("directory").map(PathBuf::from)
    }

    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |text: &str| text.parse().map_err(|_| format!("--{name} {text} is no number"));
        self.text(name).map(parse).transpose()
    }
}
