//! The log: what is logged, and how it gets to standard error without ever holding a caller up.

pub mod few;
mod lines;

use crate::error::{StartCode, StartError};
use crate::output::Unbuffered;
use driver::priority::BehindMedia;
use lines::Lines;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::time::Duration;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::prelude::*;

/// The last lines of a process wait this long to be read.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Crates of this workspace. Of all others nothing is shown at `trace`.
const OURS: [&str; 3] = ["nhipcau", "signaling", "sfu"];

/// Everything for standard error goes through here.
static STANDARD_ERROR: Lines = Lines::new();

/// Begins to write what is logged and said.
pub fn open() -> Result<(), StartError> {
    let writer = std::thread::Builder::new().name("log".to_owned());
    let writing = writer.spawn(|| {
        BehindMedia::of_this_process().give_way();
        STANDARD_ERROR.write_to(Unbuffered(std::io::stderr()), notice)
    });
    writing.map(drop).map_err(|e| StartError::new(StartCode::Internal, e.to_string()))
}

/// Begins to log what `filter` lets through. `NHIPCAU_LOG` outweighs it.
pub fn start(filter: &str) -> Result<(), StartError> {
    let filter = std::env::var("NHIPCAU_LOG").unwrap_or_else(|_| filter.to_owned());
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| &STANDARD_ERROR)
        // It would print them with `eprintln!`, which panics.
        .log_internal_errors(false)
        .with_filter(EnvFilter::new(filter).and(filter_fn(keeps_secrets)));
    let started = tracing_subscriber::registry().with(lines).try_init();
    started.map_err(|e| StartError::new(StartCode::Internal, e.to_string()))?;
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// Libraries print at `trace` what crosses the wire: `tungstenite` every frame, and with it the
/// secrets of links and seats. No setting makes them do so.
fn keeps_secrets(line: &Metadata<'_>) -> bool {
    let crate_name = line.target().split("::").next().unwrap_or_default();
    *line.level() != Level::TRACE || OURS.contains(&crate_name)
}

/// The standard hook writes to standard error by itself, and hangs where that is not read; the panicking thread would
/// then hang, too, and the panic would go unnoticed.
fn panicked(panic: &PanicHookInfo<'_>) {
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    let thread = std::thread::current();
    few::PANIC.tell(|unsaid| {
        tracing::error!(thread = thread.name(), unsaid, trace, "{}", panic.to_string().replace('\n', " "));
    });
}

fn notice(lost: u64) -> String {
    let mut text = String::new();
    // Formatting into a string fails only where the time cannot be read; then the line has no time.
    let _ = SystemTime.format_time(&mut Writer::new(&mut text));
    format!("{text}  WARN signaling::log: lines of the log were lost lines={lost}\n")
}

/// Writes a sentence to standard error, after what was logged before it.
pub fn say(sentence: &str) {
    STANDARD_ERROR.push(format!("{sentence}\n").as_bytes());
}

/// Waits a little until everything is written; for the end of the process.
pub fn finish() {
    STANDARD_ERROR.flush(LAST_WORDS);
}

/// Lines lost since the process began.
pub fn lost_lines() -> u64 {
    STANDARD_ERROR.lost()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shown(Arc<Mutex<Vec<u8>>>);

    impl Write for Shown {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("whole").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_libraries_print_of_the_wire_is_shown_at_no_level() {
        let shown = Shown::default();
        let writer = shown.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .with_filter(EnvFilter::new("trace,tungstenite=trace").and(filter_fn(keeps_secrets)));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::trace!(target: "tungstenite::protocol::frame", "received frame token");
            tracing::debug!(target: "hyper::proto", "parsed headers");
            tracing::trace!(target: "signaling::hall", "a turn");
        });
        let shown = String::from_utf8(shown.0.lock().expect("whole").clone()).expect("text");
        assert!(!shown.contains("token"), "{shown}");
        assert!(shown.contains("parsed headers") && shown.contains("a turn"), "{shown}");
    }

    #[test]
    fn a_notice_is_a_line_like_any_other() {
        let line = notice(7);
        assert!(line.ends_with(" WARN signaling::log: lines of the log were lost lines=7\n"), "{line}");
        assert!(line.starts_with("20") && line.lines().count() == 1, "{line}");
    }
}
