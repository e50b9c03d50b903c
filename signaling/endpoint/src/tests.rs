//! An endpoint against a bridge of ours in the same process: a WebSocket server and a second peer
//! connection that answers, plays a known picture and a known tone, and listens.

mod bridge;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use self::bridge::{Bridge, Manners};
use super::options::{Audio, Options, Transport, Video};
use super::receive::Kind;
use super::{Endpoint, Statistics, TransportKind, picture};
use protocol::SiteId;

fn options() -> Options {
    Options {
        audio: Audio::Tone(700.0),
        video: Video::Picture { name: None, number: 5, marker: true },
        slots: 1,
        audio_only_slots: 1,
        listen: true,
        ..Options::default()
    }
}

/// Looks until the condition holds; what comes from real sockets has no virtual time.
async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while !condition().await {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn track<'a>(statistics: &'a Statistics, kind: &str) -> &'a super::TrackStatistics {
    statistics.received.iter().find(|track| track.kind == kind).expect("track")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_flows_both_ways_and_is_counted_by_site() {
    let bridge = Bridge::start(Manners::default()).await;
    let endpoint = Endpoint::connect(bridge.link(), options()).await.expect("joined");
    until("a marked frame of the bridge", async || {
        endpoint.received().frame(0).and_then(picture::read_marker).is_some_and(|marker| marker.site == 9)
    })
    .await;
    until("the bridge's tone", async || {
        endpoint.received().listener(0).is_some_and(|received| received.amplitude_at(1000.0) > 0.05)
    })
    .await;
    until("the endpoint's frames at the bridge", async || bridge.received().marked_frames > 5).await;
    until("the endpoint's tone at the bridge", async || bridge.received().level_byte != 0).await;

    let statistics = endpoint.stats().await;
    assert!(statistics.connected && statistics.flowed_both_ways());
    assert_eq!(statistics.transport, Some(TransportKind::Udp));
    assert_eq!(track(&statistics, "video").site.as_deref(), Some("Hội trường huyện"));
    assert!(track(&statistics, "audio").packets > 10);
    assert!(statistics.time_to_first_frame_ms.is_some_and(|ms| ms < 5_000.0));
    assert!(statistics.sent.iter().all(|track| track.site.as_deref() == Some("Xã An Phước")));
    // RFC 6464: voice, and the level of the tone.
    assert_eq!(bridge.received().level_byte, 0x80 | 23);
    assert_eq!(endpoint.received().source(Kind::Video, 0).map(|source| source.site), Some(SiteId(1)));
    assert_eq!(endpoint.stop().await, None);
    assert_eq!(
        bridge.received().leaves,
        1,
        "an endpoint that has stopped has left: the seat is free for the next device"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tcp_carries_media_where_udp_is_blocked() {
    let bridge = Bridge::start(Manners { transport: Transport::Tcp, ..Manners::default() }).await;
    let endpoint = Endpoint::connect(bridge.link(), Options { transport: Transport::Tcp, ..options() })
        .await
        .expect("joined");
    until("a whole frame", async || endpoint.received().frame(0).is_some()).await;
    assert_eq!(endpoint.stats().await.transport, Some(TransportKind::Tcp));
    endpoint.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_endpoint_comes_back_with_its_seat() {
    let bridge = Bridge::start(Manners::default()).await;
    let options = Options { reconnect: true, takeover: true, ..options() };
    let endpoint = Endpoint::connect(bridge.link(), options).await.expect("joined");
    until("media", async || endpoint.stats().await.flowed_both_ways()).await;
    bridge.drop_all();
    until("the return", async || endpoint.stats().await.reconnections == 1).await;
    let back = (Some("ghế-1".into()), false);
    assert_eq!(
        bridge.received().hellos,
        [(None, true), back],
        "what another device took since is not taken back"
    );
    let before = endpoint.received().video_frames();
    until("new frames", async || endpoint.received().video_frames() > before + 3).await;
    endpoint.stop().await;
}

#[tokio::test]
async fn a_refusal_is_the_servers_own_code() {
    let bridge = Bridge::start(Manners { refuse: true, ..Manners::default() }).await;
    let error = Endpoint::connect(bridge.link(), options()).await.err().expect("refused");
    assert_eq!((error.code.as_str(), error.text.as_str()), ("unknown_link", "Không có liên kết họp này."));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_one_sentence() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let link = format!("http://{address}/#x").parse().expect("a link");
    let error = Endpoint::connect(link, options()).await.err().expect("no server there");
    assert_eq!(error.code, "server_unreachable");
}
