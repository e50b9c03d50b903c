//! What others may see of the meeting: the snapshot for sites, the stage for media, rows for metrics.

use super::apply::Standing;
use super::seat::Site;
use super::{ConnectionId, Flow, Meeting, Output, Stage, StageSite, rules};
use protocol::{MeetingView, MicrophoneState, Presence, Role, ServerMessage, SiteId, SiteView, SourceKind};

/// One seat, for metrics and link lights.
#[derive(Debug, Clone, PartialEq)]
pub struct SeatRow {
    pub site: SiteId,
    pub name: String,
    pub connected: bool,
    pub reconnections: u32,
    pub flow: Flow,
}

impl Meeting {
    /// What a role may see is the same for all who have it.
    pub(super) fn broadcast_view(&mut self) {
        for role in [Role::Chair, Role::Site] {
            let of = |s: &Site| s.connection.filter(|_| s.role == role);
            let connections: Vec<ConnectionId> = self.sites.iter().filter_map(of).collect();
            if !connections.is_empty() {
                let message = ServerMessage::Meeting { meeting: self.view(role) };
                self.outputs.push_back(Output::Broadcast { connections, message });
            }
        }
    }

    /// The meeting as `role` may see it.
    pub fn view(&self, role: Role) -> MeetingView {
        MeetingView {
            title: self.title.clone(),
            started_at_ms: self.lasting.started_at_ms,
            locked: self.lasting.locked,
            big_screen: self.lasting.big_screen,
            sites: self.sites.iter().map(|site| site_view(site, self.lasting.of(site.id))).collect(),
            actions: rules::allowed(role),
        }
    }

    /// What media is to carry.
    pub fn stage(&self) -> Stage {
        Stage {
            big_screen: self.lasting.big_screen,
            // The meeting gives the floor by the big screen, and not yet by itself.
            floor: self.lasting.big_screen,
            sites: self
                .seated()
                .map(|s| StageSite {
                    site: s.id,
                    is_chair: s.is_chair(),
                    microphone_open: s.said.microphone && !self.lasting.of(s.id).muted,
                    camera_open: s.said.camera,
                    content_open: s.said.content,
                    content_active: s.shows_content(),
                    wishes: s.wishes.clone(),
                    asks_for_mix: s.asks_for_mix,
                })
                .collect(),
        }
    }

    /// Every site that holds a seat.
    pub fn seats(&self) -> impl Iterator<Item = SeatRow> + '_ {
        self.seated().map(|s| SeatRow {
            site: s.id,
            name: s.name.clone(),
            connected: s.presence == Presence::Present,
            reconnections: s.reconnections,
            flow: s.flow(),
        })
    }

    pub fn title(&self) -> &str {
        &self.title
    }

    pub fn name_of(&self, site: SiteId) -> &str {
        self.site(site).map_or("", |s| s.name.as_str())
    }

    fn seated(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| self.lasting.of(site.id).seat.is_some())
    }
}

fn site_view(site: &Site, standing: &Standing) -> SiteView {
    let microphone = if standing.muted {
        MicrophoneState::MutedByChair
    } else if site.is_on(SourceKind::Microphone) {
        MicrophoneState::On
    } else {
        MicrophoneState::Off
    };
    SiteView {
        id: site.id,
        name: site.name.clone(),
        role: site.role,
        presence: site.presence,
        since_ms: site.since_ms,
        microphone,
        camera: site.is_on(SourceKind::Camera),
        content: site.shows_content(),
        reconnections: site.reconnections,
        takeovers: standing.takeovers,
        taken_over_ms: standing.taken_over_ms,
    }
}
