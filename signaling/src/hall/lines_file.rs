//! The file that keeps what is known of lines. It saves a second of guessing at the start of a meeting: one that cannot
//! be read or written is a line in the log, and never keeps the server from its work.

use crate::data::write_secret;
use crate::links::KnownLines;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Five thousand lines of 200 bytes, twice over.
const MOST_BYTES: u64 = 2 << 20;

pub(super) fn path(data: &Path) -> PathBuf {
    data.join("lines.json")
}

/// What is known, or nothing.
pub(super) fn read(path: &Path) -> KnownLines {
    let text = match read_text(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return KnownLines::default(),
        read => read,
    };
    let known = text.and_then(|text| Ok(KnownLines::read(&text)?));
    known.unwrap_or_else(|error| {
        tracing::warn!(path = %path.display(), %error, "what was known of lines is not readable, begun anew");
        KnownLines::default()
    })
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes it where nobody waits for the disk.
pub(super) fn write(path: PathBuf, text: String) {
    tokio::task::spawn_blocking(move || {
        if let Err(error) = write_secret(&path, text.as_bytes()) {
            tracing::warn!(%error, "what is known of lines is not kept");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_and_what_is_damaged_is_nothing() {
        let folder = std::env::temp_dir().join(format!("nhipcau-lines-{}", std::process::id()));
        let path = path(&folder);
        assert_eq!(read(&path).down_bps("A"), None, "there is none yet");
        let line = r#"{"A": {"down_bps": 7, "up_bps": 0, "rtt_ms": 0, "loss": 0.0, "seen_unix_ms": 0}}"#;
        write_secret(&path, line.as_bytes()).expect("written");
        assert_eq!(read(&path).down_bps("A"), Some(7));
        write_secret(&path, &line.as_bytes()[..20]).expect("written");
        assert_eq!(read(&path).down_bps("A"), None);
        std::fs::remove_dir_all(&folder).expect("cleaned up");
    }
}
