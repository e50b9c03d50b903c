use super::*;
use rtc_crypto::{RTCCryptoProvider, StreamCipherAlgorithm, providers::AwsLcRsProvider};

const PROFILES: [Profile; 2] = [Profile::AeadAes128Gcm, Profile::Aes128CmSha1_80];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

fn master() -> Master {
    Master::new(&[7; 16], &[9; 12]).unwrap()
}

fn pair(profile: Profile) -> (SealContext, OpenContext) {
    let provider = AwsLcRsProvider::new();
    (
        SealContext::new(provider.crypto(), profile, &master()).unwrap(),
        OpenContext::new(provider.crypto(), profile, &master()).unwrap(),
    )
}

/// An RTP packet with one header extension word and some payload; 20 bytes of header.
fn rtp(ssrc: u32, index: u64) -> Vec<u8> {
    let mut packet = vec![0x90, 96];
    packet.extend_from_slice(&(index as u16).to_be_bytes());
    packet.extend_from_slice(&1234u32.to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.extend_from_slice(&[0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0]);
    packet.extend_from_slice(b"tieng noi cua diem cau");
    packet
}

fn seal(context: &mut SealContext, ssrc: u32, index: u64) -> Vec<u8> {
    let mut packet = rtp(ssrc, index);
    let plain = packet.len();
    packet.resize(plain + SRTP_OVERHEAD, 0);
    let sealed = context.seal_rtp(&mut packet, 20, plain, index).unwrap();
    packet.truncate(sealed);
    packet
}

#[test]
fn keys_are_derived_as_in_rfc_3711_appendix_b3() {
    let provider = AwsLcRsProvider::new();
    let master =
        Master::new(&hex("E1F97A0D3E018BE0D64FA32C06DE4139"), &hex("0EC675AD498AFEEBB6960B3AABE6")).unwrap();
    let mut kdf = provider.crypto().new_stream_cipher(StreamCipherAlgorithm::Aes128Ctr, &master.key).unwrap();
    let key: [u8; 16] = master.derive(kdf.as_mut(), 0).unwrap();
    let auth: [u8; 20] = master.derive(kdf.as_mut(), 1).unwrap();
    let salt: [u8; 14] = master.derive(kdf.as_mut(), 2).unwrap();
    assert_eq!(key.to_vec(), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(salt.to_vec(), hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(auth.to_vec(), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
}

/// RFC 7714 section 16.1.1. The session key and salt of the vector are put in directly.
#[test]
fn gcm_seals_rtp_as_in_rfc_7714_section_16() {
    let provider = AwsLcRsProvider::new();
    let mut salt = hex("517569642070726f2071756f");
    salt.extend([0, 0]);
    let key = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
    let (mut sealer, _) = pair(Profile::AeadAes128Gcm);
    sealer.rtp = Cipher::gcm(provider.crypto(), &key, &salt.try_into().unwrap()).unwrap();
    let plain = "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120
        696e2070 61727465 73207472 6573";
    let mut packet = hex(plain);
    let length = packet.len();
    packet.resize(length + SRTP_OVERHEAD, 0);
    let sealed = sealer.seal_rtp(&mut packet, 12, length, 0xf17b).unwrap();
    assert_eq!(sealed, packet.len());
    let expected = "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f
        42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce";
    assert_eq!(packet, hex(expected));
}

/// RFC 3711 appendix B.2: the key stream begins with these blocks for index 0 and SSRC 0.
#[test]
fn cm_key_stream_is_that_of_rfc_3711_appendix_b2() {
    let provider = AwsLcRsProvider::new();
    let key = hex("2B7E151628AED2A6ABF7158809CF4F3C").try_into().unwrap();
    let salt = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
    let (mut sealer, _) = pair(Profile::Aes128CmSha1_80);
    sealer.rtp = Cipher::cm(provider.crypto(), &key, &[0; 20], &salt).unwrap();
    let mut packet = vec![0; 12 + 32 + SRTP_OVERHEAD];
    assert_eq!(sealer.seal_rtp(&mut packet, 12, 44, 0), Ok(54));
    let stream = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB";
    assert_eq!(packet[12..44], hex(stream));
}

#[test]
fn what_is_sealed_opens_across_the_wrap_and_only_once() {
    for profile in PROFILES {
        let (mut sealer, mut opener) = pair(profile);
        for index in [65_530, 65_534, 65_537, 65_535, 98_000, 130_000, 131_073] {
            let mut packet = seal(&mut sealer, 5, index);
            let again = packet.clone();
            assert_eq!(packet.len(), rtp(5, 0).len() + sealer.rtp_overhead());
            let length = opener.open_rtp(&mut packet).unwrap();
            assert_eq!(packet[..length], rtp(5, index), "{profile:?} {index}");
            let replayed = opener.open_rtp(&mut again.clone());
            assert_eq!(replayed, Err(DropReason::Replay), "{profile:?}");
        }
    }
}

/// The receiver counts wraps from the first packet that comes. Senders begin in the lower half of the numbers, so that
/// as many packets may be lost before it.
#[test]
fn what_is_lost_at_the_beginning_may_not_reach_over_the_wrap() {
    for profile in PROFILES {
        for (first_that_comes, opens) in [(0x7fff, true), (0xffff, true), (0x1_0000, false)] {
            let (mut sealer, mut opener) = pair(profile);
            let mut packet = seal(&mut sealer, 5, first_that_comes);
            let opened = opener.open_rtp(&mut packet);
            assert_eq!(opened.is_ok(), opens, "{profile:?} {first_that_comes}: {opened:?}");
        }
    }
}

/// The same index under the same key is the same key stream: from both packets an attacker gets both plaintexts, and
/// with GCM the key of the tags.
#[test]
fn an_index_is_sealed_once_per_ssrc() {
    for profile in PROFILES {
        let (mut sealer, _) = pair(profile);
        let mut again = |ssrc: u32, index: u64| {
            let mut packet = rtp(ssrc, index);
            let plain = packet.len();
            packet.resize(plain + SRTP_OVERHEAD, 0);
            let sealed = sealer.seal_rtp(&mut packet, 20, plain, index);
            let untouched = packet[..plain] == rtp(ssrc, index);
            assert_eq!(untouched, sealed.is_err(), "what is refused is not written either");
            sealed.map(|_| ())
        };
        for index in [70_000, 70_002, 70_001, 69_100, 0] {
            let refused = index == 0;
            assert_eq!(again(5, index).is_err(), refused, "{profile:?} {index}: {refused} is too far back");
            assert_eq!(again(5, index), Err(DropReason::IndexReused), "{profile:?} {index}");
        }
        assert_eq!(again(6, 70_000), Ok(()), "another SSRC has numbers of its own");
        assert_eq!(again(5, 70_003), Ok(()), "and what follows goes on");
        for ssrc in 7..MAX_SENT_SSRCS as u32 + 5 {
            assert_eq!(again(ssrc, 1), Ok(()));
        }
        assert_eq!(again(1_000_000, 1), Err(DropReason::UnknownSsrc), "more than all slots have");
    }
}

#[test]
fn a_changed_bit_anywhere_is_found() {
    for profile in PROFILES {
        let (mut sealer, mut opener) = pair(profile);
        let good = seal(&mut sealer, 5, 100);
        for at in 0..good.len() {
            let mut packet = good.clone();
            packet[at] ^= 1;
            assert!(opener.open_rtp(&mut packet).is_err(), "{profile:?} byte {at}");
        }
        assert!(opener.open_rtp(&mut good.clone()).is_ok(), "nothing was remembered of those");
    }
}

#[test]
fn ssrcs_enter_the_table_when_they_have_authenticated_and_up_to_the_limit() {
    let (mut sealer, mut opener) = pair(Profile::AeadAes128Gcm);
    for ssrc in 0..1_000 {
        assert_eq!(opener.open_rtp(&mut rtp(ssrc, 1)), Err(DropReason::SrtpAuth));
    }
    for ssrc in 0..limits::MAX_REMOTE_SSRCS as u32 {
        assert!(opener.open_rtp(&mut seal(&mut sealer, ssrc, 1)).is_ok());
    }
    let one_more = seal(&mut sealer, 99, 1);
    assert_eq!(opener.open_rtp(&mut one_more.clone()), Err(DropReason::UnknownSsrc));
    assert!(opener.open_rtp(&mut seal(&mut sealer, 3, 2)).is_ok(), "the known go on");
}

/// A site whose encoders restart for hours: what was replaced makes room, and cannot be played again.
#[test]
fn an_ssrc_that_has_ended_makes_room_and_is_not_opened_again() {
    let (_, mut opener) = pair(Profile::AeadAes128Gcm);
    // A sender has room for fewer SSRCs than these.
    let packet = |ssrc, number| seal(&mut pair(Profile::AeadAes128Gcm).0, ssrc, number);
    let ended = 0..limits::MAX_ENDED_SSRCS as u32;
    for ssrc in ended.clone() {
        assert!(opener.open_rtp(&mut packet(ssrc, 1)).is_ok(), "{ssrc}");
        opener.end_ssrc(ssrc);
        opener.end_ssrc(ssrc);
    }
    for ssrc in ended {
        assert_eq!(opener.open_rtp(&mut packet(ssrc, 1)), Err(DropReason::UnknownSsrc));
    }
    // The list is full: what ends now keeps its place.
    for ssrc in 1_000..1_000 + limits::MAX_REMOTE_SSRCS as u32 {
        assert!(opener.open_rtp(&mut packet(ssrc, 1)).is_ok());
        opener.end_ssrc(ssrc);
        assert!(opener.open_rtp(&mut packet(ssrc, 2)).is_ok());
    }
    assert_eq!(opener.open_rtp(&mut packet(2_000, 1)), Err(DropReason::UnknownSsrc));
}

/// Firefox writes a=ssrc in each section it receives in (golden/firefox.offer.sdp) and reports from there.
#[test]
fn every_slot_may_report_under_an_ssrc_of_its_own() {
    let (mut sealer, mut opener) = pair(Profile::AeadAes128Gcm);
    let mut report = |ssrc: usize| {
        let mut packet = hex("81c90001 00000000");
        packet[4..8].copy_from_slice(&(ssrc as u32).to_be_bytes());
        sealer.seal_rtcp(&mut packet).unwrap();
        opener.open_rtcp(&mut packet)
    };
    let slots = limits::MAX_VIDEO_SLOTS + limits::MAX_AUDIO_SLOTS;
    for ssrc in 0..slots + limits::MAX_REMOTE_SSRCS {
        assert_eq!(report(ssrc), Ok(8), "{ssrc}");
    }
    assert_eq!(report(100_000), Err(DropReason::UnknownSsrc));
    assert_eq!(report(0), Ok(8), "the known go on");
}

#[test]
fn rtcp_goes_round_once_and_must_be_encrypted() {
    for profile in PROFILES {
        let (mut sealer, mut opener) = pair(profile);
        let plain = hex("81c90007 00000005 11223344 00000000 00000001 00000002 00000003 00000004");
        for _ in 0..3 {
            let mut packet = plain.clone();
            sealer.seal_rtcp(&mut packet).unwrap();
            let (mut again, mut clear) = (packet.clone(), packet.clone());
            let e_flag = match profile {
                Profile::AeadAes128Gcm => packet.len() - 4,
                Profile::Aes128CmSha1_80 => packet.len() - 14,
            };
            clear[e_flag] &= 0x7f;
            assert_eq!(opener.open_rtcp(&mut clear), Err(DropReason::SrtpAuth));
            let length = opener.open_rtcp(&mut packet).unwrap();
            assert_eq!(packet[..length], plain);
            assert_eq!(opener.open_rtcp(&mut again), Err(DropReason::Replay));
        }
    }
}

/// RFC 7714 section 17: an SRTCP packet sealed by the vector's session key.
#[test]
fn gcm_seals_rtcp_as_in_rfc_7714_section_17() {
    let provider = AwsLcRsProvider::new();
    let mut salt = hex("517569642070726f2071756f");
    salt.extend([0, 0]);
    let key = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
    let (mut sealer, _) = pair(Profile::AeadAes128Gcm);
    sealer.rtcp = Cipher::gcm(provider.crypto(), &key, &salt.try_into().unwrap()).unwrap();
    sealer.rtcp_index = 0x5d4;
    let mut packet = hex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
        deadbeef deadbeef deadbeef deadbeef deadbeef");
    sealer.seal_rtcp(&mut packet).unwrap();
    let expected = "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1
        730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4";
    assert_eq!(packet, hex(expected));
}

proptest::proptest! {
    #[test]
    fn garbage_never_panics(mut data in proptest::collection::vec(0u8.., 0..80), gcm in 0..2usize) {
        let (mut sealer, mut opener) = pair(PROFILES[gcm]);
        let _refused = opener.open_rtp(&mut data.clone());
        let _refused = opener.open_rtcp(&mut data.clone());
        let (header, plain) = (data.len() / 2, data.len());
        let _refused = sealer.seal_rtp(&mut data, header, plain, u64::MAX);
        let _refused = sealer.seal_rtcp(&mut data);
    }
}
