//! Sources that listen: what Firehose will think of their certificates.

use std::path::Path;

use listen::certificate::{self, Certificate, Fault};

use super::Check;
use crate::run::wall_clock;
use crate::settings::quantity::counted;
use crate::settings::{Settings, TlsFiles};

const AREA: &str = "certificate";
const DAY_S: i64 = 86_400;
/// Renewals happen a month before the end; three weeks before it they have failed.
const DAYS_WARN: i64 = 21;

pub(super) fn check(settings: &Settings, host: Option<&str>, checks: &mut Vec<Check>) {
    let now_s = wall_clock()() / 1000;
    for source in &settings.sources {
        match &source.tls {
            Some(files) => look(&source.name, files, host, now_s, true, checks),
            None => {
                let what =
                    format!("source {} listens without TLS on {}", source.name, source.listen);
                let remedy = "Firehose speaks https only: fine behind a load balancer that has the \
                              certificate, else set tls";
                checks.push(Check::warn(AREA, what, remedy));
            }
        }
    }
    for source in &settings.apis {
        if let Some(files) = &source.tls {
            look(&source.name, files, None, now_s, false, checks);
        }
    }
}

fn look(
    source: &str,
    files: &TlsFiles,
    host: Option<&str>,
    now_s: i64,
    firehose: bool,
    checks: &mut Vec<Check>,
) {
    let now = u64::try_from(now_s).unwrap_or(0);
    match certificate::look(&files.cert_file, &files.key_file, host, now) {
        Ok(found) => judge(source, &files.cert_file, &found, now_s, firehose, checks),
        Err(error) => {
            let remedy = "cert_file holds the chain, the server's own first; key_file its key";
            checks.push(Check::bad(AREA, format!("source {source}: {error}"), remedy));
        }
    }
}

fn judge(
    source: &str,
    file: &Path,
    found: &Certificate,
    now_s: i64,
    firehose: bool,
    checks: &mut Vec<Check>,
) {
    let names = match found.names.as_slice() {
        [] => "no host name".to_owned(),
        names => names.join(", "),
    };
    let left_s = found.ends_s.map(|ends| ends - now_s);
    let days = left_s.map(|left| left / DAY_S);
    let told = |days: i64| counted(usize::try_from(days).unwrap_or(0), "day");
    let file = file.display();
    let what = format!("source {source}: {file} for {names}");
    if let Some(over) = left_s.filter(|left| *left <= 0) {
        let what = format!("{what}: it ended {} ago", told(-over / DAY_S));
        return checks.push(Check::bad(AREA, what, "renew it; SIGHUP lets the process load it"));
    }
    let what = days.map_or(what.clone(), |days| format!("{what}, {} left", told(days)));
    let refused = |why: String, remedy: &str| {
        // Others than Firehose can be told whom to trust.
        if firehose { Check::bad(AREA, why, remedy) } else { Check::warn(AREA, why, remedy) }
    };
    let fault = found.fault.as_ref().map(|fault| match fault {
        Fault::UnknownIssuer | Fault::Authority if found.self_signed => refused(
            format!("{what}: it is self-signed"),
            "Firehose refuses it (HttpEndpoint.SSLHandshakeCertificatePathFailure): use one of a \
             public authority",
        ),
        Fault::UnknownIssuer if found.chain == 1 => refused(
            format!("{what}: no path to an authority, and no intermediate certificate in the file"),
            "put the intermediate certificates behind it (fullchain.pem); one of a private authority \
             Firehose refuses",
        ),
        Fault::UnknownIssuer => refused(
            format!("{what}: its {} certificates lead to no public authority", found.chain),
            "use one of a public authority: Firehose trusts no other",
        ),
        Fault::Authority => refused(
            format!("{what}: it says that it is an authority (CA:TRUE)"),
            "use one that this authority has signed",
        ),
        Fault::OtherName(name) => refused(
            format!("{what}: it is not for {name}"),
            "Firehose must be given a name that is in the certificate",
        ),
        Fault::OutOfTime => refused(
            format!("{what}: it, or one above it, is out of its time"),
            "renew it, and look at this machine's clock",
        ),
        Fault::NoAuthorities => Check::warn(
            AREA,
            format!("{what}: not checked, this machine has no authorities"),
            "install ca-certificates",
        ),
        Fault::Other(why) => refused(format!("{what}: {why}"), "use another certificate"),
    });
    checks.push(fault.unwrap_or_else(|| match days {
        Some(days) if days < DAYS_WARN => {
            Check::warn(AREA, what, "renew it; SIGHUP lets the process load it")
        }
        _ => Check::ok(AREA, format!("{what}, {} in its chain", found.chain)),
    }));
}
