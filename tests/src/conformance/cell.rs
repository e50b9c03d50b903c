//! One line of the matrix: what lies before a site, and the meeting it is in.

use crate::lab::{Bursts, Capacity, LineModel, Trace, WayModel};
use std::time::Duration;

/// What the line carries at most, each way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Free,
    /// kbit/s.
    Rate(u32),
    /// Traces made from these seeds.
    Lte(u64),
    Starlink(u64),
}

/// What the line loses, in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    None,
    Random(u32),
    /// Bursts of 60 ms on average.
    Bursts(u32),
}

/// Where it loses that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    Both,
    Up,
    Down,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub limit: Limit,
    /// Milliseconds of the queue before the limit.
    pub queue_ms: u32,
    pub loss: Loss,
    pub sides: Sides,
    /// The loss ends in the middle.
    pub loss_ends: bool,
    pub rtt_ms: u32,
    pub jitter_ms: u32,
    /// For how long the line is dead in the middle; 0 for not at all.
    pub blackout_s: u32,
    /// In the meeting, this one counted.
    pub sites: usize,
    pub content: bool,
    /// The site was here before, so its line is known.
    pub known: bool,
}

/// The shares of a line's time; milliseconds since the meeting began.
pub const LOSS_FROM: u32 = 4_000;
pub const JUDGED_FROM: u32 = 8_000;
pub const MIDDLE: u32 = 18_000;
/// After the middle, and after a blackout that begins there.
const REST: u32 = 12_000;

impl Default for Cell {
    /// A clean line without a limit in a meeting of four.
    fn default() -> Cell {
        Cell {
            limit: Limit::Free,
            queue_ms: 300,
            loss: Loss::None,
            sides: Sides::Both,
            loss_ends: false,
            rtt_ms: 40,
            jitter_ms: 0,
            blackout_s: 0,
            sites: 4,
            content: false,
            known: false,
        }
    }
}

impl Cell {
    /// When the blackout or the loss ends that ends in the middle.
    pub fn relieved(&self) -> u32 {
        MIDDLE + self.blackout_s * 1000
    }

    /// The page protects its speech on the way up.
    pub fn protects_speech_up(&self) -> bool {
        self.loss != Loss::None && self.sides != Sides::Down && self.kbit() >= 250.0
    }

    pub fn end(&self) -> u32 {
        self.relieved() + REST
    }

    /// The line, before it begins to lose or as it is then. Handshakes are not what is judged.
    pub fn line(&self, loses: bool) -> LineModel {
        let way = |sides: Sides| {
            let lost =
                if loses && [Sides::Both, sides].contains(&self.sides) { self.loss } else { Loss::None };
            self.way(lost)
        };
        let line = LineModel { up: way(Sides::Up), down: way(Sides::Down) };
        let ms = |at: u32| Duration::from_millis(u64::from(at));
        if self.blackout_s > 0 { line.black(ms(MIDDLE), ms(self.relieved())) } else { line }
    }

    fn way(&self, loss: Loss) -> WayModel {
        let ms = |value: u32| Duration::from_millis(u64::from(value));
        let share = |percent: u32| f64::from(percent) / 100.0;
        let capacity = match self.limit {
            Limit::Free => Capacity::Unlimited,
            Limit::Rate(kbit) => Capacity::Rate(f64::from(kbit) * 1000.0),
            Limit::Lte(seed) => Capacity::Trace(Trace::lte(seed)),
            Limit::Starlink(seed) => Capacity::Trace(Trace::starlink(seed)),
        };
        let (loss, bursts) = match loss {
            Loss::None => (0.0, None),
            Loss::Random(percent) => (share(percent), None),
            Loss::Bursts(percent) => (0.0, Some(Bursts::of(share(percent)))),
        };
        WayModel {
            capacity,
            queue: ms(self.queue_ms),
            delay: ms(self.rtt_ms) / 2,
            jitter: ms(self.jitter_ms),
            loss,
            bursts,
            ..WayModel::default()
        }
    }

    /// kbit/s the line carries on average; a lot where nothing limits it.
    pub fn kbit(&self) -> f64 {
        match self.limit {
            Limit::Free => 100_000.0,
            Limit::Rate(kbit) => f64::from(kbit),
            Limit::Lte(seed) => Trace::lte(seed).bits_per_second() / 1000.0,
            Limit::Starlink(seed) => Trace::starlink(seed).bits_per_second() / 1000.0,
        }
    }

    /// As the sheet names it.
    pub fn name(&self) -> String {
        let mut parts = vec![match self.limit {
            Limit::Free => "no limit".to_owned(),
            Limit::Rate(kbit) if kbit >= 1000 => format!("{} Mbit/s", f64::from(kbit) / 1000.0),
            Limit::Rate(kbit) => format!("{kbit} kbit/s"),
            Limit::Lte(seed) => format!("LTE {seed}"),
            Limit::Starlink(seed) => format!("Starlink {seed}"),
        }];
        let sides = match self.sides {
            Sides::Both => "",
            Sides::Up => " up",
            Sides::Down => " down",
        };
        match self.loss {
            Loss::None => {}
            Loss::Random(percent) => parts.push(format!("{percent} % random{sides}")),
            Loss::Bursts(percent) => parts.push(format!("{percent} % bursty{sides}")),
        }
        parts.push(format!("RTT {}", self.rtt_ms));
        parts.extend((self.jitter_ms > 0).then(|| format!("jitter {}", self.jitter_ms)));
        parts.extend((self.blackout_s > 0).then(|| format!("dead for {} s", self.blackout_s)));
        parts.extend(self.loss_ends.then(|| "loss ends".to_owned()));
        parts.extend((self.sites != 4).then(|| format!("{} sites", self.sites)));
        parts.extend(self.content.then(|| "content".to_owned()));
        parts.extend(self.known.then(|| "known".to_owned()));
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_a_line_that_loses_on_its_side() {
        let cell =
            Cell { limit: Limit::Rate(512), loss: Loss::Random(30), sides: Sides::Down, ..Cell::default() };
        let LineModel { up, down } = cell.line(true);
        assert_eq!((up.loss, down.loss, cell.line(false).down.loss), (0.0, 0.3, 0.0));
        assert_eq!((down.capacity, down.delay.as_millis()), (Capacity::Rate(512_000.0), 20));
        assert_eq!(cell.name(), "512 kbit/s, 30 % random down, RTT 40");
    }

    #[test]
    fn a_blackout_is_in_the_middle_and_makes_the_meeting_longer() {
        let cell = Cell { blackout_s: 20, ..Cell::default() };
        let seconds = |at: u64| Duration::from_secs(at);
        assert_eq!(cell.line(true).down.blackouts, [seconds(18)..seconds(38)].to_vec());
        assert_eq!((cell.relieved(), cell.end(), Cell::default().end()), (38_000, 50_000, 30_000));
    }
}
