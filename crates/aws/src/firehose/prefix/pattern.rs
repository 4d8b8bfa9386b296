//! Patterns of Java's `DateTimeFormatter`, as far as a key needs them.
//!
//! Owns: which letters there are, how often each may stand, and what it writes.
//!
//! Always: a pattern that was parsed writes something at every instant, as Java does with its
//! default English texts. What depends on a country (week of year, localised day) is refused with
//! the reason, since nothing tells which country.

use std::fmt::Write;

use jiff::Zoned;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Text(String),
    /// A letter and how often it stands.
    Letter(char, usize),
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Letters of a field that is a number of any width, which Java pads to 19 digits at most.
const WIDTH_MAX: usize = 19;

impl Pattern {
    /// `yyyy/MM/dd/HH/`, the folders that Firehose appends.
    pub(super) fn hours() -> Pattern {
        Pattern::of(&[
            ('y', 4),
            ('/', 0),
            ('M', 2),
            ('/', 0),
            ('d', 2),
            ('/', 0),
            ('H', 2),
            ('/', 0),
        ])
    }

    /// `yyyy-MM-dd-HH-mm-ss`, the time in a suffix.
    pub(super) fn seconds() -> Pattern {
        Pattern::of(&[
            ('y', 4),
            ('-', 0),
            ('M', 2),
            ('-', 0),
            ('d', 2),
            ('-', 0),
            ('H', 2),
            ('-', 0),
            ('m', 2),
            ('-', 0),
            ('s', 2),
        ])
    }

    /// Letters with their counts, and other characters with none.
    fn of(fields: &[(char, usize)]) -> Pattern {
        let field = |&(letter, count): &(char, usize)| match count {
            0 => Field::Text(letter.to_string()),
            _ => Field::Letter(letter, count),
        };
        Pattern { fields: fields.iter().map(field).collect() }
    }

    pub(super) fn parse(text: &str) -> Result<Pattern, String> {
        if text.is_empty() {
            return Err("the pattern is empty".to_owned());
        }
        let mut fields = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(first) = rest.next() {
            match first {
                '\'' => fields.push(Field::Text(quoted(&mut rest)?)),
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while rest.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    check(letter, count)?;
                    fields.push(Field::Letter(letter, count));
                }
                '{' | '}' | '#' | '[' | ']' => {
                    return Err(format!("`{first}` is reserved; quote it as '{first}'"));
                }
                other => fields.push(Field::Text(other.to_string())),
            }
        }
        Ok(Pattern { fields })
    }

    pub(super) fn write(&self, time: &Zoned, out: &mut String) {
        for field in &self.fields {
            match field {
                Field::Text(text) => out.push_str(text),
                Field::Letter(letter, count) => write_field(*letter, *count, time, out),
            }
        }
    }
}

/// What follows a quote, to the next one; two quotes are one, inside and outside.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    if rest.next_if_eq(&'\'').is_some() {
        return Ok("'".to_owned());
    }
    let mut text = String::new();
    loop {
        match rest.next() {
            Some('\'') if rest.next_if_eq(&'\'').is_some() => text.push('\''),
            Some('\'') => return Ok(text),
            Some(other) => text.push(other),
            None => return Err("a quote is not closed".to_owned()),
        }
    }
}

/// May this letter stand that often?
fn check(letter: char, count: usize) -> Result<(), String> {
    let most = match letter {
        'u' | 'y' | 'n' | 'N' | 'A' => WIDTH_MAX,
        'S' => 9,
        'M' | 'L' | 'E' | 'Q' | 'q' => 5,
        'D' => 3,
        'X' | 'x' => 3,
        'Z' => 3,
        'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' | 'V' => 2,
        'a' => 1,
        'Y' | 'w' | 'W' | 'e' | 'c' | 'F' => {
            return Err(format!("`{letter}` depends on a country's calendar, which is not known"));
        }
        _ => return Err(format!("`{letter}` is not a letter of dates; quote text as '{letter}'")),
    };
    if letter == 'V' && count != 2 {
        return Err("a zone's name is `VV`".to_owned());
    }
    if count > most {
        return Err(format!("too many letters `{letter}`: {count}, and {most} are allowed"));
    }
    Ok(())
}

fn write_field(letter: char, count: usize, time: &Zoned, out: &mut String) {
    let (hour, nano) = (i64::from(time.hour()), i64::from(time.subsec_nanosecond()));
    let second_of_day = hour * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let month = i64::from(time.month());
    match letter {
        'u' | 'y' => year(letter, count, i64::from(time.year()), out),
        'M' | 'L' => match count {
            1 | 2 => number(month, count, out),
            _ => word(&MONTHS, month - 1, count, out),
        },
        'Q' | 'q' => quarter((month - 1) / 3 + 1, count, out),
        'E' => {
            word(&DAYS, i64::from(time.weekday().to_monday_zero_offset()), count.max(3), out);
        }
        'D' => number(i64::from(time.day_of_year()), count, out),
        'd' => number(i64::from(time.day()), count, out),
        'H' => number(hour, count, out),
        'k' => number(if hour == 0 { 24 } else { hour }, count, out),
        'K' => number(hour % 12, count, out),
        'h' => number(if hour % 12 == 0 { 12 } else { hour % 12 }, count, out),
        'a' => out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'm' => number(i64::from(time.minute()), count, out),
        's' => number(i64::from(time.second()), count, out),
        'S' => out.extend(format!("{nano:09}").chars().take(count)),
        'A' => number(second_of_day * 1000 + nano / 1_000_000, count, out),
        'n' => number(nano, count, out),
        'N' => number(second_of_day * 1_000_000_000 + nano, count, out),
        'V' => out.push_str(time.time_zone().iana_name().unwrap_or("UTC")),
        _ => offset(letter, count, time.offset().seconds(), out),
    }
}

/// A number padded with zeros. Writing into a string cannot fail.
fn number(value: i64, width: usize, out: &mut String) {
    write!(out, "{value:0width$}").unwrap_or_default();
}

/// Two letters are the last two digits; four or more sign what has more digits than letters.
fn year(letter: char, count: usize, year: i64, out: &mut String) {
    // `y` is the year of the era: there is no year 0, the one before 1 is 1 BC.
    let year = if letter == 'y' && year <= 0 { 1 - year } else { year };
    if count == 2 {
        return number(year.rem_euclid(100), 2, out);
    }
    let digits = year.unsigned_abs();
    let shown = format!("{digits:0count$}");
    if year < 0 {
        out.push('-');
    } else if count >= 4 && shown.len() > count {
        out.push('+');
    }
    out.push_str(&shown);
}

/// Three letters: short, four: whole, five: the first letter.
fn word(words: &[&str], index: i64, count: usize, out: &mut String) {
    let word = usize::try_from(index).ok().and_then(|at| words.get(at)).copied().unwrap_or("");
    let most = match count {
        3 => 3,
        4 => usize::MAX,
        _ => 1,
    };
    out.extend(word.chars().take(most));
}

fn quarter(quarter: i64, count: usize, out: &mut String) {
    let ordinal = ["1st", "2nd", "3rd", "4th"];
    match count {
        1 | 2 => number(quarter, count, out),
        3 => {
            out.push('Q');
            number(quarter, 1, out);
        }
        4 => {
            word(&ordinal, quarter - 1, 4, out);
            out.push_str(" quarter");
        }
        _ => number(quarter, 1, out),
    }
}

/// `X` and `x`: hours, then minutes when there are any; two letters: always both; three: with a
/// colon. `Z` up to three times is as `xx`. Seconds, which no zone has had for a century, are left.
fn offset(letter: char, count: usize, seconds: i32, out: &mut String) {
    if letter == 'X' && seconds == 0 {
        return out.push('Z');
    }
    let count = if letter == 'Z' { 2 } else { count };
    out.push(if seconds < 0 { '-' } else { '+' });
    let minutes = i64::from(seconds.unsigned_abs() / 60);
    number(minutes / 60, 2, out);
    if count == 3 {
        out.push(':');
    }
    if count > 1 || minutes % 60 != 0 {
        number(minutes % 60, 2, out);
    }
}
