use super::*;
use crate::rtp::codec::Codec;
use crate::rtp::extension::Extensions;
use crate::rtp::packet::Header;
use std::time::Instant;

fn meta() -> PacketMeta {
    PacketMeta { marker: false, ..PacketMeta::whole_frame(Instant::now(), Codec::Opus) }
}

fn map(kinds: &[(ExtensionKind, u8)]) -> ExtensionMap {
    let mut map = ExtensionMap::default();
    kinds.iter().for_each(|(kind, id)| assert!(map.insert(*kind, *id)));
    map
}

fn written(map: &ExtensionMap, mid: Option<&str>, parts: Parts<'_>) -> (usize, Extensions) {
    let head = Head {
        payload_type: 111,
        ssrc: 7,
        marker: false,
        sequence: 9,
        timestamp: 0,
        original: None,
        transport_sequence: Some(0x0102),
        mid,
    };
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
fn a_packet_names_its_section_beside_whatever_else_it_tells() {
    use ExtensionKind::*;
    let all = map(&[(Mid, 4), (TransportSequence, 3), (AbsCaptureTime, 13), (DependencyDescriptor, 12)]);
    let parts = Parts { dependency: &[0x80, 0, 1], capture_time: &[5; 8], ..PAYLOAD };
    let (_, told) = written(&all, Some("107"), parts);
    assert_eq!(told.mid.as_deref(), Some("107"));
    assert_eq!(told.transport_sequence, Some(0x0102));
    assert!(told.abs_capture_time.is_some() && told.dependency_descriptor.is_some());
    let (header, told) = written(&all, Some("9"), PAYLOAD);
    assert_eq!((header, told.mid.as_deref()), (12 + 4 + 8, Some("9")));
    let (header, told) = written(&all, None, PAYLOAD);
    assert_eq!((header, told.mid), (12 + 4 + 4, None), "one word is enough for the number alone");
}

#[test]
fn a_receiver_that_did_not_negotiate_mid_gets_none() {
    let without = map(&[(ExtensionKind::TransportSequence, 3)]);
    let (_, told) = written(&without, Some("9"), PAYLOAD);
    assert_eq!((told.mid, told.transport_sequence), (None, Some(0x0102)));
    let (header, told) = written(&ExtensionMap::default(), Some("9"), PAYLOAD);
    assert_eq!((header, told.mid), (12, None));
}

#[test]
fn the_largest_header_fits_where_room_is_made_for_it() {
    use ExtensionKind::*;
    let all = map(&[(Mid, 16), (TransportSequence, 3), (AbsCaptureTime, 13), (DependencyDescriptor, 12)]);
    let parts = Parts { dependency: &[0x80; 255], capture_time: &[5; 16], ..PAYLOAD };
    let (header, told) = written(&all, Some("a-mid-of-16-byte"), parts);
    assert_eq!(told.mid.as_deref(), Some("a-mid-of-16-byte"));
    // The rest of the bound is the number of a resent packet.
    assert!(header + 2 <= MAX_HEADER_BYTES && header + 6 > MAX_HEADER_BYTES, "{header}");
}
