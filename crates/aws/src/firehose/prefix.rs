//! Keys of the objects that Firehose writes to S3: prefixes with expressions, and what follows them.
//!
//! Owns: the expression language `!{namespace:value}`, the folders that Firehose appends by itself,
//! and the suffix `<stream>-<version>-<time>-<uuid><extension>`.
//!
//! Always: a prefix that was parsed can be evaluated at any instant; the same arguments give the
//! same key, on every machine (the time zones are built in) and after a restart, so that an object
//! written again replaces itself. Where AWS's own text for a mistake is known, it is used.
//!
//! Not here: partitions by content (`partitionKeyFromQuery`, `partitionKeyFromLambda`).

mod pattern;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use codec::checksum::Hasher128;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, Zoned};

use pattern::Pattern;

/// Most characters of a prefix as it is set, and as it is evaluated.
pub const TEXT_CHARS_MAX: usize = 1024;
/// See [`TEXT_CHARS_MAX`].
pub const EVALUATED_CHARS_MAX: usize = 512;
/// Most characters of `FileExtension` and of `CustomTimeZone`.
pub const EXTENSION_CHARS_MAX: usize = 128;
/// See [`EXTENSION_CHARS_MAX`].
pub const ZONE_CHARS_MAX: usize = 50;

/// Characters of `!{firehose:random-string}`, as observed: the beginning of a UUID.
const RANDOM_CHARS: usize = 11;

/// What Firehose puts before whatever it has to say about prefixes, its typing error included.
const NOT_SATISFIED: &str = "Ths supplied prefix(es) do not satisfy the following constraint: ";

/// What a prefix is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `Prefix`: data that was delivered.
    Delivery,
    /// `ErrorOutputPrefix`: data that was not.
    Error,
}

/// A checked prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Time(Pattern),
    Random,
    ErrorOutputType,
}

/// When and for what a prefix is evaluated.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'a> {
    /// Arrival of the oldest record, milliseconds since the epoch.
    pub instant_ms: i64,
    /// `CustomTimeZone`.
    pub zone: &'a Zone,
    /// `http-endpoint-failed`, `processing-failed`; used in a prefix for errors.
    pub error_output_type: &'a str,
    /// What random strings come from: where the data was read, so that they are the same again.
    pub seed: &'a [u8],
}

impl Prefix {
    /// Checks a prefix. Without any expression Firehose appends folders of its own: the hour, and
    /// before that the type of error. The error says what is wrong and where.
    pub fn parse(text: &str, purpose: Use) -> Result<Prefix, String> {
        let mut parts = parse_parts(text, purpose)?;
        let is_literal = parts.iter().all(|part| matches!(part, Part::Literal(_)));
        let tells_type = parts.contains(&Part::ErrorOutputType);
        match purpose {
            Use::Error if !is_literal && !tells_type => {
                return Err(format!(
                    "{NOT_SATISFIED}ErrorOutputPrefix must contain \
                     !{{firehose:error-output-type}} when it contains expressions"
                ));
            }
            Use::Error if is_literal => {
                parts.push(Part::ErrorOutputType);
                parts.push(Part::Literal("/".to_owned()));
                parts.push(Part::Time(Pattern::hours()));
            }
            // The documents say: without a timestamp. The service does it without any expression.
            Use::Delivery if is_literal => parts.push(Part::Time(Pattern::hours())),
            _ => {}
        }
        let prefix = Prefix { parts };
        // Wherever and whenever: what is too long at one instant is found here, not at night.
        let longest = Evaluation {
            instant_ms: 1_759_276_799_999, // A Tuesday in September, both of them long words.
            zone: &Zone::utc(),
            error_output_type: "http-endpoint-failed",
            seed: &[],
        };
        let length = prefix.evaluate(&longest).chars().count();
        if length > EVALUATED_CHARS_MAX {
            return Err(format!(
                "the prefix has {length} characters when it is evaluated, and {EVALUATED_CHARS_MAX} \
                 are allowed"
            ));
        }
        Ok(prefix)
    }

    /// The prefix at an instant.
    pub fn evaluate(&self, at: &Evaluation<'_>) -> String {
        let time = at.zone.at(at.instant_ms);
        let mut out = String::new();
        let mut randoms = 0_u8;
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Time(pattern) => pattern.write(&time, &mut out),
                Part::Random => {
                    // Each occurrence is another string.
                    let fresh = uuid(&[at.seed, b"random-string", &[randoms]]);
                    randoms = randoms.wrapping_add(1);
                    out.extend(fresh.chars().take(RANDOM_CHARS));
                }
                Part::ErrorOutputType => out.push_str(at.error_output_type),
            }
        }
        out
    }

    /// The beginning that every key has, whenever: to list the objects below it.
    pub fn fixed(&self) -> &str {
        match self.parts.first() {
            Some(Part::Literal(text)) => text,
            _ => "",
        }
    }

    fn has_expressions(text: &str) -> bool {
        text.contains("!{")
    }
}

/// The two prefixes of one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefixes {
    /// For data that was delivered.
    pub delivery: Prefix,
    /// For data that was not.
    pub error: Prefix,
}

impl Prefixes {
    /// Checks both, and each against the other. Without an `ErrorOutputPrefix` failed data lies
    /// below the `Prefix`, which then must be free of expressions.
    pub fn parse(prefix: &str, error_output_prefix: &str) -> Result<Prefixes, String> {
        let delivery = Prefix::parse(prefix, Use::Delivery)?;
        if !error_output_prefix.is_empty() {
            return Ok(Prefixes {
                delivery,
                error: Prefix::parse(error_output_prefix, Use::Error)?,
            });
        }
        if Prefix::has_expressions(prefix) {
            return Err(format!(
                "{NOT_SATISFIED}ErrorOutputPrefix cannot be null or empty when Prefix contains \
                 expressions"
            ));
        }
        Ok(Prefixes { delivery, error: Prefix::parse(prefix, Use::Error)? })
    }
}

fn parse_parts(text: &str, purpose: Use) -> Result<Vec<Part>, String> {
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(format!("the prefix has more than {TEXT_CHARS_MAX} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("the prefix contains a control character".to_owned());
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once("!{") {
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        let Some((expression, after)) = after.split_once('}') else {
            return Err(format!("the expression `!{{{after}` has no closing brace"));
        };
        parts.push(parse_expression(expression, purpose)?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(parts)
}

fn parse_expression(expression: &str, purpose: Use) -> Result<Part, String> {
    let shown = format!("`!{{{expression}}}`");
    let Some((namespace, value)) = expression.split_once(':') else {
        return Err(format!("{shown} is not of the form !{{namespace:value}}"));
    };
    match (namespace, value) {
        ("timestamp", pattern) => {
            Pattern::parse(pattern).map(Part::Time).map_err(|why| format!("{shown}: {why}"))
        }
        ("firehose", "random-string") => Ok(Part::Random),
        ("firehose", "error-output-type") if purpose == Use::Error => Ok(Part::ErrorOutputType),
        ("firehose", "error-output-type") => {
            Err(format!("{NOT_SATISFIED}Prefix cannot contain !{{firehose:error-output-type}}"))
        }
        ("firehose", _) => Err(format!(
            "{shown}: firehose knows `random-string` and, in an error prefix, `error-output-type`"
        )),
        ("partitionKeyFromQuery" | "partitionKeyFromLambda", _) if purpose == Use::Error => {
            Err(format!("{NOT_SATISFIED}ErrorOutputPrefix cannot contain partition keys"))
        }
        ("partitionKeyFromQuery" | "partitionKeyFromLambda", _) => {
            Err(format!("{shown}: partitions by content are not supported"))
        }
        _ => Err(format!("{shown}: the namespaces are `timestamp` and `firehose`")),
    }
}

/// A time zone by its IANA name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The zone of this name; empty is UTC. From the copy of the database that is built in: a key
    /// must not depend on what a machine has installed.
    pub fn named(name: &str) -> Result<Zone, String> {
        if name.is_empty() || name.eq_ignore_ascii_case("UTC") {
            return Ok(Zone::utc());
        }
        let known = name.chars().count() <= ZONE_CHARS_MAX;
        let zone = known.then(|| TimeZoneDatabase::bundled().get(name).ok()).flatten();
        zone.map(Zone).ok_or_else(|| {
            format!("`{name}` is not the name of a time zone, such as Europe/Berlin or UTC")
        })
    }

    fn at(&self, instant_ms: i64) -> Zoned {
        let furthest = if instant_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_millisecond(instant_ms).unwrap_or(furthest).to_zoned(self.0.clone())
    }
}

/// What follows the prefix of a key.
#[derive(Clone, Copy, Debug)]
pub struct Suffix<'a> {
    /// Name of the stream.
    pub stream: &'a str,
    /// Version of its settings, 1 at first.
    pub version: u32,
    /// As in [`Evaluation`].
    pub instant_ms: i64,
    /// As in [`Evaluation`].
    pub zone: &'a Zone,
    /// Where the data was read; the UUID is made of it.
    pub seed: &'a [u8],
    /// With its point; empty for none.
    pub extension: &'a str,
}

impl Suffix<'_> {
    /// `<stream>-<version>-<yyyy>-<MM>-<dd>-<HH>-<mm>-<ss>-<uuid><extension>`.
    pub fn name(&self) -> String {
        let mut name = format!("{}-{}-", self.stream, self.version);
        Pattern::seconds().write(&self.zone.at(self.instant_ms), &mut name);
        name.push('-');
        name.push_str(&self.uuid());
        name.push_str(self.extension);
        name
    }

    /// The UUID in the name.
    pub fn uuid(&self) -> String {
        uuid(&[self.stream.as_bytes(), b"object", self.seed])
    }
}

/// Checks `FileExtension`: empty, or a point and some of the characters that Firehose takes.
pub fn check_extension(extension: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "!-_.*'()".contains(c);
    let sound = match extension.strip_prefix('.') {
        Some(rest) => !rest.is_empty() && rest.chars().all(allowed),
        None => extension.is_empty(),
    };
    if sound && extension.len() <= EXTENSION_CHARS_MAX {
        return Ok(());
    }
    Err(format!(
        "`{extension}` is not a point followed by lower-case letters, digits or !-_.*'(), \
         {EXTENSION_CHARS_MAX} characters at most"
    ))
}

/// A UUID made of these bytes (RFC 9562, version 8: by a hash of our choice).
fn uuid(pieces: &[&[u8]]) -> String {
    let mut hasher = Hasher128::new();
    for piece in pieces {
        // Lengths keep ("ab", "c") and ("a", "bc") apart.
        hasher.update(&(piece.len() as u64).to_le_bytes());
        hasher.update(piece);
    }
    let mut bytes = hasher.digest().to_be_bytes();
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x80;
    *variant = *variant & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing into a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
    }
    text
}
