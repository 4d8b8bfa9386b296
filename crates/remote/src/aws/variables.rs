//! The variables that AWS's own chain reads.
//!
//! The one exception to the rule that only the binary reads the environment: people set these for
//! all their AWS tools, and ECS, EKS and Lambda set them for every process. Read once, kept together,
//! and handed on as a value, so that tests give their own.

use std::collections::BTreeMap;
use std::fmt;

/// Names and values.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

/// Values may be secrets.
impl fmt::Debug for Variables {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Variables(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Variables {
    /// Those of this process: all that begin with `AWS_`, and where home is.
    #[expect(clippy::disallowed_methods, reason = "I4: AWS's own variables are read here")]
    pub fn of_process() -> Variables {
        let wanted = |name: &str| name.starts_with("AWS_") || name == "HOME";
        let all = std::env::vars_os();
        let text = all.filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        text.filter(|(name, _)| wanted(name)).collect()
    }

    /// The value; a variable that is empty is not set.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// `true` in any case.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}
