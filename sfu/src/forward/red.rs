//! How much redundancy a receiver's voices get (RFC 2198): as many copies of earlier packets as its line loses, as far
//! back as it loses at a time, and no more bytes than the line has room for.

use arrayvec::ArrayVec;
use std::time::{Duration, Instant};

/// Copies of a packet: 30 % loss leaves 27 of 1,000 with two and 8 with three, and each costs as much as the voice.
pub const MAX_COPIES: usize = 3;
/// A copy comes so many packets after its packet at most: 100 ms, of a mix in long packets 200, which the receiver's jitter
/// buffer has to wait.
pub const MAX_DISTANCE: usize = 5;
/// So much of the speech may be missing: what concealment hides.
const MAY_MISS: f64 = 0.01;
/// Fewer copies only when even this much more loss would need no more of them, and has not for so long: the measured
/// share moves by a third, and a line that has lost for seconds will do so again.
const SLACK: f64 = 1.5;
const HOLD: Duration = Duration::from_secs(5);
/// What browsers put into a packet of Opus.
pub const PACKET: Duration = Duration::from_millis(20);

/// Redundancy may take a third of what the line carries, or three copies of two voices at 32 kbit/s: where little is sent
/// and much of it lost, the estimate, which follows what arrives, is far too low.
const SHARE: f64 = 1.0 / 3.0;
const TWO_VOICES_BPS: f64 = 208_000.0;
/// It begins with two copies of one voice and grows while no queue stands on the line. While one does, packets may be lost
/// because too much is sent: it takes no more than what speech leaves, which is then the pictures' loss. What is more is
/// halved in a second, and for some time it grows slowly.
const FIRST_BPS: f64 = 64_000.0;
const GROWTH_BPS_PER_S: f64 = 16_000.0;
/// The more is lost though no queue stands, the less it is because of what is sent: times the share of losses.
const CAREFUL_BPS_PER_S: f64 = 20_000.0;
const CAREFUL_FOR: Duration = Duration::from_secs(30);
const LEFT_PER_S: f64 = 0.5;
/// One copy of each packet of a voice, with its header.
const COPY_BPS: u64 = 34_000;
/// Of the header of a copy, 50 times a second.
const BLOCK_BPS: u64 = 1_600;
/// What is not used adds up for so long.
const MEMORY: Duration = Duration::from_millis(250);

/// What is known of a receiver's line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Losing {
    /// Of packets, 0 to 1.
    pub share: f64,
    /// From the first to the last packet of a run of losses, on average.
    pub burst: Duration,
    /// What the line is believed to carry, what of that speech itself leaves, and whether a queue stands on it.
    pub bps: f64,
    pub room_bps: f64,
    pub congested: bool,
    /// How long a packet of what it hears lasts.
    pub packet: Duration,
}

/// What the redundancy of a receiver's voices takes of its line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Protection {
    pub copies: u64,
    pub most_bps: u64,
}

impl Protection {
    /// Of so many voices.
    pub fn bps(self, voices: usize) -> u64 {
        self.wanted_bps(voices).min(self.most_bps)
    }

    /// What they would take on a line that has room for it.
    pub fn wanted_bps(self, voices: usize) -> u64 {
        (voices as u64).saturating_mul(self.copies).saturating_mul(COPY_BPS)
    }

    /// Of one mix at so many bits per second.
    pub fn of_mix_bps(self, rate_bps: u32) -> u64 {
        self.copies.saturating_mul(u64::from(rate_bps).saturating_add(BLOCK_BPS)).min(self.most_bps)
    }
}

/// How many packets back the copies are that a packet carries, the farthest first: in a burst it helps most, and what
/// the budget does not hold are the others. Without any a packet is sent as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedPlan {
    pub distances: ArrayVec<u8, MAX_COPIES>,
}

impl RedPlan {
    /// So many copies, evenly over a burst: the farthest comes when it is over, the others for the shorter ones.
    fn of(copies: usize, burst: Duration, packet: Duration) -> RedPlan {
        let lost = (burst.as_secs_f64() / packet.as_secs_f64() + 1.0).round() as usize;
        let reach = lost.clamp(copies, MAX_DISTANCE.max(copies));
        let distance = |copy: usize| copy.saturating_mul(reach).div_ceil(copies.max(1)) as u8;
        RedPlan { distances: (1..=copies.min(MAX_COPIES)).rev().map(distance).collect() }
    }
}

/// The redundancy of one receiver's voices.
#[derive(Debug, Default)]
pub struct Redundancy {
    plan: RedPlan,
    /// Since when fewer copies would do.
    fewer_since: Option<Instant>,
    /// What it may take, and since when.
    bps: f64,
    followed: Option<Instant>,
    congested: Option<Instant>,
    /// Bytes that may be sent now, and when that was so.
    budget: f64,
    filled: Option<Instant>,
}

impl Redundancy {
    /// More copies at once, fewer after a while.
    pub fn follow(&mut self, now: Instant, losing: Losing) {
        let before = self.plan.distances.len();
        let needed = copies_for(losing.share);
        let would_do = copies_for((losing.share * SLACK).min(1.0)).max(needed);
        if would_do >= before {
            self.fewer_since = None;
        }
        let copies = if needed >= before { needed } else { self.lower(now, before, would_do.min(before)) };
        self.plan = RedPlan::of(copies, losing.burst, losing.packet);
        self.divide(now, losing);
    }

    /// What it may take of the line.
    fn divide(&mut self, now: Instant, losing: Losing) {
        let Some(followed) = self.followed.replace(now) else {
            self.bps = FIRST_BPS.min(losing.room_bps);
            return;
        };
        let passed = now.saturating_duration_since(followed).as_secs_f64();
        if losing.congested {
            self.congested = Some(now);
        }
        // Where not even half a copy fits, none is tried.
        let beside = if losing.room_bps < COPY_BPS as f64 / 2.0 { 0.0 } else { losing.room_bps };
        let most = if losing.congested { beside } else { (losing.bps * SHARE).max(TWO_VOICES_BPS) };
        let is_careful = |at| now.saturating_duration_since(at) < CAREFUL_FOR;
        let fits = losing.room_bps >= self.bps.max(FIRST_BPS);
        let careful = self.congested.is_some_and(is_careful) && !fits;
        let growth = if careful { CAREFUL_BPS_PER_S * losing.share } else { GROWTH_BPS_PER_S };
        self.bps = if self.bps > most {
            most.max(self.bps * LEFT_PER_S.powf(passed))
        } else {
            (self.bps + growth * passed).min(most)
        };
    }

    fn lower(&mut self, now: Instant, before: usize, would_do: usize) -> usize {
        if would_do >= before {
            return before;
        }
        let since = *self.fewer_since.get_or_insert(now);
        if now.saturating_duration_since(since) < HOLD {
            return before;
        }
        self.fewer_since = None;
        would_do
    }

    /// What it takes of the line.
    pub fn protection(&self) -> Protection {
        Protection { copies: self.plan.distances.len() as u64, most_bps: self.bps as u64 }
    }

    pub fn plan(&self) -> &RedPlan {
        &self.plan
    }

    #[inline]
    pub fn is_off(&self) -> bool {
        self.plan.distances.is_empty()
    }

    /// It is the receiver's turn: the budget has grown by the time that passed.
    pub fn begin_turn(&mut self, now: Instant) {
        let passed = self.filled.replace(now).map_or(MEMORY, |before| now.saturating_duration_since(before));
        let bytes = |time: Duration| self.bps / 8.0 * time.as_secs_f64();
        self.budget = (self.budget + bytes(passed)).min(bytes(MEMORY));
    }

    /// Bytes that may be sent now.
    pub fn budget(&self) -> usize {
        self.budget.max(0.0) as usize
    }

    pub fn spend(&mut self, bytes: usize) {
        self.budget -= bytes as f64;
    }
}

/// The fewest copies after which no more than `MAY_MISS` is missing, where each is lost like its packet.
fn copies_for(share: f64) -> usize {
    (0..MAX_COPIES).find(|copies| share.powf(*copies as f64 + 1.0) <= MAY_MISS).unwrap_or(MAX_COPIES)
}

#[cfg(test)]
#[path = "red_tests.rs"]
mod tests;
