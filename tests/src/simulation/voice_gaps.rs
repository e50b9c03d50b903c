//! Voice that a browser asks for again, where the answer invites it to (`a=rtcp-fb:… nack` in an audio section).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Asked at once and then each round trip, which is taken to be this, for as long as NetEQ might wait for it.
const AGAIN: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_millis(500);
/// More than that is no gap but another stream.
const LONGEST: u64 = 100;

#[derive(Debug, Default)]
struct Gaps {
    newest: u64,
    /// Since when each is missing, and when it is asked for next.
    missing: BTreeMap<u64, (Instant, Instant)>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct VoiceGaps {
    invited: BTreeSet<u32>,
    by_ssrc: BTreeMap<u32, Gaps>,
}

impl VoiceGaps {
    /// The sections of an answer that invite.
    pub fn read(&mut self, answer: &str) {
        for section in answer.split("m=").filter(|section| section.starts_with("audio")) {
            let asks = section.lines().any(|line| line.starts_with("a=rtcp-fb:") && line.ends_with(" nack"));
            let ssrcs = section.lines().filter_map(|line| line.strip_prefix("a=ssrc:")?.split(' ').next());
            self.invited.extend(ssrcs.filter(|_| asks).filter_map(|ssrc| ssrc.parse::<u32>().ok()));
        }
    }

    pub fn see(&mut self, now: Instant, ssrc: u32, number: u16) {
        if !self.invited.contains(&ssrc) {
            return;
        }
        let gaps = self
            .by_ssrc
            .entry(ssrc)
            .or_insert_with(|| Gaps { newest: 65_536 + u64::from(number) - 1, missing: BTreeMap::new() });
        let distance = number.wrapping_sub(gaps.newest as u16) as i16;
        let number = gaps.newest.saturating_add_signed(i64::from(distance));
        gaps.missing.remove(&number);
        if number > gaps.newest {
            let first = (gaps.newest + 1).max(number.saturating_sub(LONGEST));
            gaps.missing.extend((first..number).map(|missing| (missing, (now, now))));
            gaps.newest = number;
        }
    }

    /// What to ask for now, by SSRC.
    pub fn ask(&mut self, now: Instant) -> Vec<(u32, Vec<u16>)> {
        let mut asked = Vec::new();
        for (ssrc, gaps) in &mut self.by_ssrc {
            gaps.missing.retain(|_, (since, _)| now - *since < PATIENCE);
            let due = gaps.missing.iter_mut().filter(|(_, (_, ask_at))| *ask_at <= now);
            let numbers = due.map(|(number, (_, ask_at))| {
                *ask_at = now + AGAIN;
                *number as u16
            });
            let numbers: Vec<u16> = numbers.collect();
            asked.extend((!numbers.is_empty()).then_some((*ssrc, numbers)));
        }
        asked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn lost_voice_is_asked_for_where_that_is_invited_until_it_comes_or_is_too_late() {
        let section =
            |ssrc, feedback| format!("m=audio 9 x 111\na=rtcp-fb:111 {feedback}\na=ssrc:{ssrc} cname:x\n");
        let answer = [section(1, "nack"), section(2, "transport-cc")].concat();
        let (now, mut gaps) = (Instant::now(), VoiceGaps::default());
        gaps.read(&answer);
        for ssrc in [1, 2] {
            for number in [65_534, 65_535, 2] {
                gaps.see(now, ssrc, number);
            }
        }
        assert_eq!(gaps.ask(now), [(1, vec![0, 1])]);
        assert_eq!(gaps.ask(now + 50 * MS), []);
        gaps.see(now + 60 * MS, 1, 1);
        assert_eq!(gaps.ask(now + 100 * MS), [(1, vec![0])]);
        assert_eq!(gaps.ask(now + 500 * MS), []);
    }
}
