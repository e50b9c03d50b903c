//! When a radio line lets something through: traces as mahimahi has them, a line for each chance to deliver 1,500 bytes,
//! in milliseconds from the beginning, repeated from its last one on.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of one chance.
pub(super) const CHANCE: usize = 1500;

/// See the module. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Milliseconds, ascending; the last is the length of the trace.
    chances: Arc<[u32]>,
}

impl Trace {
    /// `None` for what is no trace: nothing in it, or numbers that go back.
    pub fn read(text: &str) -> Option<Trace> {
        let numbers = text.split_ascii_whitespace().map(|word| word.parse().ok());
        Trace::of(numbers.collect::<Option<Vec<u32>>>()?)
    }

    fn of(chances: Vec<u32>) -> Option<Trace> {
        let is_long = chances.last().is_some_and(|last| *last > 0);
        (is_long && chances.is_sorted()).then(|| Trace { chances: chances.into() })
    }

    /// As a file of mahimahi.
    pub fn text(&self) -> String {
        self.chances.iter().map(|ms| format!("{ms}\n")).collect()
    }

    /// Like a cell of LTE at its edge: 0.3 to 6 Mbit/s, which drifts within seconds, and twice a minute nothing for 0.5 to
    /// 2.5 s (a handover, a lorry before the window).
    pub fn lte(seed: u64) -> Trace {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut outage = |from: Range<u32>| {
            let begin = rng.random_range(from);
            begin..begin + rng.random_range(500..2500)
        };
        let outages = [outage(5_000..27_000), outage(33_000..55_000)];
        let mut drift = 0.0f64;
        generate(|ms| {
            if ms % 100 == 0 {
                drift = (drift * 0.97 + (rng.random::<f64>() - 0.5) * 0.6).clamp(-1.6, 1.4);
            }
            let is_silent = outages.iter().any(|outage| outage.contains(&ms));
            if is_silent { 0.0 } else { 1_500_000.0 * drift.exp() }
        })
    }

    /// Like a satellite that is changed for another one every 15 s: 3 to 15 Mbit/s, another rate each time, 50 to 400 ms
    /// without anything in between.
    pub fn starlink(seed: u64) -> Trace {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut rate, mut silent_ms) = (0.0, 0u32);
        generate(|ms| {
            if ms % 15_000 == 0 {
                (rate, silent_ms) = (rng.random_range(3_000_000.0..15_000_000.0), rng.random_range(50..400));
            }
            let is_silent = silent_ms > 0;
            silent_ms = silent_ms.saturating_sub(1);
            if is_silent { 0.0 } else { rate }
        })
    }

    fn period(&self) -> u64 {
        self.chances.last().map_or(1, |last| u64::from(*last))
    }

    /// The place of the first chance at or after `at`, counted from the beginning of the line.
    pub(super) fn first_after(&self, at: Duration) -> u64 {
        let ms = at.as_nanos().div_ceil(1_000_000) as u64;
        // The end of a round is the beginning of the next one; its chance belongs to the former.
        let rounds = ms.saturating_sub(1) / self.period();
        let rest = ms - rounds * self.period();
        let place = self.chances.partition_point(|chance| u64::from(*chance) < rest);
        rounds * self.chances.len() as u64 + place as u64
    }

    /// When the chance at this place is.
    pub(super) fn at(&self, place: u64) -> Duration {
        let count = self.chances.len() as u64;
        let ms = self.chances[(place % count) as usize];
        Duration::from_millis(place / count * self.period() + u64::from(ms))
    }

    pub fn bits_per_second(&self) -> f64 {
        (self.chances.len() * CHANCE * 8) as f64 / self.period() as f64 * 1000.0
    }
}

/// A minute of a line that carries so many bits per second in each millisecond.
fn generate(mut rate: impl FnMut(u32) -> f64) -> Trace {
    let (mut chances, mut credit) = (Vec::new(), 0.0);
    for ms in 0..60_000 {
        credit += rate(ms) / 8000.0;
        while credit >= CHANCE as f64 {
            credit -= CHANCE as f64;
            chances.push(ms);
        }
    }
    // Where the trace ends and begins again.
    chances.push(60_000);
    Trace { chances: chances.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_trace_is_read_as_mahimahi_writes_it_and_begins_again_at_its_end() {
        let trace = Trace::read("3\n3\n10\n").expect("a trace");
        assert_eq!(trace.text(), "3\n3\n10\n");
        let times = |from: u64| [0, 1, 2].map(|next| trace.at(from + next).as_millis());
        assert_eq!(times(trace.first_after(Duration::ZERO)), [3, 3, 10]);
        assert_eq!(times(trace.first_after(4 * MS)), [10, 13, 13]);
        assert_eq!(times(trace.first_after(10 * MS)), [10, 13, 13]);
        assert_eq!(times(trace.first_after(25 * MS)), [30, 33, 33]);
        assert_eq!(
            [Trace::read(""), Trace::read("5\n3\n"), Trace::read("0\n"), Trace::read("x")],
            [const { None }; 4]
        );
    }

    #[test]
    fn made_traces_follow_their_seed_and_have_gaps() {
        let longest = |trace: &Trace| trace.chances.windows(2).map(|pair| pair[1] - pair[0]).max();
        let (lte, starlink) = (Trace::lte(1), Trace::starlink(1));
        assert_eq!((&lte, &starlink), (&Trace::lte(1), &Trace::starlink(1)));
        assert_ne!(lte, Trace::lte(2));
        assert!((500_000.0..4_000_000.0).contains(&lte.bits_per_second()), "{}", lte.bits_per_second());
        assert!((3_000_000.0..15_000_000.0).contains(&starlink.bits_per_second()));
        assert!(longest(&lte) >= Some(500) && longest(&starlink) >= Some(50));
    }
}
