//! One publisher of 2 Mbit/s and many receivers: what a packet costs, and what a receiver weighs.

use crate::figures::{grouped, median};
use crate::floor::Floor;
use crate::options::Options;
use crate::report::Line;
use crate::rooms::Rooms;

/// Process CPU over the floor: the target.
const RATIO: f64 = 1.3;

pub fn sizes(options: &Options) -> [usize; 2] {
    if options.quick { [10, 20] } else { [100, 400] }
}

pub struct Cost {
    process: f64,
    media: f64,
    receiver_kib: f64,
    loss: f64,
    client: f64,
    floor: Floor,
}

pub fn run(options: &Options, receivers: usize) -> Result<Cost, String> {
    let floor = Floor::measure(options, receivers)?;
    let mut rooms = Rooms::open(options, receivers, receivers)?;
    let window = rooms.window(options)?;
    window.print(&format!("{receivers} receivers of one publisher"));
    let (loss, _) = rooms.quality(&window);
    Ok(Cost {
        process: window.per_packet(window.spent.server.total()),
        media: window.per_packet(window.spent.server.media),
        receiver_kib: rooms.receiver_kib(),
        loss,
        client: window.share(window.spent.client),
        floor,
    })
}

pub fn lines(receivers: usize, runs: &[Cost]) -> Vec<Line> {
    let process = median(runs, |run| run.process);
    let floor = median(runs, |run| run.floor.runs);
    let ratio = median(runs, |run| run.process / run.floor.runs);
    let ours = format!(
        "{} ns (media thread {} ns) = {ratio:.2} × floor; lost {:.2} %; client {:.0} % of its core",
        grouped(process),
        grouped(median(runs, |run| run.media)),
        median(runs, |run| run.loss) * 100.0,
        median(runs, |run| run.client) * 100.0,
    );
    let floors = format!(
        "{} ns with GSO ×7, {} ns with sendto, {} ns with GSO for pictures and sendto for voices",
        grouped(floor),
        grouped(median(runs, |run| run.floor.single)),
        grouped(median(runs, |run| run.floor.with_voices())),
    );
    let kib = grouped(median(runs, |run| run.receiver_kib));
    vec![
        Line::fact(format!("floor of this path, N={receivers}, AES-128-GCM included"), floors),
        Line::goal(
            format!("process CPU per packet, one publisher of 2 Mbit/s, N={receivers}"),
            ours,
            format!("≤ {RATIO} × the floor with GSO ×7"),
            ratio <= RATIO,
        ),
        Line::fact(format!("resident memory per receiver, N={receivers}"), format!("{kib} KiB")),
    ]
}
