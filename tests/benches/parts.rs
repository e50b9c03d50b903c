//! What the steps of forwarding cost: seal, open, header, extensions, payload descriptor, feedback, an offer. The floor
//! of sealing is in the bench `forwarding`.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::AwsLcRsProvider;
use rtp::codec::{self, Codec};
use rtp::extension::{ExtensionKind, ExtensionMap, Extensions};
use rtp::packet::Header;
use rtp::rtcp;
use sfu::transport::srtp::{Master, OpenContext, Profile, SealContext};
use std::hint::black_box;

/// Header, transport-wide number, VP8 descriptor, payload.
const PLAIN: usize = 1_100;
const HEADER: usize = 20;

fn packet(sequence: u64) -> Vec<u8> {
    let mut packet = vec![0x90, 96, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7];
    packet[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
    packet.extend([0xbe, 0xde, 0, 1, 0x31, 0, 1, 0]);
    packet.extend([0x90, 0xe0, 0x81, 2, 3, 0x20, 0x11]);
    packet.resize(PLAIN, 0xaa);
    packet
}

fn srtp(c: &mut Criterion) {
    let provider = AwsLcRsProvider::new();
    for profile in [Profile::AeadAes128Gcm, Profile::Aes128CmSha1_80] {
        let keys = vec![7; profile.exported_bytes()];
        let (master, _) = Master::split(profile, &keys).expect("as many bytes as it takes");
        let sealer = || SealContext::new(provider.crypto(), profile, &master).expect("keys");
        let mut seal = sealer();
        let mut open = OpenContext::new(provider.crypto(), profile, &master).expect("keys");
        let (mut index, mut buffer) = (0u64, packet(0));
        buffer.resize(PLAIN + profile.rtp_overhead(), 0);
        c.bench_function(&format!("seal 1100 B, {profile:?}"), |b| {
            b.iter(|| {
                index += 1;
                seal.seal_rtp(black_box(&mut buffer), HEADER, PLAIN, index)
            })
        });
        let (mut seal, mut next) = (sealer(), 0u64);
        let mut sealed = || {
            next += 1;
            let mut bytes = packet(next);
            bytes.resize(PLAIN + profile.rtp_overhead(), 0);
            let length = seal.seal_rtp(&mut bytes, HEADER, PLAIN, next);
            bytes.truncate(length.expect("room for the tag"));
            bytes
        };
        c.bench_function(&format!("open 1100 B, {profile:?}"), |b| {
            b.iter_batched(
                &mut sealed,
                |mut bytes| {
                    open.open_rtp(&mut bytes).expect("a fresh number");
                    bytes
                },
                BatchSize::SmallInput,
            )
        });
    }
}

fn formats(c: &mut Criterion) {
    let packet = packet(1);
    let mut map = ExtensionMap::default();
    assert!(map.insert(ExtensionKind::TransportSequence, 3), "a free id");
    c.bench_function("RTP header", |b| b.iter(|| Header::parse(black_box(&packet))));
    let header = Header::parse(&packet).expect("a good header");
    c.bench_function("RTP header extensions", |b| {
        b.iter(|| Extensions::parse(black_box(&packet), &header, &map))
    });
    c.bench_function("VP8 payload descriptor", |b| {
        b.iter(|| codec::describe(Codec::Vp8, false, black_box(&packet[HEADER..]), None, &mut None))
    });
    let mut report = Vec::new();
    rtcp::write_nack(&mut report, rtp::ids::Ssrc(1), rtp::ids::Ssrc(2), &[1, 2, 5, 40]);
    c.bench_function("compound RTCP with a NACK", |b| b.iter(|| rtcp::parse_compound(black_box(&report))));
}

criterion_group!(parts, srtp, formats);
criterion_main!(parts);
