//! What one client sends on one SSRC: packets, repeats on RTX, sender reports. Numbers may restart.

use super::codec::Payload;
use super::hearing::is_voice;
use super::port::Port;
use bytes::Bytes;
use rtc::interceptor::Packet;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtp;
use rtc::rtp::header::EXTENSION_PROFILE_TWO_BYTE;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

pub const OPUS: u8 = 111;
/// Redundant audio (RFC 2198) around Opus.
pub const RED: u8 = 63;
/// Header extension ids, in the order in which the client registers them.
pub const MID: u8 = 1;
pub const RID: u8 = 2;
pub const REPAIRED_RID: u8 = 3;
pub const LEVEL: u8 = 4;
pub const DEPENDENCY: u8 = 5;
pub const TRANSPORT_SEQUENCE: u8 = 6;
/// Packets kept to be repeated.
const KEPT: usize = 512;
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// NTP seconds of the virtual epoch: 2027.
const EPOCH_NTP_S: f64 = 1_800_000_000.0 + 2_208_988_800.0;

/// Virtual time since the world began, as a site's clock shows it.
#[derive(Debug, Clone, Copy)]
pub struct SiteClock {
    pub epoch: Instant,
    /// This site's clock is wrong by this much.
    pub wrong_s: f64,
}

impl SiteClock {
    pub fn ms(&self, now: Instant) -> u32 {
        (now - self.epoch).as_millis() as u32
    }

    /// Seconds since the world began.
    pub fn seconds(&self, at: Instant) -> f64 {
        (at - self.epoch).as_secs_f64()
    }

    fn ntp(&self, now: Instant) -> u64 {
        let seconds = EPOCH_NTP_S + self.wrong_s + (now - self.epoch).as_secs_f64();
        (seconds * 4_294_967_296.0) as u64
    }
}

/// A stream of packets: a layer of video, or a voice.
#[derive(Debug)]
pub struct Outgoing {
    pub ssrc: u32,
    pub mid: &'static str,
    pub rid: &'static str,
    pub payload_type: u8,
    clock_rate: u32,
    sequence: u16,
    timestamp_base: u32,
    rtx_sequence: u16,
    sent: VecDeque<rtp::Packet>,
    packets: u32,
    octets: u32,
    next_report: Option<Instant>,
    /// How often each of the newest numbers was asked for again.
    pub asked: VecDeque<(u16, u32)>,
    pub key_requests: Vec<Instant>,
}

impl Outgoing {
    pub fn new(ssrc: u32, mid: &'static str, rid: &'static str, payload_type: u8) -> Outgoing {
        Outgoing {
            ssrc,
            mid,
            rid,
            payload_type,
            clock_rate: if is_voice(payload_type) { 48_000 } else { 90_000 },
            // Near the wrap, so that every run goes over it: some seconds of it must come, or nothing is opened (`begin_low`).
            sequence: 65_000,
            timestamp_base: ssrc.wrapping_mul(0x9e37_79b9),
            rtx_sequence: 65_500,
            sent: VecDeque::new(),
            packets: 0,
            octets: 0,
            next_report: None,
            asked: VecDeque::new(),
            key_requests: Vec::new(),
        }
    }

    /// Another encoder takes over under another SSRC: nothing goes on from where it was.
    pub fn restart(&mut self, ssrc: u32, sequence: u16, timestamp_base: u32) {
        *self = Outgoing {
            sequence,
            timestamp_base,
            ..Outgoing::new(ssrc, self.mid, self.rid, self.payload_type)
        };
    }

    /// Its numbers begin in the lower half, as those of browsers do: a receiver that has missed all that came before
    /// they wrap can open nothing after it (RFC 3711 section 3.3.1).
    pub fn begin_low(&mut self) {
        self.sequence = 10_000;
    }

    /// The same SSRC goes on at another number.
    pub fn jump(&mut self, by: u16) {
        self.sequence = self.sequence.wrapping_add(by);
    }

    pub fn send(
        &mut self,
        now: Instant,
        clock: SiteClock,
        port: &Port,
        marker: bool,
        Payload { bytes, dependency }: Payload,
        level: Option<u8>,
    ) {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = self.header(now, clock);
        header.marker = marker;
        describe(&mut header, dependency.map(Bytes::from));
        for (id, text) in [(MID, self.mid), (RID, self.rid)] {
            extend(&mut header, id, text);
        }
        if let Some(level) = level {
            header.set_extension(LEVEL, Bytes::copy_from_slice(&[level])).expect("a short extension");
        }
        self.number(now, port, rtp::Packet { header, payload: Bytes::from(bytes) });
        self.report(now, clock, port);
    }

    /// Probes the line: padding after the newest frame, with a number of its own (RFC 3550 section 5.1).
    pub fn pad(&mut self, now: Instant, clock: SiteClock, port: &Port) {
        self.sequence = self.sequence.wrapping_add(1);
        let timestamp = self.sent.back().map(|packet| packet.header.timestamp);
        let mut header = self.header(now, clock);
        header.timestamp = timestamp.unwrap_or(header.timestamp);
        header.padding = true;
        for (id, text) in [(MID, self.mid), (RID, self.rid)] {
            extend(&mut header, id, text);
        }
        self.number(now, port, rtp::Packet { header, payload: Bytes::new() });
    }

    fn number(&mut self, now: Instant, port: &Port, packet: rtp::Packet) {
        if !port.is_open() {
            return;
        }
        self.packets += 1;
        self.octets = self.octets.wrapping_add(packet.payload.len() as u32);
        if self.sent.len() == KEPT {
            self.sent.pop_front();
        }
        self.sent.push_back(packet.clone());
        port.send(now, Packet::Rtp(packet));
    }

    fn header(&self, now: Instant, clock: SiteClock) -> rtp::Header {
        rtp::Header {
            version: 2,
            payload_type: self.payload_type,
            sequence_number: self.sequence,
            timestamp: self.timestamp(now, clock),
            ssrc: self.ssrc,
            ..Default::default()
        }
    }

    fn timestamp(&self, now: Instant, clock: SiteClock) -> u32 {
        let ticks = u64::from(clock.ms(now)) * u64::from(self.clock_rate) / 1000;
        self.timestamp_base.wrapping_add(ticks as u32)
    }

    fn report(&mut self, now: Instant, clock: SiteClock, port: &Port) {
        if self.next_report.is_some_and(|at| at > now) {
            return;
        }
        self.next_report = Some(now + REPORT_EVERY);
        let report = SenderReport {
            ssrc: self.ssrc,
            ntp_time: clock.ntp(now),
            rtp_time: self.timestamp(now, clock),
            packet_count: self.packets,
            octet_count: self.octets,
            ..Default::default()
        };
        port.send(now, Packet::Rtcp(vec![Box::new(report)]));
    }

    /// How often a number has been asked for.
    fn count_question(&mut self, sequence: u16) -> u32 {
        let place = self.asked.iter().position(|(asked, _)| *asked == sequence);
        let place = place.unwrap_or_else(|| {
            self.asked.push_back((sequence, 0));
            self.asked.len() - 1
        });
        self.asked[place].1 += 1;
        let times = self.asked[place].1;
        if self.asked.len() > KEPT {
            self.asked.pop_front();
        }
        times
    }

    /// Repeats what is asked for, on RTX (RFC 4588); returns what should not have been asked.
    pub fn answer(&mut self, now: Instant, port: &Port, sequence: u16) -> Result<(), String> {
        let times = self.count_question(sequence);
        if times > 10 {
            return Err(format!("ssrc {} asked {times} times for {sequence}", self.ssrc));
        }
        let Some(packet) = self.sent.iter().rev().find(|packet| packet.header.sequence_number == sequence)
        else {
            return Ok(());
        };
        if is_voice(self.payload_type) {
            // Browsers send a voice's packet itself.
            port.send(now, Packet::Rtp(packet.clone()));
            return Ok(());
        }
        self.rtx_sequence = self.rtx_sequence.wrapping_add(1);
        let mut header = rtp::Header {
            version: 2,
            payload_type: rtx_payload_type(self.payload_type),
            sequence_number: self.rtx_sequence,
            timestamp: packet.header.timestamp,
            ssrc: rtx_ssrc(self.ssrc),
            marker: packet.header.marker,
            ..Default::default()
        };
        describe(&mut header, packet.header.get_extension(DEPENDENCY));
        extend(&mut header, MID, self.mid);
        extend(&mut header, REPAIRED_RID, self.rid);
        let mut payload = sequence.to_be_bytes().to_vec();
        payload.extend_from_slice(&packet.payload);
        port.send(now, Packet::Rtp(rtp::Packet { header, payload: Bytes::from(payload) }));
        Ok(())
    }
}

fn rtx_ssrc(ssrc: u32) -> u32 {
    ssrc + 500_000
}

/// Beside its own payload type each codec has that of its retransmissions.
pub fn rtx_payload_type(payload_type: u8) -> u8 {
    payload_type + 1
}

/// A dependency descriptor comes first, since a long one needs elements of two bytes (RFC 8285 section 4.3).
fn describe(header: &mut rtp::Header, dependency: Option<Bytes>) {
    let Some(dependency) = dependency else { return };
    if dependency.len() > 16 {
        (header.extension, header.extension_profile) = (true, EXTENSION_PROFILE_TWO_BYTE);
    }
    header.set_extension(DEPENDENCY, dependency).expect("a descriptor");
}

/// The `rtc` crate leaves MID and RID of its senders to the application.
fn extend(header: &mut rtp::Header, id: u8, text: &'static str) {
    if !text.is_empty() {
        header.set_extension(id, Bytes::from_static(text.as_bytes())).expect("a short extension");
    }
}
