//! Socket buffers, open files, certificate, disk.

use super::{Finding, Verdict, Words, words};
use crate::config::Config;
use crate::descriptors;
use crate::error::StartError;
use crate::tls::{self, Source};
use rustix::fs::{Access, access, statvfs};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A key frame of forty sites at once, 1.5 Mbit each, must fit while the thread is busy elsewhere.
const WANTED_BUFFER_BYTES: u64 = 4 << 20;
/// Logs and a certificate need little, but a full disk stops more than us.
const WANTED_FREE_KIB: u64 = 512 << 10;
/// Less than this and nothing can be kept.
const NEEDED_FREE_KIB: u64 = 1 << 10;

/// A month to have a certificate renewed.
const ENDS_SOON: Duration = Duration::from_secs(30 * 86_400);

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

/// Each connection is an open file.
pub(super) fn open_files(config: &Config) -> Finding {
    judge_open_files(descriptors::ceiling(), config)
}

fn judge_open_files(ceiling: Option<u64>, config: &Config) -> Finding {
    let needed = descriptors::needed(config.limits.connections, config.media.threads());
    let connections = config.limits.connections;
    let Some(allowed) = ceiling.filter(|allowed| *allowed < needed) else {
        return Finding::good(
            "open_files",
            words(
                format!("Số tệp được mở đủ cho {connections} kết nối."),
                format!("Enough open files are allowed for {connections} connections."),
            ),
        );
    };
    Finding::bad(
        "open_files",
        Verdict::Warning,
        words(
            format!("Hệ thống chỉ cho mở {allowed} tệp; {connections} kết nối cần {needed}."),
            format!("The system allows {allowed} open files; {connections} connections need {needed}."),
        ),
        words(
            format!("Nâng giới hạn lên {needed} (ulimit -n, LimitNOFILE), hoặc giảm limits.connections."),
            format!("Raise the limit to {needed} (ulimit -n, LimitNOFILE), or lower limits.connections."),
        ),
    )
}

/// A browser warns of a name that is not in it.
pub(super) fn certificate(config: &Config) -> Finding {
    let source = Source::of(config);
    let kept = match source.read() {
        Ok(Some(kept)) => kept,
        Ok(None) => {
            return Finding::good(
                "certificate",
                words(
                    "Chưa có chứng thư; máy chủ tự tạo khi chạy lần đầu.",
                    "No certificate yet; the server makes one at its first start.",
                ),
            );
        }
        Err(e) => return unusable_certificate(config, &e),
    };
    let list = kept.names.iter().cloned().collect::<Vec<_>>().join(", ");
    let found = words(
        format!("Chứng thư có hiệu lực đến {}, cho: {list}.", kept.last_day()),
        format!("The certificate is good until {}, for: {list}.", kept.last_day()),
    );
    let lacking = kept.lacking(&tls::wanted(config));
    let left = kept.not_after.duration_since(SystemTime::now()).ok();
    let advice = match source {
        _ if left.is_none_or(|left| left < ENDS_SOON) => ends_soon(&source),
        _ if lacking.is_empty() => return Finding::good("certificate", found),
        Source::Kept { .. } => {
            let command = tls::advice(&lacking);
            words(format!("Chạy: {command}"), format!("Run: {command}"))
        }
        Source::Given { .. } => {
            let list = lacking.iter().cloned().collect::<Vec<_>>().join(", ");
            words(format!("Xin cấp chứng thư có cả: {list}."), format!("Get one that is also for: {list}."))
        }
    };
    Finding::bad("certificate", Verdict::Warning, found, advice)
}

fn ends_soon(source: &Source) -> Words {
    match source {
        Source::Kept { .. } => {
            words("Khởi động lại máy chủ để gia hạn chứng thư.", "Restart the server to renew it.")
        }
        Source::Given { .. } => words(
            "Xin gia hạn rồi thay hai tệp; máy chủ tự nhận chứng thư mới.",
            "Have it renewed and replace both files; the server takes the new one by itself.",
        ),
    }
}

/// It belongs to another account, or is damaged.
fn unusable_certificate(config: &Config, error: &StartError) -> Finding {
    let files = Source::of(config).files();
    let shown = files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    Finding::bad(
        "certificate",
        Verdict::Broken,
        words(format!("{}.", error.sentence), format!("The certificate in {shown} cannot be used.")),
        words(
            "Chạy doctor bằng tài khoản chạy máy chủ; nếu vẫn vậy, làm theo câu trên.",
            "Run doctor as the server's account; if it stays so, restore the file from a backup, or delete it: the server then makes a new one, which sites must accept again.",
        ),
    )
}

/// Whether the data folder can be used; nothing is written to find out.
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

/// The server makes it at its first start, for the account it runs as and no other.
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

/// Free space in KiB for accounts other than root.
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
    fn open_files_are_judged_by_the_connections_they_must_carry() {
        let config = Config::default();
        let needed = descriptors::needed(config.limits.connections, config.media.threads());
        let verdict = |ceiling| judge_open_files(ceiling, &config).verdict;
        assert_eq!(verdict(Some(needed)), Verdict::Good);
        assert_eq!(verdict(None), Verdict::Good);
        assert_eq!(verdict(Some(needed - 1)), Verdict::Warning);
    }

    #[test]
    fn this_machine_has_a_disk() {
        assert!(free_kib(Path::new("/")).is_some_and(|kib| kib > 0));
    }
}
