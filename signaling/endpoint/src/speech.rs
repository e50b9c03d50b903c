//! Vietnamese speech of the demo sites, recorded as Opus (see `assets/speech/make.sh`).

use std::io::Cursor;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::level::{AudioLevel, SAMPLE_RATE};
use super::options::Turn;
use super::schedule;

const CLIPS: [&[u8]; 4] = [
    include_bytes!("../assets/speech/0.ogg"),
    include_bytes!("../assets/speech/1.ogg"),
    include_bytes!("../assets/speech/2.ogg"),
    include_bytes!("../assets/speech/3.ogg"),
];
/// An Opus packet of 20 ms of nothing: CELT, full band, mono, no frame data (RFC 6716 section 3.1).
const QUIET: &[u8] = &[0xf8, 0xff, 0xfe];
/// Samples of one quiet packet's step: in a pause a packet goes every 400 ms, as DTX does (RFC 6716 section 2.1.9), so
/// that the bridge sees that the microphone is on.
const QUIET_STEP: u32 = SAMPLE_RATE * 2 / 5;

/// One Opus packet and how long it lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioPacket {
    pub payload: Bytes,
    /// Samples at 48 kHz until the next packet is due.
    pub samples: u32,
    pub level: AudioLevel,
    /// First packet after silence: the RTP marker (RFC 7587 section 4.1).
    pub begins_talk: bool,
}

impl AudioPacket {
    /// Comfort noise in a pause.
    pub fn quiet() -> Self {
        Self {
            payload: Bytes::from_static(QUIET),
            samples: QUIET_STEP,
            level: AudioLevel::SILENCE,
            begins_talk: false,
        }
    }
}

/// How long so many samples sound.
pub fn lasting(samples: u64) -> Duration {
    Duration::from_secs_f64(samples as f64 / f64::from(SAMPLE_RATE))
}

/// A sentence as packets; parsed and measured once for the whole process.
#[derive(Debug, Default)]
pub struct Clip {
    packets: Vec<AudioPacket>,
}

impl Clip {
    pub fn duration(&self) -> Duration {
        lasting(self.packets.iter().map(|packet| u64::from(packet.samples)).sum())
    }

    /// The packet that sounds so long after the beginning.
    fn index_at(&self, time: Duration) -> usize {
        let samples = (time.as_micros() as u64).saturating_mul(u64::from(SAMPLE_RATE)) / 1_000_000;
        let mut passed = 0u64;
        self.packets
            .iter()
            .take_while(|packet| {
                passed = passed.saturating_add(u64::from(packet.samples));
                passed <= samples
            })
            .count()
    }

    pub fn packets(&self) -> &[AudioPacket] {
        &self.packets
    }
}

/// The clip of this number, modulo the number of clips. One that cannot be read would be silent; the tests read
/// them all.
pub fn clip(number: usize) -> &'static Clip {
    static PARSED: [OnceLock<Clip>; CLIPS.len()] = [const { OnceLock::new() }; CLIPS.len()];
    static SILENCE: Clip = Clip { packets: Vec::new() };
    let number = number.checked_rem(CLIPS.len()).unwrap_or(0);
    match PARSED.get(number).zip(CLIPS.get(number)) {
        Some((parsed, ogg)) => parsed.get_or_init(|| parse(ogg).unwrap_or_default()),
        None => &SILENCE,
    }
}

fn parse(ogg: &'static [u8]) -> Result<Clip, Box<dyn std::error::Error>> {
    let mut reader = ogg::PacketReader::new(Cursor::new(ogg));
    let mut decoder = opus::Decoder::new(SAMPLE_RATE, opus::Channels::Mono)?;
    let mut pcm = [0i16; 5760];
    let mut packets = Vec::new();
    // OpusHead and OpusTags come first (RFC 7845 section 3).
    reader.read_packet_expected()?;
    reader.read_packet_expected()?;
    while let Some(packet) = reader.read_packet()? {
        let samples = decoder.decode(&packet.data, &mut pcm, false)?;
        packets.push(AudioPacket {
            payload: packet.data.into(),
            samples: samples as u32,
            level: AudioLevel::of(pcm.get(..samples).unwrap_or_default()),
            begins_talk: false,
        });
    }
    Ok(Clip { packets })
}

/// A clip that is played in every turn of its site, quiet between.
pub struct Speech {
    clip: &'static Clip,
    turn: Turn,
    next: Option<usize>,
    spoken: bool,
    begins_talk: bool,
}

/// How late a turn may be noticed and still be begun from its first word; longer than a quiet step.
const PUNCTUAL: Duration = Duration::from_millis(500);

impl Speech {
    pub fn new(number: usize, turn: Turn) -> Self {
        Self { clip: clip(number), turn, next: None, spoken: false, begins_talk: false }
    }

    /// The packet that is due now. A site that joins in the middle of its turn starts in the middle of its sentence.
    pub fn next_packet(&mut self, now: Instant) -> AudioPacket {
        if self.next.is_none() {
            self.begin(now);
        }
        let packet = self.next.and_then(|next| self.clip.packets.get(next));
        let Some(packet) = packet else {
            self.next = None;
            return AudioPacket::quiet();
        };
        self.next = self.next.map(|next| next.saturating_add(1));
        AudioPacket { begins_talk: std::mem::take(&mut self.begins_talk), ..packet.clone() }
    }

    fn begin(&mut self, now: Instant) {
        let Some(late) = schedule::into_turn(self.turn, now) else {
            self.spoken = false;
            return;
        };
        if self.spoken && late >= PUNCTUAL {
            return;
        }
        self.spoken = true;
        self.begins_talk = true;
        self.next = Some(if late < PUNCTUAL { 0 } else { self.clip.index_at(late) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recording_parses_and_fits_its_turn() {
        for (number, recording) in CLIPS.iter().enumerate() {
            assert!(recording.len() <= 60 * 1024, "{number}: {} bytes", recording.len());
            let clip = clip(number);
            assert!(clip.duration() > Duration::from_secs(4), "{number}: {:?}", clip.duration());
            assert!(clip.duration() + Duration::from_secs(1) < schedule::TURN, "{number}");
            assert!(clip.packets().iter().all(|packet| packet.samples == 960));
        }
    }

    #[test]
    fn a_recording_is_loud_enough_to_be_noticed_and_not_clipped() {
        for number in 0..CLIPS.len() {
            let packets = clip(number).packets();
            let voiced = packets.iter().filter(|packet| packet.level.is_voice()).count();
            assert!(voiced * 2 > packets.len(), "{number}: {voiced} of {}", packets.len());
            assert!(packets.iter().all(|packet| packet.level.0 > 3), "{number}");
        }
    }

    #[test]
    fn a_site_speaks_in_its_turn_once_and_is_quiet_in_others() {
        let since = Instant::now();
        let mut speech = Speech::new(1, Turn { index: 1, count: 3, since });
        let mut now = since;
        let mut talks = Vec::new();
        while now < since + schedule::TURN * 6 {
            let packet = speech.next_packet(now);
            if packet.begins_talk {
                talks.push((now - since).as_secs());
            }
            now += Duration::from_micros(u64::from(packet.samples) * 1_000_000 / 48_000);
        }
        assert_eq!(talks, [9, 36]);
    }

    #[test]
    fn a_late_comer_starts_in_the_middle() {
        let since = Instant::now();
        let mut speech = Speech::new(0, Turn { index: 0, count: 1, since });
        let packet = speech.next_packet(since + Duration::from_secs(2));
        assert!(packet.begins_talk);
        assert_eq!(packet.payload, clip(0).packets()[100].payload);
    }

    #[test]
    fn the_quiet_packet_decodes_to_silence_of_20_ms() {
        let mut decoder = opus::Decoder::new(SAMPLE_RATE, opus::Channels::Mono).unwrap();
        let mut pcm = [1i16; 5760];
        assert_eq!(decoder.decode(QUIET, &mut pcm, false).unwrap(), 960);
        assert!(AudioLevel::of(&pcm[..960]).0 > 80);
    }
}
