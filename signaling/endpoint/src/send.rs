//! What a site sends: packets with their numbers, and the loops that produce them in time.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rtc::rtp::{Header, Packet};
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::rtp_transceiver::RtpTransceiver;

use super::options::Audio;
use super::picture::{FRAMES_PER_SECOND, Picture};
use super::receive::Kind;
use super::speech::{AudioPacket, Speech, lasting};
use super::tone::Tone;
use super::vp8::Packetizer;
use peer::codecs::AUDIO_LEVEL_URI;

/// Totals of one outgoing source.
#[derive(Debug, Default)]
pub struct Sums {
    pub packets: AtomicU64,
    pub frames: AtomicU64,
    pub bytes: AtomicU64,
    pub first_at: Mutex<Option<Instant>>,
}

/// A send-only section of the offer.
#[derive(Clone)]
pub struct Outlet {
    track: Arc<TrackLocalStaticRTP>,
    pub transceiver: Arc<dyn RtpTransceiver>,
    pub ssrc: u32,
    pub kind: Kind,
    pub sums: Arc<Sums>,
}

/// What the answer settled for a section.
#[derive(Debug, Clone, Copy)]
struct Agreed {
    payload_type: u8,
    audio_level_id: Option<u8>,
}

impl Outlet {
    pub fn new(
        track: Arc<TrackLocalStaticRTP>,
        transceiver: Arc<dyn RtpTransceiver>,
        ssrc: u32,
        kind: Kind,
    ) -> Self {
        Self { track, transceiver, ssrc, kind, sums: Arc::default() }
    }

    /// `None` until the answer is applied, or when the server refused the section.
    async fn agreed(&self) -> Option<Agreed> {
        let sender = self.transceiver.sender().await.ok()??;
        let parameters = sender.get_parameters().await.ok()?.rtp_parameters;
        let payload_type = parameters.codecs.first()?.payload_type;
        let level = parameters.header_extensions.iter().find(|extension| extension.uri == AUDIO_LEVEL_URI);
        let audio_level_id = level.and_then(|extension| u8::try_from(extension.id).ok());
        Some(Agreed { payload_type, audio_level_id })
    }

    async fn send(&self, packet: Packet) -> Result<(), webrtc::error::Error> {
        self.sums.packets.fetch_add(1, Ordering::Relaxed);
        self.sums.bytes.fetch_add(packet.payload.len() as u64, Ordering::Relaxed);
        self.track.write_rtp(packet).await
    }

    fn count_frame(&self) {
        self.sums.frames.fetch_add(1, Ordering::Relaxed);
        let mut first = self.sums.first_at.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        first.get_or_insert_with(Instant::now);
    }
}

/// Where a source's numbers begin: in the lower half. Of a source whose numbers have wrapped before the first packet of it
/// came, nothing is ever opened (RFC 3711 section 3.3.1).
const FIRST_NUMBERS: RangeInclusive<u16> = 0..=0x7fff;

/// Numbers the packets of one source.
struct Numbers {
    header: Header,
}

impl Numbers {
    fn new(ssrc: u32, payload_type: u8) -> Self {
        let header = Header {
            version: 2,
            payload_type,
            ssrc,
            sequence_number: rand::random_range(FIRST_NUMBERS),
            timestamp: rand::random(),
            ..Header::default()
        };
        Self { header }
    }

    fn packet(&mut self, payload: Bytes, marker: bool) -> Packet {
        let header = Header { marker, ..self.header.clone() };
        self.header.sequence_number = self.header.sequence_number.wrapping_add(1);
        Packet { header, payload }
    }

    fn advance(&mut self, ticks: u32) {
        self.header.timestamp = self.header.timestamp.wrapping_add(ticks);
    }
}

/// Speaks until the connection is gone.
pub async fn run_microphone(outlet: Outlet, audio: Audio) {
    let Some(agreed) = outlet.agreed().await else {
        return;
    };
    let mut source = Source::new(audio);
    let mut numbers = Numbers::new(outlet.ssrc, agreed.payload_type);
    let mut due = Instant::now();
    loop {
        let sound = source.next_packet(Instant::now());
        let mut packet = numbers.packet(sound.payload, sound.begins_talk);
        numbers.advance(sound.samples);
        if let Some(id) = agreed.audio_level_id {
            // One byte always fits the one-byte form.
            let _ = packet.header.set_extension(id, Bytes::copy_from_slice(&[sound.level.to_byte()]));
        }
        outlet.count_frame();
        if outlet.send(packet).await.is_err() {
            return;
        }
        due = due.checked_add(lasting(u64::from(sound.samples))).unwrap_or(due);
        // After a stall (a suspended machine) the lost time is not made up for.
        let longest_ago = Instant::now().checked_sub(Duration::from_millis(200));
        due = longest_ago.map_or(due, |longest_ago| due.max(longest_ago));
        sleep_until(due.into()).await;
    }
}

enum Source {
    Speech(Speech),
    Tone(Box<Tone>),
    Silent,
}

impl Source {
    fn new(audio: Audio) -> Self {
        match audio {
            Audio::Speech { clip, turn } => Self::Speech(Speech::new(clip, turn)),
            Audio::Tone(hertz) => Tone::new(hertz).map_or(Self::Silent, |tone| Self::Tone(Box::new(tone))),
            Audio::Silent => Self::Silent,
        }
    }

    fn next_packet(&mut self, now: Instant) -> AudioPacket {
        match self {
            Self::Speech(speech) => speech.next_packet(now),
            Self::Tone(tone) => tone.next_packet(),
            Self::Silent => AudioPacket::quiet(),
        }
    }
}

/// 15 a second.
const FRAME_INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / FRAMES_PER_SECOND as u64);

/// Shows the picture until the connection is gone.
pub async fn run_camera(outlet: Outlet, mut picture: Picture) {
    let Some(agreed) = outlet.agreed().await else {
        return;
    };
    let mut numbers = Numbers::new(outlet.ssrc, agreed.payload_type);
    let mut packetizer = Packetizer::starting_at(rand::random());
    let mut ticks = interval(FRAME_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let began = Instant::now();
    let first = numbers.header.timestamp;
    loop {
        ticks.tick().await;
        // Encoding takes milliseconds: not on the executor's threads.
        let encoded = tokio::task::spawn_blocking(move || {
            let frame = picture.next_frame(now_ms());
            (picture, frame)
        });
        let Ok((back, frame)) = encoded.await else {
            return;
        };
        picture = back;
        let elapsed = (began.elapsed().as_micros().saturating_mul(9) / 100) as u32;
        numbers.header.timestamp = first.wrapping_add(elapsed);
        let payloads = packetizer.packetize(&frame);
        let last = payloads.len().saturating_sub(1);
        outlet.count_frame();
        for (index, payload) in payloads.into_iter().enumerate() {
            if outlet.send(numbers.packet(payload, index == last)).await.is_err() {
                return;
            }
        }
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_far_from_their_wrap() {
        let first = || Numbers::new(1, 111).packet(Bytes::new(), false).header.sequence_number;
        let numbers: Vec<u16> = (0..100).map(|_| first()).collect();
        assert!(numbers.iter().all(|number| *number < 1 << 15), "{numbers:?}");
    }
}
