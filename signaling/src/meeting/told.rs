//! What sites tell of themselves, which is no act: nobody has to permit it, and it lasts no longer than their visit.

use super::seat::Sources;
use super::{Meeting, Request};
use protocol::{SiteId, SlotWish};

impl Meeting {
    pub(super) fn requested_of(&mut self, site: SiteId, request: Request) {
        match request {
            Request::Wishes(wishes) => self.wished(site, wishes),
            Request::Hearing { mixed } => self.hears(site, mixed),
            Request::Media { microphone, camera, content } => {
                self.said(site, Sources { microphone, camera, content });
            }
            Request::Act(_) | Request::Leave => {}
        }
    }

    fn wished(&mut self, site: SiteId, wishes: Vec<Option<SlotWish>>) {
        if let Some(site) = self.site_mut(site)
            && site.wishes != wishes
        {
            site.wishes = wishes;
            self.restage();
        }
    }

    fn hears(&mut self, site: SiteId, mixed: bool) {
        if let Some(site) = self.site_mut(site)
            && std::mem::replace(&mut site.asks_for_mix, mixed) != mixed
        {
            self.restage();
        }
    }

    /// What a site reports of its own sources.
    fn said(&mut self, site: SiteId, said: Sources) {
        // A muted microphone stays closed after the mute is lifted until the site opens it again: no one goes on air
        // without an act of their own.
        let said = Sources { microphone: said.microphone && !self.lasting.of(site).muted, ..said };
        if self.site_mut(site).is_some_and(|site| site.say(said)) {
            self.changed();
        }
    }
}
