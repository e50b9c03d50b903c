//! Takes a new certificate into use while the server runs: an authority's is renewed every few weeks,
//! and names are added to our own.

use super::{Certificate, Shown, Source};
use crate::error::StartError;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often the files are looked at: two or three looks of metadata, so it costs nothing, and a change is noticed
/// soon.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Follows the files until the task is dropped.
pub async fn follow(source: Source, shown: Arc<Shown>) {
    let mut watch = Watch::new(source);
    let mut due = tokio::time::interval(LOOK_EVERY);
    loop {
        due.tick().await;
        // A disk may hang; the runtime's threads must not.
        let looked = tokio::task::spawn_blocking(move || {
            let found = watch.look();
            (watch, found)
        });
        let Ok((next, found)) = looked.await else {
            return;
        };
        watch = next;
        match found {
            Some(Ok(certificate)) => {
                tracing::info!(names = ?certificate.names, until = certificate.last_day(), "new certificate for HTTPS");
                shown.show(certificate);
            }
            Some(Err(e)) => tracing::error!("the old certificate stays in use: {e}"),
            None => {}
        }
    }
}

/// What distinguishes one state of a file from another: place, size and time of change. `None`: it is not there.
type Stamp = Vec<Option<(u64, u64, i64, i64)>>;

fn stamp(source: &Source) -> Stamp {
    let one = |file: &Path| {
        let there = std::fs::metadata(file).ok()?;
        Some((there.ino(), there.size(), there.mtime(), there.mtime_nsec()))
    };
    source.files().iter().map(|file| one(file)).collect()
}

struct Watch {
    source: Source,
    /// In use, or looked at and found unfit.
    known: Stamp,
    /// Seen at the last look.
    seen: Stamp,
}

impl Watch {
    fn new(source: Source) -> Watch {
        let now = stamp(&source);
        Watch { source, known: now.clone(), seen: now }
    }

    /// A new certificate, or why it cannot be used. Certificate and key are written one after the other:
    /// only what is the same at two looks is read.
    fn look(&mut self) -> Option<Result<Certificate, StartError>> {
        let now = stamp(&self.source);
        let still = now == self.seen;
        self.seen.clone_from(&now);
        if !still || now == self.known {
            return None;
        }
        self.known = now;
        self.source.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StartCode;
    use rcgen::{KeyPair, generate_simple_self_signed};
    use std::path::PathBuf;

    /// Files of an operator in a folder that goes when the test does.
    struct Files(PathBuf);

    impl Files {
        fn new(name: &str) -> Files {
            let folder = std::env::temp_dir().join(format!("nhipcau-watch-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).expect("made");
            Files(folder)
        }

        fn source(&self) -> Source {
            Source::Given { certificate: self.0.join("chain.pem"), key: self.0.join("key.pem") }
        }

        /// As a program does that renews: a new file in place of the old.
        fn put(&self, file: &str, text: &str) {
            std::fs::write(self.0.join("new"), text).expect("written");
            std::fs::rename(self.0.join("new"), self.0.join(file)).expect("renamed");
        }

        fn renew(&self, name: &str) -> KeyPair {
            let made = generate_simple_self_signed(vec![name.to_owned()]).expect("made");
            self.put("chain.pem", &made.cert.pem());
            made.signing_key
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            // What a test leaves in the temporary folder does no harm.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_new_certificate_is_taken_when_it_is_whole_and_a_bad_one_is_reported_once() {
        let files = Files::new("given");
        let key = files.renew("a.example");
        files.put("key.pem", &key.serialize_pem());
        let mut watch = Watch::new(files.source());
        assert!(watch.look().is_none() && watch.look().is_none(), "nothing has changed");

        let key = files.renew("b.example");
        assert!(watch.look().is_none(), "it may be half of the change");
        files.put("key.pem", &key.serialize_pem());
        assert!(watch.look().is_none(), "it was");
        let taken = watch.look().expect("whole").expect("good");
        assert!(taken.names.contains("b.example"));
        assert!(watch.look().is_none(), "taken once");

        files.put("chain.pem", "nothing of the kind");
        let reported: Vec<_> = (0..5).filter_map(|_| watch.look()).collect();
        let [Err(error)] = reported.as_slice() else {
            panic!("one error: {reported:?}");
        };
        assert_eq!(error.code, StartCode::Certificate);
        let key = files.renew("c.example");
        files.put("key.pem", &key.serialize_pem());
        let taken = (0..2).find_map(|_| watch.look()).expect("repaired").expect("good");
        assert!(taken.names.contains("c.example"));
    }
}
