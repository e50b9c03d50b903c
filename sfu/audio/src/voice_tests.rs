use super::*;
use std::time::Duration;

/// Packets of steps of 2.5 ms: their number, and the value of all their samples; 9 does not decode. Concealment is −1.
struct Steps;
const STEP: usize = 120;
const BROKEN: u8 = 9;

impl Codec for Steps {
    type Decoder = ();
    type Encoder = ();

    fn decoder(&self) -> Option<()> {
        Some(())
    }

    fn encoder(&self, _: u32) -> Option<()> {
        None
    }

    fn set_bps(&self, (): &mut (), _: u32) {}

    fn samples(&self, packet: &[u8]) -> usize {
        usize::from(packet[0]) * STEP
    }

    fn decode(&self, (): &mut (), packet: Option<&[u8]>, out: &mut Vec<f32>) -> bool {
        match packet {
            None => out.extend([-1.0; FRAME]),
            Some(&[steps, value]) => out.extend(vec![f32::from(value); usize::from(steps) * STEP]),
            Some(_) => return false,
        }
        packet.is_none_or(|packet| packet[1] != BROKEN)
    }

    fn encode(&self, (): &mut (), _: &[f32]) -> Option<Vec<u8>> {
        None
    }
}

/// Packets (steps, value) that come one after the other at once; what is played, as runs of values with their steps.
fn played(packets: &[(u8, u8)], ticks: u32) -> Vec<(i32, usize)> {
    let start = Instant::now();
    let mut voice = Voice::new(&Steps).unwrap();
    let mut timestamp = 0;
    for (steps, value) in packets {
        voice.receive(&Steps, start, timestamp, vec![*steps, *value]);
        timestamp += u32::from(*steps) * STEP as u32;
    }
    let mut samples = Vec::new();
    for tick in 2..2 + ticks {
        voice.tick(&Steps, start + Duration::from_millis(20) * tick);
        samples.extend(voice.frame().map(|sample| sample as i32));
    }
    let runs = samples.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len() / STEP)).collect()
}

#[test]
fn packets_of_all_lengths_are_played_without_a_seam() {
    assert_eq!(
        played(&[(1, 1), (2, 2), (4, 3), (8, 4), (16, 5), (24, 6), (48, 7), (1, 8)], 13),
        [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 24), (7, 48), (8, 1)]
    );
}

#[test]
fn what_is_late_is_concealed_to_the_end_of_the_frame() {
    assert_eq!(played(&[(12, 1)], 6), [(1, 12), (-1, 28), (0, 8)]);
}

#[test]
fn what_does_not_decode_is_concealed_for_as_long_as_it_is() {
    assert_eq!(played(&[(8, 1), (20, BROKEN), (4, 2)], 4), [(1, 8), (-1, 20), (2, 4)]);
}

#[test]
fn a_frame_of_what_waits_too_long_is_left_out() {
    // 240 ms in packets of 40 wait at first, and 220 between packets.
    let start = Instant::now();
    let mut voice = Voice::new(&Steps).unwrap();
    let mut values = Vec::new();
    for tick in (0..1_000u32).step_by(2) {
        let newest = tick / 2 + 5;
        for number in if tick == 0 { 0 } else { newest }..=newest {
            voice.receive(&Steps, start, number * 16 * STEP as u32, vec![16, (number % 8 + 1) as u8]);
        }
        for tick in [tick, tick + 1] {
            voice.tick(&Steps, start + Duration::from_millis(20) * (tick + 2));
            values.push(voice.frame()[0] as u8);
        }
    }
    // Two frames a packet, and now and then one, until 40 ms wait.
    let runs: Vec<usize> = values.chunk_by(|a, b| a == b).map(|run| run.len()).collect();
    assert!(runs.iter().all(|run| (1..=2).contains(run)), "{runs:?}");
    let left_out = runs[..runs.len() - 1].iter().filter(|run| **run == 1).count();
    assert_eq!(left_out, 9, "{runs:?}");
}

#[test]
fn a_voice_that_pauses_is_judged_anew() {
    let start = Instant::now();
    let mut voice = Voice::new(&Steps).unwrap();
    let mut played = 0;
    for tick in 0..100u32 {
        // A frame each tick, of which none comes between ticks 20 and 30, and ten come then.
        let numbers = if tick == 30 { 20..31 } else { tick..tick + 1 };
        for number in numbers.filter(|_| !(20..30).contains(&tick)) {
            let now = start + Duration::from_millis(20) * tick;
            voice.receive(&Steps, now, number * FRAME as u32, vec![8, number as u8 + 10]);
        }
        voice.tick(&Steps, start + Duration::from_millis(20) * tick);
        let value = voice.frame()[0] as u32;
        if value > 10 + 20 && value != played + 1 {
            assert_eq!(tick, 32 + 49, "a second after it began again");
            return;
        }
        played = value;
    }
    panic!("nothing was left out");
}

#[test]
fn quiet_noise_is_no_sound() {
    let start = Instant::now();
    let mut voice = Voice::new(&Steps).unwrap();
    for (tick, value) in [0, 0, 1, 0].into_iter().enumerate() {
        voice.receive(&Steps, start, tick as u32 * 960, vec![8, value]);
    }
    let heard = [2, 3, 4, 5].map(|tick| {
        voice.tick(&Steps, start + Duration::from_millis(20) * tick);
        voice.is_heard()
    });
    assert_eq!(heard, [false, false, true, false]);
}
