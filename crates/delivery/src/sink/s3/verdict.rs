//! What S3's answers mean: a table by kind of fault. Nothing here loses data: whatever does not pass
//! is tried again until the stream's retry duration sends it to its backup.

use remote::aws::{Fault, Kind};

use crate::{Verdict, Why};

/// Longest text that is shown, besides its remedy.
const MESSAGE_CHARS: usize = 512;

/// The verdict on a put that failed.
pub(super) fn verdict_of(fault: &Fault) -> Verdict {
    let why = Why { code: code_of(fault), message: message_of(fault) };
    if is_too_large(fault) {
        return Verdict::TooLarge { why };
    }
    Verdict::Later { after: fault.retry_after, loud: needs_person(fault), why }
}

fn is_too_large(fault: &Fault) -> bool {
    fault.code == "EntityTooLarge" || fault.status == 413
}

/// Must somebody change something first?
pub(crate) fn needs_person(fault: &Fault) -> bool {
    match fault.kind {
        Kind::NoCredentials
        | Kind::BadCredentials
        | Kind::Denied
        | Kind::NoSuchObject
        | Kind::NoSuchPlace
        | Kind::WrongRegion
        | Kind::Changed
        | Kind::Refused => true,
        Kind::Throttled | Kind::Unwell => false,
    }
}

/// The code in failed records, status and logs; AWS's own stands in the text.
pub(crate) fn code_of(fault: &Fault) -> &'static str {
    match fault.kind {
        // Whatever of its kinds: an operator looks at the key, not at the bucket.
        _ if fault.code.starts_with("KMS.") => "S3.KMS",
        _ if is_too_large(fault) => "S3.EntityTooLarge",
        Kind::NoCredentials => "S3.NoCredentials",
        Kind::BadCredentials => "S3.InvalidToken",
        Kind::Denied => "S3.AccessDenied",
        Kind::NoSuchPlace => "S3.NoSuchBucket",
        Kind::WrongRegion => "S3.WrongRegion",
        Kind::Throttled => "S3.SlowDown",
        Kind::Unwell if fault.status == 0 => "S3.Unreachable",
        Kind::Unwell => "S3.ServiceUnavailable",
        Kind::NoSuchObject | Kind::Changed | Kind::Refused => "S3.Refused",
    }
}

/// AWS's text, and the remedy when one is known: that is what must not be cut.
pub(crate) fn message_of(fault: &Fault) -> String {
    let mut text: String = fault.to_string().chars().take(MESSAGE_CHARS).collect();
    if let Some(remedy) = &fault.remedy {
        text.push_str("; ");
        text.extend(remedy.chars().take(MESSAGE_CHARS));
    }
    text
}
