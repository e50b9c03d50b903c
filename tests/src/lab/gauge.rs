//! What was offered to one direction of a line, what it carried, and how long things waited.

use std::time::Duration;

/// What is counted together.
pub(super) const BIN: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Gauge {
    /// Bytes by bin: of datagrams when they were sent, and when they had passed the bottleneck.
    offered: Vec<usize>,
    carried: Vec<usize>,
    datagrams: u64,
    /// When a datagram was sent, and how long it waited.
    waits: Vec<(Duration, Duration)>,
}

/// Offered ÷ could have been carried, in the worst two seconds and in the worst one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Flood {
    pub two_seconds: f64,
    pub second: f64,
}

impl Gauge {
    pub(super) fn offer(&mut self, at: Duration, bytes: usize) {
        add(&mut self.offered, at, bytes);
        self.datagrams += 1;
    }

    pub(super) fn carry(&mut self, sent: Duration, left: Duration, bytes: usize) {
        add(&mut self.carried, left, bytes);
        self.waits.push((sent, left - sent));
    }

    /// Datagrams that were offered since the beginning.
    pub fn datagrams(&self) -> u64 {
        self.datagrams
    }

    /// Bits per second that were offered, and carried, between two times.
    pub fn rates(&self, from: Duration, until: Duration) -> (f64, f64) {
        let (first, end) = (bin(from), bin(until));
        let sum = |bins: &[usize]| bins.iter().take(end).skip(first).sum::<usize>() as f64;
        let rate = |bins| sum(bins) * 8.0 / (until - from).as_secs_f64();
        (rate(&self.offered), rate(&self.carried))
    }

    /// How long what was sent between two times waited, shortest first.
    pub fn waits(&self, from: Duration, until: Duration) -> Vec<Duration> {
        let within = self.waits.iter().filter(|(sent, _)| (from..until).contains(sent));
        let mut waits: Vec<Duration> = within.map(|(_, wait)| *wait).collect();
        waits.sort_unstable();
        waits
    }

    /// `could`: what the bins from `first` on could carry. Windows in which there was no limit, or at some time
    /// nothing, are left out: nobody can know at once that a line is dead.
    pub(super) fn flood(&self, first: usize, could: &[Option<f64>]) -> Option<Flood> {
        let offered = |bin: usize| self.offered.get(bin).map_or(0.0, |bytes| *bytes as f64);
        let worst = |bins: usize| {
            let ratios = could.windows(bins).enumerate().filter_map(|(place, window)| {
                let limited = window.iter().map(|could| could.filter(|bytes| *bytes > 0.0));
                let could: f64 = limited.sum::<Option<f64>>()?;
                let begin = first + place;
                Some((begin..begin + bins).map(offered).sum::<f64>() / could)
            });
            ratios.max_by(f64::total_cmp)
        };
        Some(Flood { two_seconds: worst(20)?, second: worst(10)? })
    }
}

fn bin(at: Duration) -> usize {
    at.div_duration_f64(BIN) as usize
}

fn add(bins: &mut Vec<usize>, at: Duration, bytes: usize) {
    let bin = bin(at);
    if bins.len() <= bin {
        bins.resize(bin + 1, 0);
    }
    bins[bin] += bytes;
}

/// That of sorted values which a share of them does not exceed.
pub fn percentile<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    let place = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_measured_where_the_line_carries_something() {
        let mut gauge = Gauge::default();
        for tenth in 0..50u32 {
            // Twice the rate from the third second on.
            gauge.offer(BIN * tenth, if tenth < 20 { 500 } else { 2000 });
        }
        let could = |limit: Option<f64>| vec![limit; 50];
        let flood = gauge.flood(0, &could(Some(1000.0))).expect("a limit");
        assert_eq!(flood, Flood { two_seconds: 2.0, second: 2.0 });
        assert_eq!(gauge.flood(0, &could(Some(1000.0))[..20]), Some(Flood { two_seconds: 0.5, second: 0.5 }));
        assert_eq!(gauge.flood(0, &could(None)), None);
        let mut dead = could(Some(1000.0));
        dead[25..].fill(Some(0.0));
        assert_eq!(gauge.flood(0, &dead), Some(Flood { two_seconds: 0.875, second: 1.25 }));
    }

    #[test]
    fn a_percentile_is_one_of_the_values() {
        assert_eq!([0.5, 0.95, 1.0].map(|share| percentile(&[1, 2, 3, 4], share)), [2, 4, 4]);
        assert_eq!(percentile::<u32>(&[], 0.5), 0);
    }
}
