//! What leaves the bridge to one client, and what a client sends beyond what it should: for stories of what one site
//! may cost.

use super::client::Client;
use rtc::interceptor::Packet;
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{NackPair, TransportLayerNack};
use sfu::ids::SlotId;
use std::ops::Sub;
use std::time::Instant;

/// Datagrams and their bytes, as they are on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    pub packets: u64,
    pub bytes: u64,
}

/// What went one way over one client's line, by what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    pub video: Amount,
    /// RTX.
    pub resent: Amount,
    pub audio: Amount,
    /// Padding on RTX, which probes what the line carries.
    pub probes: Amount,
    /// STUN, DTLS, RTCP.
    pub control: Amount,
}

impl Amount {
    pub fn add(&mut self, datagram: &[u8]) {
        self.packets += 1;
        self.bytes += datagram.len() as u64;
    }
}

impl Sub for Amount {
    type Output = Amount;

    fn sub(self, before: Amount) -> Amount {
        Amount { packets: self.packets - before.packets, bytes: self.bytes - before.bytes }
    }
}

impl Sub for Traffic {
    type Output = Traffic;

    fn sub(self, before: Traffic) -> Traffic {
        Traffic {
            video: self.video - before.video,
            resent: self.resent - before.resent,
            audio: self.audio - before.audio,
            probes: self.probes - before.probes,
            control: self.control - before.control,
        }
    }
}

/// The SSRC of a media packet (RFC 5761 section 4).
pub(super) fn media_ssrc(datagram: &[u8]) -> Option<u32> {
    match *datagram {
        [128..=191, 192..=223, ..] => None,
        [128..=191, _, _, _, _, _, _, _, a, b, c, d, ..] => Some(u32::from_be_bytes([a, b, c, d])),
        _ => None,
    }
}

impl Client {
    /// Counts a datagram the bridge has sent to this client.
    pub(super) fn count(&mut self, datagram: &[u8]) {
        let slot = media_ssrc(datagram).and_then(|ssrc| Some((ssrc, self.slots.of(ssrc)?)));
        let amount = match slot {
            Some((_, SlotId::Audio(_))) => &mut self.traffic.audio,
            Some((ssrc, slot)) if self.slots.ssrc(slot) == Some(ssrc) => &mut self.traffic.video,
            Some(_) if datagram.first().is_some_and(|first| first & 0x20 != 0) => &mut self.traffic.probes,
            Some(_) => &mut self.traffic.resent,
            None => &mut self.traffic.control,
        };
        amount.add(datagram);
    }

    /// Sends feedback that its own machines would not send now.
    pub fn send_feedback(&mut self, now: Instant, packets: Vec<Box<dyn rtcp::Packet>>) {
        self.port.send(now, Packet::Rtcp(packets));
    }

    /// Asks for these numbers of a video slot again, 17 with every four bytes where they are dense.
    pub fn nack(&self, slot: u16, numbers: impl IntoIterator<Item = u16>) -> Box<dyn rtcp::Packet> {
        let mut nacks: Vec<NackPair> = Vec::new();
        for number in numbers {
            let distance = nacks.last().map_or(u16::MAX, |pair| number.wrapping_sub(pair.packet_id));
            match nacks.last_mut() {
                Some(pair) if (1..=16).contains(&distance) => pair.lost_packets |= 1 << (distance - 1),
                _ => nacks.push(NackPair { packet_id: number, lost_packets: 0 }),
            }
        }
        let media_ssrc = self.slots.ssrc(SlotId::Video(slot)).expect("an answered slot");
        Box::new(TransportLayerNack { sender_ssrc: 1, media_ssrc, nacks })
    }

    pub fn pli(&self, slot: u16) -> Box<dyn rtcp::Packet> {
        let media_ssrc = self.slots.ssrc(SlotId::Video(slot)).expect("an answered slot");
        Box::new(PictureLossIndication { sender_ssrc: 1, media_ssrc })
    }

    /// The newest number that came in a video slot.
    pub fn newest(&self, slot: u16) -> u16 {
        self.video.get(&usize::from(slot)).map_or(0, |view| view.newest_number())
    }
}
