//! How much of its video work a worker leaves out so that it keeps up.
//!
//! Two conditions must hold together before anything is taken away: every turn of a span began with frames that had
//! waited, and the worker itself used all the time that it could have. Waiting alone may be the host's doing: a machine
//! that is busy elsewhere, a stopped process. Then less work of ours would change nothing.
//!
//! What is shown is lowered by the part of it that is too much: the speed at which the wait grows, and what is needed to
//! work the wait off within [`PATIENCE`]. So it is lowered only while the queue does not shrink fast enough by itself. It
//! rises by what the worker has left when nothing waits.
//!
//! The wait says what was done about it only when the queue has passed: with half a second of it, half a second late.
//! And it makes sends longer, and so packets cheaper: some of it costs a receiver nothing, and takes away less. Both ask
//! for small steps; [`GAIN`] was chosen by the load bench.

use crate::stats::Effort;
use std::time::Duration;

/// A lasting wait of this length needs no relief: voices overtake them, and a screen shows the next frame after 33 ms.
/// Shorter, and frames that fall together would be taken for a queue.
const TARGET: Duration = Duration::from_millis(20);
/// A queue is to be worked off within so much. Shorter makes the loop hasty, longer leaves frames late for longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// However long it is: after a process was stopped for seconds, half of a core is enough to catch up.
const MOST_HASTE: f64 = 0.5;
/// Both conditions have held for this long before anything is taken away: the burst of a key frame for all receivers at
/// once is over by then.
const BEGIN_AFTER: Duration = Duration::from_millis(250);
/// Share of the time it could have that a busy worker uses. A queue that never ends leaves no time to sleep; the rest
/// is what waking up costs.
const BUSY: f64 = 0.9;
/// A worker that does less than this share of a core is not what makes packets wait.
const OWN_WORK: f64 = 0.1;
/// With more than this used nothing is given back: a share of a source more and frames would wait again.
const FULL: f64 = 0.95;
/// How fast too much work becomes work left out, per second.
const GAIN: f64 = 2.0;
/// How fast time to spare becomes work given back, per second: half of it in each span, which is 100 ms.
const RETURN: f64 = 5.0;
/// Most that is given back in a second: what comes back needs key frames, which cost ten frames each.
const GIVE_BACK: f64 = 1.0;
/// Spans of more than this are counted as this much when something is taken away: they say little about the present.
const LONGEST_SPAN: Duration = Duration::from_millis(200);

/// The worker itself was busy, whatever the machine did besides.
fn is_busy(effort: &Effort) -> bool {
    effort.used() >= BUSY && effort.worked.as_secs_f64() >= effort.span.as_secs_f64() * OWN_WORK
}

/// The control loop, called with each span in turn.
#[derive(Debug, Default)]
pub struct Relief {
    share: f64,
    /// The wait of the last span, if both conditions held in it.
    wait: Option<Duration>,
    /// How long both conditions have held.
    overloaded_for: Duration,
}

impl Relief {
    /// `waited` is the least that frames had waited for any turn of the span. Returns the share of all video work to be
    /// left out, 0–1.
    pub fn on_effort(&mut self, effort: Effort, waited: Duration) -> f64 {
        let change = if is_busy(&effort) && waited > TARGET {
            self.take_away(effort.span, waited)
        } else {
            (self.wait, self.overloaded_for) = (None, Duration::ZERO);
            let spare = (FULL - effort.used()).max(0.0);
            -(spare * RETURN).min(GIVE_BACK) * effort.span.as_secs_f64()
        };
        self.share = (self.share + change).clamp(0.0, 1.0);
        self.share
    }

    fn take_away(&mut self, span: Duration, wait: Duration) -> f64 {
        let before = self.wait.replace(wait).unwrap_or(wait);
        self.overloaded_for = self.overloaded_for.saturating_add(span);
        if self.share == 0.0 && self.overloaded_for < BEGIN_AFTER {
            return 0.0;
        }
        let span = span.min(LONGEST_SPAN).as_secs_f64().max(f64::EPSILON);
        let growth = (wait.as_secs_f64() - before.as_secs_f64()) / span;
        let haste = wait.saturating_sub(TARGET).div_duration_f64(PATIENCE);
        let too_much = growth + haste.min(MOST_HASTE);
        // While frames wait nothing is given back: its key frames would wait with them.
        let lowered = (-too_much.max(0.0) * GAIN * span).exp();
        (1.0 - self.share) * (1.0 - lowered)
    }
}

#[cfg(test)]
#[path = "relief_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "relief_steps_tests.rs"]
mod steps_tests;
