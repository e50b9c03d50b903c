//! What a site can play of each voice: packets, and copies of them in later ones (RFC 2198).

use super::client::Client;
use super::frame::{Stamp, read_mix};
use super::outgoing::{OPUS, RED, SiteClock};
use bytes::Bytes;
use rtc::rtp::Packet;
use rtp::codec::red;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// By whom and when it was spoken (in milliseconds of the meeting), and when it came first.
#[derive(Debug, Clone, Default)]
pub struct Heard {
    first: BTreeMap<(u8, u32), Instant>,
    /// Packets that carried copies, and the bytes of these.
    pub redundant_packets: u64,
    pub redundant_bytes: u64,
    /// Packets and copies of mixes.
    pub mixed_packets: u64,
    /// Packets that came after newer ones of their slot, or twice.
    pub overtaken: u64,
}

impl Heard {
    /// Takes in a packet of a voice. One with copies becomes what it would be without.
    pub fn take(&mut self, now: Instant, packet: &mut Packet) -> Result<(), String> {
        if packet.header.payload_type == OPUS {
            self.note(now, &packet.payload);
            return Ok(());
        }
        let payload = packet.payload.clone();
        let blocks: Vec<_> = red::blocks(&payload).map_err(|_| "RED that does not parse")?.collect();
        let (primary, copies) = blocks.split_last().ok_or("RED without a primary block")?;
        for copy in copies {
            check_copy(copy, primary.data)?;
            self.note(now, copy.data);
        }
        self.note(now, primary.data);
        self.redundant_packets += 1;
        self.redundant_bytes += (payload.len() - primary.data.len()) as u64;
        packet.payload = Bytes::copy_from_slice(primary.data);
        packet.header.payload_type = OPUS;
        Ok(())
    }

    fn note(&mut self, now: Instant, payload: &[u8]) {
        let voice = Stamp::read(payload).map(|stamp| (stamp.site, stamp.captured_ms));
        let mixed = read_mix(payload).unwrap_or_default();
        self.mixed_packets += u64::from(voice.is_none());
        for heard in voice.into_iter().chain(mixed) {
            self.first.entry(heard).or_insert(now);
        }
    }

    /// When the newest of a site's speech came first.
    pub fn last_of(&self, site: u8) -> Option<Instant> {
        self.first.range((site, 0)..=(site, u32::MAX)).next_back().map(|(_, came)| *came)
    }

    /// What came of a site: when it was spoken, in milliseconds of the meeting, and when it came first.
    pub fn of(&self, site: u8) -> impl Iterator<Item = (u32, Instant)> {
        self.first.range((site, 0)..=(site, u32::MAX)).map(|((_, captured_ms), came)| (*captured_ms, *came))
    }

    /// Of what was spoken every 20 ms in a time, the share that came within `patience`.
    fn share(
        &self,
        clock: SiteClock,
        site: u8,
        (from, until): (Instant, Instant),
        patience: Duration,
    ) -> f64 {
        let spoken = (until - from).as_millis() / 20;
        let times = (site, clock.ms(from))..(site, clock.ms(until));
        let in_time = self.first.range(times).filter(|((_, captured_ms), came)| {
            let spoken_at = clock.epoch + Duration::from_millis(u64::from(*captured_ms));
            **came - spoken_at <= patience
        });
        in_time.count() as f64 / spoken as f64
    }
}

/// A copy is of the same voice or mix as its packet, and so much older as it says.
fn check_copy(copy: &red::Block<'_>, primary: &[u8]) -> Result<(), String> {
    if let (Some(of), Some(own)) = (read_mix(copy.data), read_mix(primary)) {
        let newest =
            |marks: &[(u8, u32)], site| marks.iter().filter(|(of, _)| *of == site).map(|(_, ms)| *ms).max();
        let is_older =
            |(site, _): &(u8, u32)| newest(&own, *site).is_none_or(|own| newest(&of, *site) < Some(own));
        return if of.iter().all(is_older) { Ok(()) } else { Err(format!("a copy of {of:?} with {own:?}")) };
    }
    let own = Stamp::read(primary).ok_or("no voice")?;
    let stamp = Stamp::read(copy.data).ok_or("a copy of no voice")?;
    let earlier = own.captured_ms.wrapping_sub(stamp.captured_ms) * 48;
    if stamp.site != own.site || earlier != copy.offset || earlier == 0 {
        return Err(format!("a copy of {stamp:?}, {} ticks before {own:?}", copy.offset));
    }
    Ok(())
}

impl Client {
    /// The share of what a site spoke in a time that could be played so long after it was spoken.
    pub fn heard_share(&self, of: u8, time: (Instant, Instant), patience: Duration) -> f64 {
        self.heard.share(self.clock, of, time, patience)
    }
}

/// Whether a payload type is a voice's.
pub(super) fn is_voice(payload_type: u8) -> bool {
    [OPUS, RED].contains(&payload_type)
}

impl Client {
    /// Its voice goes out with a copy of the packet before from now on, as Chromium's does in RED.
    pub fn send_red(&mut self) {
        if let Some(voice) = &mut self.voice {
            voice.payload_type = RED;
        }
    }
}

/// Every third site, like Firefox, has no RED.
pub(super) fn offers_red(site: u8) -> bool {
    !site.is_multiple_of(3)
}

/// And every third sends it.
pub(super) fn sends_red(site: u8) -> bool {
    site % 3 == 2
}
