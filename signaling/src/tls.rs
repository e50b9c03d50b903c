//! The self-made certificate for HTTPS: made once, kept between runs so that browsers which accepted
//! it go on doing so, renewed when the server's names change or it nears its end.

use crate::error::{StartCode, StartError, cause};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::aws_lc_rs};

/// Apple's systems refuse server certificates that live longer than 825 days, even self-made ones.
const LIFETIME: Duration = Duration::from_secs(820 * DAY_S);
/// Renewed this long before the end, at a start of the server: servers run for months.
const RENEW_BEFORE: Duration = Duration::from_secs(60 * DAY_S);
/// A clock that was behind when the certificate was made must not make it invalid elsewhere.
const BACKDATED: Duration = Duration::from_secs(DAY_S);
const DAY_S: u64 = 86_400;

/// Everything kept, in one file with mode 0600: it is written whole or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredCertificate {
    pub names: BTreeSet<String>,
    pub not_after_unix_s: u64,
    certificate_pem: String,
    key_pem: String,
}

/// The file in the data folder.
pub const FILE: &str = "certificate.json";

impl StoredCertificate {
    /// What an earlier run left; `None` when there is nothing usable.
    pub fn read(data: &Path) -> Option<StoredCertificate> {
        serde_json::from_slice(&std::fs::read(data.join(FILE)).ok()?).ok()
    }

    /// Good for `names` and for some time yet.
    pub fn serves(&self, names: &BTreeSet<String>, now: SystemTime) -> bool {
        self.names.is_superset(names) && unix_s(now + RENEW_BEFORE) < self.not_after_unix_s
    }

    fn make(names: &BTreeSet<String>, now: SystemTime) -> Result<StoredCertificate, rcgen::Error> {
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Nhịp Cầu");
        params.not_before = (now - BACKDATED).into();
        params.not_after = (now + LIFETIME).into();
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?;
        Ok(StoredCertificate {
            names: names.clone(),
            not_after_unix_s: unix_s(now + LIFETIME),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }

    fn server_config(&self) -> Result<ServerConfig, String> {
        let chain = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes());
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| e.to_string())?
            .with_no_client_auth()
            .with_single_cert(vec![chain.map_err(|e| e.to_string())?], key.map_err(|e| e.to_string())?)
            .map_err(|e| e.to_string())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The configuration for HTTPS: the kept certificate, or a new one that is then kept.
pub fn server_config(
    data: &Path,
    names: &BTreeSet<String>,
    now: SystemTime,
) -> Result<Arc<ServerConfig>, StartError> {
    let broken = |e: String| StartError::new(StartCode::Certificate, format!("chứng thư: {e}"));
    if let Some(kept) = StoredCertificate::read(data).filter(|kept| kept.serves(names, now))
        && let Ok(config) = kept.server_config()
    {
        return Ok(Arc::new(config));
    }
    let fresh = StoredCertificate::make(names, now).map_err(|e| broken(e.to_string()))?;
    let config = fresh.server_config().map_err(broken)?;
    let text = serde_json::to_vec(&fresh).map_err(|e| broken(e.to_string()))?;
    write_secret(&data.join(FILE), &text)?;
    tracing::info!(names = ?fresh.names, "made a new certificate for HTTPS");
    Ok(Arc::new(config))
}

/// Writes a file only its owner may read, whole or not at all; makes its folder if need be.
pub fn write_secret(path: &Path, content: &[u8]) -> Result<(), StartError> {
    // Of this process alone: two servers that start on one folder must not write into one file.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent().filter(|f| !f.exists()) {
            std::fs::create_dir_all(folder)?;
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
        }
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|e| {
        // Half a file is of no use; what cannot be removed was never written.
        let _ = std::fs::remove_file(&beside);
        unwritable(path, &e)
    })
}

fn unwritable(path: &Path, error: &std::io::Error) -> StartError {
    let folder = path.parent().unwrap_or(path).display();
    let what = cause(error);
    StartError::new(
        StartCode::DataDirectory,
        format!("không ghi được vào thư mục dữ liệu {folder}: {what}; đổi bằng --data hoặc giải phóng chỗ"),
    )
}

/// Names for the certificate: this machine's own, and those of the configuration.
pub fn names(configured: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::from(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    names.extend(lan_addresses().iter().map(ToString::to_string));
    names.extend(configured.iter().cloned());
    names
}

/// Addresses by which other machines may reach this one, IPv4 first.
pub fn lan_addresses() -> Vec<std::net::IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<_> =
        interfaces.iter().filter(|i| !i.is_loopback() && !i.is_link_local()).map(|i| i.ip()).collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

fn unix_s(t: SystemTime) -> u64 {
    t.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn the_certificate_is_kept_until_names_or_time_ask_for_another() {
        let data = std::env::temp_dir().join(format!("nhipcau-tls-{}", std::process::id()));
        let now = SystemTime::now();
        let read = || StoredCertificate::read(&data).expect("kept");
        server_config(&data, &names_of(&["localhost", "10.0.0.1"]), now).expect("made");
        let first = read();
        let mode = std::fs::metadata(data.join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "only the owner reads the key");

        server_config(&data, &names_of(&["localhost"]), now).expect("a subset of names");
        assert_eq!(read(), first, "kept");
        server_config(&data, &names_of(&["localhost", "10.0.0.2"]), now).expect("moved");
        let second = read();
        assert_ne!(second, first, "another address, another certificate");
        let late = now + LIFETIME - RENEW_BEFORE + Duration::from_secs(1);
        server_config(&data, &names_of(&["localhost"]), late).expect("renewed");
        assert!(read().not_after_unix_s > second.not_after_unix_s);
        std::fs::write(data.join(FILE), "{").expect("damaged");
        server_config(&data, &names_of(&["localhost"]), now).expect("a damaged one is replaced");
        std::fs::remove_dir_all(&data).expect("cleaned up");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_one_sentence() {
        let error = server_config(Path::new("/proc/nowhere"), &names_of(&["localhost"]), SystemTime::now())
            .expect_err("nobody writes there");
        assert_eq!(error.code, StartCode::DataDirectory);
        assert_eq!(error.to_string().lines().count(), 1);
    }
}
