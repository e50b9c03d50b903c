//! One direction of a line: a queue before a bottleneck, and what happens behind it.

use super::bursts::{Bursts, Weather};
use super::gauge::{BIN, Flood, Gauge};
use super::trace::{CHANCE, Trace};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

/// What a direction carries at most.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Capacity {
    #[default]
    Unlimited,
    /// Bits per second.
    Rate(f64),
    Trace(Trace),
}

impl Capacity {
    fn bits_per_second(&self) -> Option<f64> {
        match self {
            Capacity::Unlimited => None,
            Capacity::Rate(rate) => Some(*rate),
            Capacity::Trace(trace) => Some(trace.bits_per_second()),
        }
    }
}

/// What one direction does; the default is a perfect one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WayModel {
    pub capacity: Capacity,
    /// What waits before the bottleneck at most, at its mean rate; what comes then is lost.
    pub queue: Duration,
    pub delay: Duration,
    /// Added at random, in order: what is behind waits, too.
    pub jitter: Duration,
    /// Share of datagrams lost at random behind the bottleneck.
    pub loss: f64,
    pub bursts: Option<Bursts>,
    /// Share of datagrams that arrive this much later, so that others overtake them.
    pub reorder: f64,
    pub held_back: Duration,
    pub duplicate: f64,
    /// Nothing passes then, counted from when the line began.
    pub blackouts: Vec<Range<Duration>>,
}

impl WayModel {
    fn is_black(&self, at: Duration) -> bool {
        self.blackouts.iter().any(|black| black.contains(&at))
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Way {
    began: Instant,
    rng: StdRng,
    /// What it was from when on, oldest first; the last is what it is.
    laid: Vec<(Duration, WayModel)>,
    weather: Weather,
    /// When each datagram that waits will have left, and its bytes.
    waiting: VecDeque<(Instant, usize)>,
    waiting_bytes: usize,
    /// The chance of the trace that serves the queue's end, and what is left of it.
    chance: (u64, usize),
    last_arrival: Instant,
    gauge: Gauge,
}

impl Way {
    pub fn new(began: Instant, model: WayModel, seed: u64) -> Way {
        Way {
            began,
            rng: StdRng::seed_from_u64(seed),
            laid: vec![(Duration::ZERO, model)],
            weather: Weather::good(began),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            chance: (0, CHANCE),
            last_arrival: began,
            gauge: Gauge::default(),
        }
    }

    pub fn model(&self) -> &WayModel {
        let (_, newest) = self.laid.last().expect("what it was at the beginning");
        newest
    }

    /// From the next datagram on it is another one.
    pub fn change(&mut self, now: Instant, model: WayModel) {
        self.laid.push((now - self.began, model));
    }

    pub fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// When a datagram of so many bytes arrives that is sent now: never, once, or twice. Times do not go back.
    pub fn send(&mut self, now: Instant, bytes: usize) -> Vec<Instant> {
        let at = now - self.began;
        self.gauge.offer(at, bytes);
        let Some(leaves) = self.leaves(now, bytes) else { return Vec::new() };
        self.gauge.carry(at, leaves - self.began, bytes);
        if self.is_lost(leaves) {
            return Vec::new();
        }
        let mut arrivals = vec![self.arrives(leaves)];
        if self.draws(self.model().duplicate) {
            arrivals.push(self.arrives(leaves));
        }
        arrivals
    }

    /// When a segment arrives that is sent again after `patience` for as long as it is lost.
    pub fn send_reliably(&mut self, now: Instant, bytes: usize, patience: Duration) -> Instant {
        let mut repeats = Duration::ZERO;
        // Lost for good after two minutes: TCP gives up, too.
        while repeats < Duration::from_secs(120) {
            let is_black = self.model().is_black(now + repeats - self.began);
            if !is_black && let [arrives, ..] = *self.send(now, bytes) {
                return arrives + repeats;
            }
            repeats += patience;
        }
        now + repeats
    }

    /// When its last bit has passed the bottleneck; `None` where it does not get that far.
    fn leaves(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        while self.waiting.front().is_some_and(|(left, _)| *left <= now) {
            self.waiting_bytes -= self.waiting.pop_front()?.1;
        }
        let model = self.model();
        let (capacity, queue) = (model.capacity.clone(), model.queue.as_secs_f64());
        if model.is_black(now - self.began) {
            return None;
        }
        if let Some(rate) = capacity.bits_per_second()
            && (self.waiting_bytes + bytes) as f64 * 8.0 > rate * queue
        {
            return None;
        }
        let before = self.waiting.back().map_or(now, |(left, _)| *left);
        let leaves = match capacity {
            Capacity::Unlimited => before,
            Capacity::Rate(rate) => before + Duration::from_secs_f64(bytes as f64 * 8.0 / rate),
            Capacity::Trace(trace) => self.began + self.served(&trace, before - self.began, bytes),
        };
        self.waiting.push_back((leaves, bytes));
        self.waiting_bytes += bytes;
        (!self.model().is_black(leaves - self.began)).then_some(leaves)
    }

    /// The chance by which so many bytes have been delivered, after what was before.
    fn served(&mut self, trace: &Trace, before: Duration, bytes: usize) -> Duration {
        let first = trace.first_after(before);
        // What nobody used is lost. A chance that was used in part serves on, in its own millisecond.
        if first > self.chance.0 {
            self.chance = (first, CHANCE);
        }
        let (place, left) = &mut self.chance;
        let mut wanted = bytes;
        while wanted > *left {
            wanted -= *left;
            (*place, *left) = (*place + 1, CHANCE);
        }
        *left -= wanted;
        trace.at(*place)
    }

    fn is_lost(&mut self, leaves: Instant) -> bool {
        let (bursts, loss) = (self.model().bursts, self.model().loss);
        let in_burst = bursts.is_some_and(|bursts| self.weather.is_bad(leaves, bursts, &mut self.rng));
        self.draws(loss) || in_burst
    }

    /// Whether something happens that has this probability. Nothing is drawn for what never happens.
    fn draws(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.rng.random_bool(probability)
    }

    fn arrives(&mut self, leaves: Instant) -> Instant {
        let WayModel { delay, jitter, reorder, held_back, .. } = *self.model();
        let extra = if jitter.is_zero() { jitter } else { jitter.mul_f64(self.rng.random::<f64>()) };
        if self.draws(reorder) {
            return leaves + delay + extra + held_back;
        }
        self.last_arrival = self.last_arrival.max(leaves + delay + extra);
        self.last_arrival
    }

    /// What was offered against what could have been carried, where that was limited and not nothing.
    pub fn flood(&self, from: Duration, until: Duration) -> Option<Flood> {
        let bins = from.div_duration_f64(BIN) as usize..until.div_duration_f64(BIN) as usize;
        let could: Vec<Option<f64>> = bins.clone().map(|bin| self.could(BIN * bin as u32)).collect();
        self.gauge.flood(bins.start, &could)
    }

    /// Nothing passes in the tenth of a second that begins at `at`.
    pub fn is_silent(&self, at: Duration) -> bool {
        self.could(at) == Some(0.0)
    }

    /// Bytes it could carry in the bin that begins at `at`; `None` where there is no limit.
    fn could(&self, at: Duration) -> Option<f64> {
        let (_, model) = self.laid.iter().rev().find(|(since, _)| *since <= at)?;
        if model.is_black(at) {
            return Some(0.0);
        }
        match &model.capacity {
            Capacity::Unlimited => None,
            Capacity::Rate(rate) => Some(rate / 8.0 * BIN.as_secs_f64()),
            Capacity::Trace(trace) => {
                let chances = trace.first_after(at + BIN) - trace.first_after(at);
                Some(chances as f64 * CHANCE as f64)
            }
        }
    }
}

#[cfg(test)]
#[path = "way_tests.rs"]
mod tests;
