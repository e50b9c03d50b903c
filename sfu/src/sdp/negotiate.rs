//! Combines an offer with what was agreed before.

use super::answer::is_rejected;
use super::offer::{Direction, Offer, Offered};
use super::{
    ExtensionSender, LocalDescription, Negotiated, NegotiatedCodec, OfferError, Section, SectionRole, roles,
};
use crate::ids::SlotId;
use rtp::codec::Codec;
use rtp::extension::ExtensionMap;
use rtp::ids::Ssrc;
use std::collections::BTreeSet;

pub(super) fn negotiate(
    offer: &Offer,
    previous: Option<&Negotiated>,
    local: &mut LocalDescription<'_>,
) -> Result<Negotiated, OfferError> {
    let (roles, pairs) = roles::assign(&offer.sections, previous)?;
    check_association(offer, previous)?;
    let mut ssrcs = Ssrcs::new(offer, previous, local.slot_ssrcs);
    let mut sections = Vec::with_capacity(roles.len());
    for (index, (offered, role)) in offer.sections.iter().zip(roles).enumerate() {
        let known = previous.and_then(|previous| previous.sections.get(index));
        sections.push(match known {
            Some(known) => kept(known, offered)?,
            None => fresh(role, offered, &mut ssrcs),
        });
    }
    let mut both = sections.iter().zip(&offer.sections);
    if both.all(|(section, offered)| is_rejected(section, offered)) {
        return Err(OfferError::Unsupported);
    }
    let version = |previous: &Negotiated| previous.session_version.saturating_add(1);
    Ok(Negotiated {
        session_id: previous.map_or(local.session_id, |previous| previous.session_id),
        session_version: previous.map_or(1, version),
        remote_ice: offer.ice.clone(),
        fingerprints: offer.fingerprints.clone(),
        extensions: extension_map(&sections, previous)?,
        sections,
        pairs,
    })
}

/// An ICE restart keeps the DTLS association, so the certificate stays.
fn check_association(offer: &Offer, previous: Option<&Negotiated>) -> Result<(), OfferError> {
    match previous {
        Some(previous) if previous.fingerprints != offer.fingerprints => Err(OfferError::Changed),
        _ => Ok(()),
    }
}

fn fresh(role: SectionRole, offered: &Offered, ssrcs: &mut Ssrcs<'_>) -> Section {
    let is_source = matches!(role, SectionRole::Source(_));
    let taken = role != SectionRole::Rejected;
    Section {
        mid: offered.mid,
        role,
        active: taken && is_active(offered),
        codecs: if taken { preferred(role, offered) } else { Vec::new() },
        rids: if is_source { offered.rids.clone() } else { Vec::new() },
        declared_ssrcs: if is_source { offered.ssrcs.clone() } else { Vec::new() },
        slot_ssrc: ssrcs.for_role(role),
        extensions: offered.extensions.iter().filter(|e| of_use(role, e.sender)).copied().collect(),
    }
}

/// The offered codecs, in their order; of a slot RED comes first (RFC 2198), which voices are sent with where the
/// receiver's line loses packets. A source is not asked for it: what it loses is asked for again, while on a clean line
/// redundancy would double what a voice costs.
fn preferred(role: SectionRole, offered: &Offered) -> Vec<NegotiatedCodec> {
    let mut codecs = offered.codecs.clone();
    if matches!(role, SectionRole::Slot(_)) {
        codecs.sort_by_key(|codec| codec.codec != Codec::Red);
    }
    codecs
}

/// Whether an extension may come from the side that sends in such a section. Firefox offers, in sections it only
/// receives in, some that only it would send; the answer leaves them out (RFC 8285 section 7).
fn of_use(role: SectionRole, sender: ExtensionSender) -> bool {
    match role {
        SectionRole::Source(_) => sender != ExtensionSender::Us,
        SectionRole::Slot(_) => sender != ExtensionSender::Client,
        SectionRole::Rejected => false,
    }
}

/// A section of the previous answer: the same, except that it may be inactive, that codecs may come and go, and that
/// its sender may announce other SSRCs.
fn kept(known: &Section, offered: &Offered) -> Result<Section, OfferError> {
    roles::check_kept(known, offered)?;
    let mut section = known.clone();
    section.active = !known.codecs.is_empty() && is_active(offered);
    if known.codecs.is_empty() || offered.codecs.is_empty() {
        return Ok(section);
    }
    if !known.codecs.iter().all(|codec| codec.keeps_its_meaning(&offered.codecs)) {
        return Err(OfferError::Changed);
    }
    section.codecs = preferred(known.role, offered);
    if !section.active {
        return Ok(section);
    }
    let is_source = matches!(known.role, SectionRole::Source(_));
    let layers = |ssrcs: &[_]| ssrcs.len().max(1);
    let relayered = known.rids != offered.rids || layers(&known.declared_ssrcs) != layers(&offered.ssrcs);
    if is_source && relayered {
        return Err(OfferError::Changed);
    }
    if is_source {
        section.declared_ssrcs = offered.ssrcs.clone();
    }
    let still = |extension: &_| offered.extensions.contains(extension);
    section.extensions.retain(still);
    Ok(section)
}

fn is_active(offered: &Offered) -> bool {
    offered.live && offered.direction != Direction::Inactive && !offered.codecs.is_empty()
}

/// One id for one extension across all sections, and the one it had before.
fn extension_map(sections: &[Section], previous: Option<&Negotiated>) -> Result<ExtensionMap, OfferError> {
    let mut map = previous.map(|previous| previous.extensions).unwrap_or_default();
    for extension in sections.iter().flat_map(|section| &section.extensions) {
        if !map.insert(extension.kind, extension.id) {
            return Err(OfferError::Unsupported);
        }
    }
    Ok(map)
}

/// Gives slots their SSRCs, none of which is in use on this connection.
struct Ssrcs<'a> {
    taken: BTreeSet<Ssrc>,
    draw: &'a mut dyn FnMut() -> Ssrc,
}

impl<'a> Ssrcs<'a> {
    fn new(offer: &Offer, previous: Option<&Negotiated>, draw: &'a mut dyn FnMut() -> Ssrc) -> Ssrcs<'a> {
        let theirs = offer.sections.iter().flat_map(|section| &section.named_ssrcs).copied();
        let known = previous.into_iter().flat_map(|previous| &previous.sections);
        let ours = known.flat_map(|section| &section.slot_ssrc);
        let ours = ours.flat_map(|(media, rtx)| [Some(*media), *rtx]).flatten();
        Ssrcs { taken: theirs.chain(ours).collect(), draw }
    }

    fn for_role(&mut self, role: SectionRole) -> Option<(Ssrc, Option<Ssrc>)> {
        match role {
            SectionRole::Slot(SlotId::Audio(_)) => Some((self.next(), None)),
            SectionRole::Slot(SlotId::Video(_)) => Some((self.next(), Some(self.next()))),
            _ => None,
        }
    }

    fn next(&mut self) -> Ssrc {
        loop {
            let ssrc = (self.draw)();
            if self.taken.insert(ssrc) {
                return ssrc;
            }
        }
    }
}
