//! Many cells, on all cores.

use super::cell::Cell;
use super::measure::Measured;
use super::meeting::Meeting;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Holds a meeting for each cell, one after the other on each of `threads` threads; what they measured, in order. A
/// meeting in which something panics is a broken one.
pub fn run_all(cells: &[Cell], seed: u64, threads: usize) -> Vec<Measured> {
    let (next, measured) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        while let Some((place, cell)) = take(&next, cells) {
            let result = one(cell, seed);
            measured.lock().expect("no thread panics").insert(place, result);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    measured.into_inner().expect("no thread panics").into_values().collect()
}

fn take<'a>(next: &AtomicUsize, cells: &'a [Cell]) -> Option<(usize, &'a Cell)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    Some((place, cells.get(place)?))
}

fn one(cell: &Cell, seed: u64) -> Measured {
    let held = catch_unwind(AssertUnwindSafe(|| Meeting::hold(cell, seed)));
    held.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let why = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Measured { broken: Some(why.unwrap_or_default()), ..Measured::default() }
    })
}
