//! RTP and RTCP through a connected engine: the keys are known here, so every packet opens, and only what is
//! in it is hostile. What comes out must open, once, and belong to a slot (`rig.rs`).

use super::reader::Reader;
use super::redundancy::OPUS;
use super::rig::{CAMERA, CONTENT, CONTENT_RTX, MICROPHONE, Rig, Site};
use crate::line::Srtp;
use rtp::packet::header_len;
use rtp::sequence::Sequence;
use sfu::ids::SourceKind;
use std::time::Duration;

/// Payload types and extension ids of the recorded offer.
const VP8: u8 = 96;
const MID: u8 = 4;
const RID: u8 = 10;
/// Space for a tag.
const OVERHEAD: usize = 16;
/// Where an SSRC of ours may be in an RTCP packet: the media of feedback, the first entry of a FIR, the first block of
/// a sender report.
const SSRC_PLACES: [usize; 4] = [8, 12, 28, usize::MAX];

/// A sequence of steps, each led by a byte: which site does it (its highest bit), and what.
pub fn connected(data: &[u8]) {
    let mut rig = Rig::connected();
    rig.frame(0, true);
    let mut input = Reader(data);
    while let Some(step) = input.step() {
        let site = usize::from(step >> 7);
        match step & 7 {
            0..=2 => rig.rtcp(site, usize::from(step >> 3 & 3) + 1, &mut input),
            3 | 4 if step & 8 != 0 => rig.voice(site, &mut input),
            3 | 4 => rig.rtp(site, &mut input),
            5 => rig.frame(site, step & 8 != 0),
            6 if step & 8 != 0 => rig.losses(site, &mut input),
            6 => {
                rig.passes(Duration::from_millis(u64::from(input.byte()) * 8));
                rig.exchange();
            }
            _ => rig.choose(site, &mut input),
        }
    }
}

impl Rig {
    /// A compound of so many packets. A packet is its format, its type, what is to be made valid in it, and bytes.
    fn rtcp(&mut self, site: usize, count: usize, input: &mut Reader<'_>) {
        let mut compound = Vec::new();
        for _ in 0..count {
            rtcp_packet(&self.sites[site], input, &mut compound);
        }
        self.seal_and_send_rtcp(site, compound);
    }

    pub(super) fn seal_and_send_rtcp(&mut self, site: usize, mut compound: Vec<u8>) {
        let Some(srtp) = &mut self.sites[site].line.srtp else { return };
        if srtp.seal.seal_rtcp(&mut compound).is_ok() {
            self.send(site, &compound);
        }
    }

    /// One RTP packet: any header bits, any extensions, any payload, under an SSRC that may be known.
    fn rtp(&mut self, site: usize, input: &mut Reader<'_>) {
        let (bits, payload_type, choice) = (input.byte(), input.byte(), input.byte());
        let ssrcs = [MICROPHONE, CAMERA, CAMERA + 1, CAMERA + 2, CONTENT, CONTENT_RTX, 1, u32::from(choice)];
        let ssrc = ssrcs[usize::from(choice & 7)];
        let newest = self.sites[site].sent.get(&ssrc).copied().unwrap_or(1_000);
        let sequence = newest.wrapping_add_signed(i64::from(input.byte() as i8)) as u16;
        let mut packet = vec![0x80 | bits & 0x3f, payload_type];
        packet.extend_from_slice(&sequence.to_be_bytes());
        packet.extend_from_slice(&[0, 0, input.byte(), input.byte()]);
        packet.extend_from_slice(&ssrc.to_be_bytes());
        if bits & 0x1f == 0x10 {
            packet.extend_from_slice(&[0xbe, 0xde, 0, input.byte() & 0x0f]);
        }
        let length = input.byte();
        packet.extend_from_slice(input.bytes(length));
        self.seal_and_send(site, ssrc, packet);
    }

    /// A packet of a frame of the content, or of a camera's lowest layer, as a browser writes it.
    pub(super) fn frame(&mut self, site: usize, is_key: bool) {
        for (ssrc, mid, rid) in [(CAMERA, b'1', Some(b'l')), (CONTENT, b'2', None)] {
            let next = self.sites[site].sent.get(&ssrc).copied().unwrap_or(1_000) + 1;
            let mut packet = vec![0x90, 0x80 | VP8];
            packet.extend_from_slice(&(next as u16).to_be_bytes());
            packet.extend_from_slice(&(next as u32 * 3_000).to_be_bytes());
            packet.extend_from_slice(&ssrc.to_be_bytes());
            packet.extend_from_slice(&[0xbe, 0xde, 0, 1, MID << 4, mid]);
            packet.extend_from_slice(&rid.map_or([0, 0], |rid| [RID << 4, rid]));
            // A descriptor with a picture id, and the header of a frame of 320 by 180.
            packet.extend_from_slice(&[0x90, 0x80, 0x80 | (next >> 8) as u8 & 0x7f, next as u8]);
            let head = [0x10, 2, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00];
            packet.extend_from_slice(if is_key { &head } else { &[0x11, 2, 0, 0] });
            self.seal_and_send(site, ssrc, packet);
        }
        let next = self.sites[site].sent.get(&MICROPHONE).copied().unwrap_or(1_000) + 1;
        let mut packet = vec![0x80, OPUS];
        packet.extend_from_slice(&(next as u16).to_be_bytes());
        packet.extend_from_slice(&(next as u32 * 960).to_be_bytes());
        packet.extend_from_slice(&MICROPHONE.to_be_bytes());
        packet.extend_from_slice(&[0x78; 40]);
        self.seal_and_send(site, MICROPHONE, packet);
    }

    pub(super) fn seal_and_send(&mut self, site: usize, ssrc: u32, packet: Vec<u8>) {
        let Site { line, sent, .. } = &mut self.sites[site];
        let Some(srtp) = &mut line.srtp else { return };
        if let Some((index, sealed)) = seal(srtp, sent.get(&ssrc).copied(), packet) {
            let newest = sent.entry(ssrc).or_insert(index);
            *newest = index.max(*newest);
            self.send(site, &sealed);
        }
    }

    fn choose(&mut self, site: usize, input: &mut Reader<'_>) {
        let mut one = || {
            let byte = input.byte();
            let kind = if byte & 1 == 0 { SourceKind::Camera } else { SourceKind::Content };
            (usize::from(byte >> 1 & 1), kind, u16::from(byte) * 8)
        };
        self.wish(site, [one(), one()]);
    }
}

/// Seals what has a header at all. A number that was used cannot be used again, as RFC 3711 has it.
fn seal(srtp: &mut Srtp, newest: Option<u64>, mut packet: Vec<u8>) -> Option<(u64, Vec<u8>)> {
    let (head, plain) = (header_len(&packet)?, packet.len());
    let number = u16::from_be_bytes([packet[2], packet[3]]);
    let first = Sequence::first(number);
    let index = newest.map_or(first, |newest| Sequence::from_index(newest).nearest(number)).index()?;
    packet.resize(plain + OVERHEAD, 0);
    let sealed = srtp.seal.seal_rtp(&mut packet, head, plain, index).ok()?;
    packet.truncate(sealed);
    Some((index, packet))
}

fn rtcp_packet(site: &Site, input: &mut Reader<'_>, compound: &mut Vec<u8>) {
    let (format, kind, mend, length) = (input.byte(), input.byte(), input.byte(), input.byte());
    let body = input.bytes(length);
    let start = compound.len();
    compound.extend_from_slice(&[0x80 | format & 0x3f, 192 | kind & 0x1f]);
    let words = body.len().div_ceil(4) as u16 + 1;
    let words = if mend & 4 == 0 { words } else { u16::from(format) << 2 };
    compound.extend_from_slice(&words.to_be_bytes());
    let sender = if mend & 8 == 0 { CAMERA } else { u32::from(mend) };
    compound.extend_from_slice(&sender.to_be_bytes());
    compound.extend_from_slice(body);
    compound.resize(compound.len().next_multiple_of(4), 0);
    let ssrc = site.slots.get(usize::from(mend >> 4)).copied().unwrap_or(CAMERA);
    let place = SSRC_PLACES[usize::from(mend & 3)].saturating_add(start);
    if let Some(field) = compound.get_mut(place..place.saturating_add(4)) {
        field.copy_from_slice(&ssrc.to_be_bytes());
    }
}
