//! Reads an offer section by section, checked and bounded. Time is linear in its size, but for a logarithm.

use super::announced::Announced;
use super::association::Transport;
use super::attributes::{has, values};
use super::codec::{CodecTable, NegotiatedCodec};
use super::{Extension, ExtensionSender, OfferError};
use crate::limits;
use crate::net::{Fingerprint, IceCredentials};
use rtc_sdp::description::common::Attribute;
use rtc_sdp::description::media::{MediaDescription, MediaName};
use rtc_sdp::description::session::SessionDescription;
use rtp::extension::ExtensionKind;
use rtp::ids::{Mid, Rid, Ssrc};
use std::collections::BTreeSet;
use std::io::Cursor;

/// A whole offer that can be answered: it bundles, multiplexes RTCP and lets us be passive. What we do not use of its
/// text, such as candidates, is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub(super) ice: IceCredentials,
    pub(super) fingerprints: Vec<Fingerprint>,
    /// Mids of the BUNDLE group, in its order.
    pub(super) bundle: Vec<Mid>,
    pub(super) sections: Vec<Offered>,
    pub(super) allows_mixed_extensions: bool,
    bytes: usize,
}

/// One section of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offered {
    pub mid: Mid,
    pub media: String,
    pub protocol: String,
    /// The first payload type of the `m=` line, or what stands there.
    pub format: String,
    pub kind: Kind,
    pub direction: Direction,
    /// Neither rejected nor stopped by the client: its port is not 0, or it is bundle-only.
    pub live: bool,
    pub rtcp_mux: bool,
    pub rtcp_rsize: bool,
    pub allows_mixed_extensions: bool,
    pub codecs: Vec<NegotiatedCodec>,
    pub rids: Vec<Rid>,
    /// One for each layer, lowest first, each with that of its RTX.
    pub ssrcs: Vec<(Ssrc, Option<Ssrc>)>,
    /// All that are mentioned.
    pub named_ssrcs: Vec<Ssrc>,
    pub extensions: Vec<Extension>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Audio,
    Video,
    /// Data channels, and everything that does not run over DTLS-SRTP.
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Send,
    Receive,
    Both,
    Inactive,
}

impl Direction {
    pub(super) fn sends(self) -> bool {
        matches!(self, Direction::Send | Direction::Both)
    }
}

/// The lines of a description, nothing understood yet.
pub(super) fn parse(text: &str) -> Result<SessionDescription, OfferError> {
    check_size(text)?;
    let description = SessionDescription::unmarshal(&mut Cursor::new(text.as_bytes()))
        .map_err(|_| OfferError::Malformed)?;
    match description.media_descriptions.len() {
        0 => Err(OfferError::Unsupported),
        _ => Ok(description),
    }
}

/// Before parsing, which allocates for each line: a worker that parses 100,000 does nothing else for a
/// tenth of a second.
fn check_size(text: &str) -> Result<(), OfferError> {
    let fits = text.len() <= limits::MAX_OFFER_BYTES;
    let (mut lines, mut sections, mut of_this) = (0usize, 0usize, 0usize);
    for line in text.split(['\r', '\n']).filter(|line| fits && !line.is_empty()) {
        let begins = line.starts_with("m=");
        sections = sections.saturating_add(usize::from(begins));
        of_this = if begins { 1 } else { of_this.saturating_add(1) };
        lines = lines.saturating_add(1);
        let few = of_this <= limits::MAX_SECTION_LINES && sections <= limits::MAX_SECTIONS;
        if !few || lines > limits::MAX_OFFER_LINES {
            return Err(OfferError::TooLarge);
        }
    }
    if fits { Ok(()) } else { Err(OfferError::TooLarge) }
}

impl Offer {
    /// Reads the text of an offer. The result is a small value of bounded size, whatever the text was.
    pub fn read(text: &str) -> Result<Offer, OfferError> {
        let description = parse(text)?;
        let media = &description.media_descriptions;
        let sections = media.iter().map(Offered::read).collect::<Result<Vec<_>, _>>()?;
        let bundled = bundle_of(&description.attributes).ok_or(OfferError::Unsupported)?;
        check_bundle(&sections, &bundled)?;
        // The section that bears the transport of all (RFC 9143 section 7.2).
        let tagged = sections.iter().zip(media);
        let tagged = tagged.filter(|(section, _)| Some(&section.mid.as_str()) == bundled.first());
        let transport = tagged.map(|(_, media)| media).next().ok_or(OfferError::Unsupported)?;
        let transport = Transport { media: &transport.attributes, session: &description.attributes };
        transport.check_roles()?;
        let mut offer = Offer {
            ice: transport.ice()?,
            fingerprints: transport.fingerprints()?,
            bundle: in_order(&bundled, &sections),
            sections,
            allows_mixed_extensions: has(&description.attributes, "extmap-allow-mixed"),
            bytes: 0,
        };
        offer.bytes = offer.measure();
        Ok(offer)
    }

    /// If they differ from [`Negotiated::remote_ice`] the offer restarts ICE; known before the local ones to answer
    /// with are chosen.
    ///
    /// [`Negotiated::remote_ice`]: super::Negotiated::remote_ice
    pub fn credentials(&self) -> &IceCredentials {
        &self.ice
    }

    /// Memory it holds, give or take what the allocator adds.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn measure(&self) -> usize {
        let sections = self.sections.iter().map(Offered::bytes);
        let strings = [&self.ice.ufrag, &self.ice.pwd].map(String::len);
        let own = size_of::<Offer>()
            .saturating_add(size_of_val(self.bundle.as_slice()))
            .saturating_add(size_of_val(self.fingerprints.as_slice()));
        sections.chain(strings).fold(own, usize::saturating_add)
    }
}

/// Mids of the bundle that have a section, each once.
fn in_order(bundled: &[&str], sections: &[Offered]) -> Vec<Mid> {
    let mut known: BTreeSet<Mid> = sections.iter().map(|section| section.mid).collect();
    let mids = bundled.iter().filter_map(|mid| Mid::from(mid).ok());
    mids.filter(|mid| known.remove(mid)).collect()
}

/// Mids of the first BUNDLE group, in its order.
fn bundle_of(attributes: &[Attribute]) -> Option<Vec<&str>> {
    let mut groups = values(attributes, "group");
    let group = groups.find_map(|group| group.strip_prefix("BUNDLE "))?;
    Some(group.split_whitespace().collect())
}

fn check_bundle(sections: &[Offered], bundle: &[&str]) -> Result<(), OfferError> {
    let bundled: BTreeSet<&str> = bundle.iter().copied().collect();
    let mut seen = BTreeSet::new();
    for section in sections {
        if !seen.insert(section.mid) {
            return Err(OfferError::Malformed);
        }
        let alone = !bundled.contains(section.mid.as_str());
        let unmixed = section.kind != Kind::Other && !section.rtcp_mux;
        if section.live && (alone || unmixed) {
            return Err(OfferError::Unsupported);
        }
    }
    Ok(())
}

/// Of one section; there are seven kinds, and two ids of one are refused.
const MAX_EXTENSIONS: usize = 16;

impl Offered {
    fn read(media: &MediaDescription) -> Result<Offered, OfferError> {
        let name = &media.media_name;
        let mut facts = Facts::default();
        for attribute in &media.attributes {
            facts.add(&attribute.key, attribute.value.as_deref().unwrap_or_default())?;
        }
        let tokens = name.protos.iter().chain(&name.formats);
        if !tokens.map(String::as_str).all(is_token) {
            return Err(OfferError::Malformed);
        }
        let kind = kind_of(name);
        Ok(Offered {
            mid: facts.mid.ok_or(OfferError::Unsupported)?,
            media: name.media.clone(),
            protocol: name.protos.join("/"),
            format: name.formats.first().cloned().unwrap_or_else(|| "0".to_owned()),
            kind,
            direction: facts.direction.unwrap_or(Direction::Both),
            live: name.port.value != 0 || facts.bundle_only,
            rtcp_mux: facts.rtcp_mux,
            rtcp_rsize: facts.rtcp_rsize,
            allows_mixed_extensions: facts.allows_mixed_extensions,
            codecs: facts.codecs.choose(kind == Kind::Video, &name.formats),
            rids: layers(facts.simulcast, &facts.sent_rids)?,
            ssrcs: facts.ssrcs.layers()?,
            named_ssrcs: facts.ssrcs.named,
            extensions: facts.extensions,
        })
    }

    fn bytes(&self) -> usize {
        let lists = [
            size_of_val(self.codecs.as_slice()),
            size_of_val(self.rids.as_slice()),
            size_of_val(self.ssrcs.as_slice()),
            size_of_val(self.named_ssrcs.as_slice()),
            size_of_val(self.extensions.as_slice()),
        ];
        let strings = [&self.media, &self.protocol, &self.format].map(String::len);
        lists.into_iter().chain(strings).fold(size_of::<Offered>(), usize::saturating_add)
    }
}

fn kind_of(name: &MediaName) -> Kind {
    let is_srtp = matches!(
        name.protos.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
        ["UDP" | "TCP", "TLS" | "DTLS", "RTP", "SAVPF"] | ["RTP", "SAVPF"]
    );
    match name.media.as_str() {
        "audio" if is_srtp => Kind::Audio,
        "video" if is_srtp => Kind::Video,
        _ => Kind::Other,
    }
}

/// What was read so far of the attributes of one section.
#[derive(Default)]
struct Facts<'a> {
    mid: Option<Mid>,
    direction: Option<Direction>,
    bundle_only: bool,
    rtcp_mux: bool,
    rtcp_rsize: bool,
    allows_mixed_extensions: bool,
    codecs: CodecTable<'a>,
    sent_rids: BTreeSet<Rid>,
    simulcast: &'a str,
    ssrcs: Announced,
    extensions: Vec<Extension>,
}

impl<'a> Facts<'a> {
    fn add(&mut self, key: &str, value: &'a str) -> Result<(), OfferError> {
        match key {
            "mid" => self.mid = Some(name(value)?),
            "sendonly" => self.direction = Some(Direction::Send),
            "recvonly" => self.direction = Some(Direction::Receive),
            "sendrecv" => self.direction = Some(Direction::Both),
            "inactive" => self.direction = Some(Direction::Inactive),
            "bundle-only" => self.bundle_only = true,
            "rtcp-mux" => self.rtcp_mux = true,
            "rtcp-rsize" => self.rtcp_rsize = true,
            "extmap-allow-mixed" => self.allows_mixed_extensions = true,
            "rtpmap" => self.codecs.rtpmap(value),
            "fmtp" => self.codecs.fmtp(value),
            "rtcp-fb" => self.codecs.rtcp_fb(value),
            "extmap" => self.add_extension(value),
            "rid" => self.add_rid(value)?,
            "simulcast" => self.simulcast = value,
            "ssrc" => self.add_ssrc(value)?,
            "ssrc-group" => self.add_group(value)?,
            _ => {}
        }
        Ok(())
    }

    /// The first line for an extension counts, unless a later one gives it another id: that is refused where the ids of
    /// all sections come together.
    fn add_extension(&mut self, value: &str) {
        let known = |new: &Extension| self.extensions.iter().any(|e| (e.kind, e.id) == (new.kind, new.id));
        let room = self.extensions.len() < MAX_EXTENSIONS;
        let new = extension(value).filter(|new| room && !known(new));
        self.extensions.extend(new);
    }

    /// RFC 8851 section 10: `l send pt=96;max-width=640`.
    fn add_rid(&mut self, value: &str) -> Result<(), OfferError> {
        let mut words = value.split_whitespace();
        let rid = name(words.next().unwrap_or_default())?;
        if words.next() == Some("send") {
            self.sent_rids.insert(rid);
        }
        Ok(())
    }

    /// RFC 5576 section 4.1.
    fn add_ssrc(&mut self, value: &str) -> Result<(), OfferError> {
        let ssrc = ssrc(value.split_whitespace().next())?;
        self.ssrcs.add(ssrc);
        Ok(())
    }

    /// RFC 5576 section 4.2.
    fn add_group(&mut self, value: &str) -> Result<(), OfferError> {
        let mut words = value.split_whitespace();
        let semantics = words.next().unwrap_or_default();
        let members = words.map(|word| ssrc(Some(word))).collect::<Result<Vec<_>, _>>()?;
        self.ssrcs.add_group(semantics, &members)
    }
}

fn ssrc(word: Option<&str>) -> Result<Ssrc, OfferError> {
    let number = word.and_then(|word| word.parse().ok());
    number.map(Ssrc).ok_or(OfferError::Malformed)
}

/// RFC 8285 section 8: `4/sendonly uri`. What we do not read is left out, like ids that cannot be.
fn extension(value: &str) -> Option<Extension> {
    let mut words = value.split_whitespace();
    let first = words.next()?;
    let (id, direction) = first.split_once('/').unwrap_or((first, "sendrecv"));
    let id = id.parse::<u8>().ok().filter(|id| *id != 0 && *id != 15)?;
    let kind = ExtensionKind::from_uri(words.next()?)?;
    let sender = match direction {
        "sendrecv" => ExtensionSender::Both,
        "sendonly" => ExtensionSender::Client,
        "recvonly" => ExtensionSender::Us,
        _ => return None,
    };
    Some(Extension { kind, id, sender })
}

/// RFC 8853 section 5.1: `send l;m;h`. Of alternatives (`,`) the first counts, `~` marks a layer that
/// starts paused.
fn layers(simulcast: &str, sent: &BTreeSet<Rid>) -> Result<Vec<Rid>, OfferError> {
    let mut words = simulcast.split_whitespace();
    if !words.any(|word| word == "send") {
        return Ok(Vec::new());
    }
    let mut rids: Vec<Rid> = Vec::new();
    for alternatives in words.next().unwrap_or_default().split(';') {
        let first = alternatives.split(',').next().unwrap_or_default();
        let rid = name(first.trim_start_matches('~'))?;
        if !sent.contains(&rid) || rids.contains(&rid) {
            return Err(OfferError::Malformed);
        }
        rids.push(rid);
        if rids.len() > limits::MAX_LAYERS {
            return Err(OfferError::TooLarge);
        }
    }
    Ok(rids)
}

/// A mid or rid: a token (RFC 8866 section 9) of at most 16 bytes.
fn name(text: &str) -> Result<Mid, OfferError> {
    if !is_token(text) {
        return Err(OfferError::Malformed);
    }
    Mid::from(text).map_err(|_| OfferError::TooLarge)
}

/// Everything that is echoed in an answer is one of these, so that no line can be smuggled into it.
fn is_token(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`{|}~".contains(c);
    !text.is_empty() && text.chars().all(fits)
}
