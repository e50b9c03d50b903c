//! Later offers of a connected peer, each made from one that was taken before by a few changes. Every offer has one
//! answer, and whether it is accepted or refused, video goes on, unless an offer takes away its section or codec.

use super::reader::Reader;
use super::rig::{CONTENT, Rig, credentials, offer_of};
use sfu::sdp::Offer;
use std::time::Duration;

/// The first byte says whether the publisher or the viewer offers; then each step changes the offer, or makes it.
pub fn reoffers(data: &[u8]) {
    let mut rig = Rig::connected();
    let mut input = Reader(data);
    let site = usize::from(input.byte() & 1);
    let taken = offer_of(&rig.sites[site].own);
    let mut drafts = Drafts { draft: lines(&taken), taken, restarts: 0 };
    assert!(rig.goes_on(), "before any");
    while let Some(step) = input.step() {
        if step % 8 != 7 {
            drafts.change(step % 8, &mut input);
            continue;
        }
        let text = drafts.draft.concat();
        let taken = Offer::read(&text).is_ok_and(|offer| {
            rig.offer(site, &offer);
            rig.answers == [Ok(())]
        });
        if taken && !has_codec(&text) {
            return;
        }
        if taken {
            drafts.taken = text;
        }
        drafts.draft = lines(&drafts.taken);
        rig.exchange();
        rig.passes(Duration::from_millis(100));
        assert!(rig.goes_on(), "after an offer that was {}", if taken { "taken" } else { "refused" });
    }
}

impl Rig {
    /// A key frame of site 0's content reaches site 1.
    fn goes_on(&mut self) -> bool {
        let before = self.sites[1].shown.clone();
        self.frame(0, true);
        assert!(self.sites[0].sent.contains_key(&CONTENT));
        self.sites[1].shown != before
    }
}

struct Drafts {
    /// The newest offer that was accepted, and the next one that is being made of it, line by line.
    taken: String,
    draft: Vec<String>,
    restarts: u32,
}

impl Drafts {
    fn change(&mut self, what: u8, input: &mut Reader<'_>) {
        let at = usize::from(input.word()).checked_rem(self.draft.len()).unwrap_or(0);
        match what {
            0 if at < self.draft.len() => drop(self.draft.remove(at)),
            1 => self.draft.extend_from_within(at..=at.min(self.draft.len().saturating_sub(1))),
            2 if at < self.draft.len() => {
                let (keep, length) = (usize::from(input.byte()), input.byte());
                let line = &mut self.draft[at];
                let keep =
                    (0..=keep.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
                line.truncate(keep);
                line.push_str(&String::from_utf8_lossy(input.bytes(length)));
                line.push_str("\r\n");
            }
            3 => {
                let other = usize::from(input.word()).checked_rem(self.draft.len()).unwrap_or(0);
                if at != other {
                    self.draft.swap(at, other);
                }
            }
            4 => self.restart(),
            5 => self.add_slot(input.byte()),
            6 => self.end_section(input.byte()),
            _ => {}
        }
    }

    /// Other credentials in each section.
    fn restart(&mut self) {
        self.restarts += 1;
        let fresh = credentials(&format!("again{}", self.restarts));
        for line in &mut self.draft {
            if line.starts_with("a=ice-ufrag:") {
                *line = format!("a=ice-ufrag:{}\r\n", fresh.ufrag);
            } else if line.starts_with("a=ice-pwd:") {
                *line = format!("a=ice-pwd:{}\r\n", fresh.pwd);
            }
        }
    }

    /// Copies of one section, or of two, at the end, under names of their own.
    fn add_slot(&mut self, which: u8) {
        let starts = self.sections();
        let Some(start) = starts.get(usize::from(which >> 1)).copied() else { return };
        let after = starts.get(usize::from(which >> 1) + 1 + usize::from(which & 1));
        let copied = self.draft[start..after.copied().unwrap_or(self.draft.len())].to_vec();
        for line in copied {
            if line.starts_with("a=mid:") {
                let mid = self.draft.iter().filter(|line| line.starts_with("a=mid:")).count();
                self.draft.push(format!("a=mid:{mid}\r\n"));
                let bundle = self.draft.iter_mut().find(|line| line.starts_with("a=group:BUNDLE"));
                if let Some(bundle) = bundle {
                    *bundle = format!("{} {mid}\r\n", bundle.trim_end());
                }
            } else {
                self.draft.push(line);
            }
        }
    }

    /// A section becomes inactive, ends, or changes direction.
    fn end_section(&mut self, which: u8) {
        let Some(start) = self.sections().get(usize::from(which >> 2)).copied() else { return };
        let directions = ["a=sendonly", "a=recvonly", "a=inactive", "a=sendrecv"];
        let is_direction = |line: &String| directions.contains(&line.trim_end());
        if let Some(line) = self.draft[start..].iter_mut().find(|line| is_direction(line)) {
            *line = format!("{}\r\n", directions[usize::from(which & 3)]);
        }
    }

    fn sections(&self) -> Vec<usize> {
        let lines = self.draft.iter().enumerate();
        lines.filter(|(_, line)| line.starts_with("m=")).map(|(at, _)| at).collect()
    }
}

/// No video section is inactive, and all still have the codec that is sent here.
fn has_codec(text: &str) -> bool {
    let mut sections = text.split("m=").filter(|section| section.starts_with("video "));
    sections.all(|section| {
        let mut formats = section.lines().next().unwrap_or_default().split(' ');
        let rests = section.starts_with("video 0") || section.contains("a=inactive");
        !rests && formats.any(|format| format == "96") && section.contains("a=rtpmap:96 VP8/90000\r\n")
    })
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| format!("{line}\r\n")).collect()
}
