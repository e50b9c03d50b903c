//! Conversations of sites with the bridge, over real sockets.

mod common;

use common::{AN_PHUOC, BINH_SON, CHAIR, PHUOC_THAI, Server, config, id, sdp};
use protocol::sdp::{MAX_ANSWER_BYTES, fold, unfold};
use protocol::{Sdp, VERSION};
use serde_json::{Value, json};
use sfu::ids::{PeerId, SlotId, Source, SourceKind};
use sfu::net::PathKind;
use signaling::media::{Command, Event, Offer};

/// The peer of the next offer, and the offer.
fn offer(command: Command) -> Option<(PeerId, Box<Offer>)> {
    match command {
        Command::Offer { peer, offer, .. } => Some((peer, offer)),
        _ => None,
    }
}

/// Offers and is connected.
async fn brings_media(server: &mut Server, site: &mut common::Site) -> PeerId {
    site.say(json!({"type": "offer", "sdp": {"plain": sdp("mine")}})).await;
    let (peer, offered) = server.command(offer).await;
    assert_eq!(Ok(*offered), Offer::read(&sdp("mine")));
    server.report(Event::Answer { peer, sdp: "v=0 yours".to_owned() }).await;
    let answer = site.expect("answer").await;
    assert_eq!(answer["sdp"]["plain"], "v=0 yours");
    let path = PathKind::Udp;
    server.report(Event::Connected { peer, path }).await;
    let id = site.id;
    site.sees(id, |s| s["presence"] == "present").await;
    peer
}

#[tokio::test]
async fn an_answer_is_packed_as_its_offer_was() {
    let mut server = Server::start().await;
    let mut site = server.enter(AN_PHUOC).await;
    let mine = sdp("mine");
    for sent in [json!({"plain": mine}), json!(fold(mine.clone())), json!({"plain": mine})] {
        site.say(json!({"type": "offer", "sdp": sent})).await;
        let (peer, offered) = server.command(offer).await;
        assert_eq!(Ok(*offered), Offer::read(&mine));
        server.report(Event::Answer { peer, sdp: "v=0 yours".to_owned() }).await;
        let came: Sdp = serde_json::from_value(site.expect("answer").await["sdp"].clone()).unwrap();
        assert_eq!(matches!(came, Sdp::Deflated(_)), sent["deflated"].is_string());
        assert_eq!(unfold(came, MAX_ANSWER_BYTES), Ok("v=0 yours".to_owned()));
    }
}

#[tokio::test]
async fn a_wish_is_carried_out_and_told() {
    let mut server = Server::start().await;
    let mut chair = server.enter(CHAIR).await;
    let mut site = server.enter(AN_PHUOC).await;
    assert_ne!(chair.id, site.id);
    let chair_peer = brings_media(&mut server, &mut chair).await;
    let site_peer = brings_media(&mut server, &mut site).await;

    // The chair wishes to see the site, and gets `slots` when its slot shows it.
    let wish = json!({"site": site.id, "kind": "camera", "max_height": 360});
    chair.say(json!({"type": "wishes", "slots": [wish, null]})).await;
    let wished = |command| match command {
        Command::Reconcile { desired, .. } => {
            let mut peers = desired.peers.into_iter();
            *peers.find(|p| p.peer == chair_peer)?.video_slots.first()?
        }
        _ => None,
    };
    assert_eq!(server.command(wished).await.max_height, 360);
    let source = Source { peer: site_peer, kind: SourceKind::Camera };
    server.report(Event::Publishing { source, active: true }).await;
    server.report(Event::SlotShows { peer: chair_peer, slot: SlotId::Video(0), source: Some(source) }).await;
    let slots = chair.until("slots", |s| !s["video"][0].is_null()).await;
    assert_eq!(slots["video"][0], json!({"site": site.id, "kind": "camera"}));
}

#[tokio::test]
async fn the_chair_acts_and_everybody_sees_it() {
    let mut server = Server::start().await;
    let mut chair = server.enter(CHAIR).await;
    let mut site = server.enter(AN_PHUOC).await;
    let site_peer = brings_media(&mut server, &mut site).await;

    // Mute all reaches the site and the media quarter.
    chair.act(json!({"kind": "mute_all"})).await;
    site.sees(id("An Phước"), |s| s["microphone"] == "muted_by_chair").await;
    let muted = |command| match command {
        Command::Reconcile { desired, .. } => {
            let site = desired.peers.iter().find(|p| p.peer == site_peer)?;
            (!site.may_publish.microphone).then_some(())
        }
        _ => None,
    };
    server.command(muted).await;

    // The big screen, then the end.
    chair.act(json!({"kind": "big_screen", "site": site.id})).await;
    let shown = site.id;
    site.until("meeting", |m| m["meeting"]["big_screen"] == shown).await;
    chair.act(json!({"kind": "end"})).await;
    let goodbye = site.expect("goodbye").await;
    assert_eq!(goodbye["reason"], "ended");
    site.closes().await;
    server.command(|c| matches!(c, Command::CloseRoom { .. }).then_some(())).await;
}

#[tokio::test]
async fn a_lost_site_keeps_its_seat_and_its_media() {
    let mut server = Server::start().await;
    let mut chair = server.enter(CHAIR).await;
    let mut site = server.enter(AN_PHUOC).await;
    let peer = brings_media(&mut server, &mut site).await;
    let seat = site.seat.clone();
    drop(site);
    server.report(Event::Quiet { peer }).await;
    chair.sees(id("An Phước"), |s| s["presence"] == "lost").await;

    let mut back = server.site().await;
    let hello = json!({"type": "hello", "version": VERSION, "token": AN_PHUOC, "seat": seat});
    back.say(hello).await;
    assert_eq!(back.expect("welcome").await["seat"], json!(seat));
    server.report(Event::Restored { peer }).await;
    let seen = chair.sees(id("An Phước"), |s| s["presence"] == "present").await;
    assert_eq!(seen["reconnections"], 1);
    back.say(json!({"type": "offer", "sdp": {"plain": sdp("restart")}})).await;
    assert_eq!(server.command(offer).await.0, peer, "ICE is restarted");
}

#[tokio::test]
async fn a_second_device_may_take_over() {
    let server = Server::start().await;
    let mut chair = server.enter(CHAIR).await;
    let mut first = server.enter(AN_PHUOC).await;
    let mut second = server.site().await;
    second.hello(AN_PHUOC).await;
    assert_eq!(second.is_refused().await, "seat_taken");
    let mut second = server.site().await;
    let bare = json!({"type": "hello", "version": VERSION, "token": AN_PHUOC});
    let hello = json!({"type": "hello", "version": VERSION, "token": AN_PHUOC, "takeover": true});
    second.say(hello.clone()).await;
    let welcome = second.expect("welcome").await;
    assert_eq!(first.expect("goodbye").await["reason"], "taken_over");
    first.closes().await;
    let seen = chair.sees(id("An Phước"), |s| s["takeovers"] == 1).await;
    assert!(seen["taken_over_ms"].is_u64());

    // No device moves the seat again at once, over any connection; a lost seat neither.
    let mut third = server.site().await;
    third.say(hello.clone()).await;
    assert_eq!(third.is_refused().await, "takeover_too_soon");
    drop(second);
    chair.sees(id("An Phước"), |s| s["presence"] == "lost").await;
    for (hello, code) in [(hello, "takeover_too_soon"), (bare, "seat_taken")] {
        let mut stranger = server.site().await;
        stranger.say(hello).await;
        assert_eq!(stranger.is_refused().await, code);
    }
    let mut holder = server.site().await;
    let seat = welcome["seat"].clone();
    holder.say(json!({"type": "hello", "version": VERSION, "token": AN_PHUOC, "seat": seat})).await;
    assert_eq!(holder.expect("welcome").await["seat"], seat);
}

#[tokio::test]
async fn who_cannot_come_in_is_told_why() {
    let mut limited = config();
    limited.limits.sites_per_meeting = 2;
    let server = Server::start_with(limited).await;
    let refusal = async |token: &str| {
        let mut site = server.site().await;
        site.hello(token).await;
        site.is_refused().await
    };
    let mut chair = server.enter(CHAIR).await;
    let mut inside = server.enter(AN_PHUOC).await;
    assert_eq!(refusal("no-such-token-at-all").await, "unknown_link");
    assert_eq!(refusal(BINH_SON).await, "meeting_full");
    inside.say(json!({"type": "leave"})).await;
    inside.closes().await;
    chair.act(json!({"kind": "lock", "locked": true})).await;
    chair.until("meeting", |m| m["meeting"]["locked"] == true).await;
    assert_eq!(refusal(PHUOC_THAI).await, "meeting_locked");
    chair.act(json!({"kind": "remove", "site": inside.id})).await;
    chair.sees(id("An Phước"), |s| s["presence"] == "removed").await;
    assert_eq!(refusal(AN_PHUOC).await, "site_removed");
}

#[tokio::test]
async fn what_makes_no_sense_is_answered_and_the_connection_goes_on() {
    let server = Server::start().await;
    let mut site = server.enter(AN_PHUOC).await;
    let error = |m: Value| m["code"].as_str().map(str::to_owned);
    let table = [
        ("{", "malformed_message"),
        (r#"{"type":"dance"}"#, "malformed_message"),
        (r#"{"type":"leave","extra":1,"act":"#, "malformed_message"),
        (r#"{"type":"act","action":{"kind":"end"}}"#, "forbidden"),
        (r#"{"type":"hello","version":2,"token":"x"}"#, "out_of_order"),
        (r#"{"type":"offer","sdp":{"deflated":"%"}}"#, "offer_malformed"),
    ];
    for (text, code) in table {
        site.say_text(text.to_owned()).await;
        let answer = site.expect("error").await;
        assert_eq!(error(answer).as_deref(), Some(code), "{text}");
    }
    site.say(json!({"type": "ping", "n": 7})).await;
    assert_eq!(site.expect("pong").await["n"], 7);
}

#[tokio::test]
async fn before_the_hello_nothing_else_is_listened_to() {
    let server = Server::start().await;
    let table = [
        (r#"{"type":"leave"}"#, "out_of_order"),
        ("rubbish", "malformed_message"),
        (r#"{"type":"hello","version":1,"token":"x"}"#, "version"),
        (r#"{"type":"hello","version":9,"new":"field"}"#, "version"),
    ];
    for (text, code) in table {
        let mut site = server.site().await;
        site.say_text(text.to_owned()).await;
        assert_eq!(site.is_refused().await, code, "{text}");
    }
}
