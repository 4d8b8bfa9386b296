//! IAM policy documents, as far as a credential of `aws_api` may carry one.
//!
//! Owns the reading of a document and its verdict on an action and a resource. Effect, Action and
//! Resource with `*` and `?`; an explicit deny wins; what no statement allows is denied. A statement
//! with anything else (conditions, principals, negations) is refused when it is read: half a policy
//! would be a false sense of safety.

use serde::Deserialize;

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    allows: bool,
    /// In lower case: actions are compared so.
    actions: Vec<String>,
    resources: Vec<String>,
}

/// What a policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement speaks of it, which denies it too.
    NotAllowed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "Version")]
    version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    #[serde(rename = "Statement")]
    statement: OneOrMany<Given>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    #[serde(rename = "Effect")]
    effect: String,
    #[serde(rename = "Action")]
    action: OneOrMany<String>,
    #[serde(rename = "Resource")]
    resource: OneOrMany<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn all(self) -> Vec<T> {
        match self {
            OneOrMany::Many(all) => all,
            OneOrMany::One(one) => vec![one],
        }
    }
}

impl Policy {
    /// Reads a document in JSON. The text says what is wrong with it.
    pub fn read(json: &str) -> Result<Policy, String> {
        let whole: serde_json::Value = serde_json::from_str(json).map_err(|e| e.to_string())?;
        let document: Document = serde_json::from_value(whole.clone())
            .map_err(|error| explain(&whole).unwrap_or_else(|| error.to_string()))?;
        if let Some(version) = document.version.filter(|v| v != "2012-10-17") {
            return Err(format!("Version must be \"2012-10-17\", not {version:?}"));
        }
        let statements = document.statement.all().into_iter().map(Statement::check);
        Ok(Policy { statements: statements.collect::<Result<_, _>>()? })
    }

    /// May this be done with that? `action` is `firehose:PutRecord`.
    pub fn judge(&self, action: &str, resource: &str) -> Verdict {
        let action = action.to_ascii_lowercase();
        let mut verdict = Verdict::NotAllowed;
        for statement in self.statements.iter().filter(|s| s.speaks_of(&action, resource)) {
            if !statement.allows {
                return Verdict::Denied;
            }
            verdict = Verdict::Allowed;
        }
        verdict
    }
}

/// What of IAM's language this reader does not have, by the first member that says so.
fn explain(document: &serde_json::Value) -> Option<String> {
    let statements = match document.get("Statement")? {
        serde_json::Value::Array(all) => all.iter().collect(),
        one => vec![one],
    };
    for (at, statement) in statements.into_iter().enumerate() {
        for name in ["Condition", "NotAction", "NotResource", "Principal", "NotPrincipal"] {
            if statement.get(name).is_some() {
                return Some(format!(
                    "Statement[{at}] has {name}, which is not supported: only Effect, Action and \
                     Resource are"
                ));
            }
        }
        for name in ["Effect", "Action", "Resource"] {
            if statement.get(name).is_none() {
                return Some(format!("Statement[{at}] lacks {name}"));
            }
        }
    }
    None
}

impl Statement {
    fn check(given: Given) -> Result<Statement, String> {
        let allows = match given.effect.as_str() {
            "Allow" => true,
            "Deny" => false,
            other => return Err(format!("Effect must be Allow or Deny, not {other:?}")),
        };
        let actions = given.action.all();
        if let Some(action) = actions.iter().find(|a| *a != "*" && !a.contains(':')) {
            return Err(format!("Action {action:?} must be \"*\" or service:Operation"));
        }
        let resources = given.resource.all();
        if let Some(resource) = resources.iter().find(|r| *r != "*" && !r.starts_with("arn:")) {
            return Err(format!("Resource {resource:?} must be \"*\" or an ARN"));
        }
        let actions = actions.into_iter().map(|action| action.to_ascii_lowercase()).collect();
        Ok(Statement { allows, actions, resources })
    }

    fn speaks_of(&self, action: &str, resource: &str) -> bool {
        let matches = |patterns: &[String], text| patterns.iter().any(|p| fits(p, text));
        matches(&self.actions, action) && matches(&self.resources, resource)
    }
}

/// `*` is any run of characters, `?` any one. No backtracking further than the last `*`.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1;
            }
            Some(byte) if text.get(t) == Some(byte) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests;
