//! A site that sends: pictures in bursts and an open microphone, as Chromium's packets look, with
//! the send time in the last eight bytes of each.

use crate::sdp::{self, Published};
use rtp::extension::ExtensionWriter;
use rtp::ids::Ssrc;
use rtp::packet::FIXED_HEADER;
use rtp::rtcp;
use sfu::time::Clock;
use std::time::{Duration, Instant, SystemTime};
use tests::line::Srtp;

const FRAMES_PER_S: u32 = 30;
const VOICE_EVERY: Duration = Duration::from_millis(20);
const KEY_EVERY: Duration = Duration::from_secs(10);
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// After the payload descriptor of a key frame: frame tag, start code, 640 × 360 (RFC 6386).
const KEY_HEAD: [u8; 10] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];
/// RFC 6464: voice, −20 dBov. All speak equally loud.
const SPEAKING: u8 = 0x80 | 20;
/// Two seconds of video.
const REMEMBERED: usize = 512;
/// Bytes at the end of a payload with the time it was sent: nanoseconds since 1970.
pub const STAMP: usize = 8;

/// What a camera sends.
#[derive(Debug, Clone, Copy)]
pub struct Camera {
    /// Packets of every other frame, and of those between.
    packets: [usize; 2],
    /// Of each RTP packet.
    bytes: usize,
}

impl Camera {
    /// 2 Mbit/s.
    pub const FULL: Camera = Camera { packets: [7, 8], bytes: 1100 };
    /// A low layer, 150 kbit/s: one packet a frame.
    pub const SMALL: Camera = Camera { packets: [1, 1], bytes: 625 };

    /// Packets of video and voice in a second.
    pub fn per_second(&self) -> f64 {
        let pictures = (self.packets[0] + self.packets[1]) as f64 / 2.0 * f64::from(FRAMES_PER_S);
        pictures + 1.0 / VOICE_EVERY.as_secs_f64()
    }
}

/// Packets that have left.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sent {
    pub audio: u64,
    pub video: u64,
}

pub struct Publisher {
    camera: Camera,
    ssrcs: Published,
    begun: Instant,
    clock: Clock,
    frames: u32,
    voices: u32,
    next_key: Instant,
    next_report: Instant,
    video: Numbers,
    audio: Numbers,
    rtx: Numbers,
    transport_sequence: u16,
    packet: Vec<u8>,
    /// The last `REMEMBERED` payloads of video, by sequence number.
    remembered: Vec<Remembered>,
}

#[derive(Clone, Default)]
struct Remembered {
    sequence: u64,
    head: Head,
    payload: Vec<u8>,
}

/// Extended sequence numbers of one SSRC, and octets for its reports.
#[derive(Default)]
struct Numbers {
    sequence: u64,
    octets: u32,
}

impl Publisher {
    /// `phase` keeps the frames of several publishers apart.
    pub fn new(now: Instant, camera: Camera, ssrcs: Published, phase: Duration) -> Publisher {
        Publisher {
            camera,
            ssrcs,
            begun: now + phase,
            clock: Clock::new(now, SystemTime::now()),
            frames: 0,
            voices: 0,
            next_key: now,
            next_report: now + REPORT_EVERY,
            video: Numbers::default(),
            audio: Numbers::default(),
            rtx: Numbers::default(),
            transport_sequence: 0,
            packet: vec![0; 1500],
            remembered: vec![Remembered::default(); REMEMBERED],
        }
    }

    pub fn sent(&self) -> Sent {
        Sent { audio: self.audio.sequence, video: self.video.sequence }
    }

    pub fn poll_timeout(&self) -> Instant {
        self.next_frame().min(self.next_voice()).min(self.next_report)
    }

    fn next_frame(&self) -> Instant {
        self.begun + Duration::from_secs(1) * self.frames / FRAMES_PER_S
    }

    fn next_voice(&self) -> Instant {
        self.begun + VOICE_EVERY * self.voices
    }

    /// A receiver cannot decode without a key frame.
    pub fn request_key(&mut self, now: Instant) {
        self.next_key = self.next_key.min(now);
    }

    /// Sends what is due.
    pub fn handle_timeout(&mut self, now: Instant, srtp: &mut Srtp, mut send: impl FnMut(&[u8])) {
        while self.next_voice() <= now {
            self.speak(srtp, &mut send);
        }
        while self.next_frame() <= now {
            self.show(now, srtp, &mut send);
        }
        if self.next_report <= now {
            self.next_report = now + REPORT_EVERY;
            self.report(now, srtp, &mut send);
        }
    }

    fn speak(&mut self, srtp: &mut Srtp, send: &mut impl FnMut(&[u8])) {
        let timestamp = self.voices.wrapping_mul(960);
        // 80 to 100 bytes.
        let size = 80 + (self.voices as usize * 7) % 21;
        self.voices += 1;
        let head = Head { marker: false, payload_type: sdp::OPUS, ssrc: self.ssrcs.audio, timestamp };
        let elements: [(u8, &[u8]); 2] =
            [(sdp::AUDIO_LEVEL, &[SPEAKING]), (sdp::MID, sdp::MICROPHONE.as_bytes())];
        let start = self.write_head(head, self.audio.sequence, &elements);
        self.packet[start..size].fill(0xf8);
        self.audio.octets = self.audio.octets.wrapping_add((size - start) as u32);
        let sequence = self.audio.take();
        stamp(&mut self.packet, size);
        seal(srtp, &mut self.packet, start, size, sequence, send);
    }

    fn show(&mut self, now: Instant, srtp: &mut Srtp, send: &mut impl FnMut(&[u8])) {
        let timestamp = self.frames.wrapping_mul(90_000 / FRAMES_PER_S);
        let count = self.camera.packets[self.frames as usize % 2];
        let is_key = self.next_key <= now;
        if is_key {
            self.next_key = now + KEY_EVERY;
        }
        self.frames += 1;
        for number in 0..count {
            let marker = number + 1 == count;
            let head = Head { marker, payload_type: sdp::VP8, ssrc: self.ssrcs.video, timestamp };
            let elements: [(u8, &[u8]); 1] = [(sdp::MID, sdp::CAMERA.as_bytes())];
            let start = self.write_head(head, self.video.sequence, &elements);
            self.write_frame(start, number == 0, is_key);
            let size = self.camera.bytes;
            self.video.octets = self.video.octets.wrapping_add((size - start) as u32);
            let sequence = self.video.take();
            stamp(&mut self.packet, size);
            let remembered = &mut self.remembered[sequence as usize % REMEMBERED];
            (remembered.sequence, remembered.head) = (sequence, head);
            remembered.payload.clear();
            remembered.payload.extend_from_slice(&self.packet[start..size]);
            seal(srtp, &mut self.packet, start, size, sequence, send);
        }
    }

    /// Answers a NACK by retransmissions (RFC 4588); what is forgotten is not answered.
    pub fn resend(&mut self, sequences: &[u16], srtp: &mut Srtp, mut send: impl FnMut(&[u8])) {
        for number in sequences {
            let place = usize::from(*number) % REMEMBERED;
            let wanted = &self.remembered[place];
            if wanted.sequence as u16 != *number || wanted.payload.is_empty() {
                continue;
            }
            let (head, length) = (wanted.head, wanted.payload.len());
            let head = Head { payload_type: sdp::RTX, ssrc: self.ssrcs.rtx, ..head };
            let sequence = self.rtx.take();
            let start = self.write_head(head, sequence, &[(sdp::MID, sdp::CAMERA.as_bytes())]);
            let payload = start + 2;
            self.packet[start..payload].copy_from_slice(&number.to_be_bytes());
            let size = payload + length;
            self.packet[payload..size].copy_from_slice(&self.remembered[place].payload);
            seal(srtp, &mut self.packet, start, size, sequence, &mut send);
        }
    }

    /// Descriptor with a picture id of 15 bits, TL0PICIDX and temporal layer 0 (RFC 7741), then what
    /// a decoder would find.
    fn write_frame(&mut self, start: usize, first: bool, is_key: bool) {
        let [high, low] = (self.frames as u16 & 0x7fff).to_be_bytes();
        let begins = if first { 0x90 } else { 0x80 };
        let descriptor = [begins, 0xe0, 0x80 | high, low, self.frames as u8, 0x20];
        let body = start + descriptor.len();
        self.packet[start..body].copy_from_slice(&descriptor);
        self.packet[body..self.camera.bytes].fill(0x11);
        if first && is_key {
            self.packet[body..body + KEY_HEAD.len()].copy_from_slice(&KEY_HEAD);
        }
    }

    /// Fixed header and extensions; returns where the payload begins.
    fn write_head(&mut self, head: Head, sequence: u64, elements: &[(u8, &[u8])]) -> usize {
        let marker = u8::from(head.marker) << 7;
        self.packet[..2].copy_from_slice(&[0x90, marker | head.payload_type]);
        self.packet[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
        self.packet[4..8].copy_from_slice(&head.timestamp.to_be_bytes());
        self.packet[8..12].copy_from_slice(&head.ssrc.to_be_bytes());
        self.transport_sequence = self.transport_sequence.wrapping_add(1);
        let number = self.transport_sequence.to_be_bytes();
        let mut all: Vec<(u8, &[u8])> = vec![(sdp::TRANSPORT_SEQUENCE, &number)];
        all.extend_from_slice(elements);
        let block = ExtensionWriter::write(&mut self.packet[FIXED_HEADER..], &all);
        FIXED_HEADER + block.expect("room for extensions")
    }

    /// Sender reports, which the server needs for lip sync.
    fn report(&mut self, now: Instant, srtp: &mut Srtp, send: &mut impl FnMut(&[u8])) {
        let ntp = self.clock.ntp(now);
        let since = now.saturating_duration_since(self.begun).as_secs_f64();
        let streams = [(self.ssrcs.audio, &self.audio, 48_000.0), (self.ssrcs.video, &self.video, 90_000.0)];
        for (ssrc, numbers, rate) in streams {
            let mut packet = Vec::new();
            let rtp = (since * rate) as u64 as u32;
            rtcp::write_sender_report(
                &mut packet,
                Ssrc(ssrc),
                ntp,
                rtp,
                numbers.sequence as u32,
                numbers.octets,
            );
            rtcp::write_sdes_cname(&mut packet, Ssrc(ssrc), "load");
            srtp.seal.seal_rtcp(&mut packet).expect("a report");
            send(&packet);
        }
    }
}

impl Numbers {
    fn take(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }
}

#[derive(Clone, Copy, Default)]
struct Head {
    marker: bool,
    payload_type: u8,
    ssrc: u32,
    timestamp: u32,
}

/// Appends the time.
fn stamp(packet: &mut [u8], size: usize) {
    packet[size - STAMP..size].copy_from_slice(&(unix_now().as_nanos() as u64).to_be_bytes());
}

fn seal(
    srtp: &mut Srtp,
    packet: &mut [u8],
    start: usize,
    size: usize,
    sequence: u64,
    send: &mut impl FnMut(&[u8]),
) {
    let sealed = srtp.seal.seal_rtp(packet, start, size, sequence).expect("room for the tag");
    send(&packet[..sealed]);
}

/// On the kernel's clock of receive stamps.
pub fn unix_now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
