//! What others may see of the meeting: the snapshot for sites, the stage for media, rows for metrics.

use super::{ConnectionId, Flow, Meeting, Output, Site, Stage, StageSite, rules};
use crate::protocol::{
    MeetingView, MicrophoneState, Presence, Role, ServerMessage, SiteId, SiteView, SourceKind,
};

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

    pub(super) fn send_view(&mut self, connection: ConnectionId, site: SiteId) {
        let role = self.sites.get(site.0 as usize).map(|s| s.role);
        let meeting = self.view(role.unwrap_or(Role::Site));
        self.outputs.push_back(Output::Send { connection, message: ServerMessage::Meeting { meeting } });
    }

    /// The meeting as `role` may see it.
    pub fn view(&self, role: Role) -> MeetingView {
        MeetingView {
            title: self.title.clone(),
            started_at_ms: self.started_at_ms,
            locked: self.locked,
            big_screen: self.big_screen,
            sites: self.sites.iter().map(site_view).collect(),
            actions: rules::allowed(role),
        }
    }

    /// What media shall carry.
    pub fn stage(&self) -> Stage {
        let seated = self.sites.iter().filter(|s| s.seat.is_some());
        Stage {
            big_screen: self.big_screen,
            sites: seated
                .map(|s| StageSite {
                    site: s.id,
                    is_chair: s.is_chair(),
                    microphone_open: s.said.microphone && !s.muted,
                    camera_open: s.said.camera,
                    content_open: s.said.content,
                    content_active: s.shows_content(),
                    wishes: s.wishes.clone(),
                })
                .collect(),
        }
    }

    /// Everybody who holds a seat.
    pub fn seats(&self) -> impl Iterator<Item = SeatRow> + '_ {
        let seated = self.sites.iter().filter(|s| s.seat.is_some());
        seated.map(|s| SeatRow {
            site: s.id,
            name: s.name.clone(),
            connected: s.presence == Presence::Present,
            reconnections: s.reconnections,
            flow: s.flow(),
        })
    }

    pub fn name_of(&self, site: SiteId) -> &str {
        let site = self.sites.get(site.0 as usize);
        site.map_or("", |s| s.name.as_str())
    }
}

fn site_view(site: &Site) -> SiteView {
    let microphone = if site.muted {
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
        takeovers: site.takeovers,
        taken_over_ms: site.taken_over_ms,
    }
}
