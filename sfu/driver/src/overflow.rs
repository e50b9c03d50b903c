//! Datagrams that the kernel dropped before a worker saw them, most often because the socket's buffer was full.
//!
//! The worker does not learn of them: the kernel counts (proc(5), `/proc/net/udp`), and the metrics are read from
//! there.

use super::placement::WorkerId;
use rustix::fs::fstat;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsFd;

/// Of the calling thread's network, which is the workers'.
const TABLES: [&str; 2] = ["/proc/thread-self/net/udp", "/proc/thread-self/net/udp6"];

/// The sockets of all workers, as the kernel's tables name them.
#[derive(Debug, Clone, Default)]
pub struct Overflows(Vec<(WorkerId, u64)>);

impl Overflows {
    pub(super) fn watch<S: AsFd>(&mut self, worker: WorkerId, socket: &S) -> io::Result<()> {
        self.0.push((worker, fstat(socket)?.st_ino));
        Ok(())
    }

    /// Dropped since the start, by worker. Reads a table of all UDP sockets of the machine: too slow for a worker's
    /// thread.
    pub fn read(&self) -> io::Result<BTreeMap<WorkerId, u64>> {
        let mut found = BTreeMap::new();
        for table in TABLES {
            match std::fs::read_to_string(table) {
                Ok(text) => self.find(&text, &mut found),
                // A kernel without IPv6 has no second table.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(found)
    }

    fn find(&self, table: &str, found: &mut BTreeMap<WorkerId, u64>) {
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [_, _, _, _, _, _, _, _, _, inode, _, _, drops, ..] = fields.as_slice() else {
                continue;
            };
            let (Ok(inode), Ok(drops)) = (inode.parse::<u64>(), drops.parse::<u64>()) else {
                continue;
            };
            for (worker, _) in self.0.iter().filter(|(_, ours)| *ours == inode) {
                let total: &mut u64 = found.entry(*worker).or_default();
                *total = total.saturating_add(drops);
            }
        }
    }
}
