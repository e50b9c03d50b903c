//! `nhipcau certificate`: what the server shows over HTTPS, and names that are added to it on request.

use crate::cli::CertificateArgs;
use crate::config::is_host;
use crate::error::StartError;
use crate::output;
use crate::tls::{self, Certificate, Source, kept};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

/// Adds what is to be added, and prints what there is then.
pub fn run(args: &CertificateArgs) -> Result<ExitCode, StartError> {
    let config = args.settings.load()?;
    let source = Source::of(&config);
    if !args.add.is_empty() {
        let Source::Kept { data } = &source else {
            return Err(StartError::config(
                "chứng thư trong tls.certificate do nơi khác cấp, không thêm tên được; xin cấp chứng thư mới có tên đó",
            ));
        };
        add(data, &args.add, &config.names)?;
    }
    let Some(certificate) = source.read()? else {
        output::print(
            "Chưa có chứng thư. Máy chủ tự tạo khi chạy lần đầu; tạo ngay: nhipcau certificate --add TÊN",
        )?;
        return Ok(ExitCode::SUCCESS);
    };
    match args.pem {
        true => output::print(&certificate.pem())?,
        false => output::print(&text(&source, &certificate, &tls::wanted(&config)))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(data: &Path, names: &[String], configured: &[String]) -> Result<(), StartError> {
    if let Some(name) = names.iter().find(|name| !is_host(name)) {
        return Err(StartError::config(format!(
            "\"{name}\" phải là tên máy không dấu hoặc địa chỉ IP, không có cổng và không có http://"
        )));
    }
    let mut names: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    match kept::read(data)? {
        // It has them already: a new one would only be strange to every browser.
        Some(there) if there.names.is_superset(&names) => return Ok(()),
        Some(_) => {}
        None => names.extend(tls::names(configured)),
    }
    kept::add(data, &names, SystemTime::now())
}

fn text(source: &Source, certificate: &Certificate, wanted: &BTreeSet<String>) -> String {
    let files = source.files().iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    let maker = match source {
        Source::Kept { .. } => "máy chủ tự tạo",
        Source::Given { .. } => "do đơn vị cấp",
    };
    let names = certificate.names.iter().cloned().collect::<Vec<_>>().join(", ");
    let mut lines = vec![
        format!("Chứng thư:       {files} ({maker})"),
        format!("Tên:             {names}"),
        format!("Vân tay SHA-256: {}", certificate.fingerprint()),
        format!("Hiệu lực đến:    {}", certificate.last_day()),
    ];
    let lacking = certificate.lacking(wanted);
    if !lacking.is_empty() {
        let list = lacking.iter().cloned().collect::<Vec<_>>().join(", ");
        lines.push(format!("Còn thiếu tên:   {list}"));
        if let Source::Kept { .. } = source {
            lines.push(format!("Thêm bằng:       {}", tls::advice(&lacking)));
        }
    }
    lines.join("\n")
}
