use super::*;
use proptest::prelude::*;

/// Bits as text, spaces ignored, to whole bytes.
fn bytes(bits: &str) -> Vec<u8> {
    let bits: Vec<u8> = bits.bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
    let byte = |chunk: &[u8]| (0..8).fold(0, |v, i| v << 1 | chunk.get(i).copied().unwrap_or(0));
    bits.chunks(8).map(byte).collect()
}

/// The mandatory fields, then these bits.
fn descriptor(first: u8, frame: u16, bits: &str) -> Vec<u8> {
    let [high, low] = frame.to_be_bytes();
    [vec![first, high, low], bytes(bits)].concat()
}

/// Three temporal layers as libwebrtc numbers them: four templates (a key frame, T0, T1, T2), three
/// targets, one chain, 1280×720. First template id 62, so that the numbers wrap.
fn l1t3_key(frame: u16) -> Vec<u8> {
    let structure = [
        "1 0000",       // structure, nothing of its own
        "111110 00010", // first id, targets − 1
        "00 01 01 11",  // the next layer: same, temporal, temporal, end
        "101010",       // switch for all; the same; − D S; − − D
        "101010",
        "000110",
        "000001",
        "0",                   // the key frame refers to nothing
        "1 0011 0",            // T0: 4 back
        "1 0001 0",            // T1: 2 back
        "1 0000 0",            // T2: 1 back
        "01",                  // one chain: ns(4)
        "0000 0100 0011 0001", // per template (targets: ns(1), no bits)
        "1",
        "0000010011111111 0000001011001111",
    ];
    descriptor(0xc0 | 62, frame, &structure.concat())
}

fn av1(dependency: &[u8], structure: &mut Option<TemplateStructure>) -> Descriptor {
    describe(Codec::Av1, true, &[0x10, 1], Some(dependency), structure).unwrap()
}

#[test]
fn a_key_frame_announces_layers_and_height() {
    let mut structure = None;
    let key = av1(&l1t3_key(0x0102), &mut structure);
    assert!(key.keyframe && key.frame_start && key.frame_end && key.opens_upper);
    assert_eq!((key.temporal, key.frame_number, key.height), (0, Some(0x0102), Some(720)));
    // template id, temporal layer, whether a receiver may go up after it
    for (id, temporal, opens_upper) in [(63u8, 0, true), (0, 1, true), (1, 2, false)] {
        let parsed = av1(&descriptor(0xc0 | id, 7, ""), &mut structure);
        assert_eq!((parsed.temporal, parsed.opens_upper), (temporal, opens_upper), "template {id}");
        assert!(!parsed.keyframe && parsed.height.is_none());
        assert_eq!(parsed.frame_number, Some(7));
    }
}

#[test]
fn only_the_first_packet_of_a_frame_begins_it() {
    let mut structure = None;
    let mut key = l1t3_key(1);
    key[0] &= 0x7f;
    let parsed = av1(&key, &mut structure);
    assert!(!parsed.keyframe && !parsed.frame_start);
    assert!(structure.is_some(), "the structure holds all the same");
}

#[test]
fn a_structure_on_a_frame_that_refers_to_others_is_no_key_frame() {
    let mut delta = l1t3_key(9);
    delta[0] = 0xc0 | 63;
    assert!(!av1(&delta, &mut None).keyframe);
}

#[test]
fn a_frame_may_differ_from_its_template() {
    let mut structure = None;
    av1(&l1t3_key(1), &mut structure);
    // Active targets 111; own indications: T0 that is only required for the top target.
    let parsed = av1(&descriptor(0xc0 | 63, 2, "0 1 1 0 0 111 101011"), &mut structure);
    assert!(!parsed.opens_upper);
    // Own indications for a T1 frame that is a switch for all.
    let parsed = av1(&descriptor(0xc0, 3, "0 0 1 0 0 001010"), &mut structure);
    assert_eq!((parsed.temporal, parsed.opens_upper), (1, true));
}

#[test]
fn what_was_not_announced_has_only_its_number() {
    let alone = av1(&descriptor(0xc0 | 5, 77, ""), &mut None);
    assert_eq!((alone.frame_number, alone.temporal), (Some(77), 0));
    let mut structure = None;
    av1(&l1t3_key(1), &mut structure);
    let known = structure.clone();
    let beyond = av1(&descriptor(0xc0 | 20, 78, ""), &mut structure);
    assert_eq!((beyond.frame_number, beyond.opens_upper), (Some(78), false));
    let cut = &l1t3_key(79)[..9];
    assert!(!av1(cut, &mut structure).keyframe);
    assert_eq!(structure, known, "half a structure does not replace a whole one");
    av1(&[0xc0], &mut structure);
}

#[test]
fn the_frame_number_is_patched_in_place() {
    let mut key = l1t3_key(1);
    let before = key.clone();
    patch_frame_number(&mut key, 0xabcd);
    assert_eq!((key[0], &key[1..3], &key[3..]), (before[0], &[0xab, 0xcd][..], &before[3..]));
    patch_frame_number(&mut [0xc0, 1], 9);
}

proptest! {
    #[test]
    fn a_damaged_structure_never_panics(at in 3usize..40, value in any::<u8>(), length in 3usize..40) {
        let mut key = l1t3_key(1);
        if let Some(byte) = key.get_mut(at) {
            *byte = value;
        }
        key.truncate(length);
        let mut structure = None;
        let parsed = av1(&key, &mut structure);
        prop_assert_eq!(parsed.frame_number, Some(1));
        let _next = av1(&descriptor(0xc0, 2, "0 1 1 1 1 1111 1111 1111"), &mut structure);
    }
}
