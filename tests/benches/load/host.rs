//! What is shed though the worker itself has next to nothing to do: where the machine is busy with others, and after
//! the process was stopped for a while.

use crate::figures::{median, percent};
use crate::options::Options;
use crate::place::{SERVER_CORE, on_core};
use crate::report::Line;
use crate::rooms::Rooms;
use crate::window::Window;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// So many receivers are a few per cent of a core.
const RECEIVERS: usize = 30;
/// Programs that never sleep, on the server's core, with the niceness of its media thread or better: each of them
/// gets as much of the core as it can.
const STRANGERS: usize = 4;
const BUSY: Duration = Duration::from_secs(10);
const STOPPED: Duration = Duration::from_secs(2);
/// Pictures are back when this share of one second's frames came.
const BACK: f64 = 0.95;
const LOOK: Duration = Duration::from_secs(1);
const PATIENCE: u32 = 30;
/// "A few seconds".
const BACK_S: f64 = 5.0;

pub struct Host {
    /// Packets left out because the worker could not keep up.
    left_out: f64,
    /// Of the receiver that got least, while others had the machine.
    poorest: f64,
    used: f64,
    back_s: Option<f64>,
    left_thinned: f64,
}

/// Is killed when the value is dropped.
struct Stranger(Child);

impl Stranger {
    fn start() -> Result<Stranger, String> {
        let mut command = on_core(SERVER_CORE);
        command.args(["sh", "-c", "while :; do :; done"]).stdin(Stdio::null());
        command.spawn().map(Stranger).map_err(|e| format!("a busy program: {e}"))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // It may be dead already; that is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn run(options: &Options) -> Result<Host, String> {
    let mut rooms = Rooms::open(options, RECEIVERS, RECEIVERS)?;
    rooms.crowd.run(options.settling())?;
    let before = rooms.server.left_out();
    let strangers: Vec<Stranger> = (0..STRANGERS).map(|_| Stranger::start()).collect::<Result<_, _>>()?;
    let window = Window::once(BUSY, &rooms.server, &mut rooms.crowd)?;
    drop(strangers);
    let left_out = rooms.server.left_out() - before;
    window.print(&format!("{STRANGERS} busy programs on the server's core"));
    let (poorest, used) = (rooms.poorest(&window), window.share(window.spent.server.total()));
    rooms.crowd.run(options.settling())?;
    let (back_s, left_thinned) = stop(&mut rooms)?;
    Ok(Host { left_out, poorest, used, back_s, left_thinned })
}

/// How long after a stop it takes until every receiver has whole pictures, and how many slots are still thinned then.
fn stop(rooms: &mut Rooms) -> Result<(Option<f64>, f64), String> {
    signal(rooms, "STOP")?;
    rooms.crowd.run(STOPPED)?;
    signal(rooms, "CONT")?;
    let begun = Instant::now();
    for _ in 0..PATIENCE {
        let window = Window::once(LOOK, &rooms.server, &mut rooms.crowd)?;
        let poorest = rooms.poorest(&window);
        let thinned = window.thinned_slots + window.shed_slots;
        eprintln!(
            "load: {:.1} s after the stop: {thinned} slots thinned, the poorest receiver has {} of its picture",
            begun.elapsed().as_secs_f64(),
            percent(poorest, 0)
        );
        if poorest >= BACK && thinned == 0.0 {
            return Ok((Some(begun.elapsed().as_secs_f64()), thinned));
        }
    }
    Ok((None, rooms.server.metric("nhipcau_worker_shed_slots")))
}

fn signal(rooms: &Rooms, name: &str) -> Result<(), String> {
    let pid = rooms.server.pid().to_string();
    let done = Command::new("kill").args(["-s", name, &pid]).status();
    done.map_err(|e| format!("kill: {e}"))?.success().then_some(()).ok_or_else(|| format!("kill -s {name}"))
}

pub fn lines(runs: &[Host]) -> Vec<Line> {
    let of = |value: fn(&Host) -> f64| median(runs, value);
    let left_out = of(|run| run.left_out);
    let back = of(|run| run.back_s.unwrap_or(f64::INFINITY));
    vec![
        Line::goal(
            format!(
                "{STRANGERS} busy programs on the server's core, {RECEIVERS} receivers: packets left out"
            ),
            format!(
                "{left_out:.0}; the poorest receiver got {} of its picture; server {} of its core",
                percent(of(|run| run.poorest), 1),
                percent(of(|run| run.used), 1)
            ),
            "0".to_owned(),
            left_out == 0.0,
        ),
        Line::goal(
            format!("stopped for {} s: until all {RECEIVERS} have whole pictures", STOPPED.as_secs()),
            format!("{back:.1} s; {:.0} slots still thinned", of(|run| run.left_thinned)),
            format!("≤ {BACK_S} s"),
            back <= BACK_S,
        ),
    ]
}
