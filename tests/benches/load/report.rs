//! The table.

use crate::options::Options;

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
    if options.quick {
        println!("A trial with small numbers: these figures mean nothing.\n");
    }
    println!(
        "Medians of {} rounds, windows of {window} s after {settling} s of settling; a packet counts once, where it was received.\n",
        options.rounds()
    );
    println!("| measured | ours | target | met |");
    println!("|---|---|---|---|");
    for Line { what, ours, target, met } in lines {
        println!("| {what} | {ours} | {target} | {met} |");
    }
}
