use super::*;
use proptest::prelude::*;

fn read(codec: Codec, marker: bool, payload: &[u8]) -> Descriptor {
    describe(codec, marker, payload, None, &mut None).unwrap()
}

#[test]
fn vp8_key_frame_with_all_fields() {
    // X, S=1 | I L T | picture id 0x1234 (15 bit) | TL0 9 | TID 2, Y | key frame 640×360.
    let mut payload = vec![0x90, 0xe0, 0x92, 0x34, 9, 0xa0];
    payload.extend_from_slice(&[0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0]);
    let descriptor = read(Codec::Vp8, true, &payload);
    assert!(
        descriptor.keyframe && descriptor.frame_start && descriptor.frame_end && descriptor.switching_point
    );
    assert_eq!(descriptor.picture_id, Some(0x1234));
    assert_eq!((descriptor.tl0_pic_idx, descriptor.temporal, descriptor.height), (Some(9), 2, Some(360)));
}

#[test]
fn vp8_delta_and_continuation() {
    let delta = read(Codec::Vp8, false, &[0x10, 0x01, 0, 0]);
    assert!(!delta.keyframe && delta.frame_start && !delta.frame_end);
    let continuation = read(Codec::Vp8, true, &[0x00, 0x00, 0, 0]);
    assert!(!continuation.keyframe && !continuation.frame_start && continuation.frame_end);
}

#[test]
fn vp8_ids_are_patched_in_their_width() {
    let mut wide = vec![0x90, 0xc0, 0x92, 0x34, 9, 0x01];
    patch_ids(Codec::Vp8, &mut wide, Some(0xffff), Some(200));
    assert_eq!(wide, [0x90, 0xc0, 0xff, 0xff, 200, 0x01]);
    let mut narrow = vec![0x90, 0x80, 0x05, 0x01];
    patch_ids(Codec::Vp8, &mut narrow, Some(0x1ff), Some(1));
    assert_eq!(narrow, [0x90, 0x80, 0x7f, 0x01]);
    let mut none = vec![0x10, 0x01];
    patch_ids(Codec::Vp8, &mut none, Some(1), Some(1));
    assert_eq!(none, [0x10, 0x01]);
}

#[test]
fn vp9_layers_and_ids() {
    // I L B | picture id 0x05 (7 bit) | TID 1, U, SID 0 | TL0 7.
    let key = [0x80 | 0x20 | 0x08, 0x05, 0x30, 7, 0xaa];
    let descriptor = read(Codec::Vp9, false, &key);
    assert!(
        descriptor.keyframe
            && descriptor.frame_start
            && descriptor.opens_upper
            && !descriptor.switching_point
    );
    assert_eq!((descriptor.temporal, descriptor.tl0_pic_idx), (1, Some(7)));
    let mut patched = key;
    patch_ids(Codec::Vp9, &mut patched, Some(6), Some(8));
    assert_eq!(patched, [0xa8, 6, 0x30, 8, 0xaa]);
    let upper = read(Codec::Vp9, true, &[0x20 | 0x08 | 0x04, 0x02, 7, 0xaa]);
    assert!(!upper.keyframe && upper.frame_end, "spatial layer 1 begins no frame");
}

#[test]
fn h264_begins_at_the_parameter_sets() {
    // payload, key frame, frame start; a slice that holds the first macroblock begins with a 1 bit
    let table: [(&str, &[u8], bool, bool); 11] = [
        ("SPS", &[0x67, 0x42, 0xe0], true, true),
        ("PPS", &[0x68, 0xce, 0x3c], false, false),
        ("IDR after its SPS", &[0x65, 0x88, 2], false, true),
        ("IDR, second slice", &[0x65, 0x08, 2], false, false),
        ("slice", &[0x41, 0x9a, 2], false, true),
        ("STAP-A SPS PPS", &[0x78, 0, 2, 0x67, 1, 0, 1, 0x68], true, true),
        ("STAP-A SEI slice", &[0x78, 0, 1, 6, 0, 2, 0x41, 0x9a], false, true),
        ("STAP-A cut", &[0x78, 0, 9, 0x67, 1], false, false),
        ("FU-A IDR first", &[0x7c, 0x85, 0x88], false, true),
        ("FU-A IDR, second slice", &[0x7c, 0x85, 0x08], false, false),
        ("FU-A last", &[0x7c, 0x45, 0x88], false, false),
    ];
    for (what, payload, keyframe, start) in table {
        let descriptor = read(Codec::H264, false, payload);
        assert_eq!((descriptor.keyframe, descriptor.frame_start), (keyframe, start), "{what}");
    }
}

#[test]
fn an_h264_key_frame_has_one_beginning() {
    // As Chromium sends it: STAP-A with SPS and PPS, then the IDR slice in fragments.
    let packets: [&[u8]; 3] = [
        &[0x78, 0, 3, 0x67, 0x42, 0xe0, 0, 2, 0x68, 0xce],
        &[0x7c, 0x85, 0x88, 0x84],
        &[0x7c, 0x45, 0x11, 0x22],
    ];
    let keys = packets.map(|payload| read(Codec::H264, false, payload).keyframe);
    assert_eq!(keys, [true, false, false]);
}

#[test]
fn vp9_key_frames_have_their_height() {
    // I L B V | picture id | TID 0, SID 0 | TL0, then N_S=1, Y: 320×180 and 640×360, G with N_G=0.
    let structure = [0x38, 1, 0x40, 0, 180, 2, 0x80, 1, 0x68, 0];
    let key = [&[0xaa, 0x05, 0x00, 7][..], &structure].concat();
    assert_eq!(read(Codec::Vp9, false, &key).height, Some(360));
    let cut = &key[..12];
    assert_eq!(read(Codec::Vp9, false, cut).height, None, "a broken structure has no height");
    let inter = [&[0xea, 0x05, 0x00, 7][..], &structure].concat();
    assert_eq!(read(Codec::Vp9, false, &inter).height, None);
}

#[test]
fn av1_without_a_descriptor() {
    // Z continues an OBU, N begins a coded video sequence.
    for (header, keyframe, start) in [(0x18, true, true), (0x10, false, true), (0x90, false, false)] {
        let descriptor = read(Codec::Av1, true, &[header, 1]);
        assert_eq!((descriptor.keyframe, descriptor.frame_start), (keyframe, start), "{header:#x}");
    }
}

#[test]
fn truncated_descriptors_are_refused() {
    for (codec, payload) in [
        (Codec::Vp8, &[0x90][..]),
        (Codec::Vp8, &[0x90, 0x80, 0x80]),
        (Codec::Vp9, &[0x80]),
        (Codec::H264, &[0x7c]),
        (Codec::Av1, &[]),
    ] {
        let refused = describe(codec, false, payload, None, &mut None);
        assert_eq!(refused, Err(Malformed::Payload), "{codec:?}");
    }
}

proptest! {
    #[test]
    fn random_payloads_never_panic(
        payload in proptest::collection::vec(any::<u8>(), 0..40),
        dependency in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1] {
            let mut structure = None;
            let mut patched = payload.clone();
            let _told = describe(codec, false, &payload, Some(&dependency), &mut structure);
            patch_ids(codec, &mut patched, Some(9), Some(9));
            prop_assert_eq!(patched.len(), payload.len());
        }
    }
}
