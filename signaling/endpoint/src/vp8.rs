//! VP8 frames as RTP payloads (RFC 7741), with a 15-bit picture id so that the bridge's renumbering
//! is exercised.

use bytes::{BufMut, Bytes, BytesMut};

/// Payload bytes of one packet. With RTP header, extensions, SRTP tag, UDP and IPv6 it stays under
/// 1,280, the least any IPv6 path carries.
pub const MAX_PAYLOAD: usize = 1150;
const DESCRIPTOR: usize = 4;
const ROOM: usize = MAX_PAYLOAD - DESCRIPTOR;
const EXTENDED: u8 = 0x80;
const START_OF_PARTITION: u8 = 0x10;
const HAS_PICTURE_ID: u8 = 0x80;

/// Cuts frames into payloads and numbers them by picture ids.
#[derive(Debug, Clone, Default)]
pub struct Packetizer {
    picture_id: u16,
}

impl Packetizer {
    /// Starts at this picture id (15 bits count).
    pub fn starting_at(picture_id: u16) -> Self {
        Self { picture_id: picture_id & 0x7fff }
    }

    /// The payloads of one frame, nearly equal in size, in order. An empty frame has none.
    pub fn packetize(&mut self, frame: &[u8]) -> Vec<Bytes> {
        if frame.is_empty() {
            return Vec::new();
        }
        let packets = frame.len().div_ceil(ROOM);
        let size = frame.len().div_ceil(packets.max(1));
        let payloads = frame.chunks(size).enumerate().map(|(index, chunk)| {
            let mut payload = BytesMut::with_capacity(DESCRIPTOR.saturating_add(chunk.len()));
            payload.put_u8(EXTENDED | if index == 0 { START_OF_PARTITION } else { 0 });
            payload.put_u8(HAS_PICTURE_ID);
            payload.put_u16(0x8000 | self.picture_id);
            payload.put_slice(chunk);
            payload.freeze()
        });
        let payloads = payloads.collect();
        self.picture_id = self.picture_id.wrapping_add(1) & 0x7fff;
        payloads
    }
}

/// Where the VP8 data begins in a payload, and whether a frame begins with it. `None`: not VP8.
pub fn descriptor(payload: &[u8]) -> Option<(usize, bool)> {
    let first = *payload.first()?;
    let starts = first & START_OF_PARTITION != 0 && first & 0x07 == 0;
    let mut length = 1usize;
    if first & EXTENDED != 0 {
        let extension = *payload.get(1)?;
        length = 2;
        if extension & HAS_PICTURE_ID != 0 {
            length = if payload.get(2)? & 0x80 != 0 { 4 } else { 3 };
        }
        length = length.saturating_add(usize::from(extension & 0x40 != 0));
        length = length.saturating_add(usize::from(extension & 0x30 != 0));
    }
    (length < payload.len()).then_some((length, starts))
}

/// Puts frames together from packets that arrive in order; a gap loses the frame it is in.
#[derive(Debug, Default)]
pub struct Assembler {
    frame: Vec<u8>,
    next_sequence: Option<u16>,
}

impl Assembler {
    /// One packet in; a frame out when this packet completed one.
    pub fn push(&mut self, sequence: u16, marker: bool, payload: &[u8]) -> Option<Vec<u8>> {
        let (offset, starts) = descriptor(payload)?;
        if starts {
            self.frame.clear();
        } else if self.next_sequence != Some(sequence) {
            self.next_sequence = None;
            return None;
        }
        self.frame.extend_from_slice(payload.get(offset..)?);
        self.next_sequence = (!marker).then_some(sequence.wrapping_add(1));
        marker.then(|| std::mem::take(&mut self.frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_any_size_come_back_whole() {
        let mut packetizer = Packetizer::starting_at(0x7fff);
        let mut assembler = Assembler::default();
        let mut sequence = u16::MAX - 2;
        for length in [1, 10, MAX_PAYLOAD - 4, MAX_PAYLOAD - 3, 5000, 20_000] {
            let frame: Vec<u8> = (0..length).map(|byte| byte as u8).collect();
            let payloads = packetizer.packetize(&frame);
            let last = payloads.len() - 1;
            for (index, payload) in payloads.iter().enumerate() {
                assert!(payload.len() <= MAX_PAYLOAD);
                let out = assembler.push(sequence, index == last, payload);
                assert_eq!(out, (index == last).then(|| frame.clone()));
                sequence = sequence.wrapping_add(1);
            }
        }
    }

    #[test]
    fn picture_ids_have_15_bits_and_wrap() {
        let mut packetizer = Packetizer::starting_at(0x7fff);
        assert_eq!(packetizer.packetize(&[1])[0][2..4], [0xff, 0xff]);
        assert_eq!(packetizer.packetize(&[1])[0][2..4], [0x80, 0x00]);
        assert!(packetizer.packetize(&[]).is_empty());
    }

    #[test]
    fn a_gap_loses_its_frame_and_no_other() {
        let mut packetizer = Packetizer::default();
        let mut assembler = Assembler::default();
        let torn = packetizer.packetize(&[7; 3000]);
        assert_eq!(assembler.push(10, false, &torn[0]), None);
        assert_eq!(assembler.push(12, true, &torn[2]), None);
        let whole = packetizer.packetize(&[8; 100]);
        assert_eq!(assembler.push(13, true, &whole[0]), Some(vec![8; 100]));
    }

    #[test]
    fn descriptors_of_other_senders_are_understood() {
        for (payload, expected) in [
            (vec![0x10, 1], Some((1, true))),
            (vec![0x90, 0x80, 0x05, 1], Some((3, true))),
            (vec![0x80, 0xf0, 0x85, 0x01, 2, 3, 9], Some((6, false))),
            (vec![0x90, 0x80, 0x85], None),
            (vec![], None),
        ] {
            assert_eq!(descriptor(&payload), expected, "{payload:x?}");
        }
    }
}
