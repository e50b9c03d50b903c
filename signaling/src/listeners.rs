//! Opens the ports; a port that cannot be opened is one sentence.

use crate::config::Config;
use crate::error::{StartCode, StartError};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// The three TCP listeners of a server.
#[derive(Debug)]
pub struct Listeners {
    pub http: TcpListener,
    pub https: TcpListener,
    pub metrics: TcpListener,
}

impl Listeners {
    pub async fn open(config: &Config) -> Result<Listeners, StartError> {
        Ok(Listeners {
            http: open("http", config.http)?,
            https: open("https", config.https)?,
            metrics: open("metrics", config.metrics)?,
        })
    }
}

/// Connections the kernel completes ahead of `accept`: all sites of the server come back at once after a restart.
const BACKLOG: i32 = 1024;

fn open(setting: &str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = driver::listen(address, BACKLOG).and_then(TcpListener::from_std);
    listener.map_err(|e| StartError::cannot_listen(setting, address, &e))
}

/// The port a listener really got.
pub fn address_of(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|e| StartError::new(StartCode::Internal, e.to_string()))
}
