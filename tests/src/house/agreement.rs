//! Agreement: what each meeting shows, what the bridge desires, what the engine reports, what pages received and what
//! clients decode are the same. Each is compared with what the sites wish, computed here once more.

use super::building::House;
use super::site::Site;
use protocol::{self, MeetingView, MicrophoneState, Presence, Role, SiteView, SlotSource};
use sfu::command::DesiredPeer;
use sfu::ids::{PeerId, SlotId, Source, SourceKind};
use std::time::Duration;

/// Voices come each 20 ms, frames each 33, content each 200.
const FRESH: Duration = Duration::from_millis(500);

/// Whose, and what.
type Shown = (usize, SourceKind);

impl House {
    /// What does not agree.
    pub fn disagreements(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.process.is_none() {
            all.push("there is no process".to_owned());
        }
        let leftover = self.witness.peers().filter(|peer| !self.is_somebody(*peer));
        all.extend(leftover.map(|peer| format!("an engine has {peer:?}, who is nobody")));
        for site in &self.sites {
            let differs = self.about(site);
            all.extend(differs.into_iter().map(|what| format!("site {}: {what}", site.index)));
        }
        all
    }

    fn about(&self, site: &Site) -> Vec<String> {
        let Some(meeting) = self.meeting(site.meeting) else { return Vec::new() };
        let role = if site.is_chair() { Role::Chair } else { Role::Site };
        let view = meeting.view(role);
        let own = own(&view, site);
        let Some(page) = &site.page else {
            let inside = matches!(own.presence, Presence::Present | Presence::Joining);
            return if inside { vec!["is not here, and the meeting has it".to_owned()] } else { Vec::new() };
        };
        let mut differs = Vec::new();
        if own.presence != Presence::Present || !page.is_online() {
            differs.push(format!("is {:?}, its page is online: {}", own.presence, page.is_online()));
        }
        if site.known.meeting.as_ref() != Some(&view) {
            differs.push("its page received another meeting".to_owned());
        }
        let Some((peer, desired)) = self.desired(site) else {
            differs.push("the bridge desires nothing of it".to_owned());
            return differs;
        };
        differs.extend(rights(own, &desired));
        differs.extend(self.about_slots(site, &view, peer, &desired));
        differs.extend(self.about_voices(site, &view));
        differs
    }

    /// Whether a peer is a site's newest, and its page is here or its seat waits.
    fn is_somebody(&self, peer: PeerId) -> bool {
        let site = self.site_of(peer).filter(|site| self.peer_of(*site) == Some(peer));
        site.is_some_and(|site| self.desired(&self.sites[site]).is_some())
    }

    /// What the bridge last ordered of a site.
    fn desired(&self, site: &Site) -> Option<(PeerId, DesiredPeer)> {
        let peer = self.peer_of(site.index)?;
        let papers = self.process.as_ref()?.desk.papers();
        let mut all = papers.desired.values().flat_map(|desired| &desired.peers);
        Some((peer, all.find(|desired| desired.peer == peer)?.clone()))
    }

    fn about_slots(
        &self,
        site: &Site,
        view: &MeetingView,
        peer: PeerId,
        desired: &DesiredPeer,
    ) -> Vec<String> {
        let mut differs = Vec::new();
        for (slot, wished) in self.wished(site, view).into_iter().enumerate() {
            let ordered = desired.video_slots.get(slot).copied().flatten().map(|wish| wish.source);
            let ordered = ordered.and_then(|source| self.named(source));
            let said = self.process.as_ref().map(|_| self.witness.shown(peer, SlotId::Video(slot as u16)));
            let said = said.flatten().and_then(|source| self.named(source));
            let told = self.told(site, site.known.video.get(slot).copied().flatten());
            let comes = wished.is_some_and(|(of, kind)| self.sites[of].sends(kind));
            let differ = ordered != wished
                || told != said
                || (comes && (said != wished || !self.sees(site, slot, wished)));
            if differ {
                let seen = site.client.as_ref().and_then(|client| client.video.get(&slot)?.last);
                differs.push(format!(
                    "slot {slot}: wished {wished:?}, ordered {ordered:?}, said {said:?}, told {told:?}, seen {seen:?}"
                ));
            }
        }
        differs
    }

    /// What a site's slots are to show: the big screen in the first, its own wishes in the rest, each source once. A site
    /// that has told that it wishes for nothing only listens.
    fn wished(&self, site: &Site, view: &MeetingView) -> Vec<Option<Shown>> {
        let here = |of: protocol::SiteId| {
            let index = self.index_of(site.meeting, of)?;
            self.desired(&self.sites[index]).map(|_| index)
        };
        let wishes = site.wishes.iter().map(|wish| {
            let wish = (*wish)?;
            Some((here(wish.site)?, kind(wish.kind)))
        });
        let mut slots: Vec<Option<Shown>> = wishes.collect();
        let only_listens = site.wishes.iter().all(Option::is_none);
        let big = view.big_screen.filter(|big| *big != site.id && !only_listens).and_then(here);
        if let Some(big) = big {
            let shares = own(view, &self.sites[big]).content;
            let kind = if shares { SourceKind::Content } else { SourceKind::Camera };
            let big = Some((big, kind));
            slots.iter_mut().filter(|slot| **slot == big).for_each(|slot| *slot = None);
            slots[0] = big;
        }
        slots
    }

    fn sees(&self, site: &Site, slot: usize, wished: Option<Shown>) -> bool {
        let view = site.client.as_ref().and_then(|client| client.video.get(&slot));
        let fresh = view.and_then(|view| view.last_at).is_some_and(|at| self.now - at < FRESH);
        let seen = view.and_then(|view| view.last).map(|(mark, _)| usize::from(mark) - 1);
        fresh && seen == wished.map(|(of, _)| of)
    }

    /// Every site hears those that have a microphone open, and no other.
    fn about_voices(&self, site: &Site, view: &MeetingView) -> Vec<String> {
        let heard = |of: &Site| {
            let last = site.client.as_ref().and_then(|client| client.heard.last_of(of.index as u8 + 1));
            last.is_some_and(|at| self.now - at < FRESH)
        };
        let others = self.sites.iter().filter(|of| of.meeting == site.meeting && of.index != site.index);
        let voices = others.map(|of| (of, own(view, of)));
        let open = |of: &SiteView| of.presence == Presence::Present && of.microphone == MicrophoneState::On;
        let wrong = voices.filter(|(of, seen)| open(seen) != heard(of));
        wrong
            .map(|(of, seen)| format!("{:?} of site {}, heard: {}", seen.microphone, of.index, heard(of)))
            .collect()
    }

    fn named(&self, source: Source) -> Option<Shown> {
        Some((self.site_of(source.peer)?, source.kind))
    }

    fn told(&self, site: &Site, told: Option<SlotSource>) -> Option<Shown> {
        let told = told?;
        Some((self.index_of(site.meeting, told.site)?, kind(told.kind)))
    }

    /// A site's number in the house.
    pub fn index_of(&self, meeting: usize, id: protocol::SiteId) -> Option<usize> {
        self.sites.iter().position(|site| site.meeting == meeting && site.id == id)
    }
}

fn own<'a>(view: &'a MeetingView, site: &Site) -> &'a SiteView {
    view.sites.iter().find(|other| other.id == site.id).expect("an invited site")
}

/// What the bridge lets a site send is what the meeting shows of it.
fn rights(shown: &SiteView, desired: &DesiredPeer) -> Option<String> {
    let may = desired.may_publish;
    let microphone = shown.microphone == MicrophoneState::On;
    let differs =
        may.microphone != microphone || may.camera != shown.camera || (shown.content && !may.content);
    differs.then(|| format!("may send {may:?}, and the meeting shows {shown:?}"))
}

fn kind(kind: protocol::SourceKind) -> SourceKind {
    match kind {
        protocol::SourceKind::Microphone => SourceKind::Microphone,
        protocol::SourceKind::Camera => SourceKind::Camera,
        protocol::SourceKind::Content => SourceKind::Content,
    }
}
