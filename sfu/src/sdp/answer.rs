//! Writes our answer: ICE-lite, DTLS passive, one bundle, and its transport in every section.
//!
//! RFC 9143 section 7.3.1 wants the transport in the bundle's first section only and has receivers ignore it
//! elsewhere. But aiortc and GStreamer's webrtcbin refuse an answer in which any section, even a rejected one,
//! has no ICE credentials or no fingerprint; browsers take both.

use super::offer::{Direction, Offer, Offered};
use super::{ExtensionSender, LocalDescription, Negotiated, Section, SectionRole};
use crate::ids::{SlotId, SourceKind};
use crate::limits;
use crate::net::{Candidate, PathKind};
use rtp::codec::Codec;
use rtp::ids::{Mid, Rid};
use std::collections::BTreeSet;
use std::fmt::Write;

pub(super) fn write(offer: &Offer, negotiated: &Negotiated, local: &LocalDescription<'_>) -> String {
    let mut text = String::new();
    write_session(&mut text, offer, negotiated, &bundle(offer, negotiated));
    let (transport, candidates) = (transport(local), candidates(local.candidates));
    for (section, offered) in negotiated.sections.iter().zip(&offer.sections) {
        if is_rejected(section, offered) {
            write_rejected(&mut text, section, offered);
            text.push_str(&transport);
            continue;
        }
        write_media(&mut text, section, offered);
        text.push_str(&transport);
        text.push_str(&candidates);
        write_codecs(&mut text, section);
        write_streams(&mut text, section, negotiated.pairs, local.cname);
    }
    text
}

macro_rules! line {
    ($text:expr, $($format:tt)+) => {{
        // Writing into a string cannot fail.
        let _ = write!($text, $($format)+);
        $text.push_str("\r\n");
    }};
}

/// A rejected section leaves the bundle (RFC 9143 section 7.3.3).
pub(super) fn is_rejected(section: &Section, offered: &Offered) -> bool {
    let without_codec = section.codecs.is_empty() || offered.codecs.is_empty();
    section.role == SectionRole::Rejected || without_codec || !offered.live
}

/// The offer's bundle without what is rejected.
fn bundle<'a>(offer: &'a Offer, negotiated: &Negotiated) -> Vec<&'a str> {
    let both = negotiated.sections.iter().zip(&offer.sections);
    let accepted = both.filter(|(section, offered)| !is_rejected(section, offered));
    let accepted: BTreeSet<Mid> = accepted.map(|(section, _)| section.mid).collect();
    offer.bundle.iter().filter(|mid| accepted.contains(*mid)).map(Mid::as_str).collect()
}

fn write_session(text: &mut String, offer: &Offer, negotiated: &Negotiated, bundle: &[&str]) {
    let (id, version) = (negotiated.session_id, negotiated.session_version);
    line!(text, "v=0");
    line!(text, "o=- {id} {version} IN IP4 0.0.0.0");
    line!(text, "s=-");
    line!(text, "t=0 0");
    line!(text, "a=group:BUNDLE {}", bundle.join(" "));
    line!(text, "a=ice-lite");
    if offer.allows_mixed_extensions {
        line!(text, "a=extmap-allow-mixed");
    }
    line!(text, "a=msid-semantic: WMS *");
}

fn write_rejected(text: &mut String, section: &Section, offered: &Offered) {
    line!(text, "m={} 0 {} {}", offered.media, offered.protocol, offered.format);
    line!(text, "c=IN IP4 0.0.0.0");
    line!(text, "a=mid:{}", section.mid);
    line!(text, "a=inactive");
}

fn write_media(text: &mut String, section: &Section, offered: &Offered) {
    let _ = write!(text, "m={} 9 {}", offered.media, offered.protocol);
    for codec in &section.codecs {
        let _ = write!(text, " {}", codec.payload_type);
        if let Some(rtx) = codec.rtx_payload_type {
            let _ = write!(text, " {rtx}");
        }
    }
    line!(text, "");
    line!(text, "c=IN IP4 0.0.0.0");
    line!(text, "a=mid:{}", section.mid);
    line!(text, "a={}", direction(section, offered));
    line!(text, "a=rtcp-mux");
    if offered.rtcp_rsize {
        line!(text, "a=rtcp-rsize");
    }
    if offered.allows_mixed_extensions {
        line!(text, "a=extmap-allow-mixed");
    }
    for extension in &section.extensions {
        // Seen from our side, so that what the client sends we receive.
        let direction = match extension.sender {
            ExtensionSender::Both => "",
            ExtensionSender::Client => "/recvonly",
            ExtensionSender::Us => "/sendonly",
        };
        line!(text, "a=extmap:{}{direction} {}", extension.id, extension.kind.uri());
    }
}

fn direction(section: &Section, offered: &Offered) -> &'static str {
    match (section.role, offered.direction) {
        (_, Direction::Inactive) | (SectionRole::Rejected, _) => "inactive",
        (SectionRole::Source(_), _) => "recvonly",
        (SectionRole::Slot(_), _) => "sendonly",
    }
}

/// The same lines for every section.
fn transport(local: &LocalDescription<'_>) -> String {
    let mut text = String::new();
    line!(text, "a=setup:passive");
    line!(text, "a=fingerprint:{}", local.fingerprint);
    line!(text, "a=ice-ufrag:{}", local.ice.ufrag);
    line!(text, "a=ice-pwd:{}", local.ice.pwd);
    text
}

/// Of every section that is not rejected.
fn candidates(candidates: &[Candidate]) -> String {
    let mut text = String::new();
    for (index, candidate) in advertised(candidates).enumerate() {
        write_candidate(&mut text, index, candidate);
    }
    line!(text, "a=end-of-candidates");
    text
}

/// The best of each kind, as many as repeating them in every section allows.
fn advertised(candidates: &[Candidate]) -> impl Iterator<Item = &Candidate> {
    let (mut udp, mut tcp) = (0usize, 0usize);
    candidates.iter().filter(move |candidate| {
        let count = if candidate.kind == PathKind::Udp { &mut udp } else { &mut tcp };
        *count = count.saturating_add(1);
        *count <= limits::MAX_CANDIDATES_OF_A_KIND
    })
}

/// RFC 8839 section 5.1 and RFC 6544 section 4.5. No two of our candidates share a base, so each has
/// a foundation of its own.
fn write_candidate(text: &mut String, index: usize, candidate: &Candidate) {
    let (protocol, type_preference, suffix) = match candidate.kind {
        PathKind::Udp => ("udp", UDP_PREFERENCE, ""),
        PathKind::Tcp => ("tcp", TCP_PREFERENCE, " tcptype passive"),
    };
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    let [high, low] = u16::MAX.saturating_sub(index).to_be_bytes();
    // Component 1, so the last byte is 256 − 1 (RFC 8445 section 5.1.2.1).
    let priority = u32::from_be_bytes([type_preference, high, low, u8::MAX]);
    let (ip, port) = (candidate.address.ip(), candidate.address.port());
    line!(text, "a=candidate:{index} 1 {protocol} {priority} {ip} {port} typ host{suffix}");
}

/// Type preference of host candidates, RFC 8445 section 5.1.2.2.
const UDP_PREFERENCE: u8 = 126;
/// Below every UDP candidate: TCP makes a lost packet into a pause.
const TCP_PREFERENCE: u8 = 90;

/// Chromium's encoder stops at 56 of 63 by itself.
const COARSEST: &str = "x-google-max-quantization=63";

fn write_codecs(text: &mut String, section: &Section) {
    for codec in &section.codecs {
        let payload_type = codec.payload_type;
        line!(text, "a=rtpmap:{payload_type} {}", codec.rtpmap());
        if let Some(fmtp) = codec.fmtp() {
            line!(text, "a=fmtp:{payload_type} {fmtp}");
        } else if section.role == SectionRole::Source(SourceKind::Content) && codec.codec == Codec::Vp8 {
            line!(text, "a=fmtp:{payload_type} {COARSEST}");
        }
        let feedback = [
            (codec.nack, "nack"),
            (codec.pli, "nack pli"),
            (codec.fir, "ccm fir"),
            (codec.transport_cc, "transport-cc"),
            (codec.remb, "goog-remb"),
        ];
        for (_, name) in feedback.iter().filter(|(agreed, _)| *agreed) {
            line!(text, "a=rtcp-fb:{payload_type} {name}");
        }
        if let Some(rtx) = codec.rtx_payload_type {
            line!(text, "a=rtpmap:{rtx} rtx/90000");
            line!(text, "a=fmtp:{rtx} apt={payload_type}");
        }
    }
}

fn write_streams(text: &mut String, section: &Section, pairs: u16, cname: &str) {
    for rid in &section.rids {
        line!(text, "a=rid:{rid} recv");
    }
    if !section.rids.is_empty() {
        line!(text, "a=simulcast:recv {}", join(&section.rids));
    }
    let (SectionRole::Slot(slot), Some((media, rtx))) = (section.role, section.slot_ssrc) else {
        return;
    };
    let (stream, track) = names(slot, pairs);
    line!(text, "a=msid:{stream} {track}");
    let resends = section.codecs.iter().any(|codec| codec.rtx_payload_type.is_some());
    let rtx = rtx.filter(|_| resends);
    if let Some(rtx) = rtx {
        line!(text, "a=ssrc-group:FID {} {}", media.0, rtx.0);
    }
    for ssrc in [Some(media), rtx].into_iter().flatten() {
        line!(text, "a=ssrc:{} cname:{cname}", ssrc.0);
    }
}

fn join(rids: &[Rid]) -> String {
    rids.iter().map(Rid::as_str).collect::<Vec<_>>().join(";")
}

/// Stream and track id. Partners share the stream, so that the browser keeps lips and voice together.
fn names(slot: SlotId, pairs: u16) -> (String, String) {
    match slot {
        SlotId::Video(number) => (format!("slot-{number}"), format!("video-{number}")),
        SlotId::Audio(number) if number < pairs => (format!("slot-{number}"), format!("audio-{number}")),
        SlotId::Audio(number) => (format!("voice-{number}"), format!("audio-{number}")),
    }
}
