//! What the fuzz targets in `tests/fuzz` and the smoke test call: one function for each parser of
//! network input, and one for a sequence of engine operations. None of them may panic, and the
//! engine must come to rest; nothing else is asserted here.

use crate::simulation::{LinkModel, Publishes, World};
use sfu::command::{Command, Desired, DesiredPeer, Permissions, Priority, Wish};
use sfu::engine::{Candidate, Engine, EngineConfig, Input, Output};
use sfu::event::PathKind;
use sfu::ids::{PeerId, RoomId, Source, SourceKind, Ssrc};
use sfu::rtp::codec::{self, Codec};
use sfu::rtp::extension::{ExtensionKind, ExtensionMap, Extensions};
use sfu::rtp::packet::{Header, is_rtcp};
use sfu::rtp::rtcp;
use sfu::sdp::{LocalDescription, answer};
use sfu::time::Clock;
use sfu::transport::{Certificate, IceCredentials, Path, stun};
use signaling::config::Config;
use signaling::protocol::{ClientMessage, Sdp};
use signaling::ws::sdp::unfold;
use std::cell::RefCell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

/// A target by its name, as the smoke test lists them.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 11] = [
    ("stun", stun),
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
];

/// An offer a browser made.
const OFFER: &str = include_str!("../golden/chromium-limited.offer.sdp");
const ROOM: RoomId = RoomId(1);
/// More outputs than any input here can cause: past it, `poll_output` does not end.
const MAX_OUTPUTS: usize = 10_000;

static CERTIFICATE: LazyLock<Arc<Certificate>> =
    LazyLock::new(|| Arc::new(Certificate::generate().expect("a certificate")));

pub fn stun(data: &[u8]) {
    let _is = stun::is_stun(data);
    let _ufrag = stun::ufrag_of(data);
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
    let _primary = codec::red::primary(payload);
}

pub fn rtcp(data: &[u8]) {
    let _feedback = rtcp::parse_compound(data);
}

pub fn sdp_offer(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _alone = answer_to(&text);
    // Behind a good beginning it comes further.
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
    answer(offer, None, local).ok().map(|(_, text)| text)
}

/// Deflated SDP, base64 as it comes in a message.
pub fn sdp_inflate(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let _refused = unfold(Sdp::Deflated(text));
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
    machine.offer(1, OFFER);
    machine.datagram(0, data);
    machine.rest();
}

thread_local! {
    static MEETING: RefCell<World> = RefCell::new(meeting());
}

fn meeting() -> World {
    let mut world = World::new(1);
    let camera = Publishes { layers: 1, voice: false };
    world.join(camera, 1, LinkModel::clean());
    world.join(camera, 1, LinkModel::clean());
    world.wish(1, 0, Some(0), 720);
    world.run(Duration::from_secs(2));
    world
}

/// Payloads that authenticate: sealed by an admitted client, through the whole street. The meeting
/// goes on from input to input.
pub fn media(data: &[u8]) {
    MEETING.with_borrow_mut(|world| {
        let size = data.first().map_or(1, |byte| usize::from(*byte) + 1);
        let payloads = data.chunks(size).take(20).map(<[u8]>::to_vec).collect();
        world.run(Duration::from_millis(5));
        let client = &mut world.sites[0].client;
        let sealed = client.seal_picture(world.now, payloads);
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

/// A sequence of operations, each led by a byte that chooses it.
pub fn engine_operations(data: &[u8]) {
    let mut machine = Machine::new();
    let mut rest = data;
    while let [operation, argument, tail @ ..] = rest {
        let length = usize::from(*argument).min(tail.len());
        let (bytes, next) = tail.split_at(length);
        rest = machine.operate(*operation, *argument, bytes, (tail, next));
        machine.rest();
    }
}

/// An engine in virtual time.
struct Machine {
    now: Instant,
    engine: Engine,
}

impl Machine {
    fn new() -> Machine {
        let now = Instant::now();
        let address = SocketAddr::from(([10, 0, 1, 1], 5000));
        let config = EngineConfig {
            certificate: CERTIFICATE.clone(),
            candidates: vec![Candidate { kind: PathKind::Udp, address }],
            clock: Clock::new(now, SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
            seed: [1; 32],
        };
        Machine { now, engine: Engine::new(now, config) }
    }

    /// Does one thing and answers what of the input is left; only datagrams use up `bytes`.
    fn operate<'a>(
        &mut self,
        operation: u8,
        argument: u8,
        bytes: &[u8],
        (tail, next): (&'a [u8], &'a [u8]),
    ) -> &'a [u8] {
        let peer = PeerId(u64::from(argument & 3));
        match operation % 9 {
            0 => self.offer(peer.0, OFFER),
            1 => self.command(Command::RemovePeer { peer }),
            2 => self.command(Command::CloseRoom { room: RoomId(u64::from(argument & 1)) }),
            3 => self.reconcile(argument),
            4 => self.now += Duration::from_millis(u64::from(argument) * 20),
            5 => self.input(Input::Timeout),
            6 => self.input(Input::Backlog(Duration::from_micros(u64::from(argument) * 100))),
            7 => self.input(Input::PathClosed { path: path(address(argument)) }),
            _ => {
                self.datagram(operation / 9, bytes);
                return next;
            }
        }
        tail
    }

    fn input(&mut self, input: Input<'_>) {
        self.engine.handle_input(self.now, input);
    }

    fn command(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    fn offer(&mut self, peer: u64, sdp: &str) {
        self.command(Command::Offer { room: ROOM, peer: PeerId(peer), sdp: sdp.to_owned() });
    }

    fn reconcile(&mut self, argument: u8) {
        let wish = |peer| Wish {
            source: Source { peer: PeerId(peer), kind: SourceKind::Camera },
            max_height: u16::from(argument) * 8,
        };
        let one = |peer: u64| DesiredPeer {
            peer: PeerId(peer),
            may_publish: Permissions::all(),
            priority: Priority::Other,
            video_slots: vec![Some(wish((peer + 1) % 4)), None, Some(wish(u64::from(argument)))],
        };
        let desired = Desired {
            peers: (0..u64::from(argument % 5)).map(one).collect(),
            floor: (argument > 127).then_some(PeerId(1)),
        };
        self.command(Command::Reconcile { room: ROOM, desired });
    }

    fn datagram(&mut self, from: u8, data: &[u8]) {
        let mut data = data.to_vec();
        self.input(Input::Datagram { path: path(address(from)), data: &mut data, arrived: self.now });
    }

    /// Polls until the engine waits, which it must come to.
    fn rest(&mut self) {
        for _ in 0..MAX_OUTPUTS {
            if let Output::Timeout(_) = self.engine.poll_output(self.now) {
                return;
            }
        }
        panic!("poll_output does not come to an end");
    }
}

fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, number], 4000))
}
