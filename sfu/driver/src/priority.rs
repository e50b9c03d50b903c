//! Media before everything else of the process. Where the core is short, a hundred sites' pages, logs and link lights
//! must wait for a voice and not the other way round.

use rustix::process::{getpriority_process, setpriority_process};

/// Niceness of media threads, where the system grants it (root, CAP_SYS_NICE, or RLIMIT_NICE of 30 and more: systemd's
/// `LimitNICE=-10`). Of the same order as what desktops give to sound (−11), and far from what the kernel's own
/// threads have.
const MEDIA: i32 = -10;

/// What everything else gives way by. That is always granted. A thread then gets a third of what one of media gets
/// when both want the same core, so signaling goes on in overload; and media that wakes up has the core at once.
const BEHIND_MEDIA: i32 = 5;

/// The largest niceness there is.
const LEAST: i32 = 19;

/// A media thread calls this for itself. On Linux niceness belongs to the thread.
pub(super) fn take_precedence() {
    if niceness() > MEDIA {
        // Refused without the privilege; the other threads give way all the same.
        let _ = setpriority_process(None, MEDIA);
    }
}

/// The niceness of everything else: some more than what the process was started with. A value, because threads inherit
/// from the thread that starts them, and would give way once more.
#[derive(Debug, Clone, Copy)]
pub struct BehindMedia(i32);

impl BehindMedia {
    /// On the process's first thread, before it starts any other.
    pub fn of_this_process() -> BehindMedia {
        BehindMedia(niceness().saturating_add(BEHIND_MEDIA).min(LEAST))
    }

    /// A thread calls this for itself. It cannot be taken back without the privilege.
    pub fn give_way(self) {
        // More niceness is never refused.
        let _ = setpriority_process(None, self.0);
    }
}

fn niceness() -> i32 {
    getpriority_process(None).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_gives_way_is_nicer_than_one_that_does_not() {
        fn niceness_after(act: impl FnOnce() + Send + 'static) -> i32 {
            let thread = std::thread::spawn(move || {
                act();
                niceness()
            });
            thread.join().unwrap()
        }
        let behind = BehindMedia::of_this_process();
        let plain = niceness_after(|| {});
        assert_eq!(niceness_after(move || behind.give_way()), (plain + BEHIND_MEDIA).min(LEAST));
        let taken = niceness_after(take_precedence);
        assert!(taken == plain || taken == MEDIA.min(plain), "{taken}");
        let heir = niceness_after(move || {
            behind.give_way();
            let heir = niceness_after(move || behind.give_way());
            assert_eq!(heir, niceness(), "a thread that inherits does not give way twice");
        });
        assert_eq!(heir, (plain + BEHIND_MEDIA).min(LEAST));
    }
}
