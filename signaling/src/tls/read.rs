//! The contents of a certificate, and the key that goes with it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_rustls::rustls::crypto::aws_lc_rs as provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::time::ASN1Time;

/// Bytes of one line of PEM, RFC 7468.
const PEM_LINE: usize = 64;

/// A certificate that can be shown.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub key: Arc<CertifiedKey>,
    /// Names and addresses it is for.
    pub names: BTreeSet<String>,
    pub not_after: SystemTime,
}

impl Certificate {
    /// From a chain, the server's own certificate first, and its key, both PEM. An error is the end of
    /// a sentence.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Certificate, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain).collect();
        let chain = chain.map_err(|e| format!("chứng thư hỏng: {e}"))?;
        let own = chain.first().ok_or("không có chứng thư PEM nào")?.clone();
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| "không có khóa PEM nào đọc được (khóa có mật khẩu không dùng được)")?;
        let key = CertifiedKey::from_der(chain, key, &provider::default_provider())
            .map_err(|e| format!("khóa và chứng thư không đi với nhau: {e}"))?;
        let (_, parsed) = X509Certificate::from_der(&own).map_err(|e| format!("chứng thư hỏng: {e}"))?;
        let not_after = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or_default();
        Ok(Certificate {
            key: Arc::new(key),
            names: names_of(&parsed),
            not_after: UNIX_EPOCH.checked_add(Duration::from_secs(not_after)).unwrap_or(UNIX_EPOCH),
        })
    }

    /// Names among these that it is not for.
    pub fn lacking<'a>(&self, names: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
        names.into_iter().filter(|name| !self.is_for(name)).cloned().collect()
    }

    /// Whether it is for a name or address.
    pub fn is_for(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let parent = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        self.names.contains(&name) || parent.is_some_and(|wildcard| self.names.contains(&wildcard))
    }

    /// SHA-256 of the certificate, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let digest = digest(&SHA256, self.own());
        let bytes: Vec<_> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    /// The day it ends, by UTC: `2029-02-21`.
    pub fn last_day(&self) -> String {
        let seconds = self.not_after.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let end = i64::try_from(seconds).ok().and_then(|s| ASN1Time::from_timestamp(s).ok());
        end.map_or_else(|| "?".to_owned(), |end| end.to_datetime().date().to_string())
    }

    /// The server's own certificate as PEM.
    pub fn pem(&self) -> String {
        let text = BASE64_STANDARD.encode(self.own());
        let lines = text.as_bytes().chunks(PEM_LINE).map(String::from_utf8_lossy);
        let lines: Vec<_> = lines.collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", lines.join("\n"))
    }

    fn own(&self) -> &[u8] {
        self.key.cert.first().map_or(&[], |own| own.as_ref())
    }
}

fn names_of(certificate: &X509Certificate<'_>) -> BTreeSet<String> {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let names = alternatives.map(|found| found.value.general_names.as_slice()).unwrap_or_default();
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(name.to_lowercase()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|ip| ip.to_string()),
        _ => None,
    };
    names.iter().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|bytes| Ipv4Addr::from(bytes).into());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|bytes| Ipv6Addr::from(bytes).into())).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use rcgen::generate_simple_self_signed;

    pub fn made(names: &[&str]) -> Certificate {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let made = generate_simple_self_signed(names).expect("made");
        Certificate::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes())
            .expect("both fit")
    }

    #[test]
    fn names_are_read_from_the_certificate_itself() {
        let certificate = made(&["Hop.Example", "*.long-thanh.example", "10.20.30.40", "2001:db8::1"]);
        let names = ["hop.example", "HOP.example", "a.long-thanh.example", "10.20.30.40", "2001:db8::1"];
        assert_eq!(certificate.lacking(&names.map(str::to_owned)), BTreeSet::new());
        let others = ["long-thanh.example", "a.b.long-thanh.example", "10.20.30.41"].map(str::to_owned);
        assert_eq!(certificate.lacking(&others), BTreeSet::from(others.clone()));
    }

    #[test]
    fn it_is_shown_as_browsers_and_openssl_do() {
        let certificate = made(&["hop.example"]);
        let shown = certificate.fingerprint();
        assert_eq!((shown.len(), shown.matches(':').count()), (95, 31), "{shown}");
        let again = CertificateDer::from_pem_slice(certificate.pem().as_bytes()).expect("PEM");
        assert_eq!(again.as_ref(), certificate.own());
        assert!(certificate.pem().lines().all(|line| line.len() <= PEM_LINE));
        assert_eq!(certificate.last_day(), "4096-01-01", "rcgen's default");
    }

    #[test]
    fn what_does_not_fit_together_is_a_sentence() {
        let (one, other) = (made(&["a.example"]), generate_simple_self_signed(vec![]).expect("made"));
        let foreign = other.signing_key.serialize_pem();
        let error = Certificate::from_pem(one.pem().as_bytes(), foreign.as_bytes()).expect_err("two");
        assert!(error.starts_with("khóa và chứng thư không đi với nhau"), "{error}");
        let error = Certificate::from_pem(b"", foreign.as_bytes()).expect_err("nothing");
        assert!(error.contains("không có chứng thư PEM"), "{error}");
        let error = Certificate::from_pem(one.pem().as_bytes(), b"").expect_err("nothing");
        assert!(error.contains("không có khóa PEM"), "{error}");
    }
}
