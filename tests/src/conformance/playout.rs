//! A listener's jitter buffer, after libwebrtc's NetEQ: how far behind it plays follows what comes late, and what is not
//! there in its turn is concealed. Only times matter; there is no sound.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Milliseconds of a packet of speech, and of each turn of the player.
pub const PIECE: u32 = 20;
/// It plays so far behind at first, and never further than this: NetEQ would keep 200 packets; what is older than a
/// second is no conversation any more.
const AT_FIRST: f64 = 80.0;
const BOUND: f64 = 1000.0;
/// Of the delays the largest in each half second count, 95 % of them are to be in time, and old ones are forgotten by
/// this factor (NetEQ's `UnderrunOptimizer`).
const RESAMPLE: f64 = 500.0;
const QUANTILE: f64 = 0.95;
const FORGET: f64 = 0.983;
/// For what comes out of order, a per cent of loss is worth so many milliseconds of delay, and forgetting is slower
/// (`ReorderOptimizer`).
const WORTH: f64 = 20.0;
const FORGET_REORDERED: f64 = 0.9993;
/// The shortest transit is looked for in so many milliseconds.
const HISTORY: f64 = 2000.0;
/// Played faster or slower by a piece in so many, which nobody hears.
const STRETCH: u32 = 10;
const BUCKETS: usize = 100;

/// 20 ms of speech that arrived: milliseconds since the world began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    pub at: f64,
    pub captured: u32,
}

/// What a listener heard; times in milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Playout {
    /// Turns of the player, of these the concealed ones, and pieces that were skipped.
    pub turns: usize,
    pub concealed: usize,
    pub skipped: usize,
    /// Each run of concealed turns, shortest first.
    pub gaps: Vec<u32>,
    /// How far behind it played, at each turn that was not concealed.
    pub buffer: Vec<f64>,
}

impl Playout {
    /// Share of the time in which there was no speech to play, or it was left out.
    pub fn unplayable(&self) -> f64 {
        (self.concealed + self.skipped) as f64 / (self.turns + self.skipped).max(1) as f64
    }
}

#[derive(Default)]
struct Histogram {
    buckets: Vec<f64>,
    added: u32,
}

impl Histogram {
    fn add(&mut self, delay: f64, forget: f64) {
        self.buckets.resize(BUCKETS, 0.0);
        self.added += 1;
        // It learns fast at first.
        let keep = forget.min(1.0 - 2.0 / f64::from(self.added + 1)).max(0.0);
        self.buckets.iter_mut().for_each(|bucket| *bucket *= keep);
        self.buckets[((delay / f64::from(PIECE)) as usize).min(BUCKETS - 1)] += 1.0 - keep;
    }

    fn quantile(&self) -> f64 {
        let mut sum = 0.0;
        let within = |share: &&f64| {
            sum += **share;
            sum < QUANTILE
        };
        f64::from(PIECE) * (self.buckets.iter().take_while(within).count() + 1) as f64
    }

    /// The delay at which waiting longer costs more than what is lost.
    fn cheapest(&self, base: f64) -> f64 {
        let mut late = 1.0;
        let costs = self.buckets.iter().enumerate().map(|(place, share)| {
            late -= share;
            let delay = f64::from(PIECE) * place as f64;
            ((delay - base).max(0.0) + WORTH * 100.0 * late, delay + f64::from(PIECE))
        });
        costs.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |(_, delay)| delay)
    }
}

/// How late packets come.
#[derive(Default)]
struct Delays {
    transits: VecDeque<(f64, f64)>,
    newest: Option<u32>,
    /// Since when the half second lasts, and its largest delay.
    sample: Option<(f64, f64)>,
    in_order: Histogram,
    reordered: Histogram,
}

impl Delays {
    fn note(&mut self, Piece { at, captured }: Piece) {
        let transit = at - f64::from(captured);
        self.transits.push_back((at, transit));
        while self.transits.front().is_some_and(|(before, _)| at - before > HISTORY) {
            self.transits.pop_front();
        }
        let delay = transit - self.shortest();
        let is_newest = self.newest.is_none_or(|newest| captured > newest);
        self.reordered.add(if is_newest { 0.0 } else { delay }, FORGET_REORDERED);
        if !is_newest {
            return;
        }
        self.newest = Some(captured);
        let (since, largest) = self.sample.unwrap_or((at, 0.0));
        self.sample = Some((since, largest.max(delay)));
        if at - since >= RESAMPLE {
            self.in_order.add(largest.max(delay), FORGET);
            self.sample = None;
        }
    }

    fn shortest(&self) -> f64 {
        self.transits.iter().map(|(_, transit)| *transit).fold(f64::MAX, f64::min)
    }

    fn target(&self) -> f64 {
        let in_order = if self.in_order.added == 0 { AT_FIRST } else { self.in_order.quantile() };
        in_order.max(self.reordered.cheapest(in_order)).min(BOUND)
    }
}

struct Player {
    delays: Delays,
    ready: BTreeSet<u32>,
    next: u32,
    /// Turns that were concealed while nothing was there: what was lost meanwhile needs none of its own.
    owed: u32,
    since_stretch: u32,
}

enum Turn {
    Played,
    Concealed,
}

impl Player {
    /// One turn at `now`; also how many pieces were left out.
    fn turn(&mut self, now: f64) -> (Turn, usize) {
        let skipped = self.catch_up(now);
        self.since_stretch += 1;
        let (behind, target) = (self.behind(now), self.delays.target());
        let may_stretch = self.since_stretch >= STRETCH;
        let piece = f64::from(PIECE);
        if !self.ready.contains(&self.next) {
            // Lost where something newer is there, else late: it waits.
            if self.ready.is_empty() {
                self.owed += 1
            } else {
                self.next += PIECE
            }
            return (Turn::Concealed, skipped);
        }
        if may_stretch && behind < target - piece {
            self.since_stretch = 0;
            return (Turn::Played, skipped);
        }
        self.advance();
        if may_stretch && behind > target + piece && self.ready.contains(&self.next) {
            self.since_stretch = 0;
            self.advance();
        }
        (Turn::Played, skipped)
    }

    fn advance(&mut self) {
        self.ready.remove(&self.next);
        self.next += PIECE;
        self.owed = 0;
    }

    fn behind(&self, now: f64) -> f64 {
        now - f64::from(self.next) - self.delays.shortest()
    }

    /// Leaves out what was lost while nothing was there, which is no loss beside the silence there was; and, further behind
    /// than it may be, what is there.
    fn catch_up(&mut self, now: f64) -> usize {
        while self.owed > 0 && self.ready.first().is_some_and(|first| *first > self.next) {
            self.next += PIECE;
            self.owed -= 1;
        }
        let mut skipped = 0;
        while self.behind(now) > BOUND && !self.ready.is_empty() {
            skipped += usize::from(self.ready.remove(&self.next));
            self.next += PIECE;
        }
        skipped
    }
}

/// Plays what arrived, in the order in which it did. Turns between `from` and `until` count, but for those that `left_out`
/// names.
pub fn play(pieces: &[Piece], (from, until): (f64, f64), left_out: impl Fn(f64) -> bool) -> Playout {
    let mut playout = Playout::default();
    let mut pieces = pieces.iter().copied().peekable();
    let Some(first) = pieces.peek().copied() else {
        return silence(from, until);
    };
    let (delays, ready) = (Delays::default(), BTreeSet::new());
    let mut player = Player { delays, ready, next: first.captured, owed: 0, since_stretch: 0 };
    let mut gaps = Gaps::default();
    let mut now = first.at + AT_FIRST;
    while now < until {
        while let Some(piece) = pieces.next_if(|piece| piece.at <= now) {
            player.delays.note(piece);
            if piece.captured >= player.next {
                player.ready.insert(piece.captured);
            }
        }
        let (turn, skipped) = player.turn(now);
        if now >= from && !left_out(now) {
            playout.turns += 1;
            playout.skipped += skipped;
            playout.concealed += usize::from(matches!(turn, Turn::Concealed));
            let is_concealed = matches!(turn, Turn::Concealed);
            if !is_concealed {
                playout.buffer.push(player.behind(now) + f64::from(PIECE));
            }
            gaps.note(is_concealed);
        } else {
            gaps.note(false);
        }
        now += f64::from(PIECE);
    }
    playout.gaps = gaps.sorted();
    playout
}

/// Nothing ever came.
fn silence(from: f64, until: f64) -> Playout {
    let turns = ((until - from) / f64::from(PIECE)) as usize;
    let gaps = vec![(until - from) as u32];
    Playout { turns, concealed: turns, gaps, ..Playout::default() }
}

/// Runs of concealed turns.
#[derive(Default)]
struct Gaps {
    lengths: BTreeMap<u32, usize>,
    run: u32,
}

impl Gaps {
    fn note(&mut self, is_concealed: bool) {
        if is_concealed {
            self.run += PIECE;
        } else if self.run > 0 {
            *self.lengths.entry(std::mem::take(&mut self.run)).or_default() += 1;
        }
    }

    fn sorted(mut self) -> Vec<u32> {
        self.note(false);
        self.lengths.into_iter().flat_map(|(length, count)| std::iter::repeat_n(length, count)).collect()
    }
}

#[cfg(test)]
#[path = "playout_tests.rs"]
mod tests;
