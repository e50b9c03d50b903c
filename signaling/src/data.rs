//! The data folder: what is kept there is secret, and written whole or not at all.

use crate::error::{StartCode, StartError, cause};
use rustix::fs::fchown;
use rustix::process::{Gid, Uid, geteuid};
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Writes a file only its owner may read, whole or not at all; makes its folder if need be. What root writes gets the
/// owner of the file, or else of the folder, that was there before: the server's account.
pub fn write_secret(path: &Path, content: &[u8]) -> Result<(), StartError> {
    // Of this process alone: two servers that start on one folder must not write into one file.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let write = || -> io::Result<()> {
        let folder = path.parent().unwrap_or(path);
        if !folder.exists() {
            std::fs::create_dir_all(folder)?;
            std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        let owner = std::fs::metadata(path).or_else(|_| std::fs::metadata(folder))?;
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        give(&file, &owner)?;
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

fn give(file: &File, owner: &Metadata) -> io::Result<()> {
    if !geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    let (user, group) = (Uid::from_raw(owner.uid()), Gid::from_raw(owner.gid()));
    Ok(fchown(file, Some(user), Some(group))?)
}

fn unwritable(path: &Path, error: &io::Error) -> StartError {
    let folder = path.parent().unwrap_or(path).display();
    let what = cause(error);
    StartError::new(
        StartCode::DataDirectory,
        format!("không ghi được vào thư mục dữ liệu {folder}: {what}; đổi bằng --data hoặc giải phóng chỗ"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::chown;

    #[test]
    fn a_folder_that_cannot_be_written_is_one_sentence() {
        let error = write_secret(Path::new("/proc/nowhere/x"), b"").expect_err("it cannot be written");
        assert_eq!(error.code, StartCode::DataDirectory);
        assert_eq!(error.to_string().lines().count(), 1);
    }

    #[test]
    fn only_the_owner_reads_it_and_root_takes_nothing_from_the_servers_account() {
        let folder = std::env::temp_dir().join(format!("nhipcau-data-{}", std::process::id()));
        let file = folder.join("secret");
        let owner = |expected: u32| {
            let there = std::fs::metadata(&file).expect("written");
            assert_eq!((there.mode() & 0o777, there.uid()), (0o600, expected));
        };
        write_secret(&file, b"one").expect("written");
        owner(geteuid().as_raw());
        // Only root can give files away.
        if geteuid().is_root() {
            chown(&folder, Some(4_711), Some(4_711)).expect("root may");
            write_secret(&folder.join("new"), b"two").expect("written");
            assert_eq!(std::fs::metadata(folder.join("new")).expect("written").uid(), 4_711);
            chown(&file, Some(4_712), None).expect("root may");
            write_secret(&file, b"three").expect("written");
            owner(4_712);
        }
        assert_eq!(std::fs::read(&file).expect("readable").len(), if geteuid().is_root() { 5 } else { 3 });
        std::fs::remove_dir_all(&folder).expect("cleaned up");
    }
}
