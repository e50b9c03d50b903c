//! Lines that a stranger can cause without limit. Of each kind the first few in a minute are written, the rest is
//! counted, and the count is written with the next line of that kind or when the minute is over. A refused WebSocket
//! costs a stranger some hundred bytes and would otherwise cost us as many on the disk: hundreds of gigabytes a day.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// How long a kind's lines are counted together.
pub const WINDOW: Duration = Duration::from_secs(60);
/// Lines of one kind within [`WINDOW`] that strangers cause: enough to see the address and the cause. All kinds
/// together stay below 30 MB a day, a disk's worth in years.
const OF_STRANGERS: u32 = 10;
/// Lines of one kind that a site in a meeting causes, in the course of its work: people do not press more buttons.
const OF_SITES: u32 = 60;

/// More connections than `limits.connections`.
pub static TOO_MANY_CONNECTIONS: Few = Few::new("too_many_connections", OF_STRANGERS);
/// More connections of one address than `limits.connections_per_address`.
pub static TOO_MANY_OF_ADDRESS: Few = Few::new("too_many_of_address", OF_STRANGERS);
/// The system gives no connection: mostly for want of file descriptors.
pub static CANNOT_ACCEPT: Few = Few::new("cannot_accept", OF_STRANGERS);
/// A page of another host wanted a WebSocket.
pub static FOREIGN_PAGE: Few = Few::new("foreign_page", OF_STRANGERS);
/// A request was for a name that is not ours.
pub static FOREIGN_NAME: Few = Few::new("foreign_name", OF_STRANGERS);
/// A site was not let in.
pub static REFUSED: Few = Few::new("refused", OF_STRANGERS);
/// A connection was closed because it does not take what it is sent.
pub static TOO_SLOW: Few = Few::new("too_slow", OF_STRANGERS);
/// A site in its meeting asked for something it does not get.
pub static NOT_DONE: Few = Few::new("not_done", OF_SITES);
/// The chair acted on the meeting.
pub static ACT: Few = Few::new("act", OF_SITES);
/// Another device took a site's seat.
pub static TAKEOVER: Few = Few::new("takeover", OF_STRANGERS);
/// A site's media came up, moved or went.
pub static MEDIA_PATH: Few = Few::new("media_path", OF_SITES);
/// Something in this program is broken, and perhaps by what a stranger sent.
pub static PANIC: Few = Few::new("panic", OF_STRANGERS);

/// Every kind there is.
static ALL: [&Few; 12] = [
    &TOO_MANY_CONNECTIONS,
    &TOO_MANY_OF_ADDRESS,
    &CANNOT_ACCEPT,
    &FOREIGN_PAGE,
    &FOREIGN_NAME,
    &REFUSED,
    &TOO_SLOW,
    &NOT_DONE,
    &ACT,
    &TAKEOVER,
    &MEDIA_PATH,
    &PANIC,
];

/// One kind of line.
#[derive(Debug)]
pub struct Few {
    kind: &'static str,
    most: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// When the present window began.
    since: Option<Instant>,
    written: u32,
    /// Not written since the last line.
    unsaid: u64,
    /// Not written since the process began.
    unsaid_total: u64,
}

impl Few {
    const fn new(kind: &'static str, most: u32) -> Few {
        let state = State { since: None, written: 0, unsaid: 0, unsaid_total: 0 };
        Few { kind, most, state: Mutex::new(state) }
    }

    /// Writes a line by `line`, or counts it. `line` gets how many of its kind were only counted since
    /// the last one; `None` is none.
    pub fn tell(&self, line: impl FnOnce(Option<u64>)) {
        if let Some(unsaid) = self.admit(Instant::now()) {
            line(Some(unsaid).filter(|n| *n > 0));
        }
    }

    /// Whether one more line may be written, and how many were not before it.
    fn admit(&self, now: Instant) -> Option<u64> {
        let mut state = self.lock();
        if state.is_over(now) {
            state.since = Some(now);
            state.written = 0;
        }
        if state.written >= self.most {
            state.unsaid = state.unsaid.saturating_add(1);
            state.unsaid_total = state.unsaid_total.saturating_add(1);
            return None;
        }
        state.written = state.written.saturating_add(1);
        Some(std::mem::take(&mut state.unsaid))
    }

    /// The count that was not written yet, once its window is over.
    fn rest(&self, now: Instant) -> Option<u64> {
        let mut state = self.lock();
        (state.unsaid > 0 && state.is_over(now)).then(|| std::mem::take(&mut state.unsaid))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Numbers only: whatever a panic left is good enough to go on counting.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl State {
    fn is_over(&self, now: Instant) -> bool {
        self.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW)
    }
}

/// Writes what was only counted and has no next line to come with; call it about once a [`WINDOW`].
pub fn tell_rest(now: Instant) {
    for few in ALL {
        if let Some(unsaid) = few.rest(now) {
            tracing::warn!(kind = few.kind, unsaid, "more lines of this kind");
        }
    }
}

/// Lines only counted since the process began, by kind.
pub fn counted() -> impl Iterator<Item = (&'static str, u64)> {
    ALL.iter().map(|few| (few.kind, few.lock().unsaid_total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_few_are_written_and_the_rest_is_a_number() {
        let start = Instant::now();
        let few = Few::new("kind", 3);
        let written = |from: u64, to: u64| -> Vec<u64> {
            (from..to).filter_map(|ms| few.admit(start + Duration::from_millis(ms))).collect()
        };
        assert_eq!(written(0, 1_000), [0, 0, 0], "of a thousand");
        assert_eq!(few.rest(start + Duration::from_secs(59)), None, "the next line may have it");
        let next = WINDOW.as_millis() as u64;
        assert_eq!(written(next, next + 5), [997, 0, 0], "the next window has the count of the one before");
        assert_eq!(few.rest(start + WINDOW * 2), Some(2), "nothing comes any more");
        assert_eq!(few.rest(start + WINDOW * 3), None, "written once");
        assert_eq!(few.lock().unsaid_total, 999);
    }

    #[test]
    fn a_day_of_floods_of_every_kind_fits_any_disk() {
        let lines: u64 = ALL.iter().map(|few| u64::from(few.most) + 1).sum();
        let windows = 24 * 3_600 / WINDOW.as_secs();
        assert!(lines * windows * 256 < 100 << 20, "lines of 256 bytes, in MiB");
    }

    #[test]
    fn every_kind_has_its_own_name() {
        let names: std::collections::BTreeSet<_> = counted().map(|(kind, _)| kind).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
