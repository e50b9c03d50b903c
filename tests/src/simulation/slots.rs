//! The slots of an answer, by the SSRCs they send with.

use sfu::ids::SlotId;

/// SSRCs of the answer's slots, in order.
#[derive(Default)]
pub struct Slots {
    /// Media and RTX.
    pub video: Vec<(u32, Option<u32>)>,
    pub audio: Vec<u32>,
}

impl Slots {
    /// The slots of an answer: its sections that send.
    pub fn read(answer: &str) -> Slots {
        let (mut slots, mut only) = (Slots::default(), Vec::new());
        let sections: Vec<&str> = answer.split("m=").skip(1).collect();
        let sends = |section: &&&str| section.contains("a=sendonly");
        for (index, section) in sections.iter().enumerate().filter(|(_, section)| sends(section)) {
            let line = section.lines().find_map(|line| line.strip_prefix("a=ssrc:"));
            let ssrc = line.and_then(|line| line.split(' ').next()?.parse().ok()).expect("a slot's SSRC");
            let group = section.lines().find_map(|line| line.strip_prefix("a=ssrc-group:FID "));
            let rtx = group.and_then(|line| line.split(' ').nth(1)?.trim().parse().ok());
            let paired = sections
                .get(index + 1)
                .is_some_and(|next| next.starts_with("video") && next.contains("a=sendonly"));
            match (section.starts_with("video"), paired) {
                (true, _) => slots.video.push((ssrc, rtx)),
                (false, true) => slots.audio.push(ssrc),
                (false, false) => only.push(ssrc),
            }
        }
        slots.audio.extend(only);
        slots
    }

    /// The SSRC a slot's media comes with.
    pub fn ssrc(&self, slot: SlotId) -> Option<u32> {
        match slot {
            SlotId::Video(slot) => self.video.get(usize::from(slot)).map(|(media, _)| *media),
            SlotId::Audio(slot) => self.audio.get(usize::from(slot)).copied(),
        }
    }

    pub fn of(&self, ssrc: u32) -> Option<SlotId> {
        let video = self.video.iter().position(|(media, rtx)| *media == ssrc || *rtx == Some(ssrc));
        let audio = self.audio.iter().position(|known| *known == ssrc);
        video.map(|slot| SlotId::Video(slot as u16)).or(audio.map(|slot| SlotId::Audio(slot as u16)))
    }
}
