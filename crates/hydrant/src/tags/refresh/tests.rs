use std::time::Duration;

use super::{age_of, is_due};
use crate::cli::TagsFetchArgs;
use crate::exit::Exit;

/// *Scenario:* a file that is missing, fresh, or old; never fetched, fetched just now, or fetching it
/// failed, just now or a while ago.
/// *Guarantees:* it is fetched when it is too old, or has been removed, and not again right after a failure.
#[test]
fn due_when_old_and_not_just_tried() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let args = |every| TagsFetchArgs { every: Some(minutes(every)), ..TagsFetchArgs::default() };
    let failed = |n| Some((minutes(n), Exit::Unreachable));
    let done = |n| Some((minutes(n), Exit::Done));
    for (every, age, last, expect) in [
        (15, None, None, true),
        (15, None, failed(4), false),
        (15, None, failed(5), true),
        (15, None, done(1), true),
        (15, Some(minutes(14)), None, false),
        (15, Some(minutes(14)), done(14), false),
        (15, Some(minutes(15)), None, true),
        (15, Some(minutes(15)), done(15), true),
        (15, Some(minutes(99)), failed(1), false),
        (15, Some(minutes(5)), failed(5), true),
        (1, Some(minutes(1)), failed(1), true),
    ] {
        assert_eq!(is_due(&args(every), age, last), expect, "{every} {age:?} {last:?}");
    }
    let folder = testkit::TempDir::new("tags-age");
    assert_eq!(age_of(&folder.join("none")), None);
    assert!(age_of(&folder.write("new", "x")).is_some_and(|age| age < minutes(1)));
}
