//! What is refused, and what must not hurt.

use super::*;
use crate::limits;
use proptest::prelude::*;

#[test]
fn an_offer_is_refused_with_its_reason() {
    use OfferError::*;
    let good = offer(&[send(AUDIO), receive(VIDEO)]);
    let many = |count: usize, media: &str| offer(&vec![receive(media); count]);
    let layers = "|rid:a send|rid:b send|rid:c send|rid:d send|simulcast:send a;b;c;d";
    let camera = |attributes: &str| offer(&[send(VIDEO) + attributes]);
    let table = [
        ("nothing", String::new(), Malformed),
        ("no media", "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n".to_owned(), Unsupported),
        ("huge", format!("{good}a=x:{}", "x".repeat(limits::MAX_OFFER_BYTES)), TooLarge),
        ("too many sections", many(limits::MAX_SECTIONS + 1, DATA), TooLarge),
        ("too many video slots", many(limits::MAX_VIDEO_SLOTS + 1, VIDEO), TooLarge),
        ("too many audio slots", many(limits::MAX_AUDIO_SLOTS + 1, AUDIO), TooLarge),
        ("too many layers", camera(layers), TooLarge),
        ("too many announced layers", camera("|ssrc-group:SIM 1 2 3 4"), TooLarge),
        ("a long mid", good.replace("mid:1", "mid:12345678901234567"), TooLarge),
        ("no bundle", good.replace("a=group", "a=grope"), Unsupported),
        ("not in the bundle", good.replace("BUNDLE 0 1", "BUNDLE 0"), Unsupported),
        ("no rtcp-mux", good.replace("rtcp-mux", "rtcp-max"), Unsupported),
        ("no ICE", good.replace("a=ice-", "a=ace-"), Unsupported),
        ("an ICE-lite client", good.replace("t=0 0", "t=0 0\r\na=ice-lite"), Unsupported),
        ("a passive client", good.replace("actpass", "passive"), Unsupported),
        ("SHA-1 alone", good.replace("sha-256", "sha-1"), Unsupported),
        ("only data", offer(&[DATA.to_owned()]), Unsupported),
        ("two ids of one extension", good.replacen("extmap:4", "extmap:5", 1), Unsupported),
        ("a short fingerprint", good.replace("sha-256 AB:", "sha-256 "), Malformed),
        ("the same mid twice", good.replace("mid:1", "mid:0"), Malformed),
        ("a mid with a space", good.replace("mid:1", "mid:1 2"), Malformed),
        ("a layer that is not sent", camera("|simulcast:send a"), Malformed),
        ("a layer twice", camera("|rid:a send|simulcast:send a;a"), Malformed),
        ("an SSRC that is none", camera("|ssrc:-1 cname:x"), Malformed),
        ("an SSRC for two layers", camera("|ssrc-group:SIM 1 2 1"), Malformed),
        (
            "an SSRC that repeats itself",
            camera("|ssrc:1 cname:x|ssrc-group:FID 2 2|ssrc-group:SIM 1 2"),
            Malformed,
        ),
        ("a group of SSRCs that are none", camera("|ssrc-group:SIM 1 x"), Malformed),
        ("a short password", good.replace("0123456789012345678901", "0123"), Malformed),
    ];
    for (what, text, reason) in table {
        assert_ne!(text, good, "{what}");
        assert_eq!(try_again(&text, None).map(|_| ()), Err(reason), "{what}");
    }
}

const CANDIDATE: &str = "a=candidate:1 1 udp 2113937151 192.0.2.1 9 typ host\r\n";

#[test]
fn lines_are_counted_in_each_section_and_in_all() {
    let lines = |sections: usize, lines: usize| {
        let section = receive(VIDEO) + &"|x".repeat(lines);
        try_again(&offer(&vec![section; sections]), None).map(|_| ())
    };
    assert_eq!(lines(1, limits::MAX_SECTION_LINES - 20), Ok(()));
    assert_eq!(lines(1, limits::MAX_SECTION_LINES), Err(OfferError::TooLarge));
    let each = limits::MAX_OFFER_LINES / limits::MAX_VIDEO_SLOTS;
    assert_eq!(lines(limits::MAX_VIDEO_SLOTS, each - 20), Ok(()));
    assert_eq!(lines(limits::MAX_VIDEO_SLOTS, each), Err(OfferError::TooLarge));
}

#[test]
fn what_is_not_used_costs_a_worker_nothing() {
    let good = offer(&[send(AUDIO), send(VIDEO), receive(AUDIO), receive(VIDEO)]);
    let flooded = good.replace("a=rtcp-mux\r\n", &("a=rtcp-mux\r\n".to_owned() + &CANDIDATE.repeat(200)));
    assert!(flooded.len() > 10 * good.len());
    assert_eq!(Offer::read(&flooded), Offer::read(&good), "the very same value crosses to it");
}

/// What 64 sites may leave waiting for a worker that hangs is a number because of this.
#[test]
fn an_offer_that_was_read_is_not_much_larger_than_its_text() {
    let codecs: String = (96..128).map(|pt| format!("|rtpmap:{pt} VP8/90000")).collect();
    let listed = (96..128).map(|pt| format!(" {pt}")).collect::<String>();
    let many_codecs = format!("video 9 RTP/SAVPF{listed}|recvonly{codecs}");
    let many_ssrcs = send(VIDEO) + &(0..150).map(|n| format!("|ssrc:{n}")).collect::<String>();
    let small = "audio 9 RTP/SAVPF 0|recvonly".to_owned();
    for (section, count) in [(many_codecs, 80), (many_ssrcs, 25), (small, limits::MAX_SECTIONS)] {
        let text = offer(&vec![section; count]);
        let bytes = Offer::read(&text).unwrap().bytes();
        assert!(bytes < 2 * text.len(), "{bytes} of {}", text.len());
    }
}

#[test]
fn an_attribute_cannot_smuggle_a_line_into_the_answer() {
    let good = offer(&[send(VIDEO) + "|" + SIMULCAST, DATA.to_owned()]);
    for (from, to) in [
        ("mid:0", "mid:0\rx"),
        ("webrtc-datachannel", "web\u{0}rtc"),
        ("UDP/DTLS/SCTP", "UDP/\u{1}/SCTP"),
        ("rid:l", "rid:l\ra=x"),
    ] {
        let bad = good.replace(from, to);
        assert_eq!(try_again(&bad, None).map(|_| ()), Err(OfferError::Malformed), "{to:?}");
    }
}

/// What an attacker would write: real lines, cut, doubled, swapped and with odd characters.
fn mangled() -> impl Strategy<Value = String> {
    let good = offer(&[send(AUDIO), send(VIDEO) + "|" + SIMULCAST, receive(AUDIO), receive(VIDEO)]);
    let lines: Vec<String> = good.split("\r\n").map(str::to_owned).collect();
    let edit = (any::<prop::sample::Index>(), 0..5u8, "[ -~\u{e9}\u{0}\r]{0,6}");
    prop::collection::vec(edit, 1..6).prop_map(move |edits| {
        let mut lines = lines.clone();
        for (index, operation, noise) in edits {
            let at = index.index(lines.len());
            match operation {
                0 => lines.insert(at, lines[at].clone()),
                1 => lines[at] += &noise,
                2 => lines[at] = lines[at].chars().take(noise.len()).collect(),
                3 => lines[at] = lines[at].replacen([':', ' ', '='], &noise, 1),
                _ => lines.swap(at, 0),
            }
        }
        lines.join("\r\n")
    })
}

proptest! {
    #[test]
    fn no_offer_panics_and_every_answer_parses(text in mangled()) {
        let first = try_again(&offer(&[send(AUDIO), send(VIDEO)]), None).unwrap().0;
        for previous in [None, Some(&first)] {
            if let Ok((negotiated, answer)) = try_again(&text, previous) {
                let description = offer::parse(&answer).unwrap();
                prop_assert_eq!(description.media_descriptions.len(), negotiated.sections.len());
            }
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = try_again(&text, None);
    }
}
