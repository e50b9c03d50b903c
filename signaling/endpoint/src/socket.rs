//! The WebSocket to the bridge, in messages of [`protocol`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};

use super::anew::anew;
use super::options::Trust;
use super::{JoinError, JoinLink};
use protocol::{ClientMessage, SILENCE_TIMEOUT_S, ServerMessage};

/// Time for TCP, TLS and the upgrade together; a 512 kbit/s line with 2 s of queue needs half.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// A SYN that was sent while nothing got through is repeated after 1, 3 and 7 s: a new one is sent each second.
const SYN_PAUSE: Duration = Duration::from_secs(1);

/// Time the server gets to close after a leave; one round trip of a satellite line with its queue.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(3);

/// An open WebSocket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Own address towards the server: where media is likely to get through, too.
    pub local_ip: IpAddr,
}

impl Socket {
    pub async fn open(link: &JoinLink, trust: &Trust) -> Result<Self, JoinError> {
        match tokio::time::timeout(OPEN_TIMEOUT, open(link, trust)).await {
            Ok(opened) => opened,
            Err(_) => Err(unreachable_server(link, "quá thời gian chờ")),
        }
    }

    pub async fn send(&mut self, message: &ClientMessage) -> Result<(), JoinError> {
        let text = serde_json::to_string(message).map_err(lost)?;
        self.stream.send(Message::text(text)).await.map_err(lost)
    }

    /// The next message. Kinds this version does not know are skipped; silence is a loss.
    pub async fn receive(&mut self) -> Result<ServerMessage, JoinError> {
        let silence = Duration::from_secs(SILENCE_TIMEOUT_S);
        loop {
            let next = tokio::time::timeout(silence, self.stream.next()).await.map_err(lost)?;
            match next {
                Some(Ok(Message::Text(text))) => {
                    if let Ok(message) = serde_json::from_str(&text) {
                        return Ok(message);
                    }
                }
                Some(Ok(Message::Close(_))) | None => return Err(lost("máy chủ đã đóng")),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(lost(error)),
            }
        }
    }

    /// Reads on until the server has closed, as it does after a leave. A site that goes sooner may be back before the
    /// server has read the leave, and what comes in unread makes the system reset the connection.
    pub async fn until_closed(&mut self) {
        let closed = async { while self.receive().await.is_ok() {} };
        // A server that does not close within the time is not waited for.
        let _ = tokio::time::timeout(FAREWELL_TIMEOUT, closed).await;
    }

    pub async fn close(mut self) {
        // The other side may be gone already; there is no one to notify.
        let _ = self.stream.close(None).await;
    }
}

async fn open(link: &JoinLink, trust: &Trust) -> Result<Socket, JoinError> {
    let tcp =
        anew(|| tokio::time::sleep(SYN_PAUSE), || TcpStream::connect((link.host.as_str(), link.port))).await;
    let tcp = tcp.map_err(|error| unreachable_server(link, error))?;
    let local_ip = tcp.local_addr().map_err(lost)?.ip();
    let nodelay = tcp.set_nodelay(true);
    nodelay.map_err(lost)?;
    let connector = if link.tls { connector(trust)? } else { None };
    let opened = client_async_tls_with_config(link.websocket_url(), tcp, None, connector).await;
    match opened {
        Ok((stream, _response)) => Ok(Socket { stream, local_ip }),
        Err(WsError::Http(response)) => Err(not_upgraded(link, response.status())),
        Err(error) => Err(match distrusted(&error) {
            Some(why) => JoinError::new(
                "certificate",
                format!("Không tin được chứng thư của máy chủ {}: {}.", link.host, sentence(why)),
            ),
            None => unreachable_server(link, error),
        }),
    }
}

/// The server speaks HTTP, and gives no WebSocket.
fn not_upgraded(link: &JoinLink, status: StatusCode) -> JoinError {
    let host = &link.host;
    match status {
        StatusCode::PERMANENT_REDIRECT => JoinError::new(
            "https_only",
            format!("Máy chủ {host} chỉ nhận https từ máy khác; dùng liên kết https của máy chủ."),
        ),
        StatusCode::MISDIRECTED_REQUEST => JoinError::new(
            "unknown_name",
            format!("Máy chủ không nhận tên {host}; thêm tên vào thiết lập names của máy chủ."),
        ),
        other => JoinError::new(
            "not_a_bridge",
            format!("Máy chủ {host} trả lời HTTP {}, không phải Nhịp Cầu.", other.as_u16()),
        ),
    }
}

/// Tungstenite hands TLS failures on as I/O errors that carry the TLS error inside.
fn distrusted(error: &WsError) -> Option<&CertificateError> {
    let WsError::Io(error) = error else { return None };
    match error.get_ref()?.downcast_ref::<TlsError>()? {
        TlsError::InvalidCertificate(why) => Some(why),
        _ => None,
    }
}

/// What is wrong with a certificate, and what helps, as the end of a sentence.
fn sentence(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "không rõ ai cấp; chỉ chứng thư bằng --ca TỆP, hoặc dùng --insecure trong mạng của mình".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "chứng thư cấp cho tên khác; mở bằng tên có trong chứng thư, hoặc thêm tên bằng nhipcau certificate --add TÊN trên máy chủ".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "đã hết hạn; chạy lại máy chủ để tạo chứng thư mới, hoặc chỉnh đồng hồ máy này".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "chưa đến ngày có hiệu lực; chỉnh đồng hồ máy này".to_owned()
        }
        CertificateError::BadSignature => {
            "không phải chứng thư đã chỉ bằng --ca TỆP; máy chủ đã tạo chứng thư mới, hoặc đây là máy chủ khác".to_owned()
        }
        other => other.to_string(),
    }
}

fn unreachable_server(link: &JoinLink, cause: impl std::fmt::Display) -> JoinError {
    JoinError::new(
        "server_unreachable",
        format!("Không kết nối được tới máy chủ {}:{}: {cause}.", link.host, link.port),
    )
}

fn lost(cause: impl std::fmt::Display) -> JoinError {
    JoinError::new("connection_lost", format!("Mất kết nối tới máy chủ: {cause}."))
}

/// `None`: tungstenite's own, with the system's authorities.
fn connector(trust: &Trust) -> Result<Option<Connector>, JoinError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(lost)?;
    let config = match trust {
        Trust::System => {
            // It takes the process's provider; a second installation is refused and changes nothing.
            let _ = aws_lc_rs::default_provider().install_default();
            return Ok(None);
        }
        Trust::Authority(file) => builder.with_root_certificates(authority(file)?).with_no_client_auth(),
        Trust::Anybody => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Credulous(provider)))
            .with_no_client_auth(),
    };
    Ok(Some(Connector::Rustls(Arc::new(config))))
}

fn authority(file: &std::path::Path) -> Result<RootCertStore, JoinError> {
    let unreadable = |cause: String| {
        JoinError::new("certificate", format!("Không đọc được chứng thư {}: {cause}.", file.display()))
    };
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unreadable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unreadable("tệp không có chứng thư PEM nào".to_owned()));
    }
    Ok(roots)
}

/// Believes any certificate; signatures are still checked, so that the handshake is a real one.
#[derive(Debug)]
struct Credulous(Arc<CryptoProvider>);

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
