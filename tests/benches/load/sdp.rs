//! Offers in the shape of Chromium's (tests/golden), with only what matters to the server, and what
//! matters to us of its answers. The rule of sections is in `signaling/src/protocol.rs`.

use rtp::extension::ExtensionKind;
use sfu::net::IceCredentials;
use std::fmt::Write;
use std::net::SocketAddr;

pub const OPUS: u8 = 111;
pub const VP8: u8 = 96;
pub const RTX: u8 = 97;
/// Ids of header extensions, Chromium's.
pub const AUDIO_LEVEL: u8 = 1;
pub const TRANSPORT_SEQUENCE: u8 = 3;
pub const MID: u8 = 4;

/// Mids of what is published.
pub const MICROPHONE: &str = "0";
pub const CAMERA: &str = "1";

/// SSRCs of what is published.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    pub audio: u32,
    pub video: u32,
    pub rtx: u32,
}

/// One slot of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub ssrc: u32,
    pub rtx: Option<u32>,
    pub is_video: bool,
}

#[derive(Debug)]
pub struct Answer {
    pub ice: IceCredentials,
    pub candidate: SocketAddr,
    pub slots: Vec<Slot>,
}

pub fn offer(ice: &IceCredentials, fingerprint: &str, published: Option<Published>, pairs: usize) -> String {
    let mut sections = Vec::new();
    if let Some(published) = published {
        sections.push(audio("sendonly", Some(published.audio)));
        sections.push(video("sendonly", Some(published)));
    }
    for _ in 0..pairs {
        sections.push(audio("recvonly", None));
        sections.push(video("recvonly", None));
    }
    sections.push(audio("recvonly", None));
    let mids: String = (0..sections.len()).map(|mid| format!(" {mid}")).collect();
    let mut text = format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE{mids}\r\n\
         a=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n"
    );
    for (mid, section) in sections.iter().enumerate() {
        let transport = format!(
            "c=IN IP4 0.0.0.0\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=ice-options:trickle\r\n\
             a=fingerprint:{fingerprint}\r\na=setup:actpass\r\na=mid:{mid}\r\n",
            ice.ufrag, ice.pwd
        );
        let (first, rest) = section.split_once("\r\n").expect("more than one line");
        write!(text, "{first}\r\n{transport}{rest}").expect("a string takes everything");
    }
    text
}

fn audio(direction: &str, ssrc: Option<u32>) -> String {
    let mut text = format!("m=audio 9 UDP/TLS/RTP/SAVPF {OPUS}\r\n");
    extension(&mut text, AUDIO_LEVEL, ExtensionKind::AudioLevel);
    common(&mut text, direction);
    text += &format!(
        "a=rtpmap:{OPUS} opus/48000/2\r\na=rtcp-fb:{OPUS} transport-cc\r\n\
         a=fmtp:{OPUS} minptime=10;useinbandfec=1\r\n"
    );
    text + &ssrc.map(|ssrc| format!("a=ssrc:{ssrc} cname:load\r\n")).unwrap_or_default()
}

fn video(direction: &str, published: Option<Published>) -> String {
    let mut text = format!("m=video 9 UDP/TLS/RTP/SAVPF {VP8} {RTX}\r\n");
    common(&mut text, direction);
    text += &format!("a=rtpmap:{VP8} VP8/90000\r\n");
    for feedback in ["transport-cc", "ccm fir", "nack", "nack pli"] {
        text += &format!("a=rtcp-fb:{VP8} {feedback}\r\n");
    }
    text += &format!("a=rtpmap:{RTX} rtx/90000\r\na=fmtp:{RTX} apt={VP8}\r\n");
    if let Some(Published { video, rtx, .. }) = published {
        text += &format!("a=ssrc-group:FID {video} {rtx}\r\na=ssrc:{video} cname:load\r\n");
        text += &format!("a=ssrc:{rtx} cname:load\r\n");
    }
    text
}

fn common(text: &mut String, direction: &str) {
    extension(text, TRANSPORT_SEQUENCE, ExtensionKind::TransportSequence);
    extension(text, MID, ExtensionKind::Mid);
    *text += &format!("a={direction}\r\na=rtcp-mux\r\na=rtcp-rsize\r\n");
}

fn extension(text: &mut String, id: u8, kind: ExtensionKind) {
    *text += &format!("a=extmap:{id} {}\r\n", kind.uri());
}

impl Answer {
    /// Of several candidates the first over UDP counts.
    pub fn read(text: &str) -> Option<Answer> {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let ice = IceCredentials {
            ufrag: value("a=ice-ufrag:")?.trim().to_owned(),
            pwd: value("a=ice-pwd:")?.trim().to_owned(),
        };
        let candidates = text.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
        let candidate = candidates.filter_map(address).next()?;
        Some(Answer { ice, candidate, slots: slots(text) })
    }
}

fn address(candidate: &str) -> Option<SocketAddr> {
    let words: Vec<&str> = candidate.split_whitespace().collect();
    let [_, _, "udp", _, ip, port, ..] = words.as_slice() else {
        return None;
    };
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

/// The first SSRC of each section in which the server sends, and what repairs it.
fn slots(text: &str) -> Vec<Slot> {
    let sections = text.split("\r\nm=").skip(1);
    sections
        .filter_map(|section| {
            let mut ssrcs = section.lines().filter_map(|line| line.strip_prefix("a=ssrc:"));
            let mut next = || ssrcs.next()?.split_whitespace().next()?.parse().ok();
            Some(Slot { ssrc: next()?, rtx: next(), is_video: section.starts_with("video") })
        })
        .collect()
}
