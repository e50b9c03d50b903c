//! Redundant audio (RFC 2198) through a connected engine: what a microphone sends, whatever is in it, and what leaves
//! for a receiver whose feedback tells of losses.

use super::reader::Reader;
use super::rig::{MICROPHONE, Rig};
use rtp::codec::red::{self, Block};
use rtp::ids::Ssrc;
use rtp::packet::Header;
use rtp::rtcp::{TransportReport, write_transport_feedback};

/// Payload types of the recorded offer.
pub(super) const OPUS: u8 = 111;
const RED: u8 = 63;
/// Most that a packet of ours with redundancy takes without UDP and IPv6: together 1,200 bytes.
const MAX_PACKET: usize = 1_152;

impl Rig {
    /// A packet of the microphone after up to three that are lost, with up to seven copies, or what is none.
    pub(super) fn voice(&mut self, site: usize, input: &mut Reader<'_>) {
        let (shape, spoil) = (input.byte(), input.byte());
        let skipped = u64::from(shape & 3);
        let next = self.sites[site].sent.get(&MICROPHONE).copied().unwrap_or(1_000) + 1 + skipped;
        let blocks: Vec<(u32, &[u8])> = (0..shape >> 5)
            .map(|_| {
                let (offset, length) = (input.byte(), input.byte());
                let ticks =
                    if offset & 1 == 0 { 960 * u32::from(offset >> 1 & 7) } else { u32::from(offset) * 64 };
                (ticks, input.bytes(length))
            })
            .collect();
        let block = |offset, data| Block { payload_type: OPUS, offset, data };
        let copies: Vec<_> = blocks.iter().map(|(offset, data)| block(*offset, *data)).collect();
        let mut payload = vec![0; 2_000];
        let length = red::write(&mut payload, &copies, block(0, &[0x78; 40])).expect("room for all");
        if let Some(byte) = payload.get_mut(usize::from(spoil & 31)).filter(|_| spoil & 0x80 != 0) {
            *byte = input.byte();
        }
        let mut packet = vec![0x80, if shape & 8 == 0 { RED } else { OPUS }];
        packet.extend_from_slice(&(next as u16).to_be_bytes());
        packet.extend_from_slice(&(next as u32 * 960).to_be_bytes());
        packet.extend_from_slice(&MICROPHONE.to_be_bytes());
        packet.extend_from_slice(&payload[..length.min(1_300)]);
        self.seal_and_send(site, MICROPHONE, packet);
    }

    /// Feedback on what was sent to a site: a bit for each packet, whether it came.
    pub(super) fn losses(&mut self, site: usize, input: &mut Reader<'_>) {
        let (base_sequence, count) = (u16::from(input.byte()), input.byte() & 15);
        let bits = input.bytes(count).iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
        let arrivals = bits.map(|came| came.then_some(80)).collect();
        let report = TransportReport { base_sequence, reference_time: 1, feedback_count: 0, arrivals };
        let mut packet = Vec::new();
        write_transport_feedback(&mut packet, Ssrc(MICROPHONE), Ssrc(0), &report);
        self.seal_and_send_rtcp(site, packet);
    }
}

/// What left with redundancy: it can be read, is all of Opus, and small. False where it is something else.
pub(super) fn check(plain: &[u8]) -> bool {
    let header = Header::parse(plain).expect("what the engine sends can be read");
    if header.payload_type != RED {
        return false;
    }
    assert!(plain.len() <= MAX_PACKET, "{} bytes", plain.len());
    let blocks: Vec<_> = red::blocks(&plain[header.payload]).expect("blocks").collect();
    let (primary, copies) = blocks.split_last().expect("a primary block");
    assert!(blocks.iter().all(|block| block.payload_type == OPUS));
    assert!(!copies.is_empty() && !primary.data.is_empty(), "sent as it is where there is nothing to repeat");
    let offsets: Vec<u32> = blocks.iter().map(|block| block.offset).collect();
    assert!(offsets.is_sorted_by(|a, b| a > b), "oldest first, none twice: {offsets:?}");
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// What the target checks does happen: half of what was sent is reported as lost, and voices come with copies.
    #[test]
    fn a_receiver_that_loses_packets_gets_redundancy() {
        let mut rig = Rig::connected();
        for step in 0..40u8 {
            rig.voice(0, &mut Reader(&[if step % 4 == 0 { 0x20 } else { 0 }, 0, 2, 40]));
            rig.passes(Duration::from_millis(20));
            rig.losses(1, &mut Reader(&[0, 15, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]));
        }
        assert!(rig.sites[1].redundant > 10, "{}", rig.sites[1].redundant);
        assert_eq!(rig.sites[0].redundant, 0);
    }
}
