//! Whether a receiver hears each voice by itself or one mix of all of them. Pure.
//!
//! A mix costs a line a fifth of what three voices do, and sounds a little later and a little worse: it is for lines that
//! do not carry the voices, and for who asks for it.

use super::allocate::{CONTROL_BPS, USED, percent, reserve};
use super::share::Share;
use crate::forward::red::{PACKET, Protection};
use crate::mix::MixFormat;
use std::time::{Duration, Instant};

/// Of mixes, by what their poorest line carries: the widest line that each is for. Below, headers cost more than speech.
const FORMATS: [(u64, MixFormat); 2] =
    [(80_000, MixFormat { bps: 12_000, is_long: true }), (100_000, MixFormat { bps: 16_000, is_long: true })];
/// On a wider one; and on one that loses so much that each packet carries copies of two others or more.
const BEST: MixFormat = MixFormat { bps: 24_000, is_long: false };
const LOSSY: MixFormat = MixFormat { bps: 16_000, is_long: false };
const MANY_COPIES: u64 = 2;
/// Bits of the headers of a packet: RTP with extensions, SRTP, UDP and IP.
const HEADER_BITS: u64 = 600;
/// Voices come by themselves again after so long at least, on a line that carries so much more than they need, in
/// hundredths, were it two.
const HOLD: Duration = Duration::from_secs(10);
const ROOM: u64 = 150;
const AT_LEAST_VOICES: usize = 2;

/// How a receiver's voices come to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hearing {
    /// Because its line carries no more; not because it asks.
    pub is_mixed: bool,
    /// What its line carries is more than a guess.
    pub may_mix: bool,
    /// Mixed for long enough to part again.
    pub may_part: bool,
    /// It asks for a mix, whatever its line.
    pub asks: bool,
}

/// Which mix a receiver hears, and since when because its line carries no more.
#[derive(Debug, Default)]
pub struct Mixing {
    format: Option<MixFormat>,
    forced_since: Option<Instant>,
}

impl Mixing {
    /// `forced`: it has not asked for it.
    pub fn set(&mut self, now: Instant, format: Option<MixFormat>, forced: bool) {
        let since = self.forced_since.unwrap_or(now);
        (self.format, self.forced_since) = (format, forced.then_some(since));
    }

    pub fn is_forced(&self) -> bool {
        self.forced_since.is_some()
    }

    pub fn may_part(&self, now: Instant) -> bool {
        self.forced_since.is_some_and(|since| now.saturating_duration_since(since) >= HOLD)
    }

    /// How long a packet lasts of what is heard.
    pub fn packet(&self) -> Duration {
        self.format.map_or(PACKET, MixFormat::packet)
    }
}

impl Hearing {
    /// Whether a receiver of so many voices is to hear a mix, on a line that is believed to carry so much and needs such
    /// protection.
    pub fn mixes(self, voices: usize, line_bps: Option<u64>, protection: Protection) -> bool {
        let Some(line_bps) = line_bps.filter(|_| !self.asks) else {
            return self.asks;
        };
        if voices == 0 {
            return self.is_mixed;
        }
        let there = (line_bps as f64 * USED) as u64;
        if self.is_mixed {
            return !self.may_part || there < parts_at(voices, protection);
        }
        self.may_mix && there < needs(voices, protection)
    }
}

/// What voices take of a line by themselves.
fn needs(voices: usize, protection: Protection) -> u64 {
    reserve(voices).saturating_add(protection.wanted_bps(voices))
}

/// A line of which so much is used.
fn line_for(used_bps: u64) -> u64 {
    (used_bps as f64 / USED) as u64
}

/// What of a line has to be usable for a mix to end.
fn parts_at(voices: usize, protection: Protection) -> u64 {
    percent(needs(voices.max(AT_LEAST_VOICES), protection), ROOM)
}

/// What speech is to one receiver: of its line, and whether it is a mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speech {
    /// The mix it hears.
    pub mix: Option<MixFormat>,
    /// What speech and control take of the line, and with their protection.
    pub bps: u64,
    pub reserved_bps: u64,
    /// The least line that carries the voices by themselves; 0 for a mix.
    pub least_bps: u64,
    /// As much of the line as it could make use of.
    pub useful_bps: u64,
    /// It is a mix, and would be none on a wider line.
    pub is_short: bool,
}

impl Speech {
    /// Of so many voices, on a line that is believed to carry so much.
    pub fn of(voices: usize, hearing: Hearing, line_bps: Option<u64>, protection: Protection) -> Speech {
        // Also where nothing else is wished for, a line is to be known that holds the voices.
        let useful_bps = line_for(parts_at(voices, protection));
        if !hearing.mixes(voices, line_bps, protection) {
            let bps = reserve(voices);
            let reserved_bps = bps.saturating_add(protection.bps(voices));
            let least_bps = if voices == 0 { 0 } else { line_for(needs(voices, protection)) };
            return Speech { mix: None, bps, reserved_bps, least_bps, useful_bps, is_short: false };
        }
        let format = format_for(line_bps, protection);
        let bps = reserve_mixed(format);
        let reserved_bps = bps.saturating_add(protection.of_mix_bps(format.bps));
        Speech { mix: Some(format), bps, reserved_bps, least_bps: 0, useful_bps, is_short: !hearing.asks }
    }

    /// The share of a line that has this speech on it beside its pictures.
    pub fn beside(self, pictures: Share) -> Share {
        let more_bps = self.useful_bps.saturating_sub(self.reserved_bps);
        // Pictures have the line looked at anyway, where there are any.
        let beside_bps = if self.is_short { pictures.wanted_bps } else { 0 };
        let wanted_bps = pictures.wanted_bps.max(beside_bps.saturating_add(more_bps));
        Share {
            speech_bps: self.bps,
            reserved_bps: self.reserved_bps,
            mixes_below_bps: self.least_bps,
            wanted_bps,
            is_short: pictures.is_short || self.is_short,
            ..pictures
        }
    }
}

/// A mix for a line that is believed to carry so much.
fn format_for(line_bps: Option<u64>, protection: Protection) -> MixFormat {
    let narrow = FORMATS.iter().find(|(widest, _)| line_bps.is_some_and(|bps| bps < *widest));
    let wide = if protection.copies >= MANY_COPIES { LOSSY } else { BEST };
    narrow.map_or(wide, |(_, format)| *format)
}

/// What a mix and control take of a line.
fn reserve_mixed(format: MixFormat) -> u64 {
    let packets = 1000_u64.checked_div(format.packet().as_millis() as u64).unwrap_or_default();
    u64::from(format.bps).saturating_add(packets.saturating_mul(HEADER_BITS)).saturating_add(CONTROL_BPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTED: Hearing = Hearing { is_mixed: false, may_mix: true, may_part: false, asks: false };
    const NEWLY_MIXED: Hearing = Hearing { is_mixed: true, ..PARTED };
    const LONG_MIXED: Hearing = Hearing { may_part: true, ..NEWLY_MIXED };

    fn mixes(hearing: Hearing, voices: usize, kbit: u64) -> bool {
        hearing.mixes(voices, Some(kbit * 1000), Protection::default())
    }

    #[test]
    fn a_line_that_does_not_carry_the_voices_gets_a_mix() {
        // Of one voice with control 60 kbit/s, of two 108, of three 156; nine tenths of a line are used.
        let narrowest =
            |voices| (1..1000).find(|kbit| !mixes(PARTED, voices, *kbit)).expect("some line is wide");
        assert_eq!([1, 2, 3].map(narrowest), [67, 120, 174]);
    }

    #[test]
    fn it_parts_on_a_wider_line_and_after_a_while() {
        assert!(!mixes(LONG_MIXED, 2, 180), "108 kbit/s and half as much are there");
        assert!(mixes(NEWLY_MIXED, 2, 10_000), "not at once");
        assert!(mixes(LONG_MIXED, 1, 150), "a second voice may come");
        assert!(
            [NEWLY_MIXED, LONG_MIXED].iter().all(|hearing| mixes(*hearing, 0, 64)),
            "silence changes nothing"
        );
        assert!(!mixes(PARTED, 0, 10));
        assert!(!mixes(Hearing { may_mix: false, ..PARTED }, 3, 100), "that is only assumed of it");
    }

    #[test]
    fn the_protection_of_voices_counts() {
        let loses = Protection { copies: 2, most_bps: 0 };
        assert!(PARTED.mixes(2, Some(200_000), loses) && !PARTED.mixes(2, Some(300_000), loses));
    }

    #[test]
    fn who_asks_gets_one_and_an_unknown_line_none() {
        assert!(Hearing { asks: true, ..PARTED }.mixes(0, None, Protection::default()));
        assert!(!PARTED.mixes(5, None, Protection::default()));
    }

    #[test]
    fn time_is_counted_from_the_first_mix_that_the_line_forced() {
        let now = Instant::now();
        let mut mixing = Mixing::default();
        mixing.set(now, Some(BEST), false);
        assert!(!mixing.is_forced() && !mixing.may_part(now + HOLD), "it was asked for");
        mixing.set(now, Some(BEST), true);
        mixing.set(now + HOLD / 2, Some(FORMATS[0].1), true);
        assert_eq!(mixing.packet(), Duration::from_millis(40));
        assert!(mixing.is_forced() && !mixing.may_part(now + HOLD / 2) && mixing.may_part(now + HOLD));
        mixing.set(now + HOLD, None, false);
        assert!(!mixing.is_forced() && !mixing.may_part(now + HOLD) && mixing.packet() == PACKET);
    }

    #[test]
    fn a_line_is_looked_for_that_holds_the_voices_whatever_it_carries_now() {
        let useful = |hearing| Speech::of(2, hearing, Some(300_000), Protection::default()).useful_bps;
        assert_eq!((useful(PARTED), useful(LONG_MIXED)), (180_000, 180_000));
        assert_eq!(useful(Hearing { asks: true, ..PARTED }), 180_000);
    }

    #[test]
    fn a_poorer_line_gets_a_cheaper_mix() {
        let costs = |kbit: Option<u64>, copies| {
            let format = format_for(kbit.map(|kbit| kbit * 1000), Protection { copies, most_bps: 0 });
            (format.bps, format.is_long, reserve_mixed(format))
        };
        assert_eq!(costs(Some(30), 3), (12_000, true, 39_000));
        assert_eq!(costs(Some(64), 0), (12_000, true, 39_000), "a page can be read beside it");
        assert_eq!(costs(Some(96), 0), (16_000, true, 43_000));
        assert_eq!(costs(Some(128), 1), (24_000, false, 66_000));
        assert_eq!(costs(Some(300), 2), (16_000, false, 58_000), "it carries copies");
        assert_eq!(costs(None, 0), (24_000, false, 66_000));
    }
}
