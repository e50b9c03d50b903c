//! The table.

use crate::options::Options;
use std::fs;

/// One row.
pub struct Line {
    what: String,
    ours: String,
    target: String,
    met: &'static str,
}

impl Line {
    pub fn fact(what: String, ours: String) -> Line {
        Line { what, ours, target: String::new(), met: "" }
    }

    pub fn goal(what: String, ours: String, target: String, met: bool) -> Line {
        Line { what, ours, target, met: if met { "yes" } else { "no" } }
    }
}

pub fn print(options: &Options, lines: &[Line]) {
    let (settling, window) = (options.settling().as_secs(), options.window().as_secs());
    if let Some(reason) = options.means_nothing() {
        println!("**{reason}: these figures mean nothing.**\n");
    }
    println!(
        "Medians of {} rounds; windows of {window} s after {settling} s of settling; {}.\n",
        options.rounds(),
        machine()
    );
    println!("| measured | ours | target | met |");
    println!("|---|---|---|---|");
    for Line { what, ours, target, met } in lines {
        println!("| {what} | {ours} | {target} | {met} |");
    }
    println!("{LEGEND}");
}

const LEGEND: &str = "
A packet counts once, where it was received. CPU is that of the server's whole process; the media thread's part is in
brackets, the rest is signaling, which shares the core here. The floor seals and sends in the same rhythm and does nothing
else. Delay is from the publisher's hand to the receiver's kernel. Where the client's core is nearly full, the client is what
was measured.";

/// Kernel and processor.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    format!("Linux {}, {}", kernel.trim(), model.map_or("unknown processor", |(_, name)| name))
}
