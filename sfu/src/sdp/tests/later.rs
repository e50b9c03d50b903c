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
fn a_source_may_rest_and_come_back() {
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
        ("another certificate", whole.replace("sha-256 AB", "sha-256 AC")),
    ];
    for (what, changed) in table {
        assert_ne!(changed, whole, "{what}");
        assert_eq!(try_again(&changed, Some(&before)), Err(OfferError::Changed), "{what}");
    }
}
