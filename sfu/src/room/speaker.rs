//! Which voices are heard and which are shown as speaking, from the audio levels of RFC 6464.
//!
//! *Heard*: the microphones that are forwarded, at most [`MAX_HEARD`] and the peer with the floor. As long as no more
//! are open than that, all of them are forwarded from their first packet, so no first syllable is cut. *Speaking*:
//! those of them that are loud, with hysteresis; only shown.

use crate::ids::PeerId;
use crate::time::after;
use std::time::{Duration, Instant};

/// Mixed at the listener: more than five voices are noise, and each costs its 40 kbit/s.
pub const MAX_HEARD: usize = 5;
/// A microphone that sends nothing this long gives its place away. Opus DTX sends every 400 ms.
const GONE_AFTER: Duration = Duration::from_millis(1500);
/// Speech in a large room is at −20 to −45 dBov after gain control; silence and fans are below −60.
const SPEAKING_ABOVE: f32 = -50.0;
const SILENT_BELOW: f32 = -58.0;
/// A pause between words does not end speaking.
const HOLD: Duration = Duration::from_millis(800);
/// A challenger must be this much louder to take a place, or two equal voices would flap.
const MARGIN_DB: f32 = 6.0;
/// Share of a new packet in the smoothed level: 20 ms packets, about 100 ms of memory rising. The larger of the two
/// for what rises, the smaller for what falls.
const RISE: f32 = 0.3;
const FALL: f32 = 0.05;
/// Voices are ranked at most this often.
const EVALUATE_EVERY: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Voice {
    peer: PeerId,
    /// Smoothed level in dBov, 0 loudest.
    level: f32,
    last_packet: Instant,
    last_loud: Option<Instant>,
    heard: bool,
    speaking: bool,
}

/// The microphones of one room.
#[derive(Debug, Default)]
pub struct Speakers {
    voices: Vec<Voice>,
    next_evaluation: Option<Instant>,
}

/// What changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    pub heard: bool,
    pub speaking: bool,
}

impl Speakers {
    /// One audio packet. `level` is −dBov, 0 (loudest) to 127; `None` where the publisher sends no
    /// levels: then sending at all counts as moderate speech.
    pub fn on_packet(&mut self, now: Instant, peer: PeerId, level: Option<u8>) -> Changes {
        let measured = -f32::from(level.unwrap_or(45));
        let fresh = !self.voices.iter().any(|voice| voice.peer == peer);
        if fresh {
            self.voices.push(Voice {
                peer,
                level: -127.0,
                last_packet: now,
                last_loud: None,
                heard: false,
                speaking: false,
            });
        }
        if let Some(voice) = self.voices.iter_mut().find(|voice| voice.peer == peer) {
            voice.follow(now, measured);
        }
        if fresh || self.next_evaluation.is_none_or(|at| now >= at) {
            return self.evaluate(now);
        }
        Changes::default()
    }

    /// The peer has left, is muted, or its microphone ended.
    pub fn remove(&mut self, peer: PeerId) -> Changes {
        let gone = self.voices.iter().find(|voice| voice.peer == peer);
        let changes = gone.map_or(Changes::default(), |v| Changes { heard: v.heard, speaking: v.speaking });
        self.voices.retain(|voice| voice.peer != peer);
        changes
    }

    /// Drops voices that fell silent and ranks the rest. Call it at least once a second.
    pub fn evaluate(&mut self, now: Instant) -> Changes {
        self.next_evaluation = Some(after(now, EVALUATE_EVERY));
        let mut changes = Changes::default();
        self.voices.retain(|voice| {
            let stays = now.saturating_duration_since(voice.last_packet) < GONE_AFTER;
            changes.heard |= !stays && voice.heard;
            changes.speaking |= !stays && voice.speaking;
            stays
        });
        changes.heard |= self.rank();
        changes.speaking |= self.mark_speaking(now);
        changes
    }

    /// Gives the places: holders keep theirs unless another voice is louder by a margin.
    fn rank(&mut self) -> bool {
        let score = |v: &Voice| v.level + if v.heard { MARGIN_DB } else { 0.0 };
        self.voices.sort_by(|a, b| score(b).total_cmp(&score(a)));
        let mut changed = false;
        for (place, voice) in self.voices.iter_mut().enumerate() {
            let heard = place < MAX_HEARD;
            changed |= heard != voice.heard;
            voice.heard = heard;
        }
        changed
    }

    fn mark_speaking(&mut self, now: Instant) -> bool {
        let mut changed = false;
        for voice in &mut self.voices {
            let held = voice.last_loud.is_some_and(|at| now.saturating_duration_since(at) < HOLD);
            let speaking = voice.heard
                && (voice.level > SPEAKING_ABOVE || (voice.speaking && (held || voice.level > SILENT_BELOW)));
            changed |= speaking != voice.speaking;
            voice.speaking = speaking;
        }
        changed
    }

    /// Peers whose microphones are forwarded, loudest first.
    pub fn heard(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.voices.iter().filter(|voice| voice.heard).map(|voice| voice.peer)
    }

    /// Peers that are speaking, loudest first.
    pub fn speaking(&self) -> Vec<PeerId> {
        self.voices.iter().filter(|voice| voice.speaking).map(|voice| voice.peer).collect()
    }
}

impl Voice {
    fn follow(&mut self, now: Instant, measured: f32) {
        let change = measured - self.level;
        self.level += (change * RISE).max(change * FALL);
        self.last_packet = now;
        if measured > SPEAKING_ABOVE {
            self.last_loud = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    struct TestRoom {
        now: Instant,
        speakers: Speakers,
    }

    impl TestRoom {
        fn new() -> TestRoom {
            TestRoom { now: Instant::now(), speakers: Speakers::default() }
        }

        /// Lets peers send for a while at the given levels.
        fn play(&mut self, ms: u64, levels: &[(u64, u8)]) -> Changes {
            let mut all = Changes::default();
            for _ in 0..ms / 20 {
                self.now += FRAME;
                for (peer, level) in levels {
                    let changes = self.speakers.on_packet(self.now, PeerId(*peer), Some(*level));
                    all.heard |= changes.heard;
                    all.speaking |= changes.speaking;
                }
            }
            all
        }

        fn is_heard(&self, peer: u64) -> bool {
            self.speakers.heard().any(|voice| voice == PeerId(peer))
        }

        fn speaking(&self) -> Vec<u64> {
            self.speakers.speaking().iter().map(|peer| peer.0).collect()
        }
    }

    #[test]
    fn an_open_microphone_is_heard_from_its_first_packet() {
        let mut room = TestRoom::new();
        let changes = room.speakers.on_packet(room.now, PeerId(1), Some(90));
        assert!(changes.heard);
        assert!(room.is_heard(1));
        assert!(room.speaking().is_empty(), "heard, but not speaking");
    }

    #[test]
    fn speaking_starts_fast_and_holds_between_words() {
        let mut room = TestRoom::new();
        room.play(200, &[(1, 30), (2, 80)]);
        assert_eq!(room.speaking(), [1]);
        room.play(400, &[(1, 90), (2, 80)]);
        assert_eq!(room.speaking(), [1], "a pause between words");
        room.play(3000, &[(1, 90), (2, 80)]);
        assert!(room.speaking().is_empty());
    }

    #[test]
    fn at_most_five_are_heard_and_equals_do_not_flap() {
        let mut room = TestRoom::new();
        let crowd: Vec<(u64, u8)> = (1..=8).map(|peer| (peer, 40)).collect();
        room.play(1000, &crowd);
        assert_eq!(room.speakers.heard().count(), MAX_HEARD);
        let changes = room.play(2000, &crowd);
        assert!(!changes.heard, "equal voices keep their places");
    }

    #[test]
    fn a_clearly_louder_voice_takes_a_place() {
        let mut room = TestRoom::new();
        room.play(500, &[(1, 45), (2, 45), (3, 45), (4, 45), (5, 60)]);
        room.play(500, &[(1, 45), (2, 45), (3, 45), (4, 45), (5, 60), (6, 25)]);
        assert!(room.is_heard(6));
        assert!(!room.is_heard(5));
    }

    #[test]
    fn a_voice_that_is_a_little_louder_takes_no_place() {
        for (louder, takes) in [(3, false), (5, false), (7, true), (9, true)] {
            let mut room = TestRoom::new();
            let five: Vec<(u64, u8)> = (1..=5).map(|peer| (peer, 40)).collect();
            room.play(1000, &five);
            let mut six = five.clone();
            six.push((6, 40 - louder));
            let changes = room.play(3000, &six);
            assert_eq!((room.is_heard(6), changes.heard), (takes, takes), "{louder} dB");
            assert_eq!(room.speakers.heard().count(), MAX_HEARD);
        }
    }

    #[test]
    fn a_voice_that_stops_or_leaves_is_not_heard() {
        let mut room = TestRoom::new();
        room.play(500, &[(1, 30), (2, 30)]);
        assert_eq!(room.speakers.remove(PeerId(2)), Changes { heard: true, speaking: true });
        let changes = room.speakers.evaluate(room.now + GONE_AFTER);
        assert!(changes.heard && changes.speaking);
        assert_eq!(room.speakers.heard().count(), 0);
    }
    /// Level in dBov, whether it was speaking and when it was loud last, in ms; and whether it is speaking now.
    #[test]
    fn speaking_begins_at_one_level_and_ends_at_another() {
        let table = [
            ("at the upper one", -50.0, false, None, false),
            ("above it", -49.9, false, None, true),
            ("between them", -54.0, false, Some(0), false),
            ("between them, and speaking", -54.0, true, Some(5000), true),
            ("at the lower one", -58.0, true, Some(5000), false),
            ("in a pause between words", -70.0, true, Some(799), true),
            ("when the pause is over", -70.0, true, Some(800), false),
            ("never loud", -70.0, true, None, false),
            ("loud, but not for long", -70.0, false, Some(0), false),
        ];
        let now = Instant::now() + Duration::from_secs(60);
        for (why, level, speaking, loud_ms, expected) in table {
            let last_loud = loud_ms.map(|ms| now - Duration::from_millis(ms));
            let voice = Voice { peer: PeerId(1), level, last_packet: now, last_loud, heard: true, speaking };
            let mut speakers = Speakers { voices: vec![voice], next_evaluation: None };
            let changes = speakers.evaluate(now);
            assert_eq!(!speakers.speaking().is_empty(), expected, "{why}");
            assert_eq!(changes, Changes { heard: false, speaking: speaking != expected }, "{why}");
        }
    }

    #[test]
    fn loud_is_above_50_dbov_and_moderate_without_a_level() {
        let now = Instant::now();
        for (level, loud) in [(Some(49), true), (Some(50), false), (Some(51), false), (None, true)] {
            let mut speakers = Speakers::default();
            speakers.on_packet(now, PeerId(1), level);
            assert_eq!(speakers.voices[0].last_loud, loud.then_some(now), "{level:?}");
        }
        let mut room = TestRoom::new();
        for _ in 0..20 {
            room.now += FRAME;
            room.speakers.on_packet(room.now, PeerId(1), None);
        }
        assert_eq!(room.speaking(), [1]);
    }

    /// From silence at −127 by 30 % of what is missing with each packet, and back by 5 %.
    #[test]
    fn a_level_rises_fast_and_falls_slowly() {
        let mut room = TestRoom::new();
        for (sent, level) in [(27, -97.0), (27, -76.0), (27, -61.3), (81, -62.285)] {
            room.play(20, &[(1, sent)]);
            assert!(
                (room.speakers.voices[0].level - level).abs() < 0.001,
                "{sent}: {}",
                room.speakers.voices[0].level
            );
        }
    }

    #[test]
    fn ranks_are_looked_at_ten_times_a_second() {
        let mut room = TestRoom::new();
        let noticed: Vec<bool> = (0..10).map(|_| room.play(20, &[(1, 10)]).speaking).collect();
        let at = noticed.iter().position(|noticed| *noticed);
        assert_eq!(at, Some(5), "loud enough with the fourth packet, and seen 100 ms after the first");
        let together = room.play(20, &[(2, 90), (3, 90)]);
        assert!(together.heard && room.is_heard(2) && room.is_heard(3), "but a new voice is heard at once");
    }

    #[test]
    fn only_a_voice_that_is_heard_is_shown_as_speaking() {
        let mut room = TestRoom::new();
        let crowd: Vec<(u64, u8)> = (1..=8).map(|peer| (peer, 30)).collect();
        room.play(1000, &crowd);
        assert_eq!(room.speaking().len(), MAX_HEARD);
    }

    #[test]
    fn a_voice_that_leaves_changes_what_it_had() {
        let mut room = TestRoom::new();
        room.play(500, &[(1, 30), (2, 80), (3, 35)]);
        assert_eq!(room.speakers.remove(PeerId(9)), Changes::default());
        assert_eq!(room.speakers.remove(PeerId(2)), Changes { heard: true, speaking: false });
        assert_eq!((room.is_heard(2), room.speaking()), (false, vec![1, 3]));
        assert_eq!(room.speakers.remove(PeerId(3)), Changes { heard: true, speaking: true });
        assert_eq!(room.speaking(), [1]);
    }
}
