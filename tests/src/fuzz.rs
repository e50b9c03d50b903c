//! What the fuzz targets in `tests/fuzz` and the smoke test call: one function for each parser of network input, and
//! one for each kind of sequence: of engine operations, of packets under keys that are known here, of handshakes, of
//! offers, of inputs of a meeting, of feedback. None of them may panic, and machines must come to rest; what else is
//! asserted is documented with each.

mod connected;
mod estimator;
mod handshake;
mod machine;
mod meeting;
#[cfg(test)]
mod order_tests;
mod reader;
mod redundancy;
mod reoffers;
mod rig;

pub use connected::connected;
pub use estimator::estimator;
pub use handshake::handshake;
pub use machine::engine_operations;
pub use meeting::meeting;
pub use reoffers::reoffers;

use crate::simulation::{LinkModel, Publishes, World};
use crate::stun::{attribute, set_length};
use aws_lc_rs::hmac;
use driver::frame::take_frames;
use machine::Machine;
use protocol::sdp::unfold;
use protocol::{ClientMessage, Sdp};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rtp::codec::{self, Codec};
use rtp::extension::{ExtensionKind, ExtensionMap, Extensions};
use rtp::ids::Ssrc;
use rtp::packet::{Header, is_rtcp};
use rtp::rtcp;
use sfu::engine::Input;
use sfu::net::{IceCredentials, Path, PathKind};
use sfu::sdp::{LocalDescription, Offer, answer};
use sfu::transport::{Certificate, CheckNumbers, Received, Transport, stun};
use signaling::config::Config;
use signaling::media::MAX_OFFER_BYTES;
use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// A target by its name, as the smoke test lists them.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 18] = [
    ("stun", stun),
    ("stun_signed", stun_signed),
    ("tcp_frames", tcp_frames),
    ("datagram", datagram),
    ("media", media),
    ("rtp", rtp),
    ("codecs", codecs),
    ("rtcp", rtcp),
    ("sdp_offer", sdp_offer),
    ("sdp_inflate", sdp_inflate),
    ("message", message),
    ("config", config),
    ("engine_operations", engine_operations),
    ("connected", connected),
    ("handshake", handshake),
    ("reoffers", reoffers),
    ("meeting", meeting),
    ("estimator", estimator),
];

/// An offer a browser made.
const OFFER: &str = include_str!("../golden/chromium-limited.offer.sdp");

static CERTIFICATE: LazyLock<Arc<Certificate>> =
    LazyLock::new(|| Arc::new(Certificate::generate().expect("a certificate")));

pub fn stun(data: &[u8]) {
    let _is = stun::is_stun(data);
    let _ufrag = stun::ufrag_of(data);
    let _tag = stun::tag_of_answer(data);
}

/// Attributes of all kinds, in a check that authenticates: the first byte says how many follow the signature. Whatever
/// they are, one answer comes or none, and perhaps a check of ours; all small.
pub fn stun_signed(data: &[u8]) {
    let side = |name: &str| IceCredentials { ufrag: name.to_owned(), pwd: format!("password-of-{name}") };
    let (ours, theirs) = (side("server"), side("client"));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, ours.pwd.as_bytes());
    let now = Instant::now();
    let numbers = CheckNumbers::new(1, StdRng::seed_from_u64(1));
    let mut transport = Transport::new(now, CERTIFICATE.clone(), ours, theirs, Vec::new(), numbers);
    let (mut check, authentic) = signed_check(data, &key);
    let received = transport.handle_datagram(now, path(address(1)), &mut check);
    let answer = transport.poll_transmit();
    let answered = (received == Ok(Received::Consumed), answer.is_some());
    assert_eq!(answered, (authentic, authentic), "{received:?}");
    let asked = transport.poll_transmit();
    for (to, message) in answer.into_iter().chain(asked) {
        assert!(to == path(address(1)) && stun::is_stun(&message) && message.len() <= 128);
    }
    assert!(transport.poll_transmit().is_none() && !transport.is_connected());
}

/// The check, and whether the first MESSAGE-INTEGRITY in it is ours.
fn signed_check(data: &[u8], key: &hmac::Key) -> (Vec<u8>, bool) {
    let (unsigned, mut rest) = data.split_first().map_or((0, data), |(first, rest)| (first & 3, rest));
    let mut attributes = Vec::new();
    while let [kind, length, tail @ ..] = rest {
        let (value, after) = tail.split_at(usize::from(length & 0x1f).min(tail.len()));
        attributes.push((attribute_kind(*kind, *length), value));
        rest = after;
    }
    let signed = attributes.len().saturating_sub(usize::from(unsigned));
    let (before, after) = attributes.split_at(signed);
    let mut raw = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    attribute(&mut raw, 0x0006, b"server:client");
    before.iter().for_each(|(kind, value)| attribute(&mut raw, *kind, value));
    set_length(&mut raw, 24);
    let tag = hmac::sign(key, &raw);
    attribute(&mut raw, 0x0008, tag.as_ref());
    after.iter().for_each(|(kind, value)| attribute(&mut raw, *kind, value));
    set_length(&mut raw, 8);
    let fingerprint = crc32(&raw) ^ 0x5354_554e;
    attribute(&mut raw, 0x8028, &fingerprint.to_be_bytes());
    (raw, before.iter().all(|(kind, _)| *kind != 0x0008))
}

/// One that means something to ICE, or any at all.
fn attribute_kind(choice: u8, low: u8) -> u16 {
    let known = [0x0006, 0x0008, 0x0024, 0x0025, 0x8028, 0x8029, 0x802a, 0x0014, 0x001c, 0xc057];
    match known.get(usize::from(choice & 0x0f)) {
        Some(kind) => *kind,
        None => u16::from_be_bytes([choice, low]),
    }
}

/// As FINGERPRINT has it (RFC 8489 section 14.7).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// Frames of RFC 4571: the stream at once and in pieces, whose size the first byte gives, has the same frames and the
/// same end.
pub fn tcp_frames(data: &[u8]) {
    let Some((first, stream)) = data.split_first() else {
        return;
    };
    let mut at_once = Vec::new();
    let end = take_frames(&mut stream.to_vec(), &mut true, |frame| at_once.push(frame.to_vec()));
    let (mut carry, mut opening, mut piecewise) = (Vec::new(), true, Vec::new());
    let mut consumed = Ok(0);
    for piece in stream.chunks(usize::from(*first) + 1) {
        carry.extend_from_slice(piece);
        let taken = take_frames(&mut carry, &mut opening, |frame| piecewise.push(frame.to_vec()));
        consumed = consumed.and_then(|before| taken.map(|taken| before + taken));
        if let Ok(taken) = taken {
            carry.drain(..taken);
        } else {
            break;
        }
    }
    assert_eq!((at_once, end), (piecewise, consumed));
}

/// Header and extensions of a packet that authenticated; every extension is negotiated.
pub fn rtp(data: &[u8]) {
    let _rtcp = is_rtcp(data);
    let Ok(header) = Header::parse(data) else {
        return;
    };
    let mut map = ExtensionMap::default();
    let kinds = [
        ExtensionKind::Mid,
        ExtensionKind::TransportSequence,
        ExtensionKind::AbsCaptureTime,
        ExtensionKind::DependencyDescriptor,
    ];
    for (kind, id) in kinds.into_iter().zip(1..) {
        assert!(map.insert(kind, id), "a free id");
    }
    let extensions = Extensions::parse(data, &header, &map);
    for range in [extensions.abs_capture_time, extensions.dependency_descriptor] {
        assert!(range.is_none_or(|range| data.get(range).is_some()), "within the packet");
    }
}

/// Payload descriptors; the first byte chooses the codec, the second the length of a dependency
/// descriptor. A second packet follows what the first one announced.
pub fn codecs(data: &[u8]) {
    let [choice, length, rest @ ..] = data else {
        return;
    };
    let all = [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus, Codec::Red];
    let codec = all[usize::from(*choice) % all.len()];
    let (dependency, payload) = rest.split_at(usize::from(*length).min(rest.len()));
    let mut structure = None;
    for half in dependency.chunks(dependency.len().div_ceil(2).max(1)).chain([dependency]) {
        let _told = codec::describe(codec, choice & 0x80 != 0, payload, Some(half), &mut structure);
    }
    let mut patched = payload.to_vec();
    codec::patch_ids(codec, &mut patched, Some(0x7fff), Some(255));
    redundancy(payload);
}

/// Redundant audio that is read can be written again, and is the same.
fn redundancy(payload: &[u8]) {
    let Ok(read) = codec::red::blocks(payload) else {
        return;
    };
    let blocks: Vec<_> = read.collect();
    let (primary, redundant) = blocks.split_last().expect("a primary block");
    let mut out = vec![0; payload.len()];
    let written = codec::red::write(&mut out, redundant, *primary);
    assert_eq!(written.map(|length| &out[..length]), Some(payload), "read and written again");
}

pub fn rtcp(data: &[u8]) {
    let _feedback = rtcp::parse_compound(data);
}

pub fn sdp_offer(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _alone = answer_to(&text);
    // After a good beginning it gets further.
    let half = OFFER.len() / 2;
    let cut = data.first().map_or(half, |byte| OFFER.len() * usize::from(*byte) / 256);
    let cut = (0..=cut).rev().find(|at| OFFER.is_char_boundary(*at)).unwrap_or(0);
    let _mixed = answer_to(&format!("{}{text}{}", &OFFER[..cut], &OFFER[cut..]));
}

fn answer_to(offer: &str) -> Option<String> {
    let ice = IceCredentials { ufrag: "nhipcau0".to_owned(), pwd: "0123456789012345678901".to_owned() };
    let mut last = 0;
    let mut slot_ssrcs = || {
        last += 1;
        Ssrc(last)
    };
    let local = LocalDescription {
        ice: &ice,
        fingerprint: CERTIFICATE.fingerprint(),
        candidates: &[],
        session_id: 1,
        cname: "fuzz",
        slot_ssrcs: &mut slot_ssrcs,
    };
    answer(&Offer::read(offer).ok()?, None, local).ok().map(|(_, text)| text)
}

/// Deflated SDP, base64 as it comes in a message.
pub fn sdp_inflate(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let _refused = unfold(Sdp::Deflated(text), MAX_OFFER_BYTES);
}

pub fn message(data: &[u8]) {
    let _refused = serde_json::from_slice::<ClientMessage>(data);
}

pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(config) = Config::from_toml(text) {
        let _refused = config.overlay(&Vec::new(), &Vec::new());
    }
}

/// Anything at all from an unknown address and from one whose peer has offered.
pub fn datagram(data: &[u8]) {
    let mut machine = Machine::new();
    machine.datagram(0, data);
    machine.offer(1, &Offer::read(OFFER).expect("a recorded offer"));
    machine.datagram(0, data);
    machine.rest();
}

thread_local! {
    static MEETING: RefCell<World> = RefCell::new(running_meeting());
}

fn running_meeting() -> World {
    let mut world = World::new(1);
    let camera = Publishes { layers: 1, voice: false };
    world.join(camera, 1, LinkModel::clean());
    world.join(camera, 1, LinkModel::clean());
    world.wish(1, 0, Some(0), 720);
    world.run(Duration::from_secs(2));
    world
}

/// Payloads that authenticate: sealed by an admitted client, through the whole engine. The meeting goes on from input
/// to input.
pub fn media(data: &[u8]) {
    MEETING.with_borrow_mut(|world| {
        let size = data.first().map_or(1, |byte| usize::from(*byte) + 1);
        let payloads = data.chunks(size).take(20).map(<[u8]>::to_vec).collect();
        world.run(Duration::from_millis(5));
        let client = &mut world.sites[0].client;
        let sealed = client.seal_frame(world.now, payloads);
        let remote = client.address;
        for mut data in sealed {
            let input = Input::Datagram { path: path(remote), data: &mut data, arrived: world.now };
            world.engine.handle_input(world.now, input);
        }
        world.run(Duration::from_millis(5));
    });
}

fn path(remote: SocketAddr) -> Path {
    Path { kind: PathKind::Udp, local: IpAddr::V4(Ipv4Addr::new(10, 0, 1, 1)), remote }
}

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, number], 4000))
}
