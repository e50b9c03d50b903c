//! What one client receives in one slot: a jitter buffer that asks again, and a decoder that complains.

use super::codec::Descriptor;
use super::decoder::Decoder;
use super::frame::Stamp;
use super::outgoing::OPUS;
use rtc::rtp;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A gap waits this long for reordering, is asked for each `ASK_EVERY`, and given up after `PATIENCE`.
const GRACE: Duration = Duration::from_millis(12);
const ASK_EVERY: Duration = Duration::from_millis(80);
const PATIENCE: Duration = Duration::from_millis(1200);
const PLI_EVERY: Duration = Duration::from_millis(600);
/// Packets remembered to find a number that names two.
const REMEMBERED: u64 = 1024;
/// A replayed key frame brings half a second at once (`REPLAY_MAX_AGE`); more is a leap.
const MAX_LEAP_S: f64 = 1.0;
/// A key frame is too old to begin with after 0.8 s by the clock of its source (`KEY_MAX_AGE`); a line and what was
/// lost of it may take as much again.
const OLD_KEY_S: f64 = 1.6;

/// When a packet came, and when it left the bridge; the latter in seconds of the meeting, too.
#[derive(Debug, Clone, Copy)]
pub struct Came {
    pub now: Instant,
    pub sent_at: Instant,
    pub at_s: f64,
}

/// A slot's time went further than the time that passed.
#[derive(Debug, Clone, Copy)]
pub struct Leap {
    pub ahead: f64,
    pub elapsed: f64,
    /// How long after its capture the packet before it left the bridge.
    pub late: f64,
    /// The site that the packet is of.
    pub of: Option<u8>,
}

/// What has come in one slot.
#[derive(Debug, Clone, Default)]
pub struct SlotView {
    pub packets: u64,
    /// What the last packet was of: site and layer.
    pub last: Option<(u8, u8)>,
    pub last_at: Option<Instant>,
    pub pictures: u64,
    /// Numbers that were never filled.
    pub given_up: u64,
    /// How long after its capture a packet is by the slot's sender reports, in seconds.
    pub lag: Option<(u8, f64)>,
    /// Sender reports that came.
    pub reports: u64,
    /// Timestamp of the newest frame, less its capture time in ticks of 90 kHz.
    pub line: Option<u32>,
    pub faults: Vec<String>,
    pub(super) leaps: Vec<Leap>,
    /// Key frames that were old when they left the bridge: of which site, and by how many seconds.
    pub(super) old_keys: Vec<(u8, f64)>,
    /// Frames that were shown since somebody looked.
    pub(super) shown: Vec<(Instant, Stamp)>,
    last_late: f64,
    newest: Option<u64>,
    /// Digests by number.
    known: BTreeMap<u64, u64>,
    /// Timestamp of the newest packet, and when it left the bridge.
    time: Option<(u32, Instant)>,
    /// Since when the slot shows the site it shows, and the last report since then: seconds and timestamp.
    since: Option<Instant>,
    report: Option<(f64, u32)>,
    buffer: Buffer,
    decoder: Decoder,
}

#[derive(Debug, Clone, Default)]
struct Buffer {
    next: Option<u64>,
    packets: BTreeMap<u64, (Instant, rtp::Packet)>,
    missing: BTreeMap<u64, (Instant, Instant)>,
    pli_at: Option<Instant>,
}

/// What a receiver sends back for a slot.
#[derive(Debug, Default)]
pub struct Asks {
    pub nacks: Vec<u16>,
    pub pli: bool,
}

impl SlotView {
    /// Takes in a packet with its own number (RTX unwrapped). True when it is the newest.
    pub fn see(&mut self, came: Came, packet: &rtp::Packet) -> bool {
        let (now, is_video) = (came.now, packet.header.payload_type != OPUS);
        self.packets += 1;
        if packet.payload.is_empty() {
            self.faults.push(format!("padding at {}", packet.header.sequence_number));
        }
        let newest =
            *self.newest.get_or_insert_with(|| 65_536 + u64::from(packet.header.sequence_number) - 1);
        let distance = packet.header.sequence_number.wrapping_sub(newest as u16) as i16;
        let number = newest.saturating_add_signed(i64::from(distance));
        let digest = packet.payload.iter().fold(7u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte));
        if let Some(before) = self.known.insert(number, digest) {
            if before != digest {
                self.faults.push(format!("number {number} names two packets"));
            }
            return false;
        }
        self.known = self.known.split_off(&newest.saturating_sub(REMEMBERED));
        let is_newest = number > newest;
        if is_newest {
            self.newest = Some(number);
            self.follow_time(came, packet);
            self.look_at_key(came, packet);
            if let Some(stamp) = Stamp::read(&packet.payload) {
                self.follow_source(now, stamp);
                self.measure_lag(packet, stamp, if is_video { 90_000.0 } else { 48_000.0 });
            }
        }
        if is_video {
            self.buffer.insert(now, number, packet.clone());
            self.decode(now);
        }
        is_newest
    }

    /// The newest number that came.
    pub(super) fn newest_number(&self) -> u16 {
        self.newest.unwrap_or_default() as u16
    }

    fn follow_source(&mut self, now: Instant, stamp: Stamp) {
        if self.last.is_none_or(|(site, _)| site != stamp.site) {
            (self.since, self.report, self.lag) = (Some(now), None, None);
        }
        (self.last, self.last_at) = (Some((stamp.site, stamp.layer)), Some(now));
    }

    fn follow_time(&mut self, came: Came, packet: &rtp::Packet) {
        let timestamp = packet.header.timestamp;
        let rate = if packet.header.payload_type != OPUS { 90_000.0 } else { 48_000.0 };
        let stamp = Stamp::read(&packet.payload);
        if let Some((before, at)) = self.time {
            let ahead = f64::from(timestamp.wrapping_sub(before) as i32) / rate;
            let elapsed = (came.sent_at - at).as_secs_f64();
            let (late, of) = (self.last_late, stamp.map(|stamp| stamp.site));
            if ahead < 0.0 || ahead > elapsed + MAX_LEAP_S {
                self.leaps.push(Leap { ahead, elapsed, late, of });
            }
        }
        self.time = Some((timestamp, came.sent_at));
        if let Some(stamp) = stamp {
            self.last_late = came.at_s - f64::from(stamp.captured_ms) / 1000.0;
        }
    }

    /// The newest key frame is what the slot shows next, which must not be old.
    fn look_at_key(&mut self, came: Came, packet: &rtp::Packet) {
        let begins = Descriptor::read(packet).filter(|descriptor| descriptor.key);
        if let Some(stamp) = begins.and_then(|_| Stamp::read(&packet.payload)) {
            let late = came.at_s - f64::from(stamp.captured_ms) / 1000.0;
            if late > OLD_KEY_S {
                self.old_keys.push((stamp.site, late));
            }
        }
    }

    /// A sender report of this slot: NTP seconds of the server, and a timestamp.
    pub fn on_report(&mut self, seconds: f64, timestamp: u32) {
        self.reports += 1;
        self.report = Some((seconds, timestamp));
    }

    fn measure_lag(&mut self, packet: &rtp::Packet, stamp: Stamp, rate: f64) {
        self.line = Some(packet.header.timestamp.wrapping_sub(stamp.captured_ms.wrapping_mul(90)));
        if let Some((seconds, timestamp)) = self.report {
            let since = f64::from(packet.header.timestamp.wrapping_sub(timestamp) as i32) / rate;
            self.lag = Some((stamp.site, seconds + since - f64::from(stamp.captured_ms) / 1000.0));
        }
    }

    fn decode(&mut self, now: Instant) {
        while let Some(packet) = self.buffer.pop(now, &mut self.decoder.broken, &mut self.given_up) {
            if let Err(fault) = self.decoder.take(&packet) {
                let number = packet.header.sequence_number;
                self.faults.push(format!("{fault} at {number}: {:?}", Stamp::read(&packet.payload)));
            }
            if packet.header.marker && !self.decoder.broken {
                self.pictures += 1;
                self.shown.extend(Stamp::read(&packet.payload).map(|stamp| (now, stamp)));
            }
        }
    }

    /// What to ask for now.
    pub fn asks(&mut self, now: Instant) -> Asks {
        self.decode(now);
        let mut asks = Asks::default();
        for (number, (_, ask_at)) in &mut self.buffer.missing {
            if *ask_at <= now {
                *ask_at = now + ASK_EVERY;
                asks.nacks.push(*number as u16);
            }
        }
        asks.pli = self.decoder.broken && self.buffer.pli_at.is_none_or(|at| at <= now);
        if asks.pli {
            self.buffer.pli_at = Some(now + PLI_EVERY);
        }
        asks
    }
}

impl Buffer {
    fn insert(&mut self, now: Instant, number: u64, packet: rtp::Packet) {
        let next = *self.next.get_or_insert(number);
        if number < next {
            return;
        }
        let end = self.packets.last_key_value().map_or(next, |(newest, _)| newest + 1);
        for missing in end..number {
            self.missing.insert(missing, (now, now + GRACE));
        }
        self.missing.remove(&number);
        self.packets.insert(number, (now, packet));
    }

    /// Where a key frame begins of which every packet is there: libwebrtc's buffer goes on with it, whatever is missing
    /// before.
    fn whole_key(&self) -> Option<u64> {
        let mut begun = None;
        for (number, (_, packet)) in &self.packets {
            let descriptor = Descriptor::read(packet)?;
            begun = match begun {
                _ if descriptor.start && descriptor.key => Some((*number, *number)),
                Some((first, last)) if last + 1 == *number && !descriptor.start => Some((first, *number)),
                _ => None,
            };
            if let Some((first, _)) = begun.filter(|_| packet.header.marker) {
                return Some(first);
            }
        }
        None
    }

    /// The next packet in order; over a hole only when it is given up, or a whole key frame lies behind it.
    fn pop(&mut self, now: Instant, broken: &mut bool, given_up: &mut u64) -> Option<rtp::Packet> {
        let next = self.next?;
        let (first, _) = self.packets.first_key_value()?;
        if *first != next {
            let since = self.missing.get(&next).map_or(now, |(since, _)| *since);
            let patient = now - since < PATIENCE && first - next < 500;
            let goes_on = if patient { self.whole_key()? } else { *first };
            *broken = true;
            *given_up += self.missing.range(..goes_on).count() as u64;
            self.next = Some(goes_on);
            self.missing = self.missing.split_off(&goes_on);
            self.packets = self.packets.split_off(&goes_on);
        }
        let (number, (_, packet)) = self.packets.pop_first()?;
        self.next = Some(number + 1);
        Some(packet)
    }
}
