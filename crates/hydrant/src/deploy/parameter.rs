//! What whoever deploys may set: the same parameters in both tools, under each one's spelling.

/// A variable of Terraform, a parameter of CloudFormation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// In Terraform's spelling.
    pub name: String,
    /// What it takes.
    pub kind: Kind,
    /// One sentence, for the person who sets it.
    pub about: String,
    /// Without one it must be given.
    pub default: Option<String>,
    /// Never shown.
    pub sensitive: bool,
    /// Each region has its own value.
    pub regional: bool,
    /// The tool that has it.
    pub tool: Tool,
}

/// What a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text that fits a pattern; and the rule in words.
    Text(&'static str, &'static str),
    /// Any text.
    Any,
    /// One of these.
    Choice(Vec<&'static str>),
    /// A number, both ends allowed.
    Number(u32, u32),
    /// One of these numbers.
    Numbers(Vec<u32>),
    /// `true` or `false`.
    Flag,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Both have it.
    Both,
    /// Only Terraform.
    Terraform,
    /// Only CloudFormation.
    CloudFormation,
}

impl Parameter {
    /// One that must be given.
    pub fn new(name: &str, kind: Kind, about: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            about: about.into(),
            default: None,
            sensitive: false,
            regional: false,
            tool: Tool::Both,
        }
    }

    /// With a default.
    pub fn or(mut self, default: impl ToString) -> Self {
        self.default = Some(default.to_string());
        self
    }

    /// A secret.
    pub fn secret(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Of one tool.
    pub fn only(mut self, tool: Tool) -> Self {
        self.tool = tool;
        self
    }

    /// CloudFormation's spelling.
    pub fn camel(&self) -> String {
        camel(&self.name)
    }
}

/// `retry_duration` is `RetryDuration`.
pub fn camel(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut characters = word.chars();
        text.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        text.push_str(characters.as_str());
    }
    text
}
