use super::*;

/// A buffer on a clock of ticks of 20 ms. Packets are named by a byte.
struct Line {
    buffer: Buffer,
    start: Instant,
    tick: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Packet(u8),
    Concealed,
    Silence,
}
use Heard::{Concealed, Packet as P, Silence};

impl Line {
    fn new() -> Line {
        Line { buffer: Buffer::new(), start: Instant::now(), tick: 0 }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(20) * self.tick
    }

    /// Packet `name` of 20 ms comes now.
    fn get(&mut self, timestamp: u32, name: u8) {
        let packet = Packet { samples: FRAME, payload: vec![name] };
        self.buffer.insert(self.now(), timestamp, packet);
    }

    /// Packets of these numbers, whose timestamps begin with 0.
    fn get_all(&mut self, names: impl IntoIterator<Item = u8>) {
        names.into_iter().for_each(|name| self.get(u32::from(name) * 960, name));
    }

    fn play(&mut self) -> Heard {
        let now = self.now();
        self.tick += 1;
        if !self.buffer.plays(now) {
            return Silence;
        }
        match self.buffer.next(FRAME) {
            Next::Packet(packet) => P(packet.payload[0]),
            Next::Conceal(samples) => {
                assert_eq!(samples, FRAME);
                Concealed
            }
            Next::Pause => Silence,
        }
    }

    fn hear(&mut self, ticks: usize) -> Vec<Heard> {
        (0..ticks).map(|_| self.play()).collect()
    }
}

#[test]
fn it_plays_40_ms_after_the_first_packet() {
    let mut line = Line::new();
    let mut heard = Vec::new();
    for name in 0..6 {
        line.get_all([name]);
        heard.push(line.play());
    }
    assert_eq!(heard, [Silence, Silence, P(0), P(1), P(2), P(3)]);
    assert_eq!(line.buffer.waits(), 2 * FRAME);
}

#[test]
fn what_comes_out_of_order_is_put_in_order_and_duplicates_are_dropped() {
    let mut line = Line::new();
    line.get_all([1, 3, 0, 3, 2, 2, 1]);
    assert_eq!(line.hear(6), [Silence, Silence, P(0), P(1), P(2), P(3)]);
    line.get_all([2, 4, 3, 5]);
    line.get(5 * 960, 9);
    assert_eq!(line.hear(2), [P(4), P(5)]);
}

#[test]
fn what_is_lost_is_concealed_once() {
    let mut line = Line::new();
    line.get_all([0, 1, 3, 6]);
    assert_eq!(line.hear(4)[2..], [P(0), P(1)]);
    assert_eq!(line.buffer.waits(), 5 * FRAME, "with what is lost");
    assert_eq!(line.hear(5), [Concealed, P(3), Concealed, Concealed, P(6)]);
}

#[test]
fn what_is_too_late_is_dropped() {
    let mut line = Line::new();
    line.get_all([0, 2, 3]);
    assert_eq!(line.hear(4)[2..], [P(0), Concealed]);
    line.get_all([1]);
    assert_eq!(line.hear(2), [P(2), P(3)]);
}

#[test]
fn what_is_late_is_waited_for() {
    let mut line = Line::new();
    line.get_all([0]);
    assert_eq!(line.hear(5)[2..], [P(0), Concealed, Concealed]);
    line.get_all([1, 2, 3]);
    assert_eq!(line.hear(3), [P(1), P(2), P(3)]);
    // All of it is behind by 40 ms now, and may be late again.
    assert_eq!(line.hear(3), [Concealed, Concealed, Concealed]);
    line.get_all([4]);
    assert_eq!(line.hear(1), [P(4)]);
}

#[test]
fn what_was_lost_while_nothing_was_there_is_not_concealed_again() {
    let mut line = Line::new();
    line.get_all([0]);
    assert_eq!(line.hear(4)[2..], [P(0), Concealed]);
    line.get_all([4, 5]);
    let heard = line.hear(4);
    assert_eq!(
        heard,
        [Concealed, Concealed, P(4), P(5)],
        "three were lost, one of them is concealed already"
    );
}

#[test]
fn a_voice_that_stays_away_has_paused_and_begins_anew() {
    let mut line = Line::new();
    line.get_all([0]);
    assert_eq!(line.hear(8)[2..], [P(0), Concealed, Concealed, Concealed, Silence, Silence]);
    line.get_all([0]);
    assert_eq!(line.hear(4), [Silence; 4], "a duplicate begins nothing");
    line.get_all([7, 8]);
    assert_eq!(line.hear(4), [Silence, Silence, P(7), P(8)]);
}

#[test]
fn timestamps_wrap() {
    let mut line = Line::new();
    for name in [1, 0, 3, 2, 4] {
        line.get(0u32.wrapping_sub(2 * 960).wrapping_add(u32::from(name) * 960), name);
    }
    assert_eq!(line.hear(7)[2..], [P(0), P(1), P(2), P(3), P(4)]);
}

#[test]
fn an_encoder_that_restarts_begins_anew() {
    let newest = 3 * 960u32;
    let (up, down) = (newest + LEAP as u32 + 1, newest.wrapping_sub(LEAP as u32 + 1));
    for first in [up, down, 2_000_000, 1 << 31, u32::MAX / 3] {
        let mut line = Line::new();
        line.get_all([2, 3]);
        assert_eq!(line.hear(3)[2], P(2));
        line.get(first, 7);
        assert_eq!(line.hear(1), [Silence]);
        line.get(first.wrapping_sub(960), 6);
        assert_eq!(line.hear(3), [Silence, P(6), P(7)], "{first}");
    }
}

#[test]
fn half_a_second_is_no_leap() {
    let mut line = Line::new();
    line.get_all([0, 25]);
    assert_eq!(line.buffer.waits(), FRAME, "it is beyond 400 ms, so the newest is played");
    let mut line = Line::new();
    line.get_all([25]);
    line.hear(3);
    line.get_all([0, 1]);
    assert_eq!(line.buffer.waits(), 0, "late, and no restart");
    let mut line = Line::new();
    line.get_all([20, 1]);
    assert_eq!(line.hear(3)[2], P(1));
    line.get_all([27]);
    assert_eq!(line.hear(1), [P(27)], "it is counted from the newest, not from the last that came");
}

#[test]
fn more_than_400_ms_do_not_wait() {
    let mut line = Line::new();
    line.get_all(0..20);
    assert_eq!(line.buffer.waits(), 20 * FRAME);
    line.get_all([20]);
    assert_eq!(line.buffer.waits(), 3 * FRAME);
    assert_eq!(line.hear(5)[2..], [P(18), P(19), P(20)]);
}

#[test]
fn a_long_packet_beyond_the_bound_is_kept_as_a_whole() {
    let mut buffer = Buffer::new();
    let now = Instant::now();
    for number in 0..4 {
        let packet = Packet { samples: MAX_SAMPLES, payload: vec![number] };
        buffer.insert(now, u32::from(number) * MAX_SAMPLES as u32, packet);
    }
    assert_eq!(buffer.waits(), MAX_SAMPLES);
    assert!(buffer.plays(now + START_DELAY));
    assert_eq!(buffer.next(FRAME), Next::Packet(Packet { samples: MAX_SAMPLES, payload: vec![3] }));
}

#[test]
fn packets_are_bounded_in_number_and_size() {
    let now = Instant::now();
    let mut buffer = Buffer::new();
    // Each a sample after the one before, which no encoder does.
    for number in 0..200 {
        buffer.insert(now, number, Packet { samples: 120, payload: Vec::new() });
        assert!(buffer.waiting.len() <= MAX_WAITING);
    }
    let mut buffer = Buffer::new();
    for (samples, bytes) in [(FRAME, MAX_PAYLOAD + 1), (0, 1), (MAX_SAMPLES + 1, 1)] {
        buffer.insert(now, 0, Packet { samples, payload: vec![0; bytes] });
        assert!(buffer.waiting.is_empty());
    }
    buffer.insert(now, 0, Packet { samples: MAX_SAMPLES, payload: vec![0; MAX_PAYLOAD] });
    assert_eq!(buffer.waiting.len(), 1);
}

#[test]
fn packets_that_overlap_are_not_played_twice() {
    let now = Instant::now();
    let mut buffer = Buffer::new();
    for (timestamp, samples) in [(0, FRAME), (480, FRAME), (960, FRAME)] {
        buffer.insert(now, timestamp, Packet { samples, payload: timestamp.to_be_bytes().to_vec() });
    }
    assert!(buffer.plays(now + START_DELAY));
    for timestamp in [0u32, 960] {
        let payload = timestamp.to_be_bytes().to_vec();
        assert_eq!(buffer.next(FRAME), Next::Packet(Packet { samples: FRAME, payload }));
    }
}

#[test]
fn a_gap_is_concealed_to_its_end_and_no_further() {
    let now = Instant::now();
    let mut buffer = Buffer::new();
    for timestamp in [0, 120 + 480] {
        buffer.insert(now, timestamp, Packet { samples: 120, payload: Vec::new() });
    }
    assert!(buffer.plays(now + START_DELAY));
    assert!(matches!(buffer.next(FRAME), Next::Packet(_)));
    assert_eq!(buffer.next(FRAME), Next::Conceal(480));
    assert!(matches!(buffer.next(FRAME), Next::Packet(_)));
    assert_eq!(buffer.next(120), Next::Conceal(120));
}
