//! One meeting's media on one worker: its members, which voices are heard, what is thinned first.

pub mod allocate;
pub mod audio;
pub mod mixing;
pub mod plan;
pub mod relief;
pub mod share;
pub mod shed;
pub mod speaker;

use crate::command::{Desired, Permissions};
use crate::ids::{PeerId, PeerIndex, RoomId};
use crate::mix::MixOrder;
use audio::Carried;
use speaker::Speakers;
use std::collections::BTreeMap;

/// Membership and desired state; packets never come here, only what decides where they go.
#[derive(Debug)]
pub struct Room {
    pub id: RoomId,
    pub members: Vec<(PeerId, PeerIndex)>,
    pub desired: Desired,
    pub speakers: Speakers,
    /// Where the mixes lie that somebody hears, by the voice that is left out; and what was last ordered of them.
    pub mixes: BTreeMap<Option<PeerId>, PeerIndex>,
    pub mix_order: Option<MixOrder>,
}

impl Room {
    pub fn new(id: RoomId) -> Room {
        Room {
            id,
            members: Vec::new(),
            desired: Desired::default(),
            speakers: Speakers::default(),
            mixes: BTreeMap::new(),
            mix_order: None,
        }
    }

    pub fn index_of(&self, peer: PeerId) -> Option<PeerIndex> {
        self.members.iter().find(|(id, _)| *id == peer).map(|(_, index)| *index)
    }

    /// Where the packets of what a slot carries come from.
    pub fn publisher_of(&self, carried: Carried) -> Option<PeerIndex> {
        match carried {
            Carried::Voice(voice) => self.index_of(voice),
            Carried::Mix { without } => self.mixes.get(&without).copied(),
        }
    }

    /// What a member may publish: nothing until the desired state permits it.
    pub fn permissions_of(&self, peer: PeerId) -> Permissions {
        let desired = self.desired.peers.iter().find(|desired| desired.peer == peer);
        desired.map(|desired| desired.may_publish).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{DesiredPeer, Ranks};

    #[test]
    fn members_are_found_by_their_id() {
        let index = |place| PeerIndex { place, generation: 1 };
        let members = vec![(PeerId(7), index(0)), (PeerId(9), index(1))];
        let room = Room { members, ..Room::new(RoomId(1)) };
        assert_eq!([7, 9, 8].map(|peer| room.index_of(PeerId(peer))), [Some(index(0)), Some(index(1)), None]);
    }

    #[test]
    fn a_member_may_publish_what_the_desired_state_permits_it() {
        let camera = Permissions { camera: true, ..Permissions::default() };
        let desired = |(peer, may_publish)| DesiredPeer {
            peer: PeerId(peer),
            may_publish,
            ranks: Ranks::default(),
            has_floor: false,
            asks_for_mix: false,
            video_slots: Vec::new(),
        };
        let peers = [(7, Permissions::all()), (9, camera)].map(desired).to_vec();
        let room = Room { desired: Desired { peers }, ..Room::new(RoomId(1)) };
        let may = [7, 9, 8].map(|peer| room.permissions_of(PeerId(peer)));
        assert_eq!(may, [Permissions::all(), camera, Permissions::default()]);
    }
}
