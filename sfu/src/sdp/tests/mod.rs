//! Stories of first offers, and the offers for all stories.

mod hostile;
mod later;

use super::*;
use crate::net::PathKind;
use rtp::codec::Codec;

const AUDIO: &str = "audio 9 UDP/TLS/RTP/SAVPF 111 63 0|rtpmap:111 opus/48000/2|fmtp:111 minptime=10|\
    rtcp-fb:111 transport-cc|rtpmap:63 red/48000/2|fmtp:63 111/111|rtpmap:0 PCMU/8000|\
    extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid|extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level";
const VIDEO: &str = "video 9 UDP/TLS/RTP/SAVPF 96 97 102|rtpmap:96 VP8/90000|rtcp-fb:96 nack|\
    rtcp-fb:96 nack pli|rtcp-fb:96 goog-remb|rtpmap:97 rtx/90000|fmtp:97 apt=96|rtpmap:102 ulpfec/90000|\
    extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid|extmap:14 urn:ietf:params:rtp-hdrext:toffset";
const DATA: &str = "application 9 UDP/DTLS/SCTP webrtc-datachannel|sctp-port:5000";
const SIMULCAST: &str = "rid:l send|rid:m send|rid:h send|simulcast:send l;~m;h,x|rid:x send";

/// An offer of sections, each `m=` value and attributes parted by `|`; `mid` is the position.
fn offer(sections: &[String]) -> String {
    let mids: Vec<String> = (0..sections.len()).map(|mid| mid.to_string()).collect();
    let hash = ["AB"; 32].join(":");
    let mut text =
        format!("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\n", mids.join(" "));
    for (mid, section) in sections.iter().enumerate() {
        let mut lines = section.split('|');
        text += &format!("m={}\r\nc=IN IP4 0.0.0.0\r\n", lines.next().unwrap());
        text += "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\n";
        text += &format!("a=fingerprint:sha-256 {hash}\r\na=mid:{mid}\r\na=rtcp-mux\r\n");
        lines.for_each(|line| text += &format!("a={line}\r\n"));
    }
    text
}

fn section(media: &str, direction: &str) -> String {
    format!("{media}|{direction}")
}

fn send(media: &str) -> String {
    section(media, "sendonly")
}

fn receive(media: &str) -> String {
    section(media, "recvonly")
}

fn try_again(offer: &str, previous: Option<&Negotiated>) -> Result<(Negotiated, String), OfferError> {
    let candidates =
        [candidate(PathKind::Udp, "192.0.2.1:5000"), candidate(PathKind::Tcp, "[2001:db8::1]:5000")];
    answer_with(offer, previous, &candidates)
}

fn candidate(kind: PathKind, address: &str) -> Candidate {
    Candidate { kind, address: address.parse().unwrap() }
}

fn answer_with(
    offer: &str,
    previous: Option<&Negotiated>,
    candidates: &[Candidate],
) -> Result<(Negotiated, String), OfferError> {
    let ice = IceCredentials { ufrag: "ourufrag".to_owned(), pwd: "ourpasswordourpassword".to_owned() };
    let mut last = 99;
    let mut slot_ssrcs = || {
        last += 1;
        Ssrc(last)
    };
    let local = LocalDescription {
        ice: &ice,
        fingerprint: &format!("sha-256 {}", ["01"; 32].join(":")).parse().unwrap(),
        candidates,
        session_id: 7,
        cname: "us",
        slot_ssrcs: &mut slot_ssrcs,
    };
    answer(&Offer::read(offer)?, previous, local)
}

fn roles(negotiated: &Negotiated) -> Vec<SectionRole> {
    negotiated.sections.iter().map(|section| section.role).collect()
}

fn accept(sections: &[String]) -> (Negotiated, String) {
    try_again(&offer(sections), None).unwrap()
}

/// The answer's section number `mid`.
fn answered(answer: &str, mid: usize) -> String {
    answer.split("\r\nm=").nth(mid + 1).unwrap().to_owned()
}

#[test]
fn sections_get_their_roles_by_kind_direction_and_order() {
    use SectionRole::*;
    let (negotiated, answer) = accept(&[
        section(AUDIO, "sendrecv"),
        send(VIDEO),
        send(VIDEO),
        receive(AUDIO),
        receive(AUDIO),
        receive(VIDEO),
        receive(AUDIO),
        receive(VIDEO),
        receive(VIDEO),
        receive(AUDIO),
        receive(VIDEO),
        send(AUDIO),
        send(VIDEO),
        DATA.to_owned(),
    ]);
    let expected = [
        Source(SourceKind::Microphone),
        Source(SourceKind::Camera),
        Source(SourceKind::Content),
        Slot(SlotId::Audio(2)),
        Slot(SlotId::Audio(0)),
        Slot(SlotId::Video(0)),
        Slot(SlotId::Audio(1)),
        Slot(SlotId::Video(1)),
        Slot(SlotId::Video(2)),
        // Its video slot has number 3 and pairs are broken before: it could not have the same.
        Slot(SlotId::Audio(3)),
        Slot(SlotId::Video(3)),
        Rejected,
        Rejected,
        Rejected,
    ];
    assert_eq!(roles(&negotiated), expected);
    assert_eq!(negotiated.pairs, 2);
    assert!(answer.contains("a=group:BUNDLE 0 1 2 3 4 5 6 7 8 9 10\r\n"));
    assert!(answered(&answer, 13).starts_with("application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert!(answered(&answer, 12).contains("a=inactive"));
    assert!(answered(&answer, 0).contains("a=recvonly"));
    assert!(answered(&answer, 7).contains("a=sendonly"));
}

#[test]
fn partners_share_a_stream_and_slots_announce_their_ssrc() {
    let (negotiated, answer) = accept(&[receive(AUDIO), receive(VIDEO), receive(AUDIO)]);
    assert!(answered(&answer, 0).contains("a=msid:slot-0 audio-0\r\na=ssrc:100 cname:us"));
    let video = answered(&answer, 1);
    assert!(video.contains("a=msid:slot-0 video-0\r\na=ssrc-group:FID 101 102\r\na=ssrc:101 cname:us"));
    assert!(answered(&answer, 2).contains("a=msid:voice-1 audio-1"));
    assert_eq!(negotiated.sections[1].slot_ssrc, Some((Ssrc(101), Some(Ssrc(102)))));
}

#[test]
fn the_transport_is_in_every_section_and_udp_is_above_tcp() {
    let (_, answer) = accept(&[DATA.to_owned(), send(AUDIO), send(VIDEO), receive(AUDIO)]);
    assert!(answer.starts_with("v=0\r\no=- 7 1 IN IP4 0.0.0.0\r\n"));
    assert!(answer.contains("\r\na=ice-lite\r\n"));
    let transport = format!(
        "a=setup:passive\r\na=fingerprint:sha-256 {}\r\n\
         a=ice-ufrag:ourufrag\r\na=ice-pwd:ourpasswordourpassword\r\n\
         a=candidate:0 1 udp 2130706431 192.0.2.1 5000 typ host\r\n\
         a=candidate:1 1 tcp 1526726399 2001:db8::1 5000 typ host tcptype passive\r\n\
         a=end-of-candidates\r\n",
        ["01"; 32].join(":")
    );
    for section in [1, 2, 3] {
        assert_eq!(answered(&answer, section).matches(&transport).count(), 1, "{section}");
    }
    // Data channels are rejected and leave the bundle, but some clients refuse sections without these.
    let (rejected, _) = transport.split_once("a=candidate").unwrap();
    assert!(answered(&answer, 0).ends_with(rejected.trim_end()));
}

#[test]
fn a_machine_with_many_addresses_advertises_the_best_of_each_kind() {
    let all = [PathKind::Udp, PathKind::Tcp]
        .map(|kind| (0..20).map(move |host| candidate(kind, &format!("192.0.2.{host}:5000"))));
    let all: Vec<Candidate> = all.into_iter().flatten().collect();
    let (_, answer) = answer_with(&offer(&[send(AUDIO)]), None, &all).unwrap();
    for kind in ["udp", "tcp"] {
        let advertised = |host: usize| {
            answer
                .lines()
                .any(|l| l.contains(&format!(" {kind} ")) && l.contains(&format!(" 192.0.2.{host} ")))
        };
        assert!((0..8).all(advertised) && !(8..20).any(advertised), "{answer}");
    }
}

#[test]
fn simulcast_keeps_its_order_and_takes_the_first_alternative() {
    let (negotiated, answer) = accept(&[send(AUDIO), send(VIDEO) + "|" + SIMULCAST]);
    let rids: Vec<&str> = negotiated.sections[1].rids.iter().map(|rid| rid.as_str()).collect();
    assert_eq!(rids, ["l", "m", "h"]);
    assert!(
        answered(&answer, 1)
            .ends_with("a=rid:l recv\r\na=rid:m recv\r\na=rid:h recv\r\na=simulcast:recv l;m;h\r\n")
    );
}

#[test]
fn simulcast_older_than_rids_is_read_as_layers() {
    let simulcast = "ssrc-group:SIM 7 8 9|ssrc-group:FID 7 17|ssrc-group:FID 9 19|\
        ssrc:9 cname:x|ssrc:19 cname:x|ssrc:7 cname:x|ssrc:17 cname:x|ssrc:8 cname:x|ssrc:99 cname:x";
    let (negotiated, _) = accept(&[send(VIDEO) + "|" + simulcast]);
    let layers = [(7, Some(17)), (8, None), (9, Some(19))].map(|(media, rtx)| (Ssrc(media), rtx.map(Ssrc)));
    assert_eq!(negotiated.sections[0].declared_ssrcs, layers);
    let fewer = offer(&[send(VIDEO) + "|ssrc:7 cname:x"]);
    assert_eq!(try_again(&fewer, Some(&negotiated)), Err(OfferError::Changed));
}

#[test]
fn what_is_not_another_layer_is_not_taken_for_the_stream() {
    let cases = [
        ("error correction", "ssrc-group:FEC-FR 7 8|ssrc:8 cname:x|ssrc:7 cname:x"),
        ("retransmission", "ssrc:8 cname:x|ssrc:7 cname:x|ssrc-group:FID 7 8"),
        ("another stream", "ssrc:7 cname:x|ssrc:7 msid:a b|ssrc:8 cname:x|ssrc:8 msid:a b"),
    ];
    for (what, ssrcs) in cases {
        let (negotiated, _) = accept(&[send(VIDEO) + "|" + ssrcs]);
        let declared = &negotiated.sections[0].declared_ssrcs;
        assert_eq!(declared.iter().map(|(media, _)| *media).collect::<Vec<_>>(), [Ssrc(7)], "{what}");
    }
}

#[test]
fn what_we_cannot_forward_is_left_out() {
    let (negotiated, answer) = accept(&[send(AUDIO), send(VIDEO)]);
    let codecs: Vec<Codec> = negotiated.sections[0].codecs.iter().map(|c| c.codec).collect();
    assert_eq!(codecs, [Codec::Opus, Codec::Red]);
    assert!(answered(&answer, 1).starts_with("video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"));
    assert!(
        answered(&answer, 1)
            .contains("a=rtcp-fb:96 nack pli\r\na=rtcp-fb:96 goog-remb\r\na=rtpmap:97 rtx/90000")
    );
    for absent in ["ulpfec", "PCMU", "toffset", "stereo"] {
        assert!(!answer.contains(absent), "{absent}");
    }
    assert_eq!(negotiated.extensions.id(ExtensionKind::Mid), Some(4));
    assert_eq!(negotiated.extensions.id(ExtensionKind::AudioLevel), Some(1));
    let video: Vec<_> = negotiated.sections[1].extensions.iter().map(|e| (e.kind, e.id)).collect();
    assert_eq!(video, [(ExtensionKind::Mid, 4)]);
}

/// A voice is sent with redundancy where that helps; it is not asked for from a microphone.
#[test]
fn redundant_audio_comes_first_in_a_slot() {
    let (negotiated, answer) = accept(&[send(AUDIO), receive(AUDIO)]);
    let codecs = |at: usize| negotiated.sections[at].codecs.iter().map(|c| c.codec).collect::<Vec<_>>();
    assert_eq!((codecs(0), codecs(1)), (vec![Codec::Opus, Codec::Red], vec![Codec::Red, Codec::Opus]));
    assert!(answered(&answer, 0).starts_with("audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n"));
    assert!(answered(&answer, 1).starts_with("audio 9 UDP/TLS/RTP/SAVPF 63 111\r\n"));
    let again = try_again(&offer(&[send(AUDIO), receive(AUDIO)]), Some(&negotiated)).unwrap().0;
    assert_eq!(again.sections[1].codecs, negotiated.sections[1].codecs, "also later");
}

#[test]
fn an_extension_with_a_direction_is_answered_from_our_side_where_it_is_of_use() {
    let rid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
    let time = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";
    let level = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
    let extensions = format!("|extmap:9/sendonly {rid}|extmap:10/recvonly {time}|extmap:3/inactive {level}");
    let (negotiated, answer) = accept(&[send(VIDEO) + &extensions, receive(VIDEO) + &extensions]);
    let lines = |section: usize| -> Vec<String> {
        let text = answered(&answer, section);
        text.lines().filter_map(|line| line.strip_prefix("a=extmap:").map(str::to_owned)).collect()
    };
    let mid = "4 urn:ietf:params:rtp-hdrext:sdes:mid".to_owned();
    assert_eq!(lines(0), [mid.clone(), format!("9/recvonly {rid}")]);
    assert_eq!(lines(1), [mid, format!("10/sendonly {time}")]);
    assert_eq!(negotiated.extensions.id(ExtensionKind::Rid), Some(9));
    assert_eq!(negotiated.extensions.id(ExtensionKind::AudioLevel), None);
    assert_eq!(negotiated.slot_extensions().id(ExtensionKind::Rid), None);
    assert_eq!(negotiated.slot_extensions().id(ExtensionKind::AbsCaptureTime), Some(10));
}

#[test]
fn an_extension_that_is_offered_many_times_is_answered_once() {
    let mid = "|extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid".repeat(200);
    let (negotiated, _) = accept(&[send(VIDEO) + &mid]);
    assert_eq!(negotiated.sections[0].extensions.len(), 1);
}

#[test]
fn a_slot_without_a_codec_of_ours_keeps_its_number_but_is_rejected() {
    let strange = "audio 9 UDP/TLS/RTP/SAVPF 0|rtpmap:0 PCMU/8000|recvonly".to_owned();
    let (negotiated, answer) = accept(&[strange, receive(VIDEO)]);
    assert_eq!(negotiated.sections[0].role, SectionRole::Slot(SlotId::Audio(0)));
    assert!(!negotiated.sections[0].active);
    assert!(answered(&answer, 0).starts_with("audio 0 UDP/TLS/RTP/SAVPF 0\r\n"));
}

#[test]
fn ssrcs_of_sources_are_known_and_never_given_to_slots() {
    let ssrcs = "ssrc-group:FID 100 104|ssrc:100 cname:x|ssrc:100 msid:a b|ssrc:104 cname:x";
    let (negotiated, _) = accept(&[send(VIDEO) + "|" + ssrcs, receive(VIDEO), receive(VIDEO)]);
    assert_eq!(negotiated.sections[0].declared_ssrcs, [(Ssrc(100), Some(Ssrc(104)))]);
    assert_eq!(negotiated.sections[1].slot_ssrc, Some((Ssrc(101), Some(Ssrc(102)))));
    assert_eq!(negotiated.sections[2].slot_ssrc, Some((Ssrc(103), Some(Ssrc(105)))));
}
