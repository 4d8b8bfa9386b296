//! The access key that a command delivers with: `--access-key`, else `$HYDRANT_ACCESS_KEY`.
//!
//! Not read by the parser of the command line, which shows what it refuses.

use crate::settings::Environment;

const VARIABLE: &str = "HYDRANT_ACCESS_KEY";
/// As long as Firehose takes one.
pub(crate) const BYTES_MAX: usize = 4096;
/// What to do about a key that cannot be sent.
pub(crate) const HINT: &str =
    "a key out of a file often ends with a line break: \"$(cat FILE)\" leaves it out";

/// The key, when there is one; else what is wrong with it. One that no header can carry would not be
/// sent, and the receiver's refusal would say nothing of the cause.
pub(crate) fn of(given: Option<&String>) -> Result<Option<String>, String> {
    let environment = Environment::of_process();
    let (from, key) = match (given, environment.text(VARIABLE)) {
        (Some(given), _) => ("--access-key", given.as_str()),
        (None, Some(variable)) => (VARIABLE, variable),
        (None, None) => return Ok(None),
    };
    match fault(key) {
        None => Ok(Some(key.to_owned())),
        Some(why) => Err(format!("{from} cannot be sent: {why}")),
    }
}

/// What keeps a key from arriving as it is. The key is not shown.
fn fault(key: &str) -> Option<String> {
    let unsendable = |c: char| c.is_ascii_control() && c != '\t';
    if let Some(at) = key.chars().position(unsendable) {
        return Some(format!("its character {} is a control character", at + 1));
    }
    if key.trim_matches([' ', '\t']) != key {
        return Some("it begins or ends with a blank, which HTTP leaves out".to_owned());
    }
    (key.len() > BYTES_MAX).then(|| format!("it has more than {BYTES_MAX} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* keys that a header carries, and keys that it does not.
    /// *Guarantees:* the second kind is refused with its place, and not shown.
    #[test]
    fn what_cannot_be_sent_is_refused() {
        for key in ["k1", "", "a b=\"c\"", "a\tb", "schl\u{fc}ssel", &"k".repeat(4096)] {
            assert_eq!(fault(key), None, "{key}");
        }
        for (key, told) in [
            ("secret\n", "its character 7"),
            ("\u{7f}secret", "its character 1"),
            ("secret ", "a blank"),
            (&"k".repeat(4097) as &str, "4096 bytes"),
        ] {
            let why = fault(key).unwrap();
            assert!(why.contains(told) && !why.contains("sec"), "{why}");
        }
    }
}
