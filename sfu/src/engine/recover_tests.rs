use super::*;
use crate::ids::SourceKind;
use crate::time::test_start;
use proptest::prelude::*;
use rtp::codec::Codec;
use rtp::codec::red::Block;

/// 20 ms.
const PACKET: u32 = 960;

/// A microphone's layer, whose packets say their number.
struct Microphone {
    now: Instant,
    layer: Layer,
}

impl Microphone {
    fn new() -> Microphone {
        let now = test_start();
        Microphone { now, layer: Layer::new(now, SourceKind::Microphone, 0) }
    }

    /// A packet comes with copies of these others, each with its time; returns what it brings back.
    fn hear(&mut self, (index, timestamp): (u64, u32), copies: &[(u64, u32)]) -> Vec<u64> {
        let sequence = Sequence::from_index(index);
        let meta = PacketMeta { timestamp, ..PacketMeta::whole_frame(self.now, Codec::Opus) };
        let _ = self.layer.nack.on_arrival(self.now, sequence, false);
        self.layer.slab.insert(sequence, &said(index), meta).unwrap();
        self.layer.newest = self.layer.newest.max(sequence);
        let bytes: Vec<_> =
            copies.iter().map(|(index, at)| (timestamp.wrapping_sub(*at), said(*index))).collect();
        let block = |offset, data| Block { payload_type: 111, offset, data };
        let blocks: Vec<_> = bytes.iter().map(|(offset, data)| block(*offset, data.as_slice())).collect();
        let mut payload = [0; 500];
        let length = red::write(&mut payload, &blocks, block(0, &said(index))).unwrap();
        let recovered = recover(self.now, &mut self.layer, (sequence, &meta), &payload[..length]);
        recovered.iter().map(|sequence| sequence.index().unwrap()).collect()
    }

    /// The time and the words of a packet that is there.
    fn kept(&self, index: u64) -> Option<(u32, Vec<u8>)> {
        let (meta, bytes) = self.layer.slab.get(Sequence::from_index(index))?;
        Some((meta.timestamp, bytes.to_vec()))
    }
}

fn said(index: u64) -> Vec<u8> {
    index.to_be_bytes().to_vec()
}

/// Numbers from 65,500 and times from just before the wrap.
fn at(n: u64) -> (u64, u32) {
    (65_500 + n, (n as u32 * PACKET).wrapping_sub(2 * PACKET))
}

#[test]
fn a_lost_packet_is_kept_under_its_own_number_and_time() {
    let mut microphone = Microphone::new();
    assert_eq!(microphone.hear(at(0), &[]), [0u64; 0]);
    assert_eq!(microphone.hear(at(2), &[at(1)]), [at(1).0]);
    assert_eq!(microphone.kept(at(1).0), Some((at(1).1, said(at(1).0))));
    assert!(!microphone.layer.nack.is_missing(Sequence::from_index(at(1).0)), "and not asked for");
    assert_eq!(microphone.hear(at(3), &[at(2), at(1)]), [0u64; 0], "once");
    assert_eq!(microphone.hear(at(6), &[at(4), at(5)]), [at(4).0, at(5).0], "in order");
    assert_eq!(microphone.hear(at(9), &[at(7)]), [at(7).0], "what is in it");
    assert_eq!(microphone.hear(at(10), &[at(8)]), [at(8).0], "also over one that came");
}

#[test]
fn across_silence_a_number_is_not_guessed() {
    let mut microphone = Microphone::new();
    microphone.hear((10, 0), &[]);
    assert_eq!(microphone.hear((13, 20 * PACKET), &[(12, 19 * PACKET)]), [0u64; 0]);
    assert_eq!(
        microphone.hear((15, 22 * PACKET), &[(14, 21 * PACKET)]),
        [14],
        "one number, whatever came before"
    );
}

#[test]
fn what_was_not_missed_is_not_taken() {
    let mut microphone = Microphone::new();
    microphone.hear(at(0), &[]);
    // Muted, and muted no longer: numbers are passed over.
    microphone.layer.nack.begin_at(Sequence::from_index(at(1).0));
    assert_eq!(microphone.hear(at(2), &[at(1)]), [0u64; 0]);
    assert_eq!(microphone.kept(at(1).0), None);
}

#[test]
fn what_nobody_would_play_is_left() {
    let mut microphone = Microphone::new();
    let long = |n: u64| (n, n as u32 * 3 * PACKET);
    microphone.hear(long(0), &[]);
    assert_eq!(microphone.hear(long(6), &[long(1), long(2), long(5)]), [2, 5], "300 ms are too long ago");
}

proptest! {
    /// Whatever is lost and whatever packets repeat, a number names what was said under it.
    #[test]
    fn a_number_never_names_something_else(
        steps in prop::collection::vec((any::<bool>(), prop::collection::vec(1u64..6, 0..4)), 1..80),
    ) {
        let mut microphone = Microphone::new();
        let mut missing = Vec::new();
        for (n, (lost, distances)) in (8u64..).zip(&steps) {
            if *lost {
                missing.push(at(n).0);
                continue;
            }
            let copies: Vec<_> = distances.iter().map(|distance| at(n - distance)).collect();
            let recovered = microphone.hear(at(n), &copies);
            prop_assert!(recovered.iter().all(|index| missing.contains(index)));
            for index in recovered {
                let n = index - at(0).0;
                prop_assert_eq!(microphone.kept(index), Some((at(n).1, said(index))));
            }
        }
    }
}
