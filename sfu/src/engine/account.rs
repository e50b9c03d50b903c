//! What is reported of one peer once a second.

use crate::ids::PeerIndex;
use crate::peer::Peers;
use crate::peer::publisher::Publisher;
use crate::peer::subscriber::{SlotAccount, Subscriber};
use crate::stats::{DirectionStats, PeerStats};
use std::time::{Duration, Instant};

pub(super) fn of(now: Instant, elapsed: Duration, peers: &mut Peers, index: PeerIndex) -> Option<PeerStats> {
    let (rtt, path) = (peers.rtt(index), peers.lines.get(index)?.path());
    let identity = peers.identities.get(index)?;
    let subscriber = peers.subscribers.get_mut(index)?;
    let publisher = peers.publishers.get_mut(index)?;
    Some(PeerStats {
        peer: identity.peer,
        room: identity.room,
        path: path.map(|path| path.kind),
        rtt,
        estimated_bandwidth_bps: subscriber.estimate_bps(),
        up: up(now, publisher),
        down: down(elapsed, subscriber),
    })
}

fn up(now: Instant, publisher: &mut Publisher) -> DirectionStats {
    let mut total = DirectionStats {
        nacks: publisher.nacks_sent,
        plis: publisher.plis_sent,
        rtx_packets: publisher.rtx_packets,
        ..DirectionStats::default()
    };
    let layers = publisher.tracks.iter_mut().flatten().flat_map(|track| track.layers.iter_mut());
    for layer in layers {
        let stream = layer.stream.totals(now);
        total.packets = total.packets.saturating_add(stream.packets);
        total.bytes = total.bytes.saturating_add(stream.bytes);
        total.bitrate_bps = total.bitrate_bps.saturating_add(stream.bitrate_bps);
        total.packets_lost = total.packets_lost.saturating_add(stream.lost);
        total.loss_fraction = total.loss_fraction.max(stream.loss_fraction);
        total.jitter = total.jitter.max(stream.jitter);
        total.frames = total.frames.saturating_add(layer.frames);
    }
    total
}

fn down(elapsed: Duration, subscriber: &mut Subscriber) -> DirectionStats {
    let mut total = DirectionStats {
        nacks: subscriber.nacks,
        plis: subscriber.plis,
        rtx_packets: subscriber.rtx_packets,
        ..DirectionStats::default()
    };
    total.frames = subscriber.video.iter().map(|video| video.account.frames).sum();
    let video = subscriber.video.iter_mut().map(|video| (&mut video.account, 90_000.0));
    let audio = subscriber.audio.iter_mut().map(|audio| (&mut audio.account, 48_000.0));
    for (account, rate) in video.chain(audio) {
        total.packets = total.packets.saturating_add(account.packets);
        total.bytes = total.bytes.saturating_add(account.octets);
        total.bitrate_bps = total.bitrate_bps.saturating_add(bitrate(elapsed, account));
        total.packets_lost = total.packets_lost.saturating_add_signed(account.reported_lost.max(0));
        total.loss_fraction = total.loss_fraction.max(account.reported_fraction);
        let jitter = Duration::from_secs_f64(f64::from(account.reported_jitter) / rate);
        total.jitter = total.jitter.max(jitter);
    }
    total
}

/// Bits per second since the last call.
fn bitrate(elapsed: Duration, account: &mut SlotAccount) -> u64 {
    let octets = account.octets.saturating_sub(account.counted);
    account.counted = account.octets;
    let seconds = elapsed.as_secs_f64().max(0.001);
    (octets as f64 * 8.0 / seconds) as u64
}
