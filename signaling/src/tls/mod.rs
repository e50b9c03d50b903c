//! The server's identity over HTTPS: by the certificate it made itself and keeps ([`kept`]), or by one that was given
//! to it ([`given`]). Either is followed while the server runs ([`watch`]).

mod given;
pub mod kept;
mod read;
mod watch;

pub use read::Certificate;
pub use watch::follow;

use crate::config::Config;
use crate::error::{StartCode, StartError};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::SystemTime;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};

/// Where certificate and key are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Made by the server, in its data folder.
    Kept { data: PathBuf },
    /// Two PEM files of the operator: the chain, the server's own certificate first, and its key.
    Given { certificate: PathBuf, key: PathBuf },
}

impl Source {
    pub fn of(config: &Config) -> Source {
        let given = &config.tls;
        match given.certificate.as_os_str().is_empty() {
            true => Source::Kept { data: config.data.clone() },
            false => Source::Given { certificate: given.certificate.clone(), key: given.key.clone() },
        }
    }

    /// The files that are read.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Source::Kept { data } => vec![data.join(kept::FILE)],
            Source::Given { certificate, key } => vec![certificate.clone(), key.clone()],
        }
    }

    /// Reads what there is; `None` where nothing has been made yet.
    pub fn read(&self) -> Result<Option<Certificate>, StartError> {
        match self {
            Source::Kept { data } => kept::read(data)?.map(|kept| kept.certificate(data)).transpose(),
            Source::Given { certificate, key } => given::read(certificate, key).map(Some),
        }
    }
}

/// What the server shows to its clients; may be exchanged at any time.
#[derive(Debug)]
pub struct Shown {
    certificate: RwLock<Arc<Certificate>>,
    /// An authority vouches for it, so browsers may be instructed never to come without TLS again.
    pub trusted: bool,
}

impl Shown {
    fn new(certificate: Certificate, trusted: bool) -> Shown {
        Shown { certificate: RwLock::new(Arc::new(certificate)), trusted }
    }

    /// Whether it is for a name or address, in lower case.
    pub fn is_for(&self, name: &str) -> bool {
        self.certificate().is_for(name)
    }

    fn certificate(&self) -> Arc<Certificate> {
        // Only ever exchanged whole.
        self.certificate.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn show(&self, certificate: Certificate) {
        *self.certificate.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(certificate);
    }

    #[cfg(test)]
    pub(crate) fn for_tests(names: &[&str]) -> Arc<Shown> {
        Arc::new(Shown::new(read::tests::made(names), false))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certificate().key.clone())
    }
}

/// What the server shows from now on: the certificate there is, or a new one of its own that is then kept. Logs what is
/// wrong with it.
pub fn open(config: &Config, now: SystemTime) -> Result<Arc<Shown>, StartError> {
    let source = Source::of(config);
    let names = names(&config.names);
    if let Source::Kept { data } = &source {
        kept::make_or_renew(data, &names, now)?;
    }
    let certificate = source.read()?.ok_or_else(|| broken("không có chứng thư"))?;
    let lacking = certificate.lacking(&wanted(config));
    if !lacking.is_empty() {
        let help = match source {
            Source::Kept { .. } => advice(&lacking),
            Source::Given { .. } => "get one that is".to_owned(),
        };
        tracing::warn!(?lacking, help, "the certificate is not for all names by which sites come");
    }
    if certificate.not_after <= now {
        tracing::warn!(not_after = %certificate.last_day(), "the certificate has expired");
    }
    let trusted = matches!(source, Source::Given { .. });
    Ok(Arc::new(Shown::new(certificate, trusted)))
}

/// The names that links use: those of the configuration, or else this machine's addresses.
pub fn wanted(config: &Config) -> BTreeSet<String> {
    match config.names.is_empty() {
        true => lan_addresses().iter().map(ToString::to_string).collect(),
        false => config.names.iter().cloned().collect(),
    }
}

/// What adds these names to the certificate of our own.
pub fn advice(lacking: &BTreeSet<String>) -> String {
    let names: Vec<_> = lacking.iter().map(|name| format!("--add {name}")).collect();
    format!("nhipcau certificate {}", names.join(" "))
}

/// The configuration for HTTPS.
pub fn server_config(shown: Arc<Shown>) -> Result<Arc<ServerConfig>, StartError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| broken(&e.to_string()))?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn broken(what: &str) -> StartError {
    StartError::new(StartCode::Certificate, format!("chứng thư: {what}"))
}

/// Names for a new certificate: this machine's own, and those of the configuration.
pub fn names(configured: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    names.extend(lan_addresses().iter().map(ToString::to_string));
    names.extend(configured.iter().cloned());
    names
}

/// Addresses by which other machines may reach this one, IPv4 first.
pub fn lan_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<_> =
        interfaces.iter().filter(|i| !i.is_loopback() && !i.is_link_local()).map(|i| i.ip()).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}
