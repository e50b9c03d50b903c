//! What no server can avoid on this path: sealing (AES-128-GCM) and sending, with nothing around it.
//! A second process sends what a server would send, in the same rhythm, from the server's core to as
//! many sockets of this one.

use crate::measure::Cpu;
use crate::net::{Batch, Port};
use crate::options::Options;
use crate::place::{self, MEDIA_IP, SERVER_CORE};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use mio::{Events, Interest, Poll, Token};
use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Header of ours with the transport-wide number, and tag.
const HEADER: usize = 20;
const TAG: usize = 16;
/// Of what a receiver gets in a second (`Camera::FULL`): packets of pictures, and of a voice.
const PICTURES: f64 = 225.0;
const VOICES: f64 = 50.0;

/// Nanoseconds per packet.
#[derive(Debug, Clone, Copy)]
pub struct Floor {
    /// A frame of 7 or 8 packets by one system call.
    pub runs: f64,
    /// Each packet by its own.
    pub single: f64,
}

/// What the sender does.
#[derive(Debug, Clone, Copy)]
struct Rhythm {
    every: Duration,
    /// For each receiver, in turn.
    packets: [usize; 2],
    bytes: usize,
    by_gso: bool,
}

impl Rhythm {
    fn named(name: &str) -> Option<Rhythm> {
        let frame = Duration::from_secs(1) / 30;
        let full = Rhythm { every: frame, packets: [7, 8], bytes: 1100, by_gso: true };
        match name {
            "gso" => Some(full),
            "single" => Some(Rhythm { by_gso: false, ..full }),
            // 23 pictures of 30 packets a second and five voices of 50, none together with another.
            "meeting" => Some(Rhythm {
                every: Duration::from_secs(1) / 940,
                packets: [1, 1],
                bytes: 625,
                by_gso: false,
            }),
            _ => None,
        }
    }
}

impl Floor {
    pub fn measure(options: &Options, receivers: usize) -> Result<Floor, String> {
        let runs = measure(options, "gso", receivers)?;
        let single = measure(options, "single", receivers)?;
        Ok(Floor { runs, single })
    }

    pub fn of_meeting(options: &Options, sites: usize) -> Result<f64, String> {
        measure(options, "meeting", sites)
    }

    /// Pictures by GSO, voices one by one.
    pub fn with_voices(&self) -> f64 {
        (PICTURES * self.runs + VOICES * self.single) / (PICTURES + VOICES)
    }
}

fn measure(options: &Options, rhythm: &str, receivers: usize) -> Result<f64, String> {
    let mut sink = Sink::new(receivers).map_err(|e| format!("sockets for the floor: {e}"))?;
    let sender = Sender::start(rhythm, &sink)?;
    sink.run(options.settling().min(Duration::from_secs(2)));
    let before = (Cpu::of(sender.0.id()), sink.received);
    sink.run(options.window());
    let spent = Cpu::of(sender.0.id()).since(&before.0).total();
    let packets = sink.received - before.1;
    let nanoseconds = spent.as_nanos() as f64 / packets.max(1) as f64;
    eprintln!("load: floor ({rhythm}) for {receivers}: {nanoseconds:.0} ns a packet, {packets} packets");
    Ok(nanoseconds)
}

/// Sockets as the receivers have them.
struct Sink {
    poll: Poll,
    ports: Vec<Port>,
    batch: Batch,
    received: u64,
}

impl Sink {
    fn new(receivers: usize) -> std::io::Result<Sink> {
        let poll = Poll::new()?;
        let mut ports = Vec::new();
        for number in 0..receivers {
            let mut port = Port::bind(MEDIA_IP)?;
            poll.registry().register(port.source(), Token(number), Interest::READABLE)?;
            ports.push(port);
        }
        Ok(Sink { poll, ports, batch: Batch::new(), received: 0 })
    }

    fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let mut events = Events::with_capacity(1024);
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            // Interrupted by a signal is a wake-up too.
            let _ = self.poll.poll(&mut events, Some(left));
            for event in &events {
                self.drain(event.token());
            }
        }
    }

    fn drain(&mut self, Token(number): Token) {
        let port = &self.ports[number];
        loop {
            let may_be_more = port.receive(&mut self.batch);
            self.received += self.batch.datagrams().count() as u64;
            if !may_be_more {
                return;
            }
        }
    }
}

/// The other process; it ends with this value.
struct Sender(Child);

impl Sender {
    fn start(rhythm: &str, sink: &Sink) -> Result<Sender, String> {
        let own = std::env::current_exe().map_err(|e| e.to_string())?;
        let child = place::on_core(SERVER_CORE)
            .arg(own)
            .args(["--inside", "--floor", rhythm])
            .stdin(Stdio::piped())
            .spawn();
        let mut sender = Sender(child.map_err(|e| format!("the floor's sender: {e}"))?);
        let mut input = sender.0.stdin.take().ok_or("the floor's sender does not listen")?;
        for port in &sink.ports {
            let address = port.address().map_err(|e| e.to_string())?;
            writeln!(input, "{address}").map_err(|e| format!("the floor's sender: {e}"))?;
        }
        Ok(sender)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // It may be dead already; that is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the sender's process does: reads addresses, then sends until it is killed.
pub fn send(rhythm: &str) -> Result<(), String> {
    let rhythm = Rhythm::named(rhythm).ok_or("no such rhythm")?;
    let lines = std::io::stdin().lock().lines().map_while(Result::ok);
    let receivers: Vec<SocketAddr> = lines.filter_map(|line| line.parse().ok()).collect();
    let port = Port::bind(MEDIA_IP).map_err(|e| e.to_string())?;
    let key = |number: usize| {
        let key = UnboundKey::new(&AES_128_GCM, &[number as u8; 16]).expect("a key of 16 bytes");
        LessSafeKey::new(key)
    };
    let keys: Vec<LessSafeKey> = (0..receivers.len()).map(key).collect();
    let size = rhythm.bytes + TAG;
    let mut buffer = vec![0xaa; size * rhythm.packets[1]];
    let (begun, mut turn, mut sequence) = (Instant::now(), 0u32, 0u64);
    loop {
        let packets = rhythm.packets[turn as usize % 2];
        for (receiver, key) in receivers.iter().zip(&keys) {
            let run = &mut buffer[..size * packets];
            for packet in run.chunks_mut(size) {
                sequence += 1;
                seal(key, sequence, packet);
            }
            if rhythm.by_gso {
                port.send(*receiver, run, Some(size));
            } else {
                run.chunks(size).for_each(|packet| {
                    port.send(*receiver, packet, None);
                });
            }
        }
        turn += 1;
        std::thread::sleep((begun + rhythm.every * turn).saturating_duration_since(Instant::now()));
    }
}

fn seal(key: &LessSafeKey, sequence: u64, packet: &mut [u8]) {
    let (header, rest) = packet.split_at_mut(HEADER);
    let (body, tag) = rest.split_at_mut(rest.len() - TAG);
    header[..2].copy_from_slice(&[0x90, 96]);
    header[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&sequence.to_be_bytes());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let sealed = key.seal_in_place_separate_tag(nonce, Aad::from(&*header), body);
    tag.copy_from_slice(sealed.expect("room for the tag").as_ref());
}
