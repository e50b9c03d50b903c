//! Seeds that failed once. They stay.

use super::seeded::anything;
use tests::house::Act;

/// Each with what it showed.
const FOUND: &[(u64, &[Act], &str)] = &[(
    51,
    Act::DISASTERS,
    "no fault: a line was cut as its handshake ended, and the site's numbers wrapped before the first of them came",
)];

#[test]
fn what_failed_once_holds() {
    for (seed, acts, showed) in FOUND {
        println!("seed {seed}: {showed}");
        anything(acts, *seed);
    }
}
