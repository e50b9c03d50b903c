//! Offers that real clients made (recorded by `golden/record/record.mjs` and by the example
//! `webrtc_offer`), and our answers to them. `UPDATE_GOLDEN=1 cargo test -p tests --test golden` rewrites the
//! answers; read the difference before it is committed.

mod local;
mod webrtc_client;

use local::fixed_answer;
use rtp::codec::Codec;
use sfu::ids::{SlotId, SourceKind};
use sfu::limits::MAX_VIDEO_SLOTS;
use sfu::sdp::{Negotiated, OfferError, SectionRole};
use std::fs;
use std::path::PathBuf;

/// What every recorded client offers: three sources, 4 pairs, 3 audio-only slots.
const PAIRS: usize = 4;
const VOICES: usize = 3;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

fn offer_of(client: &str) -> String {
    fs::read_to_string(file(&format!("{client}.offer.sdp"))).expect("a recorded offer")
}

fn negotiated_with(client: &str) -> Negotiated {
    fixed_answer(&offer_of(client), None).expect("an answer").0
}

const CLIENTS: [&str; 5] = ["chromium", "chromium-limited", "firefox", "firefox-limited", "webrtc"];

#[test]
fn answers_are_what_they_were() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for client in CLIENTS {
        let (_, answer) = fixed_answer(&offer_of(client), None).expect("an answer");
        let golden = file(&format!("{client}.answer.sdp"));
        if update {
            fs::write(&golden, &answer).expect("a writable golden folder");
        }
        let expected = fs::read_to_string(&golden).expect("a golden answer");
        assert_eq!(answer, expected, "{client}: see UPDATE_GOLDEN in this file");
    }
}

#[test]
fn every_client_has_its_sources_and_its_slots() {
    for client in CLIENTS {
        let negotiated = negotiated_with(client);
        let roles: Vec<SectionRole> = negotiated.sections.iter().map(|s| s.role).collect();
        let mut expected = SourceKind::ALL.map(SectionRole::Source).to_vec();
        for number in 0..PAIRS as u16 {
            expected.push(SectionRole::Slot(SlotId::Audio(number)));
            expected.push(SectionRole::Slot(SlotId::Video(number)));
        }
        let voices = (PAIRS..PAIRS + VOICES).map(|number| SlotId::Audio(number as u16));
        expected.extend(voices.map(SectionRole::Slot));
        assert_eq!(roles, expected, "{client}");
        assert_eq!(usize::from(negotiated.pairs), PAIRS, "{client}");
        assert!(negotiated.sections.iter().all(|section| section.active), "{client}");
    }
}

#[test]
fn cameras_send_three_layers_lowest_first() {
    for client in CLIENTS {
        let negotiated = negotiated_with(client);
        let rids: Vec<String> = negotiated.sections[1].rids.iter().map(ToString::to_string).collect();
        assert_eq!(rids, ["l", "m", "h"], "{client}");
    }
}

#[test]
fn browsers_offer_the_codecs_we_forward() {
    let codecs = |client: &str, section: usize| -> Vec<Codec> {
        let mut codecs: Vec<Codec> =
            negotiated_with(client).sections[section].codecs.iter().map(|c| c.codec).collect();
        codecs.dedup();
        codecs
    };
    assert_eq!(codecs("chromium", 0), [Codec::Opus, Codec::Red]);
    assert_eq!(codecs("chromium", 3), [Codec::Red, Codec::Opus], "a slot");
    assert_eq!(codecs("chromium", 1), [Codec::Vp8, Codec::H264, Codec::Av1, Codec::Vp9]);
    assert_eq!(codecs("firefox", 0), [Codec::Opus]);
    assert_eq!(codecs("firefox", 1), [Codec::Vp8, Codec::Vp9, Codec::Av1]);
    assert_eq!(codecs("chromium-limited", 4), [Codec::Vp8]);
}

#[test]
fn the_same_offer_again_changes_nothing_but_the_version() {
    for client in CLIENTS {
        let first = negotiated_with(client);
        let (again, _) = fixed_answer(&offer_of(client), Some(&first)).expect("an answer");
        assert_eq!(again.session_version, first.session_version + 1, "{client}");
        let same = Negotiated { session_version: first.session_version, ..again };
        assert_eq!(same, first, "{client}");
    }
}

#[tokio::test]
async fn the_webrtc_crate_takes_our_answer() {
    let client = webrtc_client::Client::new(PAIRS, VOICES).await.expect("a client");
    let offer = client.offer().await.expect("an offer");
    let (_, answer) = fixed_answer(&offer, None).expect("an answer");
    client.accept(answer).await.expect("the answer is taken");
    client.close().await;
}

/// The offer of a page with so many pairs of slots: those of the recorded one again and again.
fn wall(client: &str, pairs: usize) -> String {
    let recorded = offer_of(client);
    let mut parts = recorded.split("\r\nm=");
    let head = parts.next().expect("a session");
    let parts: Vec<&str> = parts.map(|section| section.trim_end()).collect();
    let (sources, slots) = parts.split_at(SourceKind::ALL.len());
    let (pair, voices) = (&slots[..2], &slots[slots.len() - VOICES..]);
    let again = std::iter::repeat_n(pair, pairs).flatten();
    let sections: Vec<&str> = sources.iter().chain(again).chain(voices).copied().collect();
    let mids: Vec<String> = (0..sections.len()).map(|mid| mid.to_string()).collect();
    let bundled = head.lines().map(|line| match line.starts_with("a=group:BUNDLE") {
        true => format!("a=group:BUNDLE {}", mids.join(" ")),
        false => line.to_owned(),
    });
    let mut text = bundled.collect::<Vec<_>>().join("\r\n");
    for (mid, section) in sections.iter().enumerate() {
        let lines = section.lines().map(|line| match line.starts_with("a=mid:") {
            true => format!("a=mid:{mid}"),
            false => line.to_owned(),
        });
        text += "\r\nm=";
        text += &lines.collect::<Vec<_>>().join("\r\n");
    }
    text + "\r\n"
}

#[test]
fn sixteen_pairs_of_a_client_that_offers_all_its_codecs_are_answered() {
    for client in CLIENTS {
        let offer = wall(client, 16);
        let (negotiated, _) = fixed_answer(&offer, None).expect(client);
        assert_eq!(usize::from(negotiated.pairs), 16, "{client}: {} bytes", offer.len());
    }
}

#[test]
fn a_wall_of_all_the_slots_there_may_be_is_answered_where_the_offer_names_its_codecs() {
    for client in CLIENTS.into_iter().filter(|client| client.ends_with("-limited")) {
        let offer = wall(client, MAX_VIDEO_SLOTS);
        let (negotiated, answer) = fixed_answer(&offer, None).expect("an answer");
        assert_eq!(usize::from(negotiated.pairs), MAX_VIDEO_SLOTS, "{client}");
        assert!(answer.len() < offer.len());
        assert_eq!(fixed_answer(&wall(client, MAX_VIDEO_SLOTS + 1), None), Err(OfferError::TooLarge));
    }
}
