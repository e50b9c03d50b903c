use super::*;
use proptest::prelude::*;

fn block() -> ReportBlock {
    ReportBlock {
        ssrc: Ssrc(7),
        fraction_lost: 64,
        cumulative_lost: -3,
        highest_sequence: 0x0001_0002,
        jitter: 90,
        last_sr: 5,
        delay_since_last_sr: 6,
    }
}

#[test]
fn a_compound_round_trips() {
    let mut bytes = Vec::new();
    write_receiver_report(&mut bytes, Ssrc(1), &[block()]);
    write_sdes_cname(&mut bytes, Ssrc(1), "nhipcau");
    write_sender_report(&mut bytes, Ssrc(2), NtpTime(0x0102_0304_0506_0708), 9, 10, 11);
    write_pli(&mut bytes, Ssrc(1), Ssrc(3));
    write_nack(&mut bytes, Ssrc(1), Ssrc(3), &[65_535, 0, 3, 40]);
    let read = parse_compound(&bytes).unwrap();
    assert_eq!(
        read,
        [
            Feedback::ReceiverReport { ssrc: Ssrc(1), reports: vec![block()] },
            Feedback::SenderReport(SenderReport {
                ssrc: Ssrc(2),
                ntp: NtpTime(0x0102_0304_0506_0708),
                rtp: 9,
                packets: 10,
                octets: 11,
                reports: vec![],
            }),
            Feedback::Pli { media: Ssrc(3) },
            Feedback::Nack { media: Ssrc(3), sequences: vec![65_535, 0, 3, 40] },
        ]
    );
}

#[test]
fn nacks_pack_seventeen_numbers_into_one_word() {
    let mut bytes = Vec::new();
    let sequences: Vec<u16> = (100..117).collect();
    write_nack(&mut bytes, Ssrc(1), Ssrc(3), &sequences);
    assert_eq!(bytes.len(), 16);
}

#[test]
fn full_intra_requests_are_read() {
    let bytes = [0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 9, 0, 0, 0];
    assert_eq!(parse_compound(&bytes).unwrap(), [Feedback::Fir { media: Ssrc(3) }]);
}

#[test]
fn broken_lengths_are_refused_and_unknown_types_skipped() {
    assert!(parse_compound(&[0x80, 200, 0, 9, 1, 2, 3, 4]).is_err());
    assert!(parse_compound(&[0x40, 200, 0, 0]).is_err());
    assert!(parse_compound(&[0x80, 200]).is_err());
    assert_eq!(parse_compound(&[0x80, 207, 0, 1, 1, 2, 3, 4]).unwrap(), []);
    assert_eq!(parse_compound(&[0x80, 200, 0, 1, 1, 2, 3, 4]).unwrap(), [], "too short for its type");
}

#[test]
fn what_a_receiver_estimates_is_read() {
    // draft-alvestrand-rmcat-remb-03 section 2.2: exponent 2, mantissa 125,000, one SSRC
    let remb = |rate: [u8; 4], name: &[u8; 4]| {
        let head = [0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0];
        let bytes = [&head[..], name, &rate, &[0, 0, 0, 7]].concat();
        parse_compound(&bytes).expect("whole")
    };
    assert_eq!(remb([1, 0x09, 0xe8, 0x48], b"REMB"), [Feedback::Remb { bps: 500_000 }]);
    assert_eq!(remb([1, 0xff, 0xff, 0xff], b"REMB"), [Feedback::Remb { bps: u64::MAX }], "no overflow");
    assert_eq!(remb([1, 0x09, 0xe8, 0x48], b"XYZW"), [], "somebody's own");
    assert_eq!(parse_compound(&[0x8f, 206, 0, 1, 0, 0, 0, 1]).expect("whole"), [], "too short");
}

/// A transport-wide report of `count` packets with these chunks and deltas (bytes, whole words).
fn transport_packet(count: u16, tail: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write::packet(&mut bytes, TRANSPORT_WIDE, TRANSPORT_FEEDBACK, |out| {
        out.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2, 0, 10]);
        out.extend_from_slice(&count.to_be_bytes());
        out.extend_from_slice(&[0, 0, 5, 7]);
        out.extend_from_slice(tail);
    });
    bytes
}

#[test]
fn every_kind_of_status_chunk_is_read() {
    // draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1, symbols and deltas by hand
    type Case<'a> = (&'a str, u16, &'a [u8], &'a [Option<i16>]);
    let table: [Case; 6] = [
        ("run of small", 2, &[0x20, 0x02, 4, 5], &[Some(4), Some(5)]),
        ("run of large", 1, &[0x40, 0x01, 0xff, 0xfe], &[Some(-2)]),
        ("run of lost", 3, &[0x00, 0x03], &[None, None, None]),
        ("one-bit vector", 3, &[0xa8, 0x00, 9, 8], &[Some(9), None, Some(8)]),
        ("two-bit vector", 3, &[0xd2, 0x00, 1, 1, 0], &[Some(1), None, Some(256)]),
        ("an empty run covers nothing", 1, &[0x20, 0, 0x20, 1, 6, 0], &[Some(6)]),
    ];
    for (what, count, tail, arrivals) in table {
        let report = TransportReport {
            base_sequence: 10,
            reference_time: 5,
            feedback_count: 7,
            arrivals: arrivals.to_vec(),
        };
        let read = parse_compound(&transport_packet(count, tail)).unwrap();
        assert_eq!(read, [Feedback::TransportFeedback(report)], "{what}");
    }
}

#[test]
fn reports_that_contradict_themselves_or_are_too_long_are_skipped() {
    let table: [(&str, u16, &[u8]); 4] = [
        ("chunks missing", 20, &[0xa8, 0x00]),
        ("deltas missing", 3, &[0x20, 0x03, 1, 1]),
        ("nothing but empty runs", 1, &[0x20, 0, 0x20, 0]),
        ("more than we unpack", 2001, &[0x07, 0xd1, 0, 0]),
    ];
    for (what, count, tail) in table {
        assert_eq!(parse_compound(&transport_packet(count, tail)).unwrap(), [], "{what}");
    }
}

#[test]
fn padding_is_no_content() {
    // NACK of 7, then four bytes of padding, which must not be read as numbers.
    let bytes = [0xa1, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 7, 0, 0, 0, 0, 0, 4];
    let nack = Feedback::Nack { media: Ssrc(3), sequences: vec![7] };
    assert_eq!(parse_compound(&bytes).unwrap(), [nack]);
    let too_much = [0xa1, 205, 0, 1, 0, 0, 0, 9];
    assert!(parse_compound(&too_much).is_err());
}

#[test]
fn what_a_hostile_compound_unpacks_to_is_bounded() {
    let nack = |all: &[Feedback]| match all {
        [Feedback::Nack { sequences, .. }] => sequences.len(),
        _ => 0,
    };
    let mut bytes = Vec::new();
    let everything: Vec<u16> = (0..8000).collect();
    write_nack(&mut bytes, Ssrc(1), Ssrc(2), &everything);
    assert_eq!(nack(&parse_compound(&bytes).unwrap()), MAX_NACKED);
    let flood = transport_packet(900, &[0x03, 0x84, 0, 0]).repeat(80);
    assert_eq!(parse_compound(&flood).unwrap().len(), 2, "2,000 arrivals are enough");
}

fn arrivals() -> impl Strategy<Value = Vec<Option<i16>>> {
    let one = prop_oneof![
        3 => (0i16..256).prop_map(Some),
        1 => any::<i16>().prop_map(Some),
        1 => Just(None),
    ];
    let runs = proptest::collection::vec((one, 1usize..20), 1..20);
    runs.prop_map(|runs| runs.into_iter().flat_map(|(a, n)| std::iter::repeat_n(a, n)).collect())
}

proptest! {
    #[test]
    fn transport_feedback_round_trips(arrivals in arrivals(), base in any::<u16>(), time in 0u32..1 << 24) {
        let report = TransportReport { base_sequence: base, reference_time: time, feedback_count: 7, arrivals };
        let mut bytes = Vec::new();
        write_transport_feedback(&mut bytes, Ssrc(1), Ssrc(2), &report);
        prop_assert_eq!(parse_compound(&bytes).unwrap(), vec![Feedback::TransportFeedback(report)]);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _read = parse_compound(&bytes);
    }
}
