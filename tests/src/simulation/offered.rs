//! What the bridge offers a line, against what the line carries.

use super::traffic::Traffic;
use super::wire::LinkModel;
use sfu::net::PathKind;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A line that has become another is known after this.
const LEARNS: Duration = Duration::from_secs(3);
/// Over two seconds no more is offered than so much of what the line carries, and in none more than that.
const OVER_TWO_SECONDS: f64 = 1.2;
const IN_ONE_SECOND: f64 = 1.5;
/// Speech that takes so much of a line leaves nothing for what is tried on it.
const SPEECH_FILLS: f64 = 0.9;
/// One burst: 40 ms of 1 Mbit/s, or some packets.
const BURST: f64 = 5_000.0;

/// The last two seconds of one site's line.
#[derive(Default)]
pub struct Offered {
    /// The line as it is, and since when.
    line: Option<(Option<u32>, bool, PathKind)>,
    since: Option<Instant>,
    counted: VecDeque<(Instant, Traffic)>,
}

impl Offered {
    /// Looks at a line, as every 100 ms; returns what is wrong.
    pub fn look(
        &mut self,
        now: Instant,
        link: &LinkModel,
        kind: PathKind,
        traffic: Traffic,
    ) -> Option<String> {
        let rate = link.rate.map(|rate| rate.bits_per_second);
        let line = Some((rate, link.cut, kind));
        if self.line != line {
            (self.line, self.since) = (line, Some(now));
            self.counted.clear();
        }
        self.counted.push_back((now, traffic));
        while self.counted.front().is_some_and(|(at, _)| now - *at > Duration::from_secs(2)) {
            self.counted.pop_front();
        }
        // TCP has a window of its own, and what it does not take is dropped before the line.
        if kind == PathKind::Tcp {
            return None;
        }
        let steady = self.since.is_some_and(|since| now - since >= LEARNS + Duration::from_secs(2));
        let bytes_a_second = f64::from(rate.filter(|_| steady && !link.cut)?) / 8.0;
        let within = |seconds| self.within(now, seconds);
        [(2, OVER_TWO_SECONDS), (1, IN_ONE_SECOND)].into_iter().find_map(|(seconds, most)| {
            let (all, video) = within(seconds)?;
            let carried = bytes_a_second * seconds as f64;
            let too_much = all > carried * most + BURST;
            // Speech is never less than it is: a line that carries less needs one mixed stream, which is not made yet.
            let by_speech = all - video > carried * SPEECH_FILLS;
            (too_much && !by_speech).then(|| {
                format!("is offered {all:.0} bytes in {seconds} s ({video:.0} of video), its line carries {carried:.0}")
            })
        })
    }

    /// Bytes offered in the last seconds, and those of video among them.
    fn within(&self, now: Instant, seconds: u64) -> Option<(f64, f64)> {
        let begin = now - Duration::from_secs(seconds);
        let (_, before) = self.counted.iter().rev().find(|(at, _)| *at <= begin)?;
        let (_, newest) = self.counted.back()?;
        let Traffic { video, resent, audio, probes, control } = *newest - *before;
        let moving = (video.bytes + resent.bytes + probes.bytes) as f64;
        Some((moving + (audio.bytes + control.bytes) as f64, moving))
    }
}
