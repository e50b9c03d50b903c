//! The paths a peer has been seen on: which of them it has proved, and which carries media.
//!
//! An address in a datagram is a claim. Anyone who knows the password can nominate an address that is not its own, and
//! anyone on the way can send a check again from anywhere. So every path is checked: it is proved by the answer to a
//! check of ours, which only a receiver there can give.
//!
//! | a path is | since | may get |
//! |---|---|---|
//! | in question | a check or media authenticated on it | `AMPLIFICATION` times the bytes that came from it |
//! | proved | it answered a check of ours, or it is a TCP connection; for `CONSENT_EXPIRY` | DTLS |
//! | selected | it is proved, and the client nominated it or sends its media or its handshake there | media |
//!
//! Consent (RFC 7675) is a path's own: only answers from there renew it.

use super::numbers::{CheckNumbers, Transaction};
use crate::limits;
use crate::net::{Path, PathKind};
use crate::time::{after, earliest};
use arrayvec::ArrayVec;
use std::time::{Duration, Instant};

/// Paths remembered per peer: two addresses of two networks, over UDP and TCP.
const MAX_PATHS: usize = 8;
/// What may go to an address in question, in bytes for each byte that came from there: as much as QUIC
/// allows (RFC 9000 section 8). A check and its answer, our check, and a flight of DTLS fit.
const AMPLIFICATION: usize = 3;
/// How often consent is checked, more or less (RFC 7675 section 5.1).
const CONSENT_EVERY: Duration = Duration::from_secs(5);
/// Pause before a check of ours is repeated: doubled up to `REPEAT`, from which consent's begins. RFC 7675
/// does not repeat them: on a line that loses 30 % each way, all six of half a minute are lost twice an
/// hour, and the peer would be cut off each time.
const FIRST_REPEAT: Duration = Duration::from_millis(250);
const REPEAT: Duration = Duration::from_secs(1);
/// Checks to a path that never answers, over 4 s; then it is checked again only when something comes from there.
const MAX_TRIES: u32 = 6;
/// Media that comes on a proved path moves the peer there when none has come on the selected one for so
/// long: ten packets of voice. Less, and packets in flight on the old path would move it back.
const MOVE_AFTER: Duration = Duration::from_millis(200);

/// A selected path on which nothing at all has come for this long gives way to a proved one on which something has: two
/// rounds of consent. Browsers send more, and sooner; this is for a client that only watches.
const SILENT_AFTER: Duration = Duration::from_secs(10);
/// The same while the client looks for other ways than the one it has, because nothing comes on that. Chromium nominates
/// another one only 3.5 s after the last packet, however soon it has found it.
const SILENT_IN_RESTART: Duration = Duration::from_secs(1);

pub(super) struct Paths {
    /// The selected one first, where there is one.
    known: ArrayVec<Known, MAX_PATHS>,
    selected: Option<Selected>,
    /// The client's last nomination, or our own choice since.
    nominated: Option<Path>,
    /// Media had a path and has none: the next one that is proved will do.
    lost: bool,
    /// The client has new credentials, and no path has been selected since.
    restarted: bool,
    numbers: CheckNumbers,
}

#[derive(Clone, Copy)]
struct Selected {
    path: Path,
    /// When it was selected, or media or the handshake last came on it.
    media: Instant,
}

struct Known {
    path: Path,
    /// When something from there last authenticated.
    received_at: Instant,
    /// That was media.
    media: Option<Instant>,
    proved: Option<Instant>,
    /// Bytes that may go there while it is in question.
    credit: usize,
    probe: Probe,
}

/// Our checks on one path.
#[derive(Default)]
struct Probe {
    /// The newest one; `open` until its answer came.
    transaction: Option<Transaction>,
    open: bool,
    tries: u32,
    sent: Option<Instant>,
    due: Option<Instant>,
}

/// Which check an answer was to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// Our newest check there.
    Check,
    /// The same, which was answered before.
    Again,
    /// None that we know.
    Nothing,
}

impl Paths {
    pub fn new(numbers: CheckNumbers) -> Paths {
        Paths {
            known: ArrayVec::new(),
            selected: None,
            nominated: None,
            lost: false,
            restarted: false,
            numbers,
        }
    }

    #[inline]
    pub fn selected(&self) -> Option<Path> {
        self.selected.map(|selected| selected.path)
    }

    pub fn is_proved(&self, now: Instant, path: &Path) -> bool {
        self.known.iter().any(|known| known.path == *path && known.is_proved(now))
    }

    /// Whether something from there authenticated lately, so that a handshake may go on.
    pub fn is_known(&self, now: Instant, path: &Path) -> bool {
        let fresh = |known: &Known| now.saturating_duration_since(known.received_at) < limits::CONSENT_EXPIRY;
        self.known.iter().any(|known| known.path == *path && fresh(known))
    }

    /// A check of the client's, of so many bytes, authenticated. True when media moves by it.
    pub fn on_check(&mut self, now: Instant, path: Path, bytes: usize, nominates: bool) -> bool {
        if nominates {
            self.nominated = Some(path);
        }
        self.on_authenticated(now, path, bytes);
        self.consider(now, path)
    }

    /// Media authenticated. Where it came from is only of interest when that is not the selected path.
    #[inline]
    pub fn on_media(&mut self, now: Instant, path: Path) -> bool {
        match &mut self.selected {
            Some(selected) if selected.path == path => {
                selected.media = now;
                true
            }
            _ => false,
        }
    }

    /// The same on any other path. Returns whether it is a new one, and whether media moves.
    pub fn on_media_elsewhere(&mut self, now: Instant, path: Path, bytes: usize) -> (bool, bool) {
        let new = !self.known.iter().any(|known| known.path == path);
        self.on_authenticated(now, path, bytes);
        if let Some(known) = self.find(&path) {
            known.media = Some(now);
        }
        (new, self.consider(now, path))
    }

    /// To which check of ours the answer with this number is, if it came from where that went.
    pub fn answers(&self, path: &Path, transaction: Transaction) -> Answered {
        let known = self.known.iter().find(|known| known.path == *path);
        match known.map(|known| &known.probe).filter(|probe| probe.transaction == Some(transaction)) {
            Some(probe) if probe.open => Answered::Check,
            Some(_) => Answered::Again,
            None => Answered::Nothing,
        }
    }

    /// A check of ours was answered: the path is proved. True when media moves by it.
    pub fn on_answer(&mut self, now: Instant, path: Path) -> bool {
        let pause = self.numbers.around(CONSENT_EVERY);
        let selected = self.selected() == Some(path);
        if let Some(known) = self.find(&path) {
            known.received_at = now;
            known.proved = Some(now);
            known.probe.open = false;
            known.probe.tries = 0;
            known.probe.due = selected.then(|| after(now, pause));
        }
        self.consider(now, path)
    }

    fn find(&mut self, path: &Path) -> Option<&mut Known> {
        self.known.iter_mut().find(|known| known.path == *path)
    }

    /// Something authenticated: the path is known from now on, and checked if it has not been lately.
    fn on_authenticated(&mut self, now: Instant, path: Path, bytes: usize) {
        if self.find(&path).is_none() {
            self.make_room();
            let _room_was_made = self.known.try_push(Known::new(now, path));
        }
        if let Some(known) = self.find(&path) {
            known.received_at = now;
            known.earn(bytes);
            let pause = if known.is_proved(now) { CONSENT_EVERY } else { REPEAT };
            known.probe.want(now, pause);
        }
    }

    /// What costs an attacker least goes first: paths from which only checks came, which can be replayed from anywhere;
    /// then those with media, which cannot; then proved ones. Never the selected one.
    fn make_room(&mut self) {
        if !self.known.is_full() {
            return;
        }
        let selected = self.selected();
        let others = self.known.iter().enumerate().filter(|(_, known)| Some(known.path) != selected);
        let worth = |known: &Known| (known.proved.is_some(), known.media.is_some(), known.received_at);
        let least = others.min_by_key(|(_, known)| worth(known)).map(|(place, _)| place);
        if let Some(place) = least {
            self.known.swap_remove(place);
        }
    }

    /// A record of the handshake came, of so many bytes. A peer whose address changed in the middle of it goes on from
    /// the new one, and nothing else shows that: there is no media yet. True when media moves by it.
    pub fn on_handshake(&mut self, now: Instant, path: Path, bytes: usize) -> bool {
        if let Some(known) = self.find(&path) {
            known.earn(bytes);
        }
        let here = self.on_media(now, path);
        let silent = |selected: Selected| now.saturating_duration_since(selected.media) >= MOVE_AFTER;
        let moves = !here && self.selected.is_some_and(silent) && self.is_proved(now, &path);
        if moves {
            self.select(now, path);
        }
        moves
    }

    /// Whether media goes over `path` from now on, and did not before.
    fn consider(&mut self, now: Instant, path: Path) -> bool {
        let known = self.known.iter().find(|known| known.path == path && known.is_proved(now));
        let Some(known) = known.filter(|_| self.selected() != Some(path)) else {
            return false;
        };
        let moves = self.nominated == Some(path) || self.lost || self.has_left_for(now, known);
        if moves {
            self.select(now, path);
        }
        moves
    }

    /// Whether the peer sends there and no longer on the selected path, without having nominated it.
    fn has_left_for(&self, now: Instant, known: &Known) -> bool {
        let (Some(selected), Some(first)) = (self.selected, self.known.first()) else {
            return false;
        };
        let sends = |media: Instant| media.saturating_duration_since(selected.media) >= MOVE_AFTER;
        let patience = if self.restarted { SILENT_IN_RESTART } else { SILENT_AFTER };
        let silent = now.saturating_duration_since(first.received_at.max(selected.media)) >= patience;
        known.media.is_some_and(sends) || silent
    }

    fn select(&mut self, now: Instant, path: Path) {
        let pause = self.numbers.around(CONSENT_EVERY);
        // The path that is left is checked again when something comes from there.
        if let Some(left) = self.selected().and_then(|left| self.find(&left)) {
            left.probe.due = None;
        }
        self.selected = Some(Selected { path, media: now });
        self.nominated = Some(path);
        (self.lost, self.restarted) = (false, false);
        let place = self.known.iter().position(|known| known.path == path).unwrap_or_default();
        if place != 0 {
            self.known.swap(0, place);
        }
        if let Some(known) = self.known.first_mut() {
            let next = after(known.probe.sent.unwrap_or(now), pause);
            known.probe.due = earliest(known.probe.due, Some(next));
        }
    }

    /// Whether so many bytes may go to `path` now. To a path that is not known only refusals go, each
    /// instead of a check that was as large.
    pub fn spend(&mut self, now: Instant, path: &Path, bytes: usize) -> bool {
        let Some(known) = self.find(path).filter(|known| !known.is_proved(now)) else {
            return true;
        };
        let left = known.credit.checked_sub(bytes);
        known.credit = left.unwrap_or(known.credit);
        left.is_some()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = self.known.iter().filter_map(|known| known.probe.due).min();
        earliest(due, self.selected_until())
    }

    fn selected_until(&self) -> Option<Instant> {
        let proved = self.known.first().filter(|_| self.selected.is_some())?.proved?;
        Some(after(proved, limits::CONSENT_EXPIRY))
    }

    /// A check that is due, if any: where to, and its number.
    pub fn next_check(&mut self, now: Instant) -> Option<(Path, Transaction)> {
        let selected = self.selected();
        let is_due = |known: &&mut Known| known.probe.due.is_some_and(|due| due <= now);
        let known = self.known.iter_mut().find(is_due)?;
        let probe = &mut known.probe;
        let transaction = match probe.transaction.filter(|_| probe.open) {
            Some(again) => again,
            None => self.numbers.draw(),
        };
        probe.transaction = Some(transaction);
        probe.open = true;
        probe.tries = probe.tries.saturating_add(1);
        probe.sent = Some(now);
        probe.due = match selected == Some(known.path) {
            true => Some(after(now, REPEAT)),
            false => (probe.tries < MAX_TRIES).then(|| after(now, probe.pause())),
        };
        Some((known.path, transaction))
    }

    /// The check could not be sent, since too little has come from there: again when more does.
    pub fn on_unsent(&mut self, path: &Path) {
        if let Some(known) = self.find(path) {
            known.probe.tries = known.probe.tries.saturating_sub(1);
            (known.probe.sent, known.probe.due) = (None, None);
        }
    }

    /// Consent of the selected path has ended: media goes over the proved path that was active last, or nowhere. True
    /// when it moves.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let ended = self.selected_until().is_some_and(|until| until <= now);
        ended && self.fall(now)
    }

    fn fall(&mut self, now: Instant) -> bool {
        self.selected = None;
        self.lost = true;
        let proved = self.known.iter().filter(|known| known.is_proved(now));
        let newest = proved.max_by_key(|known| known.received_at).map(|known| known.path);
        if let Some(path) = newest {
            self.select(now, path);
        }
        newest.is_some()
    }

    /// A TCP connection is gone. True when media moves to another path by it.
    pub fn forget(&mut self, now: Instant, path: &Path) -> bool {
        self.known.retain(|known| known.path != *path);
        self.nominated = self.nominated.filter(|nominated| nominated != path);
        self.selected() == Some(*path) && self.fall(now)
    }

    /// The client has new credentials, with which nothing has come yet: proved paths stay proved, checks of ours wait
    /// until one of the client's comes with them.
    pub fn restart(&mut self) {
        self.restarted = true;
        for known in &mut self.known {
            known.probe = Probe::default();
        }
    }
}

impl Known {
    fn new(now: Instant, path: Path) -> Known {
        // A TCP connection cannot be completed from a forged address.
        let proved = (path.kind == PathKind::Tcp).then_some(now);
        Known { path, received_at: now, media: None, proved, credit: 0, probe: Probe::default() }
    }

    fn earn(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_add(bytes.saturating_mul(AMPLIFICATION));
    }

    fn is_proved(&self, now: Instant) -> bool {
        self.proved.is_some_and(|at| now.saturating_duration_since(at) < limits::CONSENT_EXPIRY)
    }
}

impl Probe {
    /// Something came from the path: it is checked, unless a check is due already or was sent less than `pause` ago.
    fn want(&mut self, now: Instant, pause: Duration) {
        let lately = |sent: Instant| now.saturating_duration_since(sent) < pause;
        if self.due.is_none() && !self.sent.is_some_and(lately) {
            self.due = Some(now);
            self.tries = 0;
        }
    }

    fn pause(&self) -> Duration {
        let doublings = self.tries.saturating_sub(1).min(MAX_TRIES);
        FIRST_REPEAT.saturating_mul(1 << doublings).min(REPEAT)
    }
}
