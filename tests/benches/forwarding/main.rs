//! What it costs to forward one packet, and what an idle subscriber weighs: one program for the
//! whole. It drives the real engine with clients that were really admitted (ICE, DTLS, SRTP), in
//! virtual time, and prints each figure beside the floor measured in the same round.
//!
//! `cargo bench -p tests --bench forwarding`

mod cpu;
mod floor;
mod memory;
mod scene;
mod send;

use scene::{Cost, Scene};
use send::Loopback;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;

/// Counts what Rust allocates; C libraries are not seen.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Subscribers and tracks per subscriber. 50 is `limits::MAX_VIDEO_SLOTS`.
const SCENES: [(usize, usize); 6] = [(1, 1), (10, 1), (50, 1), (200, 1), (50, 10), (50, 50)];
const ROUNDS: usize = 9;

fn main() {
    println!(
        "| subscribers | tracks each | floor, ns | engine, ns | ratio | floor + send, ns | engine + send, ns | ratio | datagrams per send | allocations per packet | with reports |"
    );
    println!("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for (subscribers, tracks) in SCENES {
        measure(subscribers, tracks);
    }
    println!();
    println!("memory per idle subscriber with 20 slots: {} KiB", memory::per_idle_subscriber() / 1024);
}

/// Rounds alternate between floor and engine, so that other work of the machine affects both.
fn measure(subscribers: usize, tracks: usize) {
    let mut scene = Scene::new(subscribers, tracks);
    let mut loopback = Loopback::new();
    let mut keys = floor::keys(subscribers);
    let mut rounds: Vec<[f64; 4]> = Vec::new();
    let mut last = Cost::default();
    for round in 0..=ROUNDS {
        let shape = floor::Shape::of(subscribers, tracks);
        let floor = floor::seal(&mut keys, shape, |_| {});
        last = scene.round(|_| {});
        let floor_sent = floor::seal(&mut keys, shape, |run| loopback.send(run, Some(floor::PACKET)));
        let sent = scene.round(|transmit| loopback.send(transmit.data, transmit.segment_size));
        // The first round warms caches and grows buffers.
        if round > 0 {
            rounds.push([floor, last.nanoseconds, floor_sent, sent.nanoseconds]);
        }
    }
    print_row(subscribers, tracks, &rounds, last);
}

fn print_row(subscribers: usize, tracks: usize, rounds: &[[f64; 4]], last: Cost) {
    let [floor, engine, floor_sent, sent] = std::array::from_fn(|column| median(rounds, |r| r[column]));
    let ratio = median(rounds, |r| r[1] / r[0]);
    let ratio_sent = median(rounds, |r| r[3] / r[2]);
    println!(
        "| {subscribers} | {tracks} | {floor:.0} | {engine:.0} | {ratio:.2} | {floor_sent:.0} | {sent:.0} | {ratio_sent:.2} | {:.1} | {:.4} | {:.4} |",
        last.datagrams_per_send, last.allocations, last.allocations_in_all
    );
}

fn median(rounds: &[[f64; 4]], value: impl Fn(&[f64; 4]) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
