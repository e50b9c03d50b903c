//! Numbers of the media workers.

use super::family::{Family, Kind};
use crate::media::{Overflows, WorkerStats};
use sfu::discard::DropReason;
use std::collections::BTreeMap;

/// A number of one worker: how it is called and where it is found.
struct ByWorker(Kind, &'static str, &'static str, fn(&WorkerStats) -> f64);

const BY_WORKER: [ByWorker; 12] = [
    ByWorker(
        Kind::Gauge,
        "nhipcau_worker_load_ratio",
        "Share of the last second the worker's thread could have and was busy in, 0 to 1.",
        |w| w.load,
    ),
    ByWorker(Kind::Gauge, "nhipcau_worker_peers", "Media connections of the worker.", |w| w.peers as f64),
    ByWorker(Kind::Gauge, "nhipcau_worker_rooms", "Meetings carried by the worker.", |w| w.rooms as f64),
    ByWorker(
        Kind::Gauge,
        "nhipcau_worker_thinned_slots",
        "Pictures sent less often just now because the worker cannot keep up.",
        |w| w.thinned_slots as f64,
    ),
    ByWorker(
        Kind::Gauge,
        "nhipcau_worker_shed_slots",
        "Pictures not sent just now because the worker cannot keep up.",
        |w| w.shed_slots as f64,
    ),
    ByWorker(
        Kind::Gauge,
        "nhipcau_worker_mixes",
        "Mixes of voices made just now, each for sites whose line carries no more, or that ask for it.",
        |w| w.mixes as f64,
    ),
    ByWorker(
        Kind::Gauge,
        "nhipcau_worker_mixed_peers",
        "Sites that hear one mix in place of each voice just now.",
        |w| w.mixed_peers as f64,
    ),
    ByWorker(Kind::Counter, "nhipcau_worker_datagrams_received_total", "Datagrams received.", |w| {
        w.datagrams_received as f64
    }),
    ByWorker(Kind::Counter, "nhipcau_worker_datagrams_sent_total", "Datagrams sent.", |w| {
        w.datagrams_sent as f64
    }),
    ByWorker(
        Kind::Counter,
        "nhipcau_worker_packets_forwarded_total",
        "Media packets forwarded to receivers.",
        |w| w.packets_forwarded as f64,
    ),
    ByWorker(
        Kind::Counter,
        "nhipcau_worker_redundant_bytes_total",
        "Bytes of speech sent again within later packets (RED), to receivers whose lines lose packets.",
        |w| w.redundant_bytes as f64,
    ),
    ByWorker(
        Kind::Counter,
        "nhipcau_worker_failed_peers_total",
        "Media connections given up because the server failed at them; each is a fault to report.",
        |w| w.failed_peers as f64,
    ),
];

/// All families of the workers.
pub(super) fn families(workers: &BTreeMap<usize, WorkerStats>, stuck: &[usize]) -> Vec<Family> {
    let mut families: Vec<_> = BY_WORKER
        .iter()
        .map(|ByWorker(kind, name, help, value)| {
            let mut family = Family::new(*kind, name, help);
            for (worker, stats) in workers {
                family.add(&[("worker", &worker.to_string())], value(stats));
            }
            family
        })
        .collect();
    families.push(hanging(workers, stuck));
    families.push(delay(workers));
    families.push(drops(workers));
    families
}

/// On a machine that does not report them there are no series.
pub(super) fn overflows(overflows: &Overflows) -> Family {
    let help = "Datagrams the kernel dropped before the worker saw them: its socket's buffer was full.";
    let mut family = Family::new(Kind::Counter, "nhipcau_worker_overflowed_datagrams_total", help);
    for (worker, dropped) in overflows.read().unwrap_or_default() {
        family.add(&[("worker", &worker.0.to_string())], dropped as f64);
    }
    family
}

fn hanging(workers: &BTreeMap<usize, WorkerStats>, stuck: &[usize]) -> Family {
    let help = "1 while the worker's thread does not turn; its other numbers are old then.";
    let mut family = Family::new(Kind::Gauge, "nhipcau_worker_stuck", help);
    for worker in workers.keys() {
        let hangs = f64::from(u8::from(stuck.contains(worker)));
        family.add(&[("worker", &worker.to_string())], hangs);
    }
    family
}

fn delay(workers: &BTreeMap<usize, WorkerStats>) -> Family {
    let mut family = Family::new(
        Kind::Histogram,
        "nhipcau_worker_forward_delay_seconds",
        "Delay of a forwarded packet in this process, by stage, sampled.",
    );
    for (worker, stats) in workers {
        let delay = &stats.forward_delay;
        let stages = [
            ("receive_to_ready", &delay.receive_to_ready),
            ("ready_to_paced", &delay.ready_to_paced),
            ("paced_to_sent", &delay.paced_to_sent),
        ];
        for (stage, histogram) in stages {
            family.add_histogram(&[("worker", &worker.to_string()), ("stage", stage)], histogram);
        }
    }
    family
}

fn drops(workers: &BTreeMap<usize, WorkerStats>) -> Family {
    let mut family =
        Family::new(Kind::Counter, "nhipcau_worker_dropped_packets_total", "Packets dropped, by reason.");
    for (worker, stats) in workers {
        for reason in DropReason::ALL {
            let labels = [("worker", worker.to_string()), ("reason", reason.label().to_owned())];
            let labels = labels.each_ref().map(|(name, value)| (*name, value.as_str()));
            family.add(&labels, stats.drops.get(*reason) as f64);
        }
    }
    family
}
