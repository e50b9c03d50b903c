//! Which clients may use the server, by what name, and the certificate it shows.

mod common;

use common::{CHAIR, Server, config, get};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use signaling::config::{Config, TlsConfig};
use signaling::tls::kept;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};

/// Longer than a file is looked at twice, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a WebSocket is asked for with, beside its origin.
const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "close, Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

async fn upgrade(server: &Server, more: &[(&str, &str)]) -> String {
    let headers = [&UPGRADE[..], more].concat();
    let (head, _) = get(server.http, "/ws", &headers).await;
    head
}

#[tokio::test]
async fn a_page_of_another_host_opens_no_socket() {
    let server = Server::start().await;
    let own = format!("http://{}", server.http);
    let head = upgrade(&server, &[("Origin", &own)]).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    for origins in [&["https://evil.example"][..], &[own.as_str(), "https://evil.example"], &["null"]] {
        let origins: Vec<_> = origins.iter().map(|origin| ("Origin", *origin)).collect();
        let head = upgrade(&server, &origins).await;
        assert!(head.starts_with("HTTP/1.1 403"), "{origins:?}: {head}");
    }
}

#[tokio::test]
async fn a_name_that_somebody_else_points_here_gets_nothing() {
    let server = Server::start_with(Config { names: vec!["hop.example".to_owned()], ..config() }).await;
    let evil = [("Host", "evil.example"), ("Origin", "http://evil.example")];
    let head = upgrade(&server, &evil).await;
    assert!(head.starts_with("HTTP/1.1 421"), "{head}");
    for (listener, path) in [(server.http, "/"), (server.metrics, "/metrics")] {
        let (head, body) = get(listener, path, &evil[..1]).await;
        assert!(head.starts_with("HTTP/1.1 421") && body.starts_with("E_HOST"), "{path}: {head}");
        let two = [("Host", "hop.example"), ("Host", "evil.example")];
        let (head, _) = get(listener, path, &two).await;
        assert!(head.starts_with("HTTP/1.1 400"), "{path}: {head}");
        for host in ["hop.example", "HOP.example:8443", "localhost"] {
            let (head, _) = get(listener, path, &[("Host", host)]).await;
            assert!(!head.starts_with("HTTP/1.1 4"), "{path}, {host}: {head}");
        }
    }
    let ours = [("Host", "hop.example:8443"), ("Origin", "https://hop.example:8443")];
    assert!(upgrade(&server, &ours).await.starts_with("HTTP/1.1 101"));
    let (head, _) = get(server.http, "/healthz", &evil[..1]).await;
    assert!(head.starts_with("HTTP/1.1 200"), "a monitor may call it what it likes: {head}");
}

/// One request over TLS to a server that a PEM certificate vouches for.
async fn get_tls(address: SocketAddr, name: &'static str, trusted: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(trusted.as_bytes());
    roots.add(certificate.expect("a certificate")).expect("usable");
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name_in_certificate = ServerName::try_from(name).expect("a name");
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name_in_certificate, stream).await?;
    let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    // The server may close without close_notify; what it sent before counts.
    let _ = stream.read_to_string(&mut answer).await;
    Ok(answer)
}

/// Tries until the server shows a certificate that this one vouches for, for that name.
async fn shows(address: SocketAddr, name: &'static str, trusted: &str) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        match get_tls(address, name, trusted).await {
            Ok(answer) => return answer,
            Err(e) => assert!(Instant::now() < end, "{name}: {e}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn names_are_added_while_it_runs_and_who_trusts_it_goes_on_trusting() {
    let config = config();
    let data = config.data.clone();
    let server = Server::start_with(config).await;
    // It listens before it has made its certificate, and serves afterwards.
    server.enter(CHAIR).await;
    let remembered = server.certificate();
    let answer = get_tls(server.https, "localhost", &remembered).await.expect("trusted");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(!answer.contains("strict-transport-security"), "browsers must be able to go on: {answer}");
    assert!(get_tls(server.https, "added.example", &remembered).await.is_err(), "no such name yet");

    kept::add(&data, &BTreeSet::from(["added.example".to_owned()]), SystemTime::now()).expect("added");
    let answer = shows(server.https, "added.example", &remembered).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "the certificate's names are the server's: {answer}");
    assert_ne!(server.certificate(), remembered);
}

/// A certificate for a name, as an authority would give it.
fn give(folder: &Path, name: &str) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).expect("made");
    for (file, text) in [("chain.pem", cert.pem()), ("key.pem", signing_key.serialize_pem())] {
        std::fs::write(folder.join("new"), text).expect("written");
        std::fs::rename(folder.join("new"), folder.join(file)).expect("renamed");
    }
    cert.pem()
}

#[tokio::test]
async fn a_certificate_of_the_operators_is_shown_followed_and_binding() {
    let mut config = config();
    std::fs::create_dir_all(&config.data).expect("made");
    let folder = config.data.clone();
    config.tls = TlsConfig { certificate: folder.join("chain.pem"), key: folder.join("key.pem") };
    let first = give(&folder, "hop.example");
    let server = Server::start_with(config).await;
    let answer = shows(server.https, "hop.example", &first).await;
    assert!(answer.contains("strict-transport-security: max-age=2592000"), "{answer}");
    assert!(!folder.join(kept::FILE).exists(), "it makes none of its own");

    let second = give(&folder, "hop2.example");
    shows(server.https, "hop2.example", &second).await;
    std::fs::write(folder.join("chain.pem"), "half").expect("written");
    let third = give(&folder, "hop3.example");
    shows(server.https, "hop3.example", &third).await;
}
