//! Counting what arrives: per slot, and within a slot per site whose media it carried.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::level::Listener;
use super::vp8::Assembler;
use protocol::{SiteId, SlotSource};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Audio,
    Video,
}

impl Kind {
    fn clock_rate(self) -> f64 {
        match self {
            Self::Audio => 48_000.0,
            Self::Video => 90_000.0,
        }
    }
}

/// What matters of one RTP packet.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    pub at: Instant,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: &'a [u8],
}

/// Sums of one source in one slot.
#[derive(Debug, Clone)]
pub struct Count {
    pub kind: Kind,
    pub site: Option<SiteId>,
    pub packets: u64,
    pub bytes: u64,
    /// Video: distinct RTP timestamps. Audio: packets.
    pub frames: u64,
    /// RFC 3550 appendix A.8, in seconds.
    pub jitter_s: f64,
    pub first_at: Instant,
    pub last_at: Instant,
    first_sequence: i64,
    newest_sequence: i64,
    newest_timestamp: u32,
    transit_s: Option<f64>,
    /// Of earlier connections: their numbering ended with them.
    packets_before: u64,
    lost_before: u64,
}

impl Count {
    fn new(kind: Kind, site: Option<SiteId>, arrival: &Arrival) -> Self {
        Self {
            kind,
            site,
            packets: 0,
            bytes: 0,
            frames: 0,
            jitter_s: 0.0,
            first_at: arrival.at,
            last_at: arrival.at,
            first_sequence: i64::from(arrival.sequence),
            newest_sequence: i64::from(arrival.sequence),
            newest_timestamp: arrival.timestamp.wrapping_sub(1),
            transit_s: None,
            packets_before: 0,
            lost_before: 0,
        }
    }

    /// The same source over a new connection: sums go on, numbers restart.
    fn resume(&mut self, arrival: &Arrival) {
        *self = Self {
            packets: self.packets,
            bytes: self.bytes,
            frames: self.frames,
            jitter_s: self.jitter_s,
            first_at: self.first_at,
            packets_before: self.packets,
            lost_before: self.lost(),
            ..Self::new(self.kind, self.site, arrival)
        };
    }

    fn add(&mut self, arrival: &Arrival) {
        self.packets = self.packets.saturating_add(1);
        self.bytes = self.bytes.saturating_add(arrival.payload.len() as u64);
        self.last_at = arrival.at;
        let step = arrival.sequence.wrapping_sub(self.newest_sequence as u16) as i16;
        if step < 0 {
            // Late or repaired: it was counted as lost, now it is not; it is no measure of jitter.
            let sequence = self.newest_sequence.saturating_add(i64::from(step));
            self.first_sequence = self.first_sequence.min(sequence);
            self.frames = self.frames.saturating_add(u64::from(self.kind == Kind::Audio));
            return;
        }
        self.newest_sequence = self.newest_sequence.saturating_add(i64::from(step));
        let newer = arrival.timestamp.wrapping_sub(self.newest_timestamp) as i32 > 0;
        self.newest_timestamp = arrival.timestamp;
        if self.kind == Kind::Audio || newer && !arrival.payload.is_empty() {
            self.frames = self.frames.saturating_add(1);
        }
        self.measure_jitter(arrival);
    }

    /// Differences only, so the wrap of the timestamp is cut out by looking at small steps.
    fn measure_jitter(&mut self, arrival: &Arrival) {
        let sent_s = f64::from(arrival.timestamp) / self.kind.clock_rate();
        let transit = arrival.at.duration_since(self.first_at).as_secs_f64() - sent_s;
        let difference = self.transit_s.map_or(0.0, |before| (transit - before).abs());
        self.transit_s = Some(transit);
        if difference < 10.0 {
            self.jitter_s += (difference - self.jitter_s) / 16.0;
        }
    }

    pub fn lost(&self) -> u64 {
        let expected = self.newest_sequence.saturating_sub(self.first_sequence).saturating_add(1);
        let arrived = self.packets.saturating_sub(self.packets_before);
        let missing = u64::try_from(expected).unwrap_or(0).saturating_sub(arrived);
        self.lost_before.saturating_add(missing)
    }

    /// Average over the time in which packets came, a second at least: a few that came at once are no rate.
    pub fn bitrate_bps(&self) -> f64 {
        average_bps(self.bytes, self.last_at.duration_since(self.first_at))
    }
}

pub(crate) fn average_bps(bytes: u64, time: Duration) -> f64 {
    bytes as f64 * 8.0 / time.as_secs_f64().max(1.0)
}

/// One receive-only section of the offer.
#[derive(Default)]
struct Slot {
    source: Option<SlotSource>,
    counts: Vec<Count>,
    assembler: Assembler,
    newest_frame: Option<Vec<u8>>,
    listener: Option<Listener>,
    /// Nothing has come over the present connection yet.
    fresh: bool,
}

/// All receive-only sections, numbered as `slots` messages number them.
#[derive(Default)]
pub struct Received {
    slots: HashMap<(Kind, usize), Slot>,
    listen: bool,
    pub first_frame_at: Option<Instant>,
}

impl Received {
    /// With `listen`, audio is decoded for [`Received::listener`].
    pub fn new(listen: bool) -> Self {
        Self { listen, ..Self::default() }
    }

    /// A packet for a slot.
    pub fn packet(&mut self, kind: Kind, index: usize, arrival: &Arrival) {
        let slot = self.slots.entry((kind, index)).or_default();
        slot.count(kind, arrival);
        match kind {
            Kind::Video => {
                if let Some(frame) = slot.assembler.push(arrival.sequence, arrival.marker, arrival.payload) {
                    slot.newest_frame = Some(frame);
                    self.first_frame_at.get_or_insert(arrival.at);
                }
            }
            Kind::Audio if self.listen => {
                if slot.listener.is_none() {
                    slot.listener = Listener::new().ok();
                }
                if let Some(listener) = &mut slot.listener {
                    listener.decode(arrival.payload);
                }
            }
            Kind::Audio => {}
        }
    }

    /// What comes now comes over a new connection.
    pub fn begin_connection(&mut self) {
        for slot in self.slots.values_mut() {
            slot.fresh = true;
            slot.assembler = Assembler::default();
        }
    }

    /// A `slots` message.
    pub fn assign(&mut self, video: &[Option<SlotSource>], audio: &[Option<SlotSource>]) {
        for (kind, sources) in [(Kind::Video, video), (Kind::Audio, audio)] {
            for (index, source) in sources.iter().enumerate() {
                self.slots.entry((kind, index)).or_default().carry(*source);
            }
        }
    }

    /// Everything that was received so far, in the order of the slots.
    pub fn counts(&self) -> Vec<Count> {
        let mut slots: Vec<_> = self.slots.iter().collect();
        slots.sort_by_key(|(key, _)| **key);
        slots.into_iter().flat_map(|(_, slot)| slot.counts.iter().cloned()).collect()
    }

    /// Frames of video received in all slots together.
    pub fn video_frames(&self) -> u64 {
        self.slots
            .values()
            .flat_map(|slot| &slot.counts)
            .filter(|count| count.kind == Kind::Video)
            .map(|count| count.frames)
            .sum()
    }

    pub fn source(&self, kind: Kind, index: usize) -> Option<SlotSource> {
        self.slots.get(&(kind, index)).and_then(|slot| slot.source)
    }

    /// The newest whole frame of a video slot.
    pub fn frame(&self, index: usize) -> Option<&[u8]> {
        self.slots.get(&(Kind::Video, index))?.newest_frame.as_deref()
    }

    /// What an audio slot sounds like; only with `listen`.
    pub fn listener(&self, index: usize) -> Option<&Listener> {
        self.slots.get(&(Kind::Audio, index))?.listener.as_ref()
    }
}

impl Slot {
    fn count(&mut self, kind: Kind, arrival: &Arrival) {
        let site = self.source.map(|source| source.site);
        let fits = self.counts.last().is_some_and(|count| count.site == site);
        if !fits {
            self.counts.push(Count::new(kind, site, arrival));
        }
        let resumes = std::mem::take(&mut self.fresh) && fits;
        if let Some(count) = self.counts.last_mut() {
            if resumes {
                count.resume(arrival);
            }
            count.add(arrival);
        }
    }

    /// Media may overtake the message that names it: what came before the first name was its.
    fn carry(&mut self, source: Option<SlotSource>) {
        self.source = source;
        let Some(source) = source else { return };
        if let Some(count) = self.counts.last_mut()
            && count.site.is_none()
        {
            count.site = Some(source.site);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::SourceKind;

    fn arrival(start: Instant, ms: u64, sequence: u16, timestamp: u32) -> Arrival<'static> {
        Arrival {
            at: start + Duration::from_millis(ms),
            sequence,
            timestamp,
            marker: true,
            payload: &[0x90, 0x80, 1, 2],
        }
    }

    fn camera(site: u32) -> Option<SlotSource> {
        Some(SlotSource { site: SiteId(site), kind: SourceKind::Camera })
    }

    #[test]
    fn a_few_packets_at_once_are_no_rate() {
        let start = Instant::now();
        let mut received = Received::new(false);
        for sequence in 0..5 {
            received.packet(Kind::Video, 0, &arrival(start, 0, sequence, 0));
        }
        let count = &received.counts()[0];
        assert_eq!(count.bitrate_bps(), count.bytes as f64 * 8.0, "in the second in which they came");
    }

    #[test]
    fn losses_are_gaps_across_the_wrap_and_repairs_take_them_back() {
        let start = Instant::now();
        let mut received = Received::new(false);
        for (ms, sequence) in [(0, 65_534u16), (20, 65_535), (60, 1), (70, 2)] {
            received.packet(Kind::Video, 0, &arrival(start, ms, sequence, ms as u32 * 90));
        }
        assert_eq!(received.counts()[0].lost(), 1);
        received.packet(Kind::Video, 0, &arrival(start, 80, 0, 3600));
        let count = &received.counts()[0];
        assert_eq!((count.lost(), count.packets, count.frames), (0, 5, 4));
    }

    #[test]
    fn a_new_connection_goes_on_counting_with_new_numbers() {
        let start = Instant::now();
        let mut received = Received::new(false);
        for (ms, sequence) in [(0, 40_000u16), (20, 40_002)] {
            received.packet(Kind::Video, 0, &arrival(start, ms, sequence, ms as u32 * 90));
        }
        received.begin_connection();
        for (ms, sequence) in [(9_000, 100u16), (9_020, 101)] {
            received.packet(Kind::Video, 0, &arrival(start, ms, sequence, 5 + ms as u32 * 90));
        }
        let count = &received.counts()[0];
        assert_eq!((count.packets, count.lost(), count.frames), (4, 1, 4));
    }

    #[test]
    fn packets_of_one_timestamp_are_one_frame() {
        let start = Instant::now();
        let mut received = Received::new(false);
        for (sequence, timestamp) in [(1, 3000), (2, 3000), (3, 6000)] {
            received.packet(Kind::Video, 0, &arrival(start, 0, sequence, timestamp));
        }
        assert_eq!(received.counts()[0].frames, 2);
    }

    #[test]
    fn even_steps_have_no_jitter_and_uneven_ones_have() {
        let start = Instant::now();
        let (mut even, mut uneven) = (Received::new(false), Received::new(false));
        for step in 0..200u16 {
            let ms = u64::from(step) * 20;
            even.packet(Kind::Audio, 0, &arrival(start, ms, step, u32::from(step) * 960));
            let late = u64::from(step % 2) * 10;
            uneven.packet(Kind::Audio, 0, &arrival(start, ms + late, step, u32::from(step) * 960));
        }
        assert!(even.counts()[0].jitter_s < 0.0005);
        assert!((uneven.counts()[0].jitter_s - 0.010).abs() < 0.001);
    }

    #[test]
    fn a_slot_counts_each_of_its_sources_apart() {
        let start = Instant::now();
        let mut received = Received::new(false);
        received.packet(Kind::Video, 1, &arrival(start, 0, 1, 0));
        received.assign(&[None, camera(7)], &[]);
        received.packet(Kind::Video, 1, &arrival(start, 10, 2, 900));
        received.assign(&[None, camera(9)], &[]);
        received.packet(Kind::Video, 1, &arrival(start, 20, 3, 1800));
        let sums: Vec<_> = received.counts().iter().map(|count| (count.site, count.packets)).collect();
        assert_eq!(sums, [(Some(SiteId(7)), 2), (Some(SiteId(9)), 1)]);
    }
}
