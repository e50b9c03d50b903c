use super::*;
use proptest::prelude::*;

fn block(payload_type: u8, offset: u32, data: &[u8]) -> Block<'_> {
    Block { payload_type, offset, data }
}

/// The example of RFC 2198 section 4: LPC (PT 7, 14 bytes) of 160 ticks ago before DVI (PT 5).
#[test]
fn a_payload_has_the_bytes_of_the_rfc() {
    let (lpc, dvi) = ([7; 14], [5; 84]);
    let mut out = [0xff; 200];
    let written = write(&mut out, &[block(7, 160, &lpc)], block(5, 0, &dvi)).unwrap();
    // 1 | 0000111, offset 00000010100000, length 0000001110; 0 | 0000101.
    assert_eq!(out[..5], [0x87, 0x02, 0x80, 0x0e, 0x05]);
    assert_eq!((&out[5..19], &out[19..written]), (&lpc[..], &dvi[..]));
    let read: Vec<_> = blocks(&out[..written]).unwrap().collect();
    assert_eq!(read, [block(7, 160, &lpc), block(5, 0, &dvi)]);
    assert_eq!(primary(&out[..written]).unwrap(), block(5, 0, &dvi));
}

#[test]
fn what_is_cut_off_is_refused() {
    for payload in [&[][..], &[0x80 | 111, 0, 0, 3], &[0x80 | 111, 0, 0], &[0x80 | 111, 0, 0, 3, 111, 1, 2]] {
        assert_eq!(blocks(payload).err(), Some(Malformed::Payload), "{payload:?}");
    }
    assert_eq!(primary(&[111]).unwrap(), block(111, 0, &[]), "a primary block may be empty");
}

#[test]
fn what_a_header_cannot_say_is_not_written() {
    let (mut out, long) = ([0; 3000], [0; MAX_BLOCK + 1]);
    let own = block(111, 0, &[1]);
    assert!(write(&mut out, &[block(111, MAX_OFFSET, &long[1..])], own).is_some());
    assert_eq!(write(&mut out, &[block(111, MAX_OFFSET + 1, &[1])], own), None);
    assert_eq!(write(&mut out, &[block(111, 960, &long)], own), None);
    assert_eq!(write(&mut out[..7], &[block(111, 960, &[1])], own), Some(7));
    assert_eq!(write(&mut out[..6], &[block(111, 960, &[1])], own), None, "no room");
}

proptest! {
    /// What is written is read again, whatever blocks it has.
    #[test]
    fn what_is_written_is_read_again(
        payload_type in 0u8..128,
        redundant in prop::collection::vec((1..=MAX_OFFSET, prop::collection::vec(any::<u8>(), 0..=60)), 0..6),
        own in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let blocks_in: Vec<_> =
            redundant.iter().map(|(offset, data)| block(payload_type, *offset, data)).collect();
        let own = block(payload_type, 0, &own);
        let mut out = [0; 1000];
        let written = write(&mut out, &blocks_in, own).unwrap();
        let read: Vec<_> = blocks(&out[..written]).unwrap().collect();
        let (last, others) = read.split_last().unwrap();
        prop_assert_eq!((others, *last), (&blocks_in[..], own));
    }

    /// What is read lies within the payload: headers and blocks together are all of it.
    #[test]
    fn random_payloads_are_read_whole_or_refused(payload in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(read) = blocks(&payload) {
            let read: Vec<_> = read.collect();
            let headers = (read.len() - 1) * BLOCK_HEADER + PRIMARY_HEADER;
            let bytes: usize = read.iter().map(|block| block.data.len()).sum();
            prop_assert_eq!(headers + bytes, payload.len());
        }
    }
}
