//! The certificate the server makes itself: once, for sites remember it (in a browser whose user went on, or by
//! `nhipcau join --ca`). It stays as it is whatever happens to the machine's addresses; names are added on request,
//! with the same key. Near its end it is renewed with the same key, which `--ca` goes on trusting; browsers ask once
//! more.

use super::Certificate;
use crate::data::write_secret;
use crate::error::{StartCode, StartError};
use protocol::Secret;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
    key_pem: Secret,
}

/// The file in the data folder.
pub const FILE: &str = "certificate.json";

/// What an earlier run left; `None` when nothing has been made yet. What is there and cannot be used is
/// an error: a new one in its place would be another server to every site that remembers this one.
pub fn read(data: &Path) -> Result<Option<StoredCertificate>, StartError> {
    match std::fs::read(data.join(FILE)) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|_| damaged(data)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(unfit(format!(
            "không đọc được chứng thư {}: {e}; chạy bằng tài khoản đã tạo tệp đó, hoặc cấp quyền đọc",
            data.join(FILE).display()
        ))),
    }
}

/// Makes a certificate for `names` where there is none, and a new one with the old key where its end is
/// near. One that cannot be renewed just now is used on.
pub fn make_or_renew(data: &Path, names: &BTreeSet<String>, now: SystemTime) -> Result<(), StartError> {
    let Some(kept) = read(data)? else {
        let fresh = StoredCertificate::make(names, &fresh_key()?, now)?;
        fresh.write(data)?;
        tracing::info!(names = ?fresh.names, "made a certificate for HTTPS");
        return Ok(());
    };
    if !kept.ends_soon(now) {
        return Ok(());
    }
    let names = &kept.names | names;
    let renewed = StoredCertificate::make(&names, &kept.key(data)?, now)?;
    match renewed.write(data) {
        Ok(()) => tracing::info!(?names, "renewed the certificate for HTTPS, with its key"),
        Err(e) => tracing::warn!("the certificate ends soon and cannot be renewed: {e}"),
    }
    Ok(())
}

/// Adds names to the certificate there is, with its key; makes one where there is none.
pub fn add(data: &Path, names: &BTreeSet<String>, now: SystemTime) -> Result<(), StartError> {
    let fresh = match read(data)? {
        Some(kept) => StoredCertificate::make(&(&kept.names | names), &kept.key(data)?, now)?,
        None => StoredCertificate::make(names, &fresh_key()?, now)?,
    };
    fresh.write(data)
}

impl StoredCertificate {
    fn ends_soon(&self, now: SystemTime) -> bool {
        unix_s(now).saturating_add(RENEW_BEFORE.as_secs()) >= self.not_after_unix_s
    }

    fn make(
        names: &BTreeSet<String>,
        key: &KeyPair,
        now: SystemTime,
    ) -> Result<StoredCertificate, StartError> {
        let unmade = |e: rcgen::Error| unfit(format!("không tạo được chứng thư: {e}"));
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>()).map_err(unmade)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Nhịp Cầu");
        let not_after = now.checked_add(LIFETIME).unwrap_or(now);
        params.not_before = now.checked_sub(BACKDATED).unwrap_or(now).into();
        params.not_after = not_after.into();
        let certificate = params.self_signed(key).map_err(unmade)?;
        Ok(StoredCertificate {
            names: names.clone(),
            not_after_unix_s: unix_s(not_after),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem().into(),
        })
    }

    fn write(&self, data: &Path) -> Result<(), StartError> {
        let text =
            serde_json::to_vec(self).map_err(|e| StartError::new(StartCode::Internal, e.to_string()))?;
        write_secret(&data.join(FILE), &text)
    }

    fn key(&self, data: &Path) -> Result<KeyPair, StartError> {
        KeyPair::from_pem(self.key_pem.reveal()).map_err(|_| damaged(data))
    }

    /// As it is shown.
    pub(super) fn certificate(&self, data: &Path) -> Result<Certificate, StartError> {
        let (chain, key) = (self.certificate_pem.as_bytes(), self.key_pem.reveal().as_bytes());
        Certificate::from_pem(chain, key).map_err(|_| damaged(data))
    }
}

fn fresh_key() -> Result<KeyPair, StartError> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| unfit(format!("không tạo được khóa: {e}")))
}

fn damaged(data: &Path) -> StartError {
    let file = data.join(FILE);
    unfit(format!(
        "tệp chứng thư {} bị hỏng; chép lại từ bản sao lưu, hoặc xóa tệp này để máy chủ tạo chứng thư mới (các điểm cầu sẽ phải chấp nhận lại)",
        file.display()
    ))
}

fn unfit(sentence: String) -> StartError {
    StartError::new(StartCode::Certificate, sentence)
}

fn unix_s(t: SystemTime) -> u64 {
    t.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn names_of(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|n| (*n).to_owned()).collect()
    }

    /// A data folder that goes when the test does.
    struct Data(PathBuf);

    impl Data {
        fn new(name: &str) -> Data {
            Data(std::env::temp_dir().join(format!("nhipcau-kept-{name}-{}", std::process::id())))
        }

        fn kept(&self) -> StoredCertificate {
            read(&self.0).expect("readable").expect("made")
        }
    }

    impl Drop for Data {
        fn drop(&mut self) {
            // What a test leaves in the temporary folder does no harm.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn it_stays_when_addresses_come_and_gets_names_on_request_with_the_same_key() {
        let data = Data::new("names");
        let now = SystemTime::now();
        make_or_renew(&data.0, &names_of(&["localhost", "10.0.0.1"]), now).expect("made");
        let first = data.kept();
        make_or_renew(&data.0, &names_of(&["localhost", "10.0.0.2", "2001:db8::7"]), now).expect("kept");
        assert_eq!(data.kept(), first, "other addresses, the same certificate");

        add(&data.0, &names_of(&["hop.example"]), now).expect("added");
        let second = data.kept();
        assert_eq!(second.names, names_of(&["localhost", "10.0.0.1", "hop.example"]));
        assert_eq!(second.key_pem, first.key_pem, "a client that pinned the key comes back");
        let shown = second.certificate(&data.0).expect("whole");
        assert_eq!(shown.names, second.names, "what is kept is what is shown");
    }

    #[test]
    fn near_its_end_it_is_renewed_with_its_key_or_used_on_where_that_cannot_be() {
        let data = Data::new("renewed");
        let now = SystemTime::now();
        make_or_renew(&data.0, &names_of(&["localhost"]), now).expect("made");
        let first = data.kept();
        let late = now + LIFETIME - RENEW_BEFORE + Duration::from_secs(1);
        // A folder in the way of the new file: even root cannot write it.
        let in_the_way = data.0.join(FILE).with_extension(format!("{}.new", std::process::id()));
        std::fs::create_dir(&in_the_way).expect("made");
        make_or_renew(&data.0, &names_of(&["localhost"]), late).expect("used on");
        assert_eq!(data.kept(), first);
        std::fs::remove_dir(&in_the_way).expect("removed");
        make_or_renew(&data.0, &names_of(&["hop.example"]), late).expect("renewed");
        let second = data.kept();
        assert!(second.not_after_unix_s > first.not_after_unix_s);
        assert_eq!(second.key_pem, first.key_pem);
        assert_eq!(second.names, names_of(&["localhost", "hop.example"]));
    }

    #[test]
    fn a_damaged_one_is_an_error_that_names_what_to_do_and_stays_as_it_is() {
        let data = Data::new("damaged");
        make_or_renew(&data.0, &names_of(&["localhost"]), SystemTime::now()).expect("made");
        let whole = std::fs::read_to_string(data.0.join(FILE)).expect("kept");
        let torn_inside = whole.replace("BEGIN CERTIFICATE", "BEGIN CERT");
        for text in ["", "{", &whole[..whole.len() / 2], &torn_inside] {
            std::fs::write(data.0.join(FILE), text).expect("damaged");
            let made = make_or_renew(&data.0, &names_of(&["localhost"]), SystemTime::now());
            let shown = made.and_then(|()| super::super::Source::Kept { data: data.0.clone() }.read());
            let error = shown.expect_err("damaged");
            assert_eq!(error.code, StartCode::Certificate);
            assert!(error.sentence.contains("bị hỏng; chép lại từ bản sao lưu, hoặc xóa"), "{error}");
            assert_eq!(std::fs::read_to_string(data.0.join(FILE)).expect("there"), text, "untouched");
        }
    }
}
