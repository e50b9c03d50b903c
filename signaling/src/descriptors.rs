//! Open files: each connection is one, and the system allows a process only so many. A server that runs out of them can
//! accept no connection, not even of sites that have a place kept.

use crate::config::Config;
use crate::error::StartError;
use driver::MAX_UNPROVEN_TCP;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Listeners, sockets and queues of the threads, connections for numbers, the certificate, the log; a
/// demo's own sites. Some 60 are open in a running server of four workers.
const RESERVE: u64 = 128;
/// Fewer connections than this are no meeting; each site takes one, and a page opens a few at once.
const FEWEST: u64 = 32;

/// What `connections` sites may open: the WebSocket, and media over TCP where UDP is blocked. Strangers
/// hold a bounded number of TCP connections to each worker.
pub fn needed(connections: usize, workers: usize) -> u64 {
    let of_sites = (connections as u64).saturating_mul(2);
    RESERVE.saturating_add(of_strangers(workers)).saturating_add(of_sites)
}

fn of_strangers(workers: usize) -> u64 {
    workers.saturating_mul(MAX_UNPROVEN_TCP) as u64
}

/// The connections for which so many open files are enough.
fn room(open_files: u64, workers: usize) -> u64 {
    open_files.saturating_sub(RESERVE.saturating_add(of_strangers(workers))) / 2
}

/// The most open files this process may ever have; `None` is without limit.
pub fn ceiling() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Takes as many open files as the system gives, and lowers `limits.connections` to what fits.
pub fn fit(config: &mut Config) -> Result<(), StartError> {
    let ceiling = ceiling();
    let raised = setrlimit(Resource::Nofile, Rlimit { current: ceiling, maximum: ceiling });
    let allowed = match raised {
        Ok(()) => ceiling,
        // The kernel's own bound may be lower than the limit it reports.
        Err(_) => getrlimit(Resource::Nofile).current,
    };
    let connections = fitting(config.limits.connections, allowed, config.media.threads())?;
    if connections < config.limits.connections {
        tracing::warn!(
            wanted = config.limits.connections,
            connections,
            open_files = allowed,
            needed = needed(config.limits.connections, config.media.threads()),
            "limits.connections is lowered: the system allows too few open files (ulimit -n, LimitNOFILE)"
        );
        config.limits.connections = connections;
    }
    Ok(())
}

fn fitting(wanted: usize, allowed: Option<u64>, workers: usize) -> Result<usize, StartError> {
    let Some(allowed) = allowed else {
        return Ok(wanted);
    };
    let room = room(allowed, workers);
    if room >= wanted as u64 {
        return Ok(wanted);
    }
    if room < FEWEST {
        return Err(StartError::config(format!(
            "hệ thống chỉ cho mở {allowed} tệp, quá ít để họp; nâng giới hạn (ulimit -n, LimitNOFILE) lên {} cho limits.connections = {wanted}",
            needed(wanted, workers)
        )));
    }
    Ok(usize::try_from(room).unwrap_or(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_fit_into_the_open_files_or_the_server_names_what_it_needs() {
        let enough = needed(2_000, 2);
        assert_eq!(fitting(2_000, Some(enough), 2), Ok(2_000));
        assert_eq!(fitting(2_000, Some(enough - 1), 2), Ok(1_999));
        assert_eq!(fitting(2_000, None, 2), Ok(2_000));
        assert_eq!(fitting(2_000, Some(1_024), 2), Ok(320));
        let error = fitting(2_000, Some(256), 2).expect_err("too few");
        assert!(error.sentence.contains(&enough.to_string()), "{error}");
    }
}
