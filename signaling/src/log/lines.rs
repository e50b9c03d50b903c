//! The lines of the log on their way to standard error. A thread that logs only puts a line into a bounded queue; one
//! thread writes. A full disk, a dead pipe or a pipe that is not read costs lines, which are counted, and the count is
//! logged as soon as something can be written again; it never costs a meeting.
//!
//! Why not `tracing-appender`: its thread forgets a line it failed to write without counting it, does not mention lost
//! lines in the log, counts lines and not bytes, and holds the library's lock on standard error while it is stuck, so
//! that a last sentence of the process is stuck, too.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Bytes that wait at most: some 7,000 lines, the trace of a second or a week of an ordinary log, and
/// little beside what one meeting takes. More would only be older when it is read.
const MAX_WAITING_BYTES: usize = 1 << 20;
/// What a line costs in the queue beside its text.
const LINE_BYTES: usize = size_of::<Vec<u8>>();
/// Losses are logged at most this often while they go on: the log is full enough as it is.
const NOTICE_EVERY: Duration = Duration::from_secs(10);

/// A queue of whole lines between many who log and the one thread that writes.
#[derive(Debug)]
pub struct Lines {
    queue: Mutex<Queue>,
    changed: Condvar,
    lost: AtomicU64,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
    /// A line has been taken and is not written yet.
    writing: bool,
}

impl Lines {
    pub const fn new() -> Lines {
        let queue = Queue { waiting: VecDeque::new(), bytes: 0, writing: false };
        Lines { queue: Mutex::new(queue), changed: Condvar::new(), lost: AtomicU64::new(0) }
    }

    /// Takes a line for writing, or counts it as lost. Nothing slow ever happens under the lock.
    pub fn push(&self, line: &[u8]) {
        let mut queue = self.lock();
        let bytes = queue.bytes.saturating_add(cost(line));
        if bytes > MAX_WAITING_BYTES {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.bytes = bytes;
        queue.waiting.push_back(line.to_vec());
        drop(queue);
        self.changed.notify_all();
    }

    /// Lines lost since the process began: the queue was full, or they could not be written.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything is written, at most `patience`.
    pub fn flush(&self, patience: Duration) {
        let busy = |queue: &mut Queue| queue.writing || !queue.waiting.is_empty();
        drop(self.changed.wait_timeout_while(self.lock(), patience, busy));
    }

    /// Writes lines to `sink` for ever; `notice` words how many were lost.
    pub fn write_to(&self, sink: impl Write, notice: impl Fn(u64) -> String) {
        let mut writer = Writer { lines: self, sink, notice, reported: 0, reported_at: None, torn: false };
        loop {
            let line = self.take(writer.reported);
            writer.turn(line, Instant::now());
        }
    }

    /// The next line; `None` when there has been none for a while and losses are not logged yet.
    fn take(&self, reported: u64) -> Option<Vec<u8>> {
        let mut queue = self.lock();
        queue.writing = false;
        self.changed.notify_all();
        while queue.waiting.is_empty() {
            if self.lost() == reported {
                queue = self.changed.wait(queue).unwrap_or_else(|e| e.into_inner());
                continue;
            }
            let woken = self.changed.wait_timeout(queue, NOTICE_EVERY).unwrap_or_else(|e| e.into_inner());
            queue = woken.0;
            if woken.1.timed_out() {
                break;
            }
        }
        let line = queue.waiting.pop_front();
        queue.bytes = queue.bytes.saturating_sub(line.as_deref().map_or(0, cost));
        queue.writing = line.is_some();
        line
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // What a panic left is whole: every change is a few assignments.
        self.queue.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// What a line takes of the queue.
fn cost(line: &[u8]) -> usize {
    line.len().saturating_add(LINE_BYTES)
}

/// What the writing thread knows.
struct Writer<'a, S, N> {
    lines: &'a Lines,
    sink: S,
    notice: N,
    /// Losses the log has reported, and when it last did.
    reported: u64,
    reported_at: Option<Instant>,
    /// The last thing written is half a line.
    torn: bool,
}

impl<S: Write, N: Fn(u64) -> String> Writer<'_, S, N> {
    fn turn(&mut self, line: Option<Vec<u8>>, now: Instant) {
        let idle = line.is_none();
        let written = line.is_none_or(|line| self.put(&line));
        if !written {
            self.lines.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let lately = self.reported_at.is_some_and(|at| now.saturating_duration_since(at) < NOTICE_EVERY);
        let lost = self.lines.lost();
        if lost > self.reported && (idle || !lately) {
            let notice = (self.notice)(lost.saturating_sub(self.reported));
            if self.put(notice.as_bytes()) {
                self.reported = lost;
                self.reported_at = Some(now);
            }
        }
    }

    /// Writes a whole line; after half a one the next begins on a line of its own.
    fn put(&mut self, line: &[u8]) -> bool {
        if self.torn {
            match write_counted(&mut self.sink, b"\n") {
                Ok(()) => self.torn = false,
                Err(_) => return false,
            }
        }
        match write_counted(&mut self.sink, line) {
            Ok(()) => true,
            Err(written) => {
                self.torn = written > 0;
                false
            }
        }
    }
}

/// Like `write_all`, but an error carries how much was written before it.
fn write_counted(sink: &mut impl Write, bytes: &[u8]) -> Result<(), usize> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match sink.write(rest) {
            Ok(0) => return Err(written),
            Ok(n) => written = written.saturating_add(n),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(written),
        }
    }
    Ok(())
}

impl Default for Lines {
    fn default() -> Lines {
        Lines::new()
    }
}

/// For `tracing`: each event is one `write`. It cannot fail, so no caller has an error to print.
impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, mpsc};

    /// Writes so many bytes and then fails, as a full disk does.
    #[derive(Default)]
    struct Disk {
        room: usize,
        written: Vec<u8>,
    }

    impl Write for &mut Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let fits = bytes.len().min(self.room);
            if fits == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= fits;
            self.written.extend_from_slice(bytes.get(..fits).unwrap_or_default());
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(text: &str) -> Option<Vec<u8>> {
        Some(format!("{text}\n").into_bytes())
    }

    #[test]
    fn a_full_disk_costs_lines_and_the_log_says_so_when_there_is_room() {
        let start = Instant::now();
        let lines = Lines::new();
        let mut disk = Disk { room: 7, ..Disk::default() };
        let notice = |lost| format!("lost {lost}\n");
        let mut writer =
            Writer { lines: &lines, sink: &mut disk, notice, reported: 0, reported_at: None, torn: false };
        for text in ["one", "two", "three"] {
            writer.turn(line(text), start);
        }
        assert_eq!(lines.lost(), 2);
        writer.sink.room = 100;
        writer.turn(line("four"), start);
        assert_eq!(String::from_utf8_lossy(&disk.written), "one\ntwo\nfour\nlost 2\n", "half a line ends");
    }

    #[test]
    fn losses_are_logged_once_in_a_while_and_also_without_other_lines() {
        let start = Instant::now();
        let lines = Lines::new();
        let mut disk = Disk { room: 1_000, ..Disk::default() };
        let notice = |lost| format!("lost {lost}\n");
        let mut writer =
            Writer { lines: &lines, sink: &mut disk, notice, reported: 0, reported_at: None, torn: false };
        for second in 0..15 {
            lines.lost.fetch_add(10, Ordering::Relaxed);
            writer.turn(line("x"), start + Duration::from_secs(second));
        }
        writer.turn(None, start + Duration::from_secs(16));
        let reported = String::from_utf8_lossy(&disk.written).replace("x\n", "");
        assert_eq!(reported, "lost 10\nlost 100\nlost 40\n");
    }

    #[test]
    fn logging_never_waits_and_the_memory_is_bounded() {
        let lines = Lines::new();
        let text = [b'x'; 1_000];
        for _ in 0..10_000 {
            lines.push(&text);
        }
        let queue = lines.lock();
        let held: usize = queue.waiting.iter().map(Vec::len).sum();
        assert!((MAX_WAITING_BYTES / 2..=MAX_WAITING_BYTES).contains(&held), "{held}");
        assert_eq!(lines.lost() + queue.waiting.len() as u64, 10_000, "each is kept or counted");
    }

    /// Hands each line on only when the test takes it.
    struct Reader(mpsc::SyncSender<Vec<u8>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let sent = self.0.send(bytes.to_vec());
            sent.map(|()| bytes.len()).map_err(|_| ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_end_waits_for_the_last_words_but_not_for_ever() {
        let lines = Arc::new(Lines::new());
        let (sink, reader) = mpsc::sync_channel(0);
        let writing = lines.clone();
        std::thread::spawn(move || writing.write_to(Reader(sink), |_| String::new()));
        lines.push(b"first\n");
        lines.push(b"last words\n");
        lines.flush(Duration::from_millis(1));
        assert_eq!(lines.lost(), 0, "it came back while the pipe was not read");
        let read = std::thread::spawn(move || [reader.recv(), reader.recv()]);
        lines.flush(Duration::from_secs(600));
        let read = read.join().expect("no panic").map(|line| line.expect("written"));
        assert_eq!(read, [&b"first\n"[..], b"last words\n"]);
    }
}
