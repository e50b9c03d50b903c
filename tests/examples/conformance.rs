//! Measures every promise and the matrix in simulation, and writes CONFORMANCE.md: for `make conformance`. An argument
//! names promises and groups by a part of their names, and `SEED` another seed; then the page is printed and not written.

use std::time::Instant;
use tests::conformance::{Cell, matrix, promises, run_all, sheet, with_browsers};

/// The numbers of the page are those of this seed.
const SEED: u64 = 1;

fn main() -> std::io::Result<()> {
    let only = std::env::args().nth(1).filter(|only| !only.is_empty());
    let other = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| name.contains(only));
    let promises: Vec<_> = promises().into_iter().filter(|promise| is_wanted(promise.line)).collect();
    let groups: Vec<_> = matrix().into_iter().filter(|(heading, _)| is_wanted(heading)).collect();
    let promised = promises.iter().flat_map(|promise| promise.cells.iter().cloned());
    let cells: Vec<Cell> =
        promised.chain(groups.iter().flat_map(|(_, cells)| cells.iter().cloned())).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let began = Instant::now();
    eprintln!("==> {} meetings, {threads} at a time", cells.len());
    let mut measured = run_all(&cells, other.unwrap_or(SEED), threads).into_iter();
    eprintln!("    {} s", began.elapsed().as_secs());
    let promises: Vec<_> = promises
        .into_iter()
        .map(|promise| {
            let own = measured.by_ref().take(promise.cells.len()).collect();
            (promise, own)
        })
        .collect();
    let groups: Vec<_> = groups
        .into_iter()
        .map(|(heading, cells)| (heading, cells.into_iter().zip(measured.by_ref()).collect()))
        .collect();
    let page = sheet(&promises, &groups);
    if only.is_some() || other.is_some() {
        print!("{page}");
        return Ok(());
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../CONFORMANCE.md");
    let old = std::fs::read_to_string(path).unwrap_or_default();
    std::fs::write(path, with_browsers(page, &old))
}
