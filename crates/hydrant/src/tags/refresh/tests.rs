use std::time::Duration;

use super::{age_of, is_due};
use crate::cli::TagsFetchArgs;

/// *Scenario:* a file that is missing, fresh, or old; never tried, tried just now, or a while ago.
/// *Guarantees:* it is fetched when it is too old, and not again right after a failure.
#[test]
fn due_when_old_and_not_just_tried() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let args = |every| TagsFetchArgs { every: Some(minutes(every)), ..TagsFetchArgs::default() };
    for (every, age, since_try, expect) in [
        (15, None, None, true),
        (15, None, Some(minutes(4)), false),
        (15, None, Some(minutes(5)), true),
        (15, Some(minutes(14)), None, false),
        (15, Some(minutes(15)), None, true),
        (15, Some(minutes(99)), Some(minutes(1)), false),
        (1, Some(minutes(1)), Some(minutes(1)), true),
    ] {
        assert_eq!(is_due(&args(every), age, since_try), expect, "{every} {age:?} {since_try:?}");
    }
    let folder = testkit::TempDir::new("tags-age");
    assert_eq!(age_of(&folder.join("none")), None);
    assert!(age_of(&folder.write("new", "x")).is_some_and(|age| age < minutes(1)));
}
