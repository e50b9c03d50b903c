//! Which section is what: by kind, direction and order alone.

use super::offer::{Direction, Kind, Offered};
use super::{Negotiated, OfferError, Section, SectionRole};
use crate::ids::{SlotId, SourceKind};
use crate::limits;

/// Roles of all sections, and how many pairs of slots there are. Sections of a previous negotiation keep theirs; after
/// them only slots are added.
pub(super) fn assign(
    sections: &[Offered],
    previous: Option<&Negotiated>,
) -> Result<(Vec<SectionRole>, u16), OfferError> {
    let known = previous.map_or([].as_slice(), |previous| &previous.sections);
    let mut roles = Roles::resume(known, previous.map_or(0, |previous| previous.pairs));
    let fresh = sections.get(known.len()..).ok_or(OfferError::Changed)?;
    let mut before: Option<&mut SectionRole> = None;
    let mut assigned = vec![SectionRole::Rejected; fresh.len()];
    for (section, role) in fresh.iter().zip(&mut assigned) {
        let partner = before.take();
        if section.receives(Kind::Video) {
            *role = roles.video_slot(partner);
        } else if section.receives(Kind::Audio) {
            before = Some(role);
        } else if section.live && section.direction.sends() && previous.is_none() {
            *role = roles.source(section.kind);
        }
    }
    for (section, role) in fresh.iter().zip(&mut assigned) {
        if section.receives(Kind::Audio) && *role == SectionRole::Rejected {
            *role = roles.audio_slot();
        }
    }
    roles.check()?;
    let all = known.iter().map(|section| section.role).chain(assigned);
    Ok((all.collect(), roles.pairs))
}

/// A known section may become inactive, but not something else.
pub(super) fn check_kept(section: &Section, offered: &Offered) -> Result<(), OfferError> {
    let fits = match section.role {
        SectionRole::Rejected => true,
        SectionRole::Source(SourceKind::Microphone) => offered.may_send(Kind::Audio),
        SectionRole::Source(_) => offered.may_send(Kind::Video),
        SectionRole::Slot(SlotId::Audio(_)) => offered.may_receive(Kind::Audio),
        SectionRole::Slot(SlotId::Video(_)) => offered.may_receive(Kind::Video),
    };
    if fits && section.mid == offered.mid { Ok(()) } else { Err(OfferError::Changed) }
}

impl Offered {
    fn receives(&self, kind: Kind) -> bool {
        self.live && self.kind == kind && self.direction == Direction::Receive
    }

    fn rests(&self) -> bool {
        !self.live || self.direction == Direction::Inactive
    }

    fn may_send(&self, kind: Kind) -> bool {
        self.kind == kind && (self.rests() || self.direction.sends())
    }

    fn may_receive(&self, kind: Kind) -> bool {
        self.kind == kind && (self.rests() || self.direction == Direction::Receive)
    }
}

/// What has been given away so far.
struct Roles {
    microphone: bool,
    camera: bool,
    content: bool,
    videos: u16,
    audios: u16,
    pairs: u16,
}

impl Roles {
    fn resume(known: &[Section], pairs: u16) -> Roles {
        let count = |is: fn(&SectionRole) -> bool| known.iter().filter(|section| is(&section.role)).count();
        let videos = count(|role| matches!(role, SectionRole::Slot(SlotId::Video(_))));
        let audios = count(|role| matches!(role, SectionRole::Slot(SlotId::Audio(_))));
        Roles {
            microphone: false,
            camera: false,
            content: false,
            // Both are bounded by the limits below.
            videos: videos as u16,
            audios: audios as u16,
            pairs,
        }
    }

    fn source(&mut self, kind: Kind) -> SectionRole {
        let (taken, source) = match kind {
            Kind::Audio => (&mut self.microphone, SourceKind::Microphone),
            Kind::Video if !self.camera => (&mut self.camera, SourceKind::Camera),
            Kind::Video => (&mut self.content, SourceKind::Content),
            Kind::Other => return SectionRole::Rejected,
        };
        if std::mem::replace(taken, true) {
            return SectionRole::Rejected;
        }
        SectionRole::Source(source)
    }

    /// The audio section before becomes the partner while all slots so far are pairs; else the
    /// numbers of the two could not be the same.
    fn video_slot(&mut self, partner: Option<&mut SectionRole>) -> SectionRole {
        let video = self.videos;
        self.videos = self.videos.saturating_add(1);
        if let Some(partner) = partner
            && self.pairs == video
            && self.audios == video
        {
            *partner = self.audio_slot();
            self.pairs = self.videos;
        }
        SectionRole::Slot(SlotId::Video(video))
    }

    fn audio_slot(&mut self) -> SectionRole {
        let audio = self.audios;
        self.audios = self.audios.saturating_add(1);
        SectionRole::Slot(SlotId::Audio(audio))
    }

    fn check(&self) -> Result<(), OfferError> {
        let videos = usize::from(self.videos) <= limits::MAX_VIDEO_SLOTS;
        let audios = usize::from(self.audios) <= limits::MAX_AUDIO_SLOTS;
        if videos && audios { Ok(()) } else { Err(OfferError::TooLarge) }
    }
}
