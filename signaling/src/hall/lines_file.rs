//! The file that keeps what is known of lines. It saves a second of guessing at the start of a meeting: one that cannot
//! be read or written is a line in the log, and never keeps the server from its work.

use crate::data::write_secret;
use crate::links::KnownLines;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tokio::task::JoinHandle;

/// Five thousand lines of 400 bytes, four times over.
const MOST_BYTES: u64 = 8 << 20;

pub(super) struct LinesFile {
    path: PathBuf,
    writing: Option<JoinHandle<()>>,
}

impl LinesFile {
    pub fn in_folder(data: &Path) -> LinesFile {
        LinesFile { path: data.join("lines.json"), writing: None }
    }

    /// What is known, or nothing.
    pub fn read(&self) -> KnownLines {
        read(&self.path)
    }

    /// Writes it where nobody waits for the disk. While a slow one has the last text, this one is left out.
    pub fn write(&mut self, text: String) {
        if self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return;
        }
        let path = self.path.clone();
        self.writing = Some(tokio::task::spawn_blocking(move || {
            if let Err(error) = write_secret(&path, text.as_bytes()) {
                tracing::warn!(%error, "what is known of lines is not kept");
            }
        }));
    }
}

fn read(path: &Path) -> KnownLines {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_written_is_read_and_what_is_damaged_is_nothing() {
        let folder = std::env::temp_dir().join(format!("nhipcau-lines-{}", std::process::id()));
        let mut file = LinesFile::in_folder(&folder);
        assert_eq!(file.read().down_bps("A"), None, "there is none yet");
        let line = r#"{"A": {"down_bps": 7, "up_bps": 0, "rtt_ms": 0, "loss": 0.0, "seen_unix_ms": 0}}"#;
        for (text, known) in [(line, Some(7)), (&line[..20], None)] {
            file.write(text.to_owned());
            file.writing.take().expect("begun").await.expect("written");
            assert_eq!(file.read().down_bps("A"), known);
        }
        std::fs::remove_dir_all(&folder).expect("cleaned up");
    }
}
