//! Our side of an answer with everything fixed that is random in a running bridge.

use rtp::ids::Ssrc;
use sfu::net::{Candidate, Fingerprint, IceCredentials, PathKind};
use sfu::sdp::{LocalDescription, Negotiated, Offer, OfferError, answer};

pub fn fixed_answer(offer: &str, previous: Option<&Negotiated>) -> Result<(Negotiated, String), OfferError> {
    let ice = IceCredentials {
        ufrag: "nhipcau0".to_owned(),
        pwd: "mot-nhip-cau-noi-hai-bo-song-que".replace('-', "0"),
    };
    let fingerprint: Fingerprint =
        format!("sha-256 {}", ["5A"; 32].join(":")).parse().expect("a fingerprint");
    let udp = |address: &str| candidate(PathKind::Udp, address);
    let tcp = |address: &str| candidate(PathKind::Tcp, address);
    let candidates = [
        udp("192.0.2.10:7000"),
        udp("[2001:db8::10]:7000"),
        tcp("192.0.2.10:7000"),
        tcp("[2001:db8::10]:7000"),
    ];
    let mut last = 1000;
    let mut slot_ssrcs = || {
        last += 1;
        Ssrc(last)
    };
    let local = LocalDescription {
        ice: &ice,
        fingerprint: &fingerprint,
        candidates: &candidates,
        session_id: 20_250_101,
        cname: "nhipcau",
        slot_ssrcs: &mut slot_ssrcs,
    };
    answer(&Offer::read(offer)?, previous, local)
}

fn candidate(kind: PathKind, address: &str) -> Candidate {
    let address = address.parse().expect("an address");
    Candidate { kind, address }
}
