use super::*;
use crate::net::{Candidate, IceCredentials};
use crate::sdp::{self, LocalDescription, Offer};
use rtp::ids::Mid;

const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n\
    a=fmtp:97 apt=96\r\n";
const AUDIO: &str = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n";

/// What was agreed on with a client whose sections send: media description and further lines.
fn agreed(sections: &[(&str, &str)]) -> Negotiated {
    let hash = ["AB"; 32].join(":");
    let mids: Vec<String> = (0..sections.len()).map(|mid| mid.to_string()).collect();
    let mut offer =
        format!("v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n", mids.join(" "));
    for (mid, (media, lines)) in sections.iter().enumerate() {
        offer += &format!(
            "{media}a=mid:{mid}\r\na=sendonly\r\na=rtcp-mux\r\na=setup:actpass\r\na=ice-ufrag:abcd\r\n\
             a=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 {hash}\r\n{lines}"
        );
    }
    let local = LocalDescription {
        ice: &IceCredentials { ufrag: "ours".to_owned(), pwd: "0123456789012345678901".to_owned() },
        fingerprint: &format!("sha-256 {hash}").parse().unwrap(),
        candidates: &[] as &[Candidate],
        session_id: 1,
        cname: "us",
        slot_ssrcs: &mut || Ssrc(1),
    };
    sdp::answer(&Offer::read(&offer).unwrap(), None, local).unwrap().0
}

fn learn(publisher: &mut Publisher, ssrc: u32, payload_type: u8, mid: Option<&str>) -> Option<StreamRef> {
    let mid = mid.map(|mid| Mid::from(mid).unwrap());
    let extensions = Extensions { mid, ..Extensions::default() };
    publisher.learn(Ssrc(ssrc), payload_type, &extensions).ok()
}

fn camera(layer: u8, rtx: bool) -> Option<StreamRef> {
    Some(StreamRef { kind: SourceKind::Camera, layer, rtx })
}

#[test]
fn a_group_of_ssrcs_is_as_many_layers() {
    let simulcast = "a=ssrc-group:SIM 7 8 9\r\na=ssrc-group:FID 8 18\r\na=ssrc:7 cname:x\r\n";
    let negotiated = agreed(&[(VIDEO, simulcast)]);
    let mut publisher = Publisher::new(Instant::now(), &negotiated);
    assert_eq!(publisher.track(SourceKind::Camera).unwrap().layers.len(), 3);
    for (ssrc, stream) in
        [(7, camera(0, false)), (8, camera(1, false)), (9, camera(2, false)), (18, camera(1, true))]
    {
        assert_eq!(publisher.stream_of(Ssrc(ssrc)), stream);
    }
    // What it did not announce could be any of the three.
    assert_eq!(learn(&mut publisher, 5, 96, Some("0")), None);
    let asked: Vec<_> = publisher.layers().map(|layer| layer.ssrc).collect();
    assert_eq!(
        asked,
        [7, 8, 9].map(|ssrc| Some(Ssrc(ssrc))),
        "key frames are requested from the right encoder"
    );
}

#[test]
fn a_payload_type_of_one_section_identifies_the_track() {
    let negotiated = agreed(&[(AUDIO, ""), (VIDEO, "")]);
    let mut publisher = Publisher::new(Instant::now(), &negotiated);
    let microphone = Some(StreamRef { kind: SourceKind::Microphone, layer: 0, rtx: false });
    assert_eq!(learn(&mut publisher, 5, 111, None), microphone);
    assert_eq!(learn(&mut publisher, 6, 96, None), camera(0, false));
    assert_eq!(learn(&mut publisher, 7, 97, None), camera(0, true));
    assert_eq!(learn(&mut publisher, 8, 100, None), None, "of no section");
}

#[test]
fn a_payload_type_identifies_nothing_where_others_have_it_or_ssrcs_were_announced() {
    let two = agreed(&[(VIDEO, ""), (VIDEO, "")]);
    let mut publisher = Publisher::new(Instant::now(), &two);
    assert_eq!(learn(&mut publisher, 5, 96, None), None, "camera or content?");
    assert_eq!(learn(&mut publisher, 5, 96, Some("1")).map(|s| s.kind), Some(SourceKind::Content));
    let announced = agreed(&[(VIDEO, "a=ssrc:7 cname:x\r\n")]);
    let mut publisher = Publisher::new(Instant::now(), &announced);
    assert_eq!(learn(&mut publisher, 5, 96, None), None, "a second stream in the section");
}
