//! Asking AWS again while what went wrong may pass: throttling, 5xx, a lost connection.

use std::time::Duration;

use remote::aws::Fault;

/// Attempts for one call; with the first pause below, a quarter of a minute.
const ATTEMPTS: u32 = 6;
/// Before the second attempt.
pub(crate) const PAUSE: Duration = Duration::from_millis(500);
/// Longest pause between attempts, whatever is asked for.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// The first answer that is no passing fault, or the last fault. `pause` is the first one; it doubles.
pub(crate) async fn patiently<T>(
    mut pause: Duration,
    ask: impl AsyncFn() -> Result<T, Fault>,
) -> Result<T, Fault> {
    for _ in 1..ATTEMPTS {
        match ask().await {
            Err(fault) if fault.passes() => {
                let asked = fault.retry_after.unwrap_or(pause);
                tokio::time::sleep(asked.max(pause).min(PAUSE_MAX)).await;
                pause *= 2;
            }
            other => return other,
        }
    }
    ask().await
}
