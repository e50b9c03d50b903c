//! Runs the server from open listeners to a drained end.

use crate::config::Config;
use crate::error::StartError;
use crate::hall;
use crate::http::{self, Limit};
use crate::listeners::Listeners;
use crate::media::MediaPort;
use crate::metrics::{self, Board};
use crate::tls;
use rand::Rng;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Metrics are read by one Prometheus, perhaps two, and a person.
const METRICS_CONNECTIONS: usize = 16;

/// Serves until `shutdown` is done, then tells the sites, waits at most `drain_seconds` for them to
/// go, and returns. What media still flows stops then.
pub async fn run(
    config: Config,
    listeners: Listeners,
    media: MediaPort,
    shutdown: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let names = tls::names(&config.names);
    let certificate = tls::server_config(&config.data, &names, SystemTime::now())?;
    let board = Arc::new(Board::default());
    let door = hall::open(&config, media, board.clone());
    let limit = Limit::new(config.limits.connections);
    let router = http::router(door.clone());

    announce(&listeners);
    let mut servers = JoinSet::new();
    servers.spawn(http::serve_plain(listeners.http, router.clone(), limit.clone()));
    servers.spawn(http::serve_tls(listeners.https, router, limit, certificate));
    let metrics_server = tokio::spawn(http::serve_plain(
        listeners.metrics,
        metrics::router(board),
        Limit::new(METRICS_CONNECTIONS),
    ));

    shutdown.await;
    tracing::info!(seconds = config.drain_seconds, "draining");
    // No new connections; the open ones are told and may end by themselves.
    servers.abort_all();
    let patience = Duration::from_secs(config.drain_seconds);
    if timeout(patience, door.drain()).await.is_err() {
        tracing::info!("some sites were still connected");
    }
    metrics_server.abort();
    Ok(())
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

/// 128 random bits in hexadecimal: for seats and join links.
pub fn secret() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
