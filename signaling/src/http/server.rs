//! Accepts connections and serves one router over plain TCP and over TLS, within bounds.

use super::Way;
use crate::log::few;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use sfu::driver::canonical;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::Service;

/// A slow line needs three round trips of a second; who needs longer holds a place for nothing.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed accept: out of file descriptors, a loop would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections of all listeners together.
#[derive(Debug, Clone)]
pub struct Limit(Arc<Semaphore>);

impl Limit {
    pub fn new(connections: usize) -> Limit {
        Limit(Arc::new(Semaphore::new(connections)))
    }

    fn enter(&self) -> Option<Place> {
        let permit = self.0.clone().try_acquire_owned().ok()?;
        Some(Place(Arc::new(permit)))
    }
}

/// A connection's place among those allowed; free again when the last clone is dropped. It goes along
/// with each request, for a WebSocket outlives the HTTP connection it came from.
#[derive(Debug, Clone)]
pub struct Place(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

/// Serves HTTP until the task is dropped; open WebSockets outlive it.
pub async fn serve_plain(listener: TcpListener, router: Router, limit: Limit) {
    loop {
        let (stream, way, place) = accept(&listener, &limit).await;
        let router = router.clone();
        tokio::spawn(async move {
            serve_connection(stream, way, router, place).await;
        });
    }
}

/// Serves HTTPS until the task is dropped.
pub async fn serve_tls(listener: TcpListener, router: Router, limit: Limit, config: Arc<ServerConfig>) {
    let acceptor = TlsAcceptor::from(config);
    loop {
        let (stream, way, place) = accept(&listener, &limit).await;
        let way = Way { tls: true, ..way };
        let address = way.peer;
        let (router, acceptor) = (router.clone(), acceptor.clone());
        tokio::spawn(async move {
            match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => serve_connection(stream, way, router, place).await,
                // Browsers that do not trust the certificate yet end here, and they do it often.
                Ok(Err(e)) => tracing::debug!(%address, error = %e, "TLS handshake failed"),
                Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
            }
        });
    }
}

/// The next connection there is room for; those beyond are closed at once.
async fn accept(listener: &TcpListener, limit: &Limit) -> (TcpStream, Way, Place) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => match limit.enter() {
                Some(place) => {
                    // Small messages must not wait for their acknowledgement.
                    let _ = stream.set_nodelay(true);
                    let way = way(&stream, address);
                    return (stream, way, place);
                }
                None => few::TOO_MANY_CONNECTIONS.tell(|unsaid| {
                    let address = canonical(address);
                    tracing::warn!(%address, unsaid, "too many connections, closed one");
                }),
            },
            Err(e) => {
                few::CANNOT_ACCEPT.tell(|unsaid| {
                    tracing::warn!(error = %e, unsaid, "cannot accept a connection");
                });
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// How a connection came. A listener of both families knows IPv4 addresses as IPv6 ones; nobody after it does.
fn way(stream: &TcpStream, peer: SocketAddr) -> Way {
    // Without one it is already gone again; it names no address and gets no further.
    let local = stream.local_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |at| at.ip().to_canonical());
    Way { peer: canonical(peer), local, tls: false }
}

async fn serve_connection<S>(stream: S, way: Way, router: Router, place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(way.peer));
        request.extensions_mut().insert(way);
        request.extensions_mut().insert(place.clone());
        router.clone().call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(e) = served {
        tracing::debug!(address = %way.peer, error = %e, "HTTP connection failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_over_ipv4_is_known_by_an_ipv4_address() {
        let everywhere = "[::]:0".parse().expect("an address");
        let listener = sfu::driver::listen(everywhere, 1).and_then(TcpListener::from_std).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("somebody listens");
        let (_, way, _) = accept(&listener, &Limit::new(1)).await;
        assert_eq!(way.peer, client.local_addr().expect("connected"));
        assert_eq!(way.local, Ipv4Addr::LOCALHOST);
    }
}
