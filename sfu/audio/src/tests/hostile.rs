use super::*;
use crate::{MAX_PAYLOAD, Opus};
use proptest::prelude::*;

fn peer() -> impl Strategy<Value = PeerId> {
    (0u64..4).prop_map(PeerId)
}

fn timestamp() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        (0u32..200).prop_map(|n| n.wrapping_mul(960)),
        (0u32..200).prop_map(|n| 960u32.wrapping_mul(n).wrapping_sub(90_000)),
        0u32..5_000,
    ]
}

fn order() -> impl Strategy<Value = MixOrder> {
    let bps = prop_oneof![any::<u32>(), Just(16_000)];
    let mix = (proptest::option::of(peer()), bps).prop_map(|(without, bps)| wanted(without, bps));
    let mixes = prop::collection::vec(mix, 0..4);
    let arrange = (0u64..2, prop::collection::vec(peer(), 0..5), mixes);
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        prop::collection::vec(any::<u8>(), MAX_PAYLOAD - 2..MAX_PAYLOAD + 2),
    ];
    // A mixer of marks finds marks among these, one of Opus all kinds of packets.
    let bytes = prop_oneof![bytes, (any::<u8>(), any::<u32>()).prop_map(|(key, value)| mark(key, value))];
    prop_oneof![
        1 => arrange.prop_map(|(room, voices, mixes)| MixOrder::Room { room: RoomId(room), voices, mixes }),
        15 => (0u64..2, peer(), timestamp(), bytes).prop_map(|(room, voice, timestamp, payload)| {
            MixOrder::Voice { room: RoomId(room), voice, timestamp, payload }
        }),
    ]
}

/// Orders with the milliseconds before them, some of them negative.
fn orders() -> impl Strategy<Value = Vec<(i64, MixOrder)>> {
    let wait = prop_oneof![6 => 0i64..3, 2 => 0i64..30, 1 => -500i64..3_000];
    prop::collection::vec((wait, order()), 1..150)
}

fn survives<C: Codec>(codec: C, orders: Vec<(i64, MixOrder)>) {
    let mut desk = Desk::new(codec);
    for room in 0..2 {
        let voices: Vec<PeerId> = (0..4).map(PeerId).collect();
        let mixes = vec![wanted(None, 16_000), wanted(Some(PeerId(0)), 16_000)];
        desk.order(MixOrder::Room { room: RoomId(room), voices, mixes });
    }
    for (wait, order) in orders {
        desk.now = desk.now.saturating_add_signed(wait);
        desk.order(order);
        desk.poll();
    }
    for (mix, packets) in desk.mixes() {
        let goes_on = |pair: &[&Mixed]| pair[0].timestamp < pair[1].timestamp;
        assert!(packets.windows(2).all(goes_on), "{mix:?} goes back");
        assert!(packets.iter().all(|mixed| mixed.timestamp.is_multiple_of(1_920)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_comes_a_mixer_of_marks_goes_on(orders in orders()) {
        survives(MARKS, orders);
    }

    #[test]
    fn whatever_comes_a_mixer_of_opus_goes_on(orders in orders()) {
        survives(Opus, orders);
    }
}
