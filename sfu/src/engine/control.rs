//! What happens to lines and sources: connected, moved, quiet, gone; speaking, sending, idle.

use super::Engine;
use super::work::Work;
use crate::discard::DropReason;
use crate::event::Event;
use crate::ids::{PeerId, PeerIndex, Source, SourceKind};
use crate::limits;
use crate::net::{DisconnectReason, Path};
use crate::peer::identity::Identity;
use crate::peer::line::Line;
use crate::room::speaker::Changes;
use crate::transport::TransportEvent;
use std::time::Instant;

impl Engine {
    pub(super) fn take_transport_events(&mut self, now: Instant, index: PeerIndex) {
        let Some(peer) = self.peers.identities.get(index).map(|identity| identity.peer) else {
            return;
        };
        while let Some(event) = self.peers.lines.get_mut(index).and_then(Line::poll_event) {
            let event = match event {
                TransportEvent::PathFound { path } => {
                    self.demux.claim_path(path, index);
                    self.touch(index);
                    continue;
                }
                TransportEvent::NewSsrc { ssrc } => {
                    self.demux.add_ssrc(ssrc, index);
                    continue;
                }
                TransportEvent::Connected { path } => self.on_connected(now, index, peer, path),
                TransportEvent::PathChanged { path } => Event::PathChanged { peer, path: path.kind },
                TransportEvent::Quiet => Event::Quiet { peer },
                TransportEvent::Restored => Event::Restored { peer },
                TransportEvent::Disconnected(reason) => self.on_disconnected(index, peer, reason),
            };
            self.events.push_back(event);
        }
    }

    fn on_connected(&mut self, now: Instant, index: PeerIndex, peer: PeerId, path: Path) -> Event {
        if let Some(identity) = self.peers.identities.get_mut(index) {
            identity.report_at = now;
        }
        self.stale_room_of(index);
        self.touch(index);
        Event::Connected { peer, path: path.kind }
    }

    fn on_disconnected(&mut self, index: PeerIndex, peer: PeerId, reason: DisconnectReason) -> Event {
        self.stale_room_of(index);
        self.drop_waiting(index);
        Event::Disconnected { peer, reason }
    }

    /// Drops what waits for a line that is gone.
    pub(super) fn drop_waiting(&mut self, index: PeerIndex) {
        if let Some(subscriber) = self.peers.subscribers.get_mut(index) {
            self.stats.drops.add(DropReason::ReceiverGone, subscriber.clear());
        }
    }

    pub(super) fn handle_path_closed(&mut self, now: Instant, path: Path) {
        let Some(index) = self.demux.remove_path(&path) else {
            return;
        };
        if let Some(line) = self.peers.lines.get_mut(index) {
            line.path_closed(now, path);
        }
        self.take_transport_events(now, index);
        self.touch(index);
    }

    /// A layer sends its first packet after a pause.
    pub(super) fn on_layer_awake(&mut self, index: PeerIndex, kind: SourceKind) {
        let Some(Identity { peer, room, .. }) = self.peers.identities.get(index) else {
            return;
        };
        let (peer, room) = (*peer, *room);
        let track = self.peers.publishers.get_mut(index).and_then(|p| p.track_mut(kind));
        if let Some(track) = track.filter(|track| !track.active) {
            track.active = true;
            self.events.push_back(Event::Publishing { source: Source { peer, kind }, active: true });
        }
        if kind != SourceKind::Microphone {
            self.stale(room);
        }
    }

    pub(super) fn on_audio_level(&mut self, now: Instant, index: PeerIndex, level: Option<u8>) {
        let Some(Identity { peer, room, .. }) = self.peers.identities.get(index) else {
            return;
        };
        let (peer, id) = (*peer, *room);
        let Some(room) = self.rooms.get_mut(&id) else {
            return;
        };
        let changes = room.speakers.on_packet(now, peer, level);
        self.on_speaker_changes(id, changes);
    }

    pub(super) fn on_speaker_changes(&mut self, id: crate::ids::RoomId, changes: Changes) {
        if changes.heard {
            self.stale(id);
        }
        if changes.speaking
            && let Some(room) = self.rooms.get(&id)
        {
            self.events.push_back(Event::Speakers { room: id, peers: room.speakers.speaking() });
        }
    }

    /// Once a second: which voices fell silent, which layers ended or have another height, which are no longer watched,
    /// which slots still wait for a key frame.
    pub(super) fn look_for_silence(&mut self, now: Instant) {
        let ids: Vec<crate::ids::RoomId> = self.rooms.keys().copied().collect();
        for id in ids {
            let Some(room) = self.rooms.get_mut(&id) else {
                continue;
            };
            let changes = room.speakers.evaluate(now);
            let members = room.members.clone();
            self.on_speaker_changes(id, changes);
            for (peer, index) in members {
                self.at_work.begin(Work::Peer(index));
                if self.find_idle_layers(now, peer, index) || self.waits_for_key(index) {
                    self.stale(id);
                }
            }
            self.at_work.resume(Work::Own);
        }
    }

    /// True when a slot could not ask for its key frame, and is to ask now.
    fn waits_for_key(&mut self, index: PeerIndex) -> bool {
        let subscriber = self.peers.subscribers.get_mut(index);
        subscriber.is_some_and(|subscriber| std::mem::take(&mut subscriber.waits_for_key))
    }

    /// True when a layer ended, has another height, or may have been unwatched long enough.
    fn find_idle_layers(&mut self, now: Instant, peer: PeerId, index: PeerIndex) -> bool {
        let Some(publisher) = self.peers.publishers.get_mut(index) else {
            return false;
        };
        let mut changed = false;
        for track in publisher.tracks.iter_mut().flatten() {
            for layer in &mut track.layers {
                let idle = layer
                    .last_packet
                    .is_none_or(|at| now.saturating_duration_since(at) >= limits::SOURCE_IDLE_AFTER);
                changed |= (layer.active && idle) | layer.height.has_changed();
                layer.active &= !idle;
                // A slot that waits for a frame of a silent source goes on asking: a document that does not change may
                // send nothing else for ever.
                if idle && layer.routes.is_empty() {
                    layer.keyframe.cancel();
                }
            }
            let active = track.layers.iter().any(|layer| layer.active);
            if track.active && !active {
                track.active = false;
                let source = Source { peer, kind: track.kind };
                self.events.push_back(Event::Publishing { source, active: false });
            }
            changed |= track.has_unsettled_layers(now);
        }
        changed
    }
}
