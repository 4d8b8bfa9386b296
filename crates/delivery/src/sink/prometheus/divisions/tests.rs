//! The purse.

use super::*;

/// *Scenario:* refusals without end, then a quiet second, then a quiet hour.
/// *Guarantees:* a full purse pays for [`PURSE`], a second for eight, an hour for no more than full.
#[test]
fn the_purse_fills_with_time() {
    let mut divisions = Divisions::new(Duration::ZERO);
    let mut paid =
        |now: Duration| std::iter::repeat(()).take_while(|()| divisions.pay(now)).count();
    assert_eq!(paid(Duration::from_millis(1)), 256);
    assert_eq!(paid(Duration::from_millis(100)), 0);
    assert_eq!(paid(Duration::from_millis(1_001)), 8);
    assert_eq!(paid(Duration::from_secs(3_600)), 256);
}
