//! Publishers and subscribers, admitted by the simulation; then only the engine is timed.

use crate::ALLOCATOR;
use crate::cpu::CpuTime;
use sfu::engine::{Input, Output, Transmit};
use sfu::net::{Path, PathKind};
use stats_alloc::Region;
use std::alloc::System;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use tests::simulation::{LinkModel, Publishes, World};

/// A frame at 2 Mbit/s and 30 frames/s (7.5 packets; the bench sends whole ones).
pub const PACKETS_PER_FRAME: usize = 7;
/// With the header this makes a packet of 1,100 bytes.
pub const PAYLOAD: usize = 1_080;
/// Frames of each publisher in one round: a second.
pub const FRAMES: usize = 30;
const FRAME_EVERY: Duration = Duration::from_millis(33);
const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 1, 1));

pub struct Scene {
    world: World,
    subscribers: usize,
    tracks: usize,
    frame: u16,
    wake: Instant,
}

/// Of one round, per forwarded packet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    pub nanoseconds: f64,
    /// Of the frames that came while no report was due: what forwarding itself takes.
    pub allocations: f64,
    /// Of all frames, with reports and statistics.
    pub allocations_in_all: f64,
    pub datagrams_per_send: f64,
}

/// What left the engine.
#[derive(Default)]
struct Left {
    datagrams: usize,
    transmits: usize,
    /// While no timer was due.
    quiet: usize,
    quiet_allocations: usize,
}

impl Scene {
    pub fn new(subscribers: usize, tracks: usize) -> Scene {
        let mut world = World::new(1);
        // Nobody would answer for what is forwarded here, and a line that says nothing is sent nothing.
        world.hides_arrivals = true;
        let camera = Publishes { layers: 1, voice: false };
        let nothing = Publishes { layers: 0, voice: false };
        for _ in 0..tracks {
            world.join(camera, 0, LinkModel::clean());
        }
        for _ in 0..subscribers {
            let viewer = world.join(nothing, tracks, LinkModel::clean());
            for slot in 0..tracks {
                world.wish(viewer, slot, Some(slot), 1080);
            }
        }
        world.run(Duration::from_secs(3));
        assert_eq!(world.disagreements(), [] as [String; 0], "every site sees every other");
        // As after the first second of a meeting: until then packets name their section.
        let now = world.now;
        world.sites.iter_mut().for_each(|site| site.client.report(now));
        world.run(Duration::from_millis(500));
        let wake = world.now;
        Scene { world, subscribers, tracks, frame: 0, wake }
    }

    /// One second of frames: sealed by the publishers first, then received and forwarded.
    pub fn round(&mut self, mut each: impl FnMut(&Transmit<'_>)) -> Cost {
        // Consent and reports of the clients go on between rounds.
        self.world.run(Duration::from_millis(500));
        let mut frames = self.seal_frames();
        let mut left = Left::default();
        let region = Region::new(ALLOCATOR);
        let start = CpuTime::start();
        for frame in &mut frames {
            self.world.now += FRAME_EVERY / self.tracks as u32;
            let (region, before) = (Region::new(ALLOCATOR), left.datagrams);
            let quiet = self.take_in(frame, &mut left, &mut each);
            if quiet {
                left.quiet += left.datagrams - before;
                left.quiet_allocations += allocations(&region);
            }
        }
        let elapsed = start.elapsed();
        let in_all = allocations(&region);
        let packets = frames.len() * PACKETS_PER_FRAME * self.subscribers;
        assert!(left.datagrams >= packets, "{} of {packets} were forwarded", left.datagrams);
        Cost {
            nanoseconds: elapsed.as_nanos() as f64 / packets as f64,
            allocations: left.quiet_allocations as f64 / left.quiet.max(1) as f64,
            allocations_in_all: in_all as f64 / packets as f64,
            datagrams_per_send: left.datagrams as f64 / left.transmits as f64,
        }
    }

    /// The publishers in turn, as their frames come in one after the other.
    fn seal_frames(&mut self) -> Vec<(Path, Vec<Vec<u8>>)> {
        let mut frames = Vec::new();
        for _ in 0..FRAMES {
            self.frame = (self.frame + 1) & 0x7fff;
            for publisher in 0..self.tracks {
                let payloads = payloads(self.frame);
                let client = &mut self.world.sites[publisher].client;
                let path = Path { kind: PathKind::Udp, local: SERVER, remote: client.address };
                let mut sealed = client.seal_frame(self.world.now, payloads);
                sealed.retain(|datagram| is_rtp(datagram));
                frames.push((path, sealed));
            }
        }
        frames
    }

    /// True when neither a timer nor the second's statistics were due.
    fn take_in(
        &mut self,
        (path, datagrams): &mut (Path, Vec<Vec<u8>>),
        left: &mut Left,
        each: &mut impl FnMut(&Transmit<'_>),
    ) -> bool {
        let (now, engine) = (self.world.now, &mut self.world.engine);
        for data in datagrams {
            engine.handle_input(now, Input::Datagram { path: *path, data, arrived: now });
        }
        let quiet = now < self.wake;
        if !quiet {
            engine.handle_input(now, Input::Timeout);
        }
        loop {
            match engine.poll_output(now) {
                Output::Timeout(at) => {
                    self.wake = at;
                    return quiet;
                }
                Output::Event(_) | Output::Mix(_) => {}
                Output::Transmit(transmit) => {
                    left.datagrams += transmit.datagrams().len();
                    left.transmits += 1;
                    each(&transmit);
                }
            }
        }
    }
}

fn allocations(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.allocations + change.reallocations
}

/// A delta frame in VP8 (RFC 7741): picture id of 15 bits, TL0PICIDX, temporal layer 0.
fn payloads(frame: u16) -> Vec<Vec<u8>> {
    let [high, low] = frame.to_be_bytes();
    let payload = |index| {
        let start = if index == 0 { 0x90 } else { 0x80 };
        let mut bytes = vec![start, 0xe0, 0x80 | high, low, frame as u8, 0x20, 0x11];
        bytes.resize(PAYLOAD, 0xaa);
        bytes
    };
    (0..PACKETS_PER_FRAME).map(payload).collect()
}

/// RFC 7983 and RFC 5761: media, and neither feedback nor STUN.
fn is_rtp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, second, ..] if !(192..=223).contains(second))
}
