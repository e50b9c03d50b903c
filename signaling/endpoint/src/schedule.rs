//! Which site speaks when: sites take turns of equal length, counted from a moment all of them know.

use std::time::{Duration, Instant};

use super::options::Turn;

/// The longest clip and a pause in which the bridge's speaker detection ends.
pub const TURN: Duration = Duration::from_millis(9_000);

/// Where in its turn a site is: `None` while others have the floor.
pub fn into_turn(turn: Turn, now: Instant) -> Option<Duration> {
    let count = turn.count.max(1);
    let round = TURN.saturating_mul(count);
    let since = now.saturating_duration_since(turn.since).as_nanos();
    let elapsed = since.checked_rem(round.as_nanos())?;
    let start = TURN.saturating_mul(turn.index.checked_rem(count)?).as_nanos();
    let within = elapsed.checked_sub(start)?;
    (within < TURN.as_nanos()).then(|| Duration::from_nanos(within as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_site_has_the_floor_at_any_time() {
        let since = Instant::now();
        for second in 0..120 {
            let now = since + Duration::from_secs(second);
            let speaking: Vec<u32> =
                (0..4).filter(|&index| into_turn(Turn { index, count: 4, since }, now).is_some()).collect();
            assert_eq!(speaking, [(second / 9 % 4) as u32]);
        }
    }

    #[test]
    fn a_site_alone_begins_at_once_and_again_every_turn() {
        let turn = Turn::alone();
        let at = |ms| into_turn(turn, turn.since + Duration::from_millis(ms));
        assert_eq!(at(0), Some(Duration::ZERO));
        assert_eq!(at(9_100), Some(Duration::from_millis(100)));
    }
}
