//! Certificate and key as files of the operator, from whatever authority sites trust.

use super::Certificate;
use crate::error::{StartCode, StartError};
use std::path::Path;

pub(super) fn read(certificate: &Path, key: &Path) -> Result<Certificate, StartError> {
    let read = |setting: &str, file: &Path| {
        let unreadable = |e| unfit(format!("không đọc được tệp {} ({setting}): {e}", file.display()));
        std::fs::read(file).map_err(unreadable)
    };
    let chain = read("tls.certificate", certificate)?;
    let secret = read("tls.key", key)?;
    Certificate::from_pem(&chain, &secret).map_err(|what| {
        unfit(format!("{} (tls.certificate) và {} (tls.key): {what}", certificate.display(), key.display()))
    })
}

fn unfit(sentence: String) -> StartError {
    StartError::new(StartCode::Certificate, sentence)
}
