use super::*;
use crate::forward::packet::{Mapped, Offsets, Origin};
use crate::ids::{PeerIndex, SourceKind};
use crate::time::test_start;
use proptest::prelude::*;
use rtp::sequence::Sequence;

const PACKET: u32 = 960;
const ORIGIN: Origin =
    Origin { publisher: PeerIndex { place: 0, generation: 1 }, kind: SourceKind::Microphone, layer: 0 };

/// A voice of packets of these lengths, one after the other, which a slot carries from `begins` on, and the redundancy
/// of a receiver that loses 30 %: copies of the three packets before.
struct Story {
    layer: Layer,
    rewriter: Rewriter,
    redundancy: Redundancy,
}

impl Story {
    fn new(lengths: &[usize], begins: u64) -> Story {
        let now = test_start();
        let mut layer = Layer::new(now, SourceKind::Microphone, 0);
        let mut rewriter = Rewriter::new(48_000, 7);
        for (index, length) in (0u64..).zip(lengths) {
            let meta = meta(index);
            layer.slab.insert(at(index), &vec![index as u8; *length], meta).unwrap();
            if index == begins {
                rewriter.begin(ORIGIN, at(index), &meta, 99);
            }
            rewriter.map(now, ORIGIN, at(index), &meta);
        }
        let mut redundancy = Redundancy::default();
        let burst = Duration::ZERO;
        let (bps, room_bps, congested, packet) = (1e7, 1e7, false, Duration::from_millis(20));
        redundancy.follow(now, Losing { share: 0.3, burst, bps, room_bps, congested, packet });
        redundancy.begin_turn(now);
        Story { layer, rewriter, redundancy }
    }

    /// What the packet leaves with: its blocks, each with its offset in packets and what it says.
    fn sealed(&self, index: u64) -> Option<Vec<(u32, Vec<u8>)>> {
        let voice = Voice { layer: &self.layer, rewriter: &self.rewriter, payload_type: 111 };
        let mapped = Mapped { sequence_out: at(500), offsets: Offsets::default() };
        let pending = Pending::one(test_start(), ORIGIN, at(index), 0, mapped);
        let (meta, stored) = self.layer.slab.get(at(index)).unwrap();
        let mut out = [0; MAX_PAYLOAD];
        let length = voice.write(&mut out, &self.redundancy, (&pending, meta), stored)?;
        let blocks = red::blocks(&out[..length]).unwrap();
        assert!(blocks.clone().all(|block| block.payload_type == 111));
        Some(blocks.map(|block| (block.offset / PACKET, block.data.to_vec())).collect())
    }
}

fn at(index: u64) -> Sequence {
    Sequence::from_index(index)
}

fn meta(index: u64) -> PacketMeta {
    let timestamp = index as u32 * PACKET;
    PacketMeta { timestamp, ..PacketMeta::whole_frame(test_start(), Codec::Opus) }
}

#[test]
fn a_packet_carries_the_three_before_it_oldest_first() {
    let story = Story::new(&[80; 10], 0);
    let said = |index: u8| vec![index; 80];
    assert_eq!(story.sealed(9).unwrap(), [(3, said(6)), (2, said(7)), (1, said(8)), (0, said(9))]);
    assert_eq!(story.sealed(0), None, "nothing was before");
}

/// What was said before a slot carried the voice was not for this receiver.
#[test]
fn nothing_is_copied_from_before_a_switch() {
    let story = Story::new(&[80; 10], 7);
    let offsets =
        |index| story.sealed(index).map(|blocks| blocks.iter().map(|(at, _)| *at).collect::<Vec<_>>());
    assert_eq!(offsets(7), None);
    assert_eq!(offsets(8), Some(vec![1, 0]));
    assert_eq!(offsets(9), Some(vec![2, 1, 0]));
}

#[test]
fn a_lost_or_empty_packet_is_left_out_and_so_is_an_old_one() {
    let mut story = Story::new(&[80, 80, 0, 80, 80], 0);
    let offsets = |story: &Story, index| {
        story.sealed(index).map(|blocks| blocks.iter().map(|(at, _)| *at).collect::<Vec<_>>())
    };
    assert_eq!(offsets(&story, 4), Some(vec![3, 1, 0]));
    let later = PacketMeta { timestamp: 4 * PACKET + 48 * 251, ..meta(5) };
    story.layer.slab.insert(at(5), &[5; 80], later).unwrap();
    story.rewriter.map(test_start(), ORIGIN, at(5), &later);
    assert_eq!(story.sealed(5), None, "after a quarter of a second of silence");
}

#[test]
fn no_more_than_the_budget_and_the_farthest_first() {
    let mut story = Story::new(&[80; 10], 0);
    let all = story.redundancy.budget();
    story.redundancy.spend(all - 170);
    let sent = story.sealed(9).unwrap();
    assert_eq!(sent.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [3, 2, 0], "two copies of 84 bytes");
}

#[test]
fn reports_are_about_what_came_since_the_last() {
    let mut account = SlotAccount::default();
    let mut report = |highest_sequence, cumulative_lost| {
        let block = ReportBlock {
            ssrc: rtp::ids::Ssrc(1),
            fraction_lost: 0,
            cumulative_lost,
            highest_sequence,
            jitter: 0,
            last_sr: 0,
            delay_since_last_sr: 0,
        };
        let since = since_last(&mut account, &block);
        account.reported_lost = i64::from(cumulative_lost);
        since
    };
    assert_eq!(report(65_500, 4), (0, 0), "nothing is known of the time before");
    assert_eq!(report(65_550, 14), (50, 10));
    assert_eq!(report(20, 0), (0, 0), "another receiver");
}

proptest! {
    /// Whatever lengths packets have, what leaves can be read, says what was said, and fits.
    #[test]
    fn what_is_made_is_read_again(lengths in prop::collection::vec(0usize..1200, 4..12)) {
        let story = Story::new(&lengths, 0);
        let last = lengths.len() - 1;
        if let Some(blocks) = story.sealed(last as u64) {
            prop_assert!(blocks.len() > 1);
            for (back, data) in blocks {
                let index = last - back as usize;
                prop_assert_eq!(data, vec![index as u8; lengths[index]]);
            }
        }
    }
}
