//! Numbers for Prometheus. The hall posts the newest state on the [`Board`]; a scrape reads it. There are no series to
//! register or to forget: a site that has left is not in the newest state.

mod family;
mod sites;
mod workers;

use crate::links::Sample;
use crate::log;
use crate::media::{Overflows, WorkerStats};
use crate::meeting::SeatRow;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use family::{Family, Kind};
use prometheus::TextEncoder;
use protocol::ErrorCode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// One seat and what is known of its line.
#[derive(Debug, Clone)]
pub struct SiteRow {
    pub meeting: String,
    pub seat: SeatRow,
    pub sample: Sample,
}

/// The newest state of everything that is measured.
#[derive(Debug, Default)]
pub struct Board(Mutex<Newest>);

#[derive(Debug, Default)]
struct Newest {
    sites: Vec<SiteRow>,
    workers: BTreeMap<usize, WorkerStats>,
    /// Workers that hang; their last numbers are old.
    stuck: Vec<usize>,
    /// What the kernel counts of their sockets.
    overflows: Overflows,
    connections: usize,
    refusals: BTreeMap<ErrorCode, u64>,
}

impl Board {
    pub fn sites(&self, rows: Vec<SiteRow>, connections: usize) {
        let mut state = self.lock();
        state.sites = rows;
        state.connections = connections;
    }

    pub fn worker(&self, worker: usize, stats: WorkerStats) {
        self.lock().workers.insert(worker, stats);
    }

    /// The sockets that are looked at.
    pub fn overflows(&self, overflows: Overflows) {
        self.lock().overflows = overflows;
    }

    pub fn stuck(&self, workers: &[usize]) {
        self.lock().stuck = workers.to_vec();
    }

    pub fn refused(&self, code: ErrorCode) {
        let mut state = self.lock();
        let refusals = state.refusals.entry(code).or_default();
        *refusals = refusals.saturating_add(1);
    }

    fn lock(&self) -> MutexGuard<'_, Newest> {
        // Every change is a single assignment: what a panic left is still whole.
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn families(&self) -> Vec<Family> {
        let state = self.lock();
        let mut families = sites::families(&state.sites);
        families.extend(workers::families(&state.workers, &state.stuck));
        families.push(workers::overflows(&state.overflows));
        let mut connections = Family::new(Kind::Gauge, "nhipcau_connections", "Open WebSocket connections.");
        connections.add(&[], state.connections as f64);
        let mut refusals = Family::new(
            Kind::Counter,
            "nhipcau_refusals_total",
            "Requests refused, by the code the site was told.",
        );
        for (code, n) in &state.refusals {
            refusals.add(&[("code", &code.to_string())], *n as f64);
        }
        families.extend([connections, refusals]);
        families.extend(log_lines());
        families
    }
}

/// What is not in the log.
fn log_lines() -> [Family; 2] {
    let mut lost = Family::new(
        Kind::Counter,
        "nhipcau_log_lost_lines_total",
        "Lines of the log that could not be written.",
    );
    lost.add(&[], log::lost_lines() as f64);
    let mut counted = Family::new(
        Kind::Counter,
        "nhipcau_log_counted_lines_total",
        "Lines of the log that were only counted, because there were many of one kind.",
    );
    for (kind, lines) in log::few::counted() {
        counted.add(&[("kind", kind)], lines as f64);
    }
    [lost, counted]
}

/// Everything in Prometheus's text format.
pub fn render(board: &Board) -> Result<String, prometheus::Error> {
    let mut families = board.families();
    families.push(build_info());
    let families: Vec<_> = families.into_iter().filter_map(Family::into_proto).collect();
    TextEncoder::new().encode_to_string(&families)
}

fn build_info() -> Family {
    let mut info = Family::new(Kind::Gauge, "nhipcau_build_info", "Always 1; which version runs.");
    info.add(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    info
}

/// `/metrics`, for a listener of its own.
pub fn router(board: Arc<Board>) -> Router {
    Router::new().route("/metrics", get(scrape)).with_state(board)
}

async fn scrape(State(board): State<Arc<Board>>) -> Response {
    match render(&board) {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(e) => {
            tracing::error!(error = %e, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
