//! What follows from a fact for what does not last: which sites are connected, what is sent, what media carries.

use super::fact::{Fact, Record};
use super::{ConnectionId, Meeting, Now, Output};
use protocol::{GoodbyeReason, SiteId};

impl Meeting {
    /// A fact is applied, and takes effect.
    pub(super) fn establish(&mut self, now: Now, record: Record) {
        self.lasting.apply(&record);
        self.take_effect(now, &record.fact);
        self.outputs.push_back(Output::Record(record));
        self.changed();
    }

    fn take_effect(&mut self, now: Now, fact: &Fact) {
        match fact {
            Fact::Begun {} => {
                self.sites.iter_mut().for_each(|site| site.reconnections = 0);
                self.update_presences(now);
            }
            Fact::Ended {} => {
                self.sites.iter().map(|site| site.id).collect::<Vec<_>>().into_iter().for_each(|site| {
                    if let Some(connection) = self.empty_seat(now, site) {
                        self.dismiss(connection, GoodbyeReason::Ended);
                    }
                });
                self.outputs.push_back(Output::CloseMedia);
            }
            // The device that has got it is attached next; until then no one is there.
            Fact::Seated { site, .. } => self.sit(*site),
            Fact::TakenOver { site, .. } => {
                self.sit(*site);
                if let Some(site) = self.site_mut(*site) {
                    site.last_takeover = Some(now.instant);
                }
                self.outputs.push_back(Output::DropMedia { site: *site });
            }
            Fact::Left { site } => {
                let left = self.empty_seat(now, *site);
                self.outputs.push_back(Output::DropMedia { site: *site });
                self.outputs.extend(left.map(|connection| Output::Close { connection }));
            }
            Fact::Removed { site } => {
                let removed = self.empty_seat(now, *site);
                self.outputs.push_back(Output::DropMedia { site: *site });
                if let Some(connection) = removed {
                    self.dismiss(connection, GoodbyeReason::Removed);
                }
            }
            Fact::Readmitted { .. } => self.update_presences(now),
            Fact::Muted { sites } => sites.iter().for_each(|site| self.close_microphone(*site)),
            Fact::GoesOn {} | Fact::Unmuted { .. } | Fact::BigScreen { .. } | Fact::Locked { .. } => {}
        }
    }

    fn sit(&mut self, site: SiteId) {
        let muted = self.lasting.of(site).muted;
        if let Some(site) = self.site_mut(site) {
            site.sit(muted);
        }
    }

    /// After `AllowUnmute` the site itself must open it.
    fn close_microphone(&mut self, site: SiteId) {
        if let Some(site) = self.site_mut(site) {
            site.said.microphone = false;
        }
    }

    /// The seat was given up: names the connection that held it.
    fn empty_seat(&mut self, now: Now, site: SiteId) -> Option<ConnectionId> {
        let place = self.site_mut(site)?;
        let connection = place.connection.take();
        place.vacate();
        self.update_presence(now, site);
        connection
    }

    fn update_presences(&mut self, now: Now) {
        for site in &mut self.sites {
            site.update_presence(self.lasting.of(site.id), now.unix_ms);
        }
    }

    pub(super) fn update_presence(&mut self, now: Now, site: SiteId) {
        let standing = self.lasting.of(site);
        if let Some(site) = self.sites.iter_mut().find(|s| s.id == site) {
            site.update_presence(standing, now.unix_ms);
        }
    }
}
