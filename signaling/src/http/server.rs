//! Accepts connections and serves one router over plain TCP and over TLS, within bounds.

use super::Way;
use crate::log::few;
use crate::net::{Full, Line, Place, Places};
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use driver::canonical;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tower::Service;

/// A slow line needs three round trips of a second; a client that needs longer holds a place for nothing.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Also between two requests: a browser opens a new connection when it needs one.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The page has some 300 KB, which a line of 100 kbit/s brings in half a minute. A client that reads slowly what it has
/// asked for holds its place no longer than this; connections that become a WebSocket are not meant.
const HTTP_LIFETIME: Duration = Duration::from_secs(120);
/// A browser's request has 1 KB. Unfinished ones of 2,000 strangers take no more than 32 MB.
const MAX_REQUEST_BYTES: usize = 16 * 1024;
/// Pause after a failed accept: out of file descriptors, a loop would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves HTTP until the task is dropped; open WebSockets outlive it.
pub async fn serve_plain(listener: TcpListener, router: Router, places: Places) {
    loop {
        let (stream, way, place) = accept(&listener, &places).await;
        let router = router.clone();
        tokio::spawn(async move {
            serve_connection(stream, way, router, place).await;
        });
    }
}

/// Serves HTTPS until the task is dropped.
pub async fn serve_tls(listener: TcpListener, router: Router, places: Places, config: Arc<ServerConfig>) {
    let acceptor = TlsAcceptor::from(config);
    loop {
        let (stream, way, place) = accept(&listener, &places).await;
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
async fn accept(listener: &TcpListener, places: &Places) -> (TcpStream, Way, Place) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => match places.enter(address.ip()) {
                Ok(place) => {
                    // Small messages must not wait for their acknowledgement.
                    let _ = stream.set_nodelay(true);
                    let way = way(&stream, address);
                    return (stream, way, place);
                }
                Err(full) => tell_full(full, canonical(address)),
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

/// How a connection came. A listener of both families knows IPv4 addresses as IPv6 ones; nothing after it does.
fn way(stream: &TcpStream, peer: SocketAddr) -> Way {
    // Without a local address the connection is gone again; it names no address and gets no further.
    let local = stream.local_addr().map_or(Ipv4Addr::UNSPECIFIED.into(), |at| at.ip().to_canonical());
    Way { peer: canonical(peer), local, tls: false }
}

fn tell_full(full: Full, address: SocketAddr) {
    match full {
        Full::Server => few::TOO_MANY_CONNECTIONS.tell(|unsaid| {
            tracing::warn!(%address, unsaid, "too many connections, closed one");
        }),
        Full::Address => few::TOO_MANY_OF_ADDRESS.tell(|unsaid| {
            tracing::warn!(%address, unsaid, "too many connections of this address, closed one");
        }),
    }
}

async fn serve_connection<S>(stream: S, way: Way, router: Router, place: Place)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let line = Line::new(stream);
    let allowance = line.allowance();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(way.peer));
        request.extensions_mut().insert(way);
        request.extensions_mut().insert(place.clone());
        request.extensions_mut().insert(allowance.clone());
        router.clone().call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_REQUEST_BYTES)
        .serve_connection(TokioIo::new(line), service)
        .with_upgrades();
    let address = way.peer;
    match timeout(HTTP_LIFETIME, served).await {
        Ok(Ok(())) => {}
        Ok(Err(e)) => tracing::debug!(%address, error = %e, "HTTP connection failed"),
        Err(_) => tracing::debug!(%address, "HTTP connection took too long"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_comes_over_ipv4_is_known_by_an_ipv4_address() {
        let everywhere = "[::]:0".parse().expect("an address");
        let listener = driver::listen(everywhere, 1).and_then(TcpListener::from_std).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("somebody listens");
        let (_, way, _) = accept(&listener, &Places::new(1, 1, 0)).await;
        assert_eq!(way.peer, client.local_addr().expect("connected"));
        assert_eq!(way.local, Ipv4Addr::LOCALHOST);
    }
}
