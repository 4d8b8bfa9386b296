//! The patterns of Firehose's model, matched by hand.
//!
//! Owns the text of each, as AWS prints it, and the characters it takes. Always holds: the whole text
//! must fit. There are few of them and all are simple; an engine for patterns would be a large guest.

/// A pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Name of a delivery stream.
    Name,
    /// ARN of a role.
    Role,
    /// ARN of a bucket.
    Bucket,
    /// ARN of a key or of its alias.
    KeyOrAlias,
    /// ARN of a key.
    Key,
    /// ARN of a secret.
    Secret,
    /// URL of an endpoint.
    Https,
    /// The same, where the settings allow plain HTTP.
    Http,
    /// Not only white space.
    Visible,
    /// Name of a log group.
    LogGroup,
    /// Name of a log stream.
    LogStream,
    /// `FileExtension`.
    FileExtension,
    /// `CustomTimeZone`.
    TimeZone,
    /// Digits.
    Digits,
    /// `DestinationId`.
    DestinationId,
    /// Key of a tag.
    TagKey,
    /// Value of a tag.
    TagValue,
}

impl Pattern {
    /// As AWS prints it.
    pub(super) fn told(self) -> &'static str {
        match self {
            Pattern::Name => r"[a-zA-Z0-9_.-]+",
            Pattern::Role => r"arn:.*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@\-_/]+",
            Pattern::Bucket => r"arn:.*:s3:::[\w\.\-]{1,255}",
            Pattern::KeyOrAlias => {
                r"arn:.*:kms:[a-zA-Z0-9\-]+:\d{12}:(key|alias)/[a-zA-Z_0-9+=,.@\-_/]+"
            }
            Pattern::Key => r"arn:.*:kms:[a-zA-Z0-9\-]+:\d{12}:key/[a-zA-Z_0-9+=,.@\-_/]+",
            Pattern::Secret => {
                r"arn:.*:secretsmanager:[a-zA-Z0-9\-]+:\d{12}:secret:[a-zA-Z0-9\-/_+=.@!]+"
            }
            Pattern::Https => r"https://.*",
            Pattern::Http => r"https?://.*",
            Pattern::Visible => r"^(?!\s*$).+",
            Pattern::LogGroup => r"[\.\-_/#A-Za-z0-9]*",
            Pattern::LogStream => r"[^:*]*",
            Pattern::FileExtension => r"^(|\.[0-9a-z!\-_.*'()]+)$",
            Pattern::TimeZone => r"^$|[a-zA-Z/_]+",
            Pattern::Digits => r"[0-9]+",
            Pattern::DestinationId => r"[a-zA-Z0-9-]+",
            Pattern::TagKey => r"^(?!aws:)[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$",
            Pattern::TagValue => r"^[\p{L}\p{Z}\p{N}_.:\/=+\-@%]*$",
        }
    }

    /// Whether the whole text fits.
    pub(super) fn fits(self, text: &str) -> bool {
        let ascii =
            |more: &'static str| move |c: char| c.is_ascii_alphanumeric() || more.contains(c);
        let some = |take: &dyn Fn(char) -> bool| !text.is_empty() && text.chars().all(take);
        match self {
            Pattern::Name => some(&ascii("_.-")),
            Pattern::Role => arn(text, ":iam::", |rest| {
                account(rest).and_then(|rest| rest.strip_prefix(":role/")).is_some_and(path)
            }),
            Pattern::Bucket => arn(text, ":s3:::", |rest| {
                (1..=255).contains(&rest.len()) && rest.chars().all(ascii("_.-"))
            }),
            Pattern::KeyOrAlias => arn(text, ":kms:", |rest| {
                let key = in_region(rest);
                key.and_then(|key| key.strip_prefix("key/").or(key.strip_prefix("alias/")))
                    .is_some_and(path)
            }),
            Pattern::Key => arn(text, ":kms:", |rest| {
                in_region(rest).and_then(|key| key.strip_prefix("key/")).is_some_and(path)
            }),
            Pattern::Secret => arn(text, ":secretsmanager:", |rest| {
                let name = in_region(rest).and_then(|rest| rest.strip_prefix("secret:"));
                name.is_some_and(|name| some_of(name, "-/_+=.@!"))
            }),
            Pattern::Https => text.starts_with("https://") && one_line(text),
            Pattern::Http => {
                (text.starts_with("https://") || text.starts_with("http://")) && one_line(text)
            }
            Pattern::Visible => !text.trim().is_empty() && one_line(text),
            Pattern::LogGroup => text.chars().all(ascii(".-_/#")),
            Pattern::LogStream => !text.contains([':', '*']),
            Pattern::FileExtension => {
                let take = |c: char| {
                    c.is_ascii_lowercase() || c.is_ascii_digit() || "!-_.*'()".contains(c)
                };
                let rest = text.strip_prefix('.');
                text.is_empty() || rest.is_some_and(|r| !r.is_empty() && r.chars().all(take))
            }
            Pattern::TimeZone => text.chars().all(|c| c.is_ascii_alphabetic() || "/_".contains(c)),
            Pattern::Digits => some(&|c| c.is_ascii_digit()),
            Pattern::DestinationId => some(&ascii("-")),
            Pattern::TagKey => !text.starts_with("aws:") && text.chars().all(of_tag),
            Pattern::TagValue => text.chars().all(of_tag),
        }
    }
}

fn of_tag(c: char) -> bool {
    let space = c.is_whitespace() && !c.is_control();
    c.is_alphanumeric() || space || "_.:/=+-@%".contains(c)
}

fn one_line(text: &str) -> bool {
    !text.contains(['\n', '\r'])
}

/// `arn:.*`, this, and a rest that fits.
fn arn(text: &str, service: &str, fits: impl Fn(&str) -> bool) -> bool {
    let Some(after) = text.strip_prefix("arn:") else { return false };
    let found = after.match_indices(service);
    let mut rests = found.filter_map(|(at, _)| after.get(at + service.len()..));
    one_line(text) && rests.any(fits)
}

/// What follows twelve digits.
fn account(text: &str) -> Option<&str> {
    let (digits, rest) = text.split_at_checked(12)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(rest)
}

/// What follows a region and an account.
fn in_region(text: &str) -> Option<&str> {
    let (region, rest) = text.split_once(':')?;
    let sound = region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    account(rest).filter(|_| sound && !region.is_empty())?.strip_prefix(':')
}

fn path(text: &str) -> bool {
    some_of(text, "+=,.@-_/")
}

/// Letters, digits and these.
fn some_of(text: &str, more: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}
