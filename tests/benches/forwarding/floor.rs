//! What no server can avoid: a copy, a header rewritten, AES-128-GCM.

use crate::cpu::CpuTime;
use crate::scene::{FRAMES, PACKETS_PER_FRAME, PAYLOAD};
use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::hint::black_box;

/// Header of ours with the transport-wide number.
const HEADER: usize = 20;
const TAG: usize = 16;
pub const PACKET: usize = HEADER + PAYLOAD + TAG;

/// As much work as a round of the scene: runs of a frame's packets, one run per subscriber.
#[derive(Clone, Copy)]
pub struct Shape {
    runs: usize,
}

impl Shape {
    pub fn of(subscribers: usize, tracks: usize) -> Shape {
        // The engine's round of one subscriber is as long as the publisher; the floor needs no more
        // than it takes to be measured well.
        Shape { runs: (FRAMES * subscribers * tracks).clamp(2_000, 20_000) }
    }
}

/// One key per subscriber, as in the engine.
pub fn keys(subscribers: usize) -> Vec<LessSafeKey> {
    let key = |number: usize| UnboundKey::new(&AES_128_GCM, &[number as u8; 16]).expect("a key of 16 bytes");
    (0..subscribers).map(|number| LessSafeKey::new(key(number))).collect()
}

/// Nanoseconds per packet.
pub fn seal(keys: &mut [LessSafeKey], shape: Shape, mut each_run: impl FnMut(&[u8])) -> f64 {
    let stored = vec![0xaa; PACKETS_PER_FRAME * PAYLOAD];
    let mut out = vec![0; PACKETS_PER_FRAME * PACKET];
    let mut sequence = 0u64;
    let start = CpuTime::start();
    for run in 0..shape.runs {
        let key = &keys[run % keys.len()];
        for (payload, packet) in stored.chunks(PAYLOAD).zip(out.chunks_mut(PACKET)) {
            sequence += 1;
            seal_one(key, sequence, payload, packet);
        }
        each_run(black_box(&out));
    }
    start.elapsed().as_nanos() as f64 / (shape.runs * PACKETS_PER_FRAME) as f64
}

fn seal_one(key: &LessSafeKey, sequence: u64, payload: &[u8], packet: &mut [u8]) {
    let (header, rest) = packet.split_at_mut(HEADER);
    let (body, tag) = rest.split_at_mut(PAYLOAD);
    body.copy_from_slice(payload);
    header[..2].copy_from_slice(&[0x90, 96]);
    header[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
    header[4..8].copy_from_slice(&(sequence as u32).to_be_bytes());
    header[8..12].copy_from_slice(&7u32.to_be_bytes());
    header[12..].copy_from_slice(&[0xbe, 0xde, 0, 1, 0x31, 0, 1, 0]);
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&sequence.to_be_bytes());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let sealed = key.seal_in_place_separate_tag(nonce, Aad::from(&*header), body);
    tag.copy_from_slice(sealed.expect("room for the tag").as_ref());
}
