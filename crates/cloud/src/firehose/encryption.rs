//! Server-side encryption of a stream, on and off.
//!
//! Owns its states, which change at once. What is kept is what the caller asked for and is told back;
//! the journal's disk is encrypted by whoever runs the server.

use aws::api::{Fault, Shape};

use super::check::{At, Checks, Rule};
use super::pattern::Pattern;
use super::{Asked, Encryption, NAME, exceeded};

/// Starts and stops of a stream in [`DAY_MS`].
const CHANGES_MAX: usize = 25;
const DAY_MS: i64 = 24 * 3_600_000;

const CUSTOMER: &str = "CUSTOMER_MANAGED_CMK";
const AWS_OWNED: &str = "AWS_OWNED_CMK";

/// `DeliveryStreamEncryptionConfigurationInput`, as it is in force then.
pub(super) fn input(at: &At<'_>, checks: &mut Checks) -> Option<Encryption> {
    let at = at.part(checks, "DeliveryStreamEncryptionConfigurationInput")?;
    if !at.has("KeyType") {
        checks.missing(&at.path("KeyType"));
    }
    let key_type = at.word(checks, "KeyType", &[AWS_OWNED, CUSTOMER]);
    let key_arn = at.text(checks, "KeyARN", &Rule::of(1, 512, Pattern::Key));
    let customer = key_type.as_deref() == Some(CUSTOMER);
    if customer && key_arn.is_none() {
        checks.refuse(format!("KeyARN is required when KeyType is {CUSTOMER}"));
    }
    if !customer && key_arn.is_some() {
        checks.refuse(format!("KeyARN must not be specified when KeyType is {AWS_OWNED}"));
    }
    Some(Encryption { enabled: true, key_type, key_arn, changes_ms: Vec::new() })
}

/// `StartDeliveryStreamEncryption`; of an encrypted stream it changes the key.
pub(super) fn start(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let mut checks = Checks::default();
    let at = At::root(asked.input);
    let name = at.must(&mut checks, "DeliveryStreamName", &NAME);
    let given = input(&at, &mut checks);
    checks.done()?;
    let owned = || Encryption {
        enabled: true,
        key_type: Some(AWS_OWNED.to_owned()),
        ..Encryption::default()
    };
    switch(asked, &name, given.unwrap_or_else(owned))
}

/// `StopDeliveryStreamEncryption`.
pub(super) fn stop(asked: &Asked<'_>) -> Result<Shape<'static>, Fault> {
    let mut checks = Checks::default();
    let name = At::root(asked.input).must(&mut checks, "DeliveryStreamName", &NAME);
    checks.done()?;
    switch(asked, &name, Encryption::default())
}

fn switch(asked: &Asked<'_>, name: &str, to: Encryption) -> Result<Shape<'static>, Fault> {
    let now = (asked.context.clock)();
    asked.change(name, |stream| {
        let mut changes_ms = std::mem::take(&mut stream.encryption.changes_ms);
        changes_ms.retain(|at| *at > now - DAY_MS);
        if changes_ms.len() >= CHANGES_MAX {
            return Err(exceeded(format!(
                "Encryption of Firehose {name} was started and stopped {CHANGES_MAX} times in 24 \
                 hours, which is the limit"
            )));
        }
        changes_ms.push(now);
        stream.encryption = Encryption { changes_ms, ..to };
        Ok(())
    })
}
