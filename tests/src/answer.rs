//! What matters to a client of the server's answers.

use sfu::net::IceCredentials;
use std::net::SocketAddr;

/// One slot: the SSRC of a section in which the server sends, and that of its retransmissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub ssrc: u32,
    pub rtx: Option<u32>,
    pub is_video: bool,
}

#[derive(Debug)]
pub struct Answer {
    pub ice: IceCredentials,
    /// The first over UDP.
    pub candidate: Option<SocketAddr>,
    pub slots: Vec<Slot>,
}

impl Answer {
    /// Nothing where there are no ICE credentials.
    pub fn read(text: &str) -> Option<Answer> {
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let ice = IceCredentials {
            ufrag: value("a=ice-ufrag:")?.trim().to_owned(),
            pwd: value("a=ice-pwd:")?.trim().to_owned(),
        };
        let mut candidates = text.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
        let candidate = candidates.find_map(address);
        let slots = text.split("\r\nm=").skip(1).filter_map(slot).collect();
        Some(Answer { ice, candidate, slots })
    }
}

fn address(candidate: &str) -> Option<SocketAddr> {
    let words: Vec<&str> = candidate.split_whitespace().collect();
    let [_, _, "udp", _, ip, port, ..] = words.as_slice() else {
        return None;
    };
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

fn slot(section: &str) -> Option<Slot> {
    let named = section.lines().filter_map(|line| line.strip_prefix("a=ssrc:"));
    let ssrcs = named.filter_map(|line| line.split_whitespace().next()?.parse::<u32>().ok());
    let mut ssrcs: Vec<u32> = ssrcs.collect();
    ssrcs.dedup();
    let rtx = ssrcs.get(1).copied();
    Some(Slot { ssrc: *ssrcs.first()?, rtx, is_video: section.starts_with("video") })
}
