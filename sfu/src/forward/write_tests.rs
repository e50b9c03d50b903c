use super::*;
use rtp::codec::Codec;
use rtp::extension::Extensions;
use rtp::packet::Header;
use std::time::Instant;

fn meta() -> PacketMeta {
    PacketMeta { marker: false, ..PacketMeta::whole_frame(Instant::now(), Codec::Opus) }
}

fn map(kinds: &[(ExtensionKind, u8)]) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    kinds.iter().for_each(|(kind, id)| assert!(map.insert(*kind, *id)));
    map
}

const HEAD: Head<'static> = Head {
    payload_type: 111,
    ssrc: 7,
    marker: false,
    sequence: 9,
    timestamp: 0,
    original: None,
    transport_sequence: Some(0x0102),
    mid: None,
};

fn written(map: &ExtensionMap, mid: Option<&str>, parts: Parts<'_>) -> (usize, Extensions) {
    let head = Head { mid, ..HEAD };
    let mut out = [0; 2000];
    let ids = EgressExtensions::new(map);
    let written = write_packet(&mut out, head, Offsets::default(), &meta(), ids, parts).unwrap();
    let packet = &out[..written.total];
    let header = Header::parse(packet).unwrap();
    assert_eq!(header.payload, written.header..written.total);
    (written.header, Extensions::parse(packet, &header, map))
}

const PAYLOAD: Parts<'_> = Parts { dependency: &[], capture_time: &[], payload: b"voice" };

#[test]
fn a_packet_names_its_section_beside_its_other_extensions() {
    use ExtensionKind::*;
    let all = map(&[(Mid, 4), (TransportSequence, 3), (AbsCaptureTime, 13), (DependencyDescriptor, 12)]);
    let parts = Parts { dependency: &[0x80, 0, 1], capture_time: &[5; 8], ..PAYLOAD };
    let (_, extensions) = written(&all, Some("107"), parts);
    assert_eq!(extensions.mid.as_deref(), Some("107"));
    assert_eq!(extensions.transport_sequence, Some(0x0102));
    assert!(extensions.abs_capture_time.is_some() && extensions.dependency_descriptor.is_some());
    let (header, extensions) = written(&all, Some("9"), PAYLOAD);
    assert_eq!((header, extensions.mid.as_deref()), (12 + 4 + 8, Some("9")));
    let (header, extensions) = written(&all, None, PAYLOAD);
    assert_eq!((header, extensions.mid), (12 + 4 + 4, None), "one word is enough for the number alone");
}

#[test]
fn a_receiver_that_did_not_negotiate_mid_gets_none() {
    let without = map(&[(ExtensionKind::TransportSequence, 3)]);
    let (_, extensions) = written(&without, Some("9"), PAYLOAD);
    assert_eq!((extensions.mid, extensions.transport_sequence), (None, Some(0x0102)));
    let (header, extensions) = written(&ExtensionMap::default(), Some("9"), PAYLOAD);
    assert_eq!((header, extensions.mid), (12, None));
}

#[test]
fn the_largest_header_fits_where_room_is_made_for_it() {
    use ExtensionKind::*;
    let all = map(&[(Mid, 16), (TransportSequence, 3), (AbsCaptureTime, 13), (DependencyDescriptor, 12)]);
    let parts = Parts { dependency: &[0x80; 255], capture_time: &[5; 16], ..PAYLOAD };
    let (header, extensions) = written(&all, Some("a-mid-of-16-byte"), parts);
    assert_eq!(extensions.mid.as_deref(), Some("a-mid-of-16-byte"));
    // The rest of the bound is the number of a resent packet.
    assert!(header + 2 <= MAX_HEADER_BYTES && header + 6 > MAX_HEADER_BYTES, "{header}");
}

#[test]
fn the_header_has_the_given_values() {
    for (marker, payload_type) in [(false, 111), (true, 111), (true, 0), (false, 127)] {
        let head = Head {
            marker,
            payload_type,
            sequence: 0x1234,
            timestamp: 0x5678_9abc,
            ssrc: 0xdef0_1234,
            ..HEAD
        };
        let mut out = [0; 100];
        let none = EgressExtensions::default();
        let written = write_packet(&mut out, head, Offsets::default(), &meta(), none, PAYLOAD).unwrap();
        let header = Header::parse(&out[..written.total]).unwrap();
        assert_eq!((header.marker, header.payload_type), (marker, payload_type));
        let numbers = (header.sequence, header.timestamp, header.ssrc.0);
        assert_eq!(numbers, (0x1234, 0x5678_9abc, 0xdef0_1234));
        assert_eq!((header.extension_profile, written.header), (None, 12));
    }
}

/// Each by itself, with an id for either form of the block (RFC 8285 sections 4.2 and 4.3).
#[test]
fn each_extension_is_written_alone() {
    use ExtensionKind::*;
    for id in [1, 14, 16, 255] {
        let (_, extensions) = written(&map(&[(TransportSequence, id)]), None, PAYLOAD);
        assert_eq!(
            extensions,
            Extensions { transport_sequence: Some(0x0102), ..Extensions::default() },
            "id {id}"
        );
        let (_, extensions) = written(&map(&[(Mid, id)]), Some("9"), PAYLOAD);
        assert_eq!(extensions.mid.as_deref(), Some("9"), "id {id}");
        let parts = Parts { dependency: &[0x80, 0, 1], ..PAYLOAD };
        let (_, extensions) = written(&map(&[(DependencyDescriptor, id)]), None, parts);
        assert_eq!(extensions.dependency_descriptor.map(|range| range.len()), Some(3), "id {id}");
        let parts = Parts { capture_time: &[5; 8], ..PAYLOAD };
        let (_, extensions) = written(&map(&[(AbsCaptureTime, id)]), None, parts);
        assert_eq!(extensions.abs_capture_time.map(|range| range.len()), Some(8), "id {id}");
    }
}

#[test]
fn a_stored_packet_has_three_parts() {
    let meta = PacketMeta { dependency_len: 3, capture_time_len: 8, ..meta() };
    let stored: Vec<u8> = (0..20).collect();
    let parts = Parts::of(&meta, &stored);
    assert_eq!(
        (parts.dependency, parts.capture_time, parts.payload),
        (&stored[..3], &stored[3..11], &stored[11..])
    );
}

/// A resent packet begins with the number it had (RFC 4588 section 4).
#[test]
fn numbers_in_header_and_payload_go_on() {
    let vp8 = |picture: u16, tl0| [0x90, 0xe0, 0x80 | (picture >> 8) as u8, picture as u8, tl0, 0x20, 0x01];
    let meta = PacketMeta {
        picture_id: Some(300),
        tl0_pic_idx: Some(7),
        ..PacketMeta::whole_frame(Instant::now(), Codec::Vp8)
    };
    let ids = EgressExtensions::new(&map(&[(ExtensionKind::DependencyDescriptor, 12)]));
    for (picture, tl0, frame) in [(0, 0, 0), (5, 0, 1), (0, 3, 0x0100), (5, 3, 0)] {
        let offsets = Offsets { picture, tl0, frame, ..Offsets::default() };
        let stored = vp8(300, 7);
        let parts = Parts { dependency: &[0x80, 0x02, 0x05], capture_time: &[], payload: &stored };
        let head = Head { original: Some(0x0708), ..HEAD };
        let mut out = [0; 100];
        let written = write_packet(&mut out, head, offsets, &meta, ids, parts).unwrap();
        let [high, low] = (0x0205 + frame).to_be_bytes();
        assert_eq!(out[17..20], [0x80, high, low], "{offsets:?}");
        assert_eq!(out[written.header..written.header + 2], [7, 8], "{offsets:?}");
        assert_eq!(out[written.header + 2..written.total], vp8(300 + picture, 7 + tl0), "{offsets:?}");
    }
}
