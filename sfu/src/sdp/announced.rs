//! SSRCs that a section announces (RFC 5576), made into layers.
//!
//! Clients older than rids announce simulcast as a group `SIM` of SSRCs, one for each layer, lowest first; it was never
//! standardised, but libwebrtc has read and written it for ten years. A section without that group is one stream: what
//! else it announces are its retransmissions (`FID`) or its error correction (`FEC-FR`, which is not supported here),
//! and further streams beside the first are ignored.

use super::OfferError;
use crate::limits;
use rtp::ids::Ssrc;
use std::collections::{BTreeMap, BTreeSet};

/// What was read so far of the SSRCs of one section.
#[derive(Debug, Default)]
pub(super) struct Announced {
    /// In the order of their mention.
    pub named: Vec<Ssrc>,
    /// Lowest first.
    simulcast: Vec<Ssrc>,
    /// Media SSRC → RTX SSRC.
    retransmissions: BTreeMap<Ssrc, Ssrc>,
    /// They carry what belongs to another.
    secondary: BTreeSet<Ssrc>,
}

impl Announced {
    /// A browser repeats an SSRC on consecutive lines.
    pub fn add(&mut self, ssrc: Ssrc) {
        if self.named.last() != Some(&ssrc) {
            self.named.push(ssrc);
        }
    }

    pub fn add_group(&mut self, semantics: &str, members: &[Ssrc]) -> Result<(), OfferError> {
        match (semantics, members) {
            ("SIM", members) => self.simulcast = members.to_vec(),
            ("FID", [media, rtx, ..]) => {
                self.retransmissions.insert(*media, *rtx);
                self.secondary.insert(*rtx);
            }
            ("FID", _) => return Err(OfferError::Malformed),
            (_, [_, others @ ..]) => self.secondary.extend(others),
            (_, []) => {}
        }
        Ok(())
    }

    /// The media SSRC of each layer with that of its RTX; one layer without a group `SIM`, or none at all where
    /// nothing is announced.
    pub fn layers(&self) -> Result<Vec<(Ssrc, Option<Ssrc>)>, OfferError> {
        let mut layers = self.simulcast.clone();
        if layers.is_empty() {
            layers.extend(self.named.iter().find(|ssrc| !self.secondary.contains(ssrc)));
        }
        if layers.len() > limits::MAX_LAYERS {
            return Err(OfferError::TooLarge);
        }
        let mut seen = BTreeSet::new();
        let rtx = |ssrc: &Ssrc| self.retransmissions.get(ssrc).copied();
        let layers: Vec<_> = layers.into_iter().map(|ssrc| (ssrc, rtx(&ssrc))).collect();
        let all = layers.iter().flat_map(|(media, rtx)| [Some(*media), *rtx]).flatten();
        let mut all = all.map(|ssrc| seen.insert(ssrc));
        // One SSRC cannot be two of these.
        if all.all(|fresh| fresh) { Ok(layers) } else { Err(OfferError::Malformed) }
    }
}
