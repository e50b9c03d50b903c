//! Stories of later offers: what may change and what may not.

use super::*;

#[test]
fn a_later_offer_restarts_ice_and_adds_slots() {
    let first = [send(AUDIO), receive(AUDIO), receive(VIDEO), receive(AUDIO)];
    let (before, _) = accept(&first);
    let more = [&first[..], &[receive(AUDIO), receive(VIDEO)]].concat();
    let text = offer(&more).replace("ice-ufrag:abcd", "ice-ufrag:efgh");
    let (after, answer) = try_again(&text, Some(&before)).unwrap();
    assert_ne!(after.remote_ice, before.remote_ice);
    assert_eq!(after.remote_ice, *Offer::read(&text).unwrap().credentials());
    assert_eq!(after.sections[..4], before.sections[..]);
    // Number 1 belongs to the audio-only slot of the first offer, so the new two are no pair.
    assert_eq!(after.sections[4].role, SectionRole::Slot(SlotId::Audio(2)));
    assert_eq!(after.sections[5].role, SectionRole::Slot(SlotId::Video(1)));
    assert_eq!(after.pairs, 1);
    assert!(answer.starts_with("v=0\r\no=- 7 2 IN"));
    assert!(answered(&answer, 5).contains("a=msid:slot-1 video-1"));
    assert!(answered(&answer, 4).contains("a=msid:voice-2 audio-2"));
}

#[test]
fn a_source_may_become_inactive_and_active_again() {
    let (first, _) = accept(&[send(AUDIO), send(VIDEO)]);
    let resting = offer(&[send(AUDIO), section(VIDEO, "inactive")]);
    let (resting, answer) = try_again(&resting, Some(&first)).unwrap();
    assert_eq!(roles(&resting), roles(&first));
    assert!(!resting.sections[1].active);
    assert!(answered(&answer, 1).contains("video 9") && answered(&answer, 1).contains("a=inactive"));
    let stopped = offer(&[send(AUDIO), send(&VIDEO.replace("video 9", "video 0"))]);
    let (stopped, answer) = try_again(&stopped, Some(&resting)).unwrap();
    assert_eq!(roles(&stopped), roles(&first));
    assert!(answered(&answer, 1).starts_with("video 0 "));
    let (back, _) = try_again(&offer(&[send(AUDIO), send(VIDEO)]), Some(&stopped)).unwrap();
    assert_eq!(back.sections, first.sections);
}

#[test]
fn a_later_offer_may_not_change_what_was_agreed() {
    let sections = [send(AUDIO), send(VIDEO) + "|" + SIMULCAST, receive(AUDIO), receive(VIDEO)];
    let (before, _) = accept(&sections);
    let with = |place: usize, section: String| {
        let mut changed = sections.clone();
        changed[place] = section;
        offer(&changed)
    };
    let whole = offer(&sections);
    let table = [
        ("fewer sections", offer(&sections[..3])),
        ("another mid", whole.replace("BUNDLE 0 1 2 3", "BUNDLE 0 1 2 9").replace("mid:3", "mid:9")),
        ("another kind", with(2, receive(VIDEO))),
        ("another direction", with(3, send(VIDEO))),
        ("other layers", with(1, send(VIDEO))),
        ("another codec", with(3, receive(&VIDEO.replace("VP8", "VP9")))),
        (
            "another codec's repairs",
            with(
                3,
                receive(&VIDEO.replace("96 97", "96 98 97").replace("apt=96", "apt=98|rtpmap:98 VP9/90000")),
            ),
        ),
        ("a codec where there were repairs", with(3, receive(&VIDEO.replace("97 rtx", "97 VP9")))),
        ("another certificate", whole.replace("sha-256 AB", "sha-256 AC")),
    ];
    for (what, changed) in table {
        assert_ne!(changed, whole, "{what}");
        assert_eq!(try_again(&changed, Some(&before)), Err(OfferError::Changed), "{what}");
    }
}

/// RFC 3264 section 8.3.2: formats may come, go and change places, as long as none changes its meaning. A client
/// with other preferences than before, or that knows from our answer what is of no use, is answered.
#[test]
fn codecs_of_a_later_offer_may_come_and_go() {
    let both = VIDEO.replace(" 96 97 ", " 96 97 98 ") + "|rtpmap:98 VP9/90000";
    let (before, _) = accept(&[send(&both), receive(&both)]);
    let (other_way_round, only_one) =
        (both.replace(" 96 97 98 ", " 98 96 97 "), both.replace(" 96 97 98 ", " 98 "));
    let unrepaired = both.replace(" 96 97 98 ", " 96 98 ");
    let more = both.replace(" 98 ", " 98 45 ") + "|rtpmap:45 AV1/90000";
    for (what, video, formats) in [
        ("the same", &both, "96 97 98"),
        ("another order", &other_way_round, "98 96 97"),
        ("fewer", &only_one, "98"),
        ("without repairs", &unrepaired, "96 98"),
        ("more", &more, "96 97 98 45"),
    ] {
        let (after, answer) = try_again(&offer(&[send(video), receive(video)]), Some(&before)).expect(what);
        assert_eq!(after.sections[1].slot_ssrc, before.sections[1].slot_ssrc, "{what}");
        for section in [0, 1] {
            let first = format!("video 9 UDP/TLS/RTP/SAVPF {formats}\r\n");
            assert!(answered(&answer, section).starts_with(&first), "{what}: {answer}");
        }
        let (back, _) = try_again(&offer(&[send(&both), receive(&both)]), Some(&after)).expect(what);
        assert_eq!(back.sections, before.sections, "{what}, and back");
    }
}

#[test]
fn a_section_without_a_codec_of_ours_is_rejected_until_it_has_one_again() {
    let (before, _) = accept(&[send(AUDIO), receive(VIDEO)]);
    let strange = "video 9 UDP/TLS/RTP/SAVPF 102|rtpmap:102 ulpfec/90000".to_owned();
    let (after, answer) = try_again(&offer(&[send(AUDIO), receive(&strange)]), Some(&before)).unwrap();
    assert!(!after.sections[1].active);
    assert!(answered(&answer, 1).starts_with("video 0 UDP/TLS/RTP/SAVPF 102\r\n"));
    let (back, _) = try_again(&offer(&[send(AUDIO), receive(VIDEO)]), Some(&after)).unwrap();
    assert_eq!(back.sections, before.sections);
}
