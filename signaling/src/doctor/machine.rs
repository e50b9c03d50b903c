//! Socket buffers, certificate, disk.

use super::{Finding, Verdict, words};
use crate::config::Config;
use crate::tls::{self, StoredCertificate};
use rustix::fs::{Access, access, statvfs};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A key frame of forty sites at once, 1.5 Mbit each, must fit while the thread is busy elsewhere.
const WANTED_BUFFER_BYTES: u64 = 4 << 20;
/// Logs and a certificate need little, but a full disk stops more than us.
const WANTED_FREE_KIB: u64 = 512 << 10;
/// Less than this and nothing can be kept.
const NEEDED_FREE_KIB: u64 = 1 << 10;

pub(super) fn socket_buffers() -> Finding {
    let read = |name: &str| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/sys/net/core/{name}")).ok()?;
        text.trim().parse().ok()
    };
    let smallest = read("rmem_max").zip(read("wmem_max")).map(|(r, w)| r.min(w));
    judge_buffers(smallest)
}

fn judge_buffers(smallest: Option<u64>) -> Finding {
    let found = match smallest {
        Some(bytes) => words(
            format!("Bộ đệm mạng tối đa: {} KiB.", bytes >> 10),
            format!("Largest socket buffer: {} KiB.", bytes >> 10),
        ),
        None => words("Không đọc được kích thước bộ đệm mạng.", "The size of socket buffers cannot be read."),
    };
    if smallest.is_some_and(|bytes| bytes >= WANTED_BUFFER_BYTES) {
        return Finding::good("socket_buffers", found);
    }
    let command =
        format!("sysctl -w net.core.rmem_max={WANTED_BUFFER_BYTES} net.core.wmem_max={WANTED_BUFFER_BYTES}");
    Finding::bad(
        "socket_buffers",
        Verdict::Warning,
        found,
        words(format!("Chạy: {command}"), format!("Run: {command}")),
    )
}

pub(super) fn certificate(config: &Config) -> Finding {
    let names = tls::names(&config.names);
    let now = SystemTime::now();
    let Some(kept) = StoredCertificate::read(&config.data) else {
        if config.data.join(tls::FILE).exists() {
            return unreadable_certificate(config);
        }
        return Finding::good(
            "certificate",
            words(
                "Chưa có chứng thư; máy chủ tự tạo khi chạy lần đầu.",
                "No certificate yet; the server makes one at its first start.",
            ),
        );
    };
    let end = UNIX_EPOCH + Duration::from_secs(kept.not_after_unix_s);
    let days = end.duration_since(now).unwrap_or_default().as_secs() / 86_400;
    let list = kept.names.iter().cloned().collect::<Vec<_>>().join(", ");
    let found = words(
        format!("Chứng thư còn {days} ngày, cho: {list}."),
        format!("The certificate is good for {days} days, for: {list}."),
    );
    if kept.serves(&names, now) {
        return Finding::good("certificate", found);
    }
    Finding::bad(
        "certificate",
        Verdict::Warning,
        found,
        words(
            "Khởi động lại máy chủ để tạo chứng thư mới (địa chỉ đã đổi hoặc sắp hết hạn).",
            "Restart the server to renew it (addresses have changed or its end is near).",
        ),
    )
}

/// Of another account, or damaged.
fn unreadable_certificate(config: &Config) -> Finding {
    let file = config.data.join(tls::FILE);
    let shown = file.display();
    Finding::bad(
        "certificate",
        Verdict::Warning,
        words(
            format!("Không đọc được chứng thư trong {shown}."),
            format!("The certificate in {shown} cannot be read."),
        ),
        words(
            "Chạy doctor bằng tài khoản chạy máy chủ; nếu vẫn vậy, xóa tệp đó để máy chủ tạo chứng thư mới.",
            "Run doctor as the server's account; if it stays so, delete that file and the server makes a new one.",
        ),
    )
}

/// What would become of the data folder; nothing is tried out on it.
pub(super) fn disk(config: &Config) -> Finding {
    let data = &config.data;
    let standing = nearest(data);
    if let Err(e) = access(standing, Access::WRITE_OK | Access::EXEC_OK) {
        return unwritable(data, &e.to_string());
    }
    if !standing.is_dir() {
        return unwritable(data, "không phải thư mục");
    }
    let space = judge_space(data, free_kib(standing));
    match space.verdict {
        Verdict::Broken => space,
        _ if standing == data => space,
        _ => absent(data, standing),
    }
}

/// The folder itself, or what there is of its path.
fn nearest(folder: &Path) -> &Path {
    let there = folder.ancestors().find(|part| part.exists());
    there.unwrap_or(Path::new("."))
}

fn unwritable(folder: &Path, cause: &str) -> Finding {
    let shown = folder.display();
    Finding::bad(
        "disk",
        Verdict::Broken,
        words(
            format!("Không ghi được vào thư mục dữ liệu {shown}: {cause}."),
            format!("The data folder {shown} cannot be written: {cause}."),
        ),
        words(
            "Chọn thư mục khác bằng --data hoặc cấp quyền ghi.",
            "Choose another folder with --data or allow writing.",
        ),
    )
}

/// The server makes it at its first start, for the account it runs as and nobody else.
fn absent(folder: &Path, standing: &Path) -> Finding {
    let (shown, standing) = (folder.display(), standing.display());
    Finding::bad(
        "disk",
        Verdict::Warning,
        words(
            format!(
                "Chưa có thư mục {shown}; lần chạy đầu máy chủ tự tạo trong {standing}, chỉ tài khoản chạy máy chủ dùng được."
            ),
            format!(
                "There is no {shown} yet; the server makes it in {standing} at its first start, for the account it runs as alone."
            ),
        ),
        words(
            format!(
                "Nếu máy chủ chạy bằng tài khoản riêng, tạo trước: install -d -m 700 -o TÀI_KHOẢN {shown}"
            ),
            format!(
                "If the server has an account of its own, make it first: install -d -m 700 -o ACCOUNT {shown}"
            ),
        ),
    )
}

/// Free space in KiB for whoever is not root.
fn free_kib(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize) >> 10)
}

fn judge_space(folder: &Path, free: Option<u64>) -> Finding {
    let shown = folder.display();
    let found = match free {
        Some(kib @ ..NEEDED_FREE_KIB) => words(
            format!("Đĩa chứa thư mục {shown} đã đầy, còn trống {kib} KiB."),
            format!("The disk of the folder {shown} is full, {kib} KiB are free."),
        ),
        Some(kib) => words(
            format!("Thư mục {shown} ghi được, còn trống {} MiB.", kib >> 10),
            format!("The folder {shown} can be written, {} MiB are free.", kib >> 10),
        ),
        None => words(
            format!("Thư mục {shown} ghi được; không biết còn trống bao nhiêu."),
            format!("The folder {shown} can be written; free space is unknown."),
        ),
    };
    let verdict = match free {
        Some(WANTED_FREE_KIB..) => return Finding::good("disk", found),
        Some(..NEEDED_FREE_KIB) => Verdict::Broken,
        _ => Verdict::Warning,
    };
    let advice = words(
        format!("Giải phóng chỗ trên đĩa chứa {shown}."),
        format!("Free some space on the disk of {shown}."),
    );
    Finding::bad("disk", verdict, found, advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_and_buffers_are_judged_by_their_bounds() {
        let space = |kib| judge_space(Path::new("/x"), kib).verdict;
        assert_eq!(space(Some(WANTED_FREE_KIB)), Verdict::Good);
        assert_eq!(space(Some(WANTED_FREE_KIB - 1)), Verdict::Warning);
        assert_eq!(space(Some(NEEDED_FREE_KIB - 1)), Verdict::Broken);
        assert_eq!(space(None), Verdict::Warning);
        let buffers = |bytes| judge_buffers(bytes).verdict;
        assert_eq!(buffers(Some(WANTED_BUFFER_BYTES)), Verdict::Good);
        assert_eq!(buffers(Some(212_992)), Verdict::Warning);
        assert_eq!(buffers(None), Verdict::Warning);
    }

    #[test]
    fn this_machine_has_a_disk() {
        assert!(free_kib(Path::new("/")).is_some_and(|kib| kib > 0));
    }
}
