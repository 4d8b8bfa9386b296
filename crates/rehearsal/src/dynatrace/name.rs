//! Which metric keys and dimension keys Dynatrace takes.

/// Shortest and longest metric key.
const METRIC_KEY: std::ops::RangeInclusive<usize> = 3..=255;

/// Longest dimension key.
const DIMENSION_KEY_MAX: usize = 100;

/// Reserved for Dynatrace itself.
const RESERVED: &str = "dt.";

/// Checks a metric key; the error says what is wrong with it.
pub fn check_metric_key(key: &str) -> Result<(), String> {
    check_metric_sections(key)?;
    if !METRIC_KEY.contains(&key.len()) {
        return Err(format!("invalid metric key '{key}': length must be between 3 and 255"));
    }
    if key.starts_with(RESERVED) {
        return Err(format!("invalid metric key '{key}': prefix 'dt.' is reserved"));
    }
    Ok(())
}

/// The characters alone, without length and reserved prefix: what the normalisers promise.
pub(super) fn check_metric_sections(key: &str) -> Result<(), String> {
    for (n, section) in key.split('.').enumerate() {
        let first = |c: char| c.is_ascii_alphabetic() || c == '_' || (n > 0 && c.is_ascii_digit());
        let body = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        check_section(section, first, body)
            .map_err(|at| format!("invalid metric key '{key}': {at}"))?;
    }
    Ok(())
}

/// Checks a dimension key; the error says what is wrong with it.
pub fn check_dimension_key(key: &str) -> Result<(), String> {
    for section in key.split('.') {
        let first = |c: char| c.is_ascii_lowercase() || c == '_';
        let body =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | ':');
        check_section(section, first, body)
            .map_err(|at| format!("invalid dimension key '{key}': {at}"))?;
    }
    if key.len() > DIMENSION_KEY_MAX {
        return Err(format!("invalid dimension key '{key}': longer than 100 characters"));
    }
    Ok(())
}

fn check_section(
    section: &str,
    first: impl Fn(char) -> bool,
    body: impl Fn(char) -> bool,
) -> Result<(), String> {
    let mut characters = section.chars();
    match characters.next() {
        None => return Err("empty section".to_owned()),
        Some(c) if !first(c) => return Err(format!("error at '{c}'")),
        Some(_) => {}
    }
    match characters.find(|c| !body(*c)) {
        Some(c) => Err(format!("error at '{c}'")),
        None => Ok(()),
    }
}
