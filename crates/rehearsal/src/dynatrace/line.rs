//! One line of MINT: `key,dim="value" gauge,min=1,max=2,sum=3,count=2 1795176000000`.

use super::{name, number};

/// Longest line, in characters.
const LINE_MAX: usize = 50_000;

/// Most dimensions of a line.
const DIMENSIONS_MAX: usize = 50;

/// Longest dimension value, in characters after undoing escapes.
const VALUE_MAX: usize = 255;

/// How far a point may lie in the past and in the future, ms.
const PAST_MS: i64 = 60 * 60 * 1000;
const FUTURE_MS: i64 = 10 * 60 * 1000;

/// Slack of the consistency of a statistic set, absolute.
const SLACK: f64 = 0.000_001;

/// A line that was understood.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A point.
    Data {
        /// Metric key.
        key: String,
        /// Dimensions in the order they came, escapes undone.
        dimensions: Vec<(String, String)>,
        /// The value.
        payload: Payload,
        /// Milliseconds since the epoch, when given.
        timestamp_ms: Option<i64>,
    },
    /// Metadata of a key.
    Metadata {
        /// Metric key.
        key: String,
        /// Property and value.
        properties: Vec<(String, String)>,
    },
}

/// The value of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Payload {
    /// One number.
    Single(f64),
    /// `gauge,min=..,max=..,sum=..,count=..`.
    Gauge(Gauge),
    /// `count,delta=..`.
    Delta(f64),
}

/// A statistic set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gauge {
    /// Minimum.
    pub min: f64,
    /// Maximum.
    pub max: f64,
    /// Sum.
    pub sum: f64,
    /// Number of samples.
    pub count: f64,
}

/// Reads one line, without its line feed. The error is what Dynatrace would say of the line.
pub fn read(line: &str, now_ms: i64) -> Result<Line, String> {
    if line.chars().count() > LINE_MAX {
        return Err(format!("line is longer than {LINE_MAX} characters"));
    }
    if line.is_empty() {
        return Err("line is empty".to_owned());
    }
    match line.strip_prefix('#') {
        Some(rest) => read_metadata(rest),
        None => read_data(line, now_ms),
    }
}

fn read_data(line: &str, now_ms: i64) -> Result<Line, String> {
    let mut rest = Rest(line);
    let key = rest.take_until(&[',', ' ']);
    name::check_metric_key(key)?;
    let mut dimensions: Vec<(String, String)> = Vec::new();
    while rest.skip(',') {
        let (name, value) = read_pair(&mut rest)?;
        name::check_dimension_key(&name)?;
        check_value(&name, &value)?;
        if dimensions.iter().any(|(other, _)| *other == name) {
            return Err(format!("duplicate dimension key '{name}'"));
        }
        dimensions.push((name, value));
    }
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(format!("more than {DIMENSIONS_MAX} dimensions"));
    }
    if !rest.skip(' ') {
        return Err("missing payload".to_owned());
    }
    let payload = read_payload(rest.take_until(&[' ']))?;
    let timestamp_ms = match rest.skip(' ') {
        true => Some(read_timestamp(rest.0, now_ms)?),
        false => None,
    };
    Ok(Line::Data { key: key.to_owned(), dimensions, payload, timestamp_ms })
}

fn read_metadata(line: &str) -> Result<Line, String> {
    let mut rest = Rest(line);
    let key = rest.take_until(&[' ']);
    name::check_metric_key(key)?;
    if !rest.skip(' ') {
        return Err("metadata without payload type".to_owned());
    }
    let payload_type = rest.take_until(&[' ']);
    if !matches!(payload_type, "gauge" | "count") {
        return Err(format!("invalid payload type '{payload_type}' in metadata"));
    }
    if !rest.skip(' ') {
        return Err("metadata without properties".to_owned());
    }
    let mut properties = Vec::new();
    loop {
        let (name, value) = read_pair(&mut rest)?;
        check_property(&name, &value)?;
        properties.push((name, value));
        if !rest.skip(',') {
            break;
        }
    }
    if !rest.0.is_empty() {
        return Err(format!("unexpected text after metadata: '{}'", rest.0));
    }
    Ok(Line::Metadata { key: key.to_owned(), properties })
}

fn check_property(name: &str, value: &str) -> Result<(), String> {
    let most = match name {
        "dt.meta.displayName" | "dt.meta.displayname" => 300,
        "dt.meta.description" => 65_535,
        "dt.meta.unit" => 63,
        _ => return Err(format!("unknown metadata property '{name}'")),
    };
    if value.is_empty() || value.chars().count() > most {
        return Err(format!("invalid length of metadata property '{name}'"));
    }
    let unit_character = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '%' | '[' | ']' | '{' | '}' | '/' | '_' | '.')
    };
    if name == "dt.meta.unit" && !value.chars().all(unit_character) {
        return Err(format!("invalid unit '{value}'"));
    }
    Ok(())
}

/// `name=value`; the value quoted or bare, escapes undone.
fn read_pair(rest: &mut Rest<'_>) -> Result<(String, String), String> {
    let name = rest.take_until(&['=', ',', ' ']).to_owned();
    if !rest.skip('=') {
        return Err(format!("dimension '{name}' without value"));
    }
    let value = match rest.skip('"') {
        true => read_quoted(rest)?,
        false => read_bare(rest)?,
    };
    Ok((name, value))
}

fn read_quoted(rest: &mut Rest<'_>) -> Result<String, String> {
    let mut value = String::new();
    loop {
        match rest.next() {
            None => return Err("unterminated quoted value".to_owned()),
            Some('"') => return Ok(value),
            Some('\\') => match rest.next() {
                Some(c @ ('"' | '\\')) => value.push(c),
                _ => return Err("invalid escape in quoted value".to_owned()),
            },
            Some(c) => value.push(c),
        }
    }
}

fn read_bare(rest: &mut Rest<'_>) -> Result<String, String> {
    let mut value = String::new();
    while let Some(c) = rest.peek() {
        match c {
            ',' | ' ' => break,
            '=' | '"' => return Err(format!("unescaped '{c}' in value")),
            '\\' => {
                rest.next();
                match rest.next() {
                    Some(c @ (',' | '=' | ' ' | '"' | '\\')) => value.push(c),
                    _ => return Err("invalid escape in value".to_owned()),
                }
            }
            c => {
                rest.next();
                value.push(c);
            }
        }
    }
    Ok(value)
}

fn check_value(name: &str, value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err(format!("empty value of dimension '{name}'"));
    }
    if value.chars().count() > VALUE_MAX {
        return Err(format!("value of dimension '{name}' is longer than {VALUE_MAX} characters"));
    }
    let bad = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if value.chars().any(bad) {
        return Err(format!("value of dimension '{name}' holds a control character"));
    }
    Ok(())
}

fn read_payload(text: &str) -> Result<Payload, String> {
    match text.split_once(',') {
        None => Ok(Payload::Single(number::read(text)?)),
        Some(("count", rest)) => match rest.strip_prefix("delta=") {
            Some(delta) => Ok(Payload::Delta(number::read(delta)?)),
            None => Err(format!("invalid count payload '{rest}'")),
        },
        Some(("gauge", rest)) if rest.contains('=') => read_gauge(rest),
        Some(("gauge", rest)) => Ok(Payload::Single(number::read(rest)?)),
        Some((other, _)) => Err(format!("invalid payload type '{other}'")),
    }
}

fn read_gauge(text: &str) -> Result<Payload, String> {
    let (mut min, mut max, mut sum, mut count) = (None, None, None, None);
    for field in text.split(',') {
        let Some((name, value)) = field.split_once('=') else {
            return Err(format!("invalid gauge field '{field}'"));
        };
        let slot = match name {
            "min" => &mut min,
            "max" => &mut max,
            "sum" => &mut sum,
            "count" => &mut count,
            _ => return Err(format!("unknown gauge field '{name}'")),
        };
        if slot.replace(number::read(value)?).is_some() {
            return Err(format!("gauge field '{name}' given twice"));
        }
    }
    let (Some(min), Some(max), Some(sum), Some(count)) = (min, max, sum, count) else {
        return Err("gauge fields min, max, sum and count are all required".to_owned());
    };
    let gauge = Gauge { min, max, sum, count };
    check_consistency(&gauge)?;
    Ok(Payload::Gauge(gauge))
}

fn check_consistency(gauge: &Gauge) -> Result<(), String> {
    let Gauge { min, max, sum, count } = *gauge;
    let fault = |what: &str| Err(format!("inconsistent gauge fields: {what}"));
    if count < 0.0 {
        return fault("count is negative");
    }
    if count == 0.0 {
        return if min == 0.0 && max == 0.0 && sum == 0.0 {
            Ok(())
        } else {
            fault("count is 0, but min, max or sum is not")
        };
    }
    if max < min {
        return fault("max is less than min");
    }
    let mean = sum / count;
    if mean < min - SLACK || mean > max + SLACK {
        return fault("the mean is not between min and max");
    }
    Ok(())
}

fn read_timestamp(text: &str, now_ms: i64) -> Result<i64, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let timestamp_ms: i64 = match text.parse() {
        Ok(value) if digits => value,
        _ => return Err(format!("invalid timestamp '{text}'")),
    };
    if timestamp_ms < now_ms - PAST_MS {
        return Err(format!("timestamp {timestamp_ms} is more than 1 hour in the past"));
    }
    if timestamp_ms > now_ms + FUTURE_MS {
        return Err(format!("timestamp {timestamp_ms} is more than 10 minutes in the future"));
    }
    Ok(timestamp_ms)
}

/// What is left of a line.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take_until(&mut self, ends: &[char]) -> &'a str {
        let at = self.0.find(ends).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(at);
        self.0 = rest;
        taken
    }

    fn skip(&mut self, c: char) -> bool {
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn peek(&self) -> Option<char> {
        self.0.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.0.chars();
        let c = characters.next();
        self.0 = characters.as_str();
        c
    }
}

#[cfg(test)]
mod tests;
