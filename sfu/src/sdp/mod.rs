//! Offer in, answer out (RFC 8866, RFC 8829).
//!
//! [`Offer::read`] reads a client's offer: a pure function of the text, bounded, and done before the offer goes to a
//! worker, whose time belongs to media. [`answer`] returns what was agreed as one immutable value, [`Negotiated`],
//! beside the text of our answer. Nothing of the text is kept: all later state is built from the value.
//!
//! # Roles
//! Sections are distinguished by kind, direction and order, nothing else (see "SDP sections" in the signaling
//! protocol). The first audio section that sends is the microphone, the first video section that sends is the camera,
//! the second is content; there `sendrecv` counts as sending. Every other sending section is rejected, as is whatever
//! is not audio or video over DTLS-SRTP. Every receive-only video section is a video slot; a receive-only audio section
//! directly before it is its partner. Partners share the number and the stream id of their video slot as long as every
//! video slot before has one ([`Negotiated::pairs`]); all other receive-only audio sections are audio-only slots,
//! numbered after the partners.
//!
//! # Later offers
//! A later offer keeps every section's place, mid and role, may switch a section off (`inactive` or
//! port 0) and on again, may bring new ICE credentials (a restart) and may add slots at the end. It
//! may list other codecs, or the same in another order, but each payload type keeps its meaning (RFC
//! 3264 section 8.3.2). Everything else is [`OfferError::Changed`]. What a section was rejected for stays
//! rejected.
//!
//! # Simulcast
//! [`Section::rids`] keeps the order of the offer's `a=simulcast` line, and the first is taken as the lowest layer.
//! That is a convention of our page, not of RFC 8853: to be sure, compare the resolutions that arrive. A source without
//! rids may announce its layers as a group `SIM` of SSRCs.

mod announced;
mod answer;
mod association;
mod attributes;
mod codec;
mod error;
mod negotiate;
mod offer;
mod roles;

#[cfg(test)]
mod tests;

pub use codec::{NegotiatedCodec, Parameters};
pub use error::OfferError;
pub use offer::Offer;

use crate::ids::{SlotId, SourceKind};
use crate::net::{Candidate, Fingerprint, IceCredentials};
use rtp::extension::{ExtensionKind, ExtensionMap};
use rtp::ids::{Mid, Rid, Ssrc};

/// What our side brings to an answer.
pub struct LocalDescription<'a> {
    pub ice: &'a IceCredentials,
    /// Of our certificate.
    pub fingerprint: &'a Fingerprint,
    /// Best first.
    pub candidates: &'a [Candidate],
    /// Of the first answer; later ones keep the id of the first and count its version.
    pub session_id: u64,
    pub cname: &'a str,
    /// Random SSRCs, each a new one.
    pub slot_ssrcs: &'a mut dyn FnMut() -> Ssrc,
}

/// What offer and answer agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Of our answers' `o=` line; the version grows by one with each answer.
    pub session_id: u64,
    pub session_version: u64,
    /// Other credentials than in the previous offer mean an ICE restart.
    pub remote_ice: IceCredentials,
    /// At least one; the client's certificate must match any of them (RFC 8122 section 5). Those of
    /// other hash functions than SHA-256 are left out: every WebRTC client shows this one.
    pub fingerprints: Vec<Fingerprint>,
    /// In the order of the offer, rejected ones included.
    pub sections: Vec<Section>,
    /// Ids are the same in all sections.
    pub extensions: ExtensionMap,
    /// Audio slot *i* is the partner of video slot *i* for every *i* below this.
    pub pairs: u16,
}

impl Negotiated {
    /// What we may send in slots; `extensions` has also what only the client sends.
    pub fn slot_extensions(&self) -> ExtensionMap {
        let mut map = ExtensionMap::default();
        let slots = self.sections.iter().filter(|section| matches!(section.role, SectionRole::Slot(_)));
        for extension in slots.flat_map(|section| &section.extensions) {
            // They do not contradict each other: they all are in `extensions`.
            let _known = map.insert(extension.kind, extension.id);
        }
        map
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub mid: Mid,
    pub role: SectionRole,
    /// False while the client has switched the section off, or when nothing in it is of use.
    pub active: bool,
    /// In the client's order of preference; empty where the offer has none that we know.
    pub codecs: Vec<NegotiatedCodec>,
    /// Simulcast layers, at most `limits::MAX_LAYERS`, lowest first; empty without simulcast.
    pub rids: Vec<Rid>,
    /// SSRCs a source announced, one for each layer, lowest first, each with that of its RTX (RFC 5576); browsers
    /// that use rids announce none.
    pub declared_ssrcs: Vec<(Ssrc, Option<Ssrc>)>,
    /// With which SSRC a slot sends, and its RTX. Stays for the life of the peer.
    pub slot_ssrc: Option<(Ssrc, Option<Ssrc>)>,
    /// Header extensions of this section.
    pub extensions: Vec<Extension>,
}

/// A header extension of one section, RFC 8285 section 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    pub kind: ExtensionKind,
    pub id: u8,
    pub sender: ExtensionSender,
}

/// Which side may send an extension. Firefox names it, others leave it to the section's direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtensionSender {
    Both,
    Client,
    Us,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionRole {
    Source(SourceKind),
    Slot(SlotId),
    Rejected,
}

/// Answers an offer. `previous` is what the last answer to the same peer agreed on.
pub fn answer(
    offer: &Offer,
    previous: Option<&Negotiated>,
    mut local: LocalDescription<'_>,
) -> Result<(Negotiated, String), OfferError> {
    let negotiated = negotiate::negotiate(offer, previous, &mut local)?;
    let text = answer::write(offer, &negotiated, &local);
    Ok((negotiated, text))
}
