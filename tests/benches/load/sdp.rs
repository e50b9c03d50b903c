//! Offers in the shape of Chromium's (tests/golden), with only what matters to the server. The rule of sections is in
//! the protocol ("SDP sections").

use rtp::extension::ExtensionKind;
use sfu::net::IceCredentials;
use std::fmt::Write;

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
