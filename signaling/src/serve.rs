//! Runs the server from open listeners to a drained end.

use crate::config::Config;
use crate::error::{StartCode, StartError};
use crate::hall::{self, Broken};
use crate::http::{self, Gate};
use crate::listeners::{Listeners, address_of};
use crate::log::few;
use crate::media::MediaPort;
use crate::metrics::{self, Board};
use crate::net::Places;
use crate::tls;
use axum::middleware::from_fn_with_state;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

/// Metrics are read by one Prometheus, perhaps two, and a person.
const METRICS_CONNECTIONS: usize = 16;

/// Without media there is nothing to wait for: sites that do not go at once find a closed socket.
const BROKEN_DRAIN: Duration = Duration::from_millis(500);

/// Serves until `shutdown` is done, then notifies the sites, waits at most `drain_seconds` for them to go, and returns.
/// What media still flows stops then. A server that cannot go on does the same, faster, and returns why: a supervisor
/// starts it again, and the sites come back.
pub async fn run(
    config: Config,
    listeners: Listeners,
    media: MediaPort,
    shutdown: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let shown = tls::open(&config, SystemTime::now())?;
    let certificate = tls::server_config(shown.clone())?;
    let gate = Gate::new(&config, shown.clone(), address_of(&listeners.https)?.port());
    let board = Arc::new(Board::default());
    let door = hall::open(&config, media, board.clone());
    let places = places(&config);
    let invitations = http::Invitations::new(&config, door.clone());
    let router = http::router(door.clone(), invitations, gate.clone());

    announce(&listeners);
    let mut servers = JoinSet::new();
    servers.spawn(http::serve_plain(listeners.http, router.clone(), places.clone()));
    servers.spawn(http::serve_tls(listeners.https, router, places, certificate));
    servers.spawn(tls::follow(tls::Source::of(&config), shown));
    servers.spawn(tell_what_was_counted());
    let metrics_server = serve_numbers(listeners.metrics, board, gate);

    let (patience, ended) = tokio::select! {
        () = shutdown => (Duration::from_secs(config.drain_seconds), Ok(())),
        broken = door.broken() => (BROKEN_DRAIN, Err(why(broken))),
    };
    match &ended {
        Ok(()) => tracing::info!(?patience, "draining"),
        Err(e) => tracing::error!("{e}"),
    }
    // No new connections; the open ones are notified and may end by themselves.
    servers.abort_all();
    if timeout(patience, door.drain()).await.is_err() {
        tracing::info!("some sites were still connected");
    }
    metrics_server.abort();
    ended
}

fn places(config: &Config) -> Places {
    let invited = config.meetings.iter().map(|meeting| meeting.sites.len()).sum();
    Places::new(config.limits.connections, config.limits.connections_per_address, invited)
}

/// For Prometheus, until it is aborted: while the server drains, too.
fn serve_numbers(listener: TcpListener, board: Arc<Board>, gate: Gate) -> JoinHandle<()> {
    let router = metrics::router(board).layer(from_fn_with_state(gate, http::gate::for_numbers));
    let places = Places::new(METRICS_CONNECTIONS, METRICS_CONNECTIONS, 0);
    tokio::spawn(http::serve_plain(listener, router, places))
}

/// What strangers flooded the log with and it did not write, once in a while.
async fn tell_what_was_counted() {
    let mut due = tokio::time::interval(few::WINDOW);
    loop {
        due.tick().await;
        few::tell_rest(Instant::now());
    }
}

fn why(broken: Broken) -> StartError {
    match broken {
        Broken::MediaWorker(worker) => StartError::new(
            StartCode::MediaWorkerLost,
            format!(
                "luồng âm thanh, hình ảnh số {worker} đã dừng ngoài ý muốn; máy chủ báo các điểm cầu rồi thoát để được khởi động lại"
            ),
        ),
        Broken::Hall => StartError::new(
            StartCode::Internal,
            "phần điều hành cuộc họp đã dừng ngoài ý muốn; máy chủ thoát để được khởi động lại",
        ),
    }
}

fn announce(listeners: &Listeners) {
    let address = |listener: &TcpListener| listener.local_addr().ok();
    tracing::info!(
        http = ?address(&listeners.http),
        https = ?address(&listeners.https),
        metrics = ?address(&listeners.metrics),
        "serving"
    );
}
