//! What the kernel reports of processes: CPU time, memory, datagrams that found a full socket.

use std::fs;
use std::time::{Duration, Instant};

/// CPU time of a process since it began.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu {
    /// Threads whose name begins with `media-`.
    pub media: Duration,
    pub others: Duration,
}

impl Cpu {
    /// By thread, in nanoseconds (`schedstat`). A thread that has ended is missed; the server's live
    /// as long as it does, but for tokio's idle helpers.
    pub fn of(pid: u32) -> Cpu {
        let mut cpu = Cpu::default();
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for thread in threads.map(|thread| thread.path()) {
            let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
            let stat = fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
            let ran = stat.split_whitespace().next().and_then(|ns| ns.parse().ok());
            let ran = Duration::from_nanos(ran.unwrap_or_default());
            match name.starts_with("media-") {
                true => cpu.media += ran,
                false => cpu.others += ran,
            }
        }
        cpu
    }

    pub fn total(&self) -> Duration {
        self.media + self.others
    }

    pub fn since(&self, before: &Cpu) -> Cpu {
        Cpu {
            media: self.media.saturating_sub(before.media),
            others: self.others.saturating_sub(before.others),
        }
    }
}

/// Resident memory of a process in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Datagrams this namespace has dropped for full socket buffers so far, by the port's owner.
#[derive(Debug, Clone, Copy, Default)]
pub struct Overflows {
    pub server: u64,
    pub client: u64,
}

impl Overflows {
    pub fn now(server_port: u16) -> Overflows {
        let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
        let suffix = format!(":{server_port:04X}");
        let mut overflows = Overflows::default();
        for line in table.lines().skip(1) {
            let mut words = line.split_whitespace();
            let is_server = words.nth(1).is_some_and(|local| local.ends_with(&suffix));
            let drops: u64 = words.last().and_then(|drops| drops.parse().ok()).unwrap_or_default();
            *(if is_server { &mut overflows.server } else { &mut overflows.client }) += drops;
        }
        overflows
    }

    pub fn since(&self, before: &Overflows) -> Overflows {
        Overflows {
            server: self.server.saturating_sub(before.server),
            client: self.client.saturating_sub(before.client),
        }
    }
}

/// Everything there is to read at one end of a window.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    pub at: Instant,
    pub server: Cpu,
    pub client: Cpu,
    machine: Duration,
    overflows: Overflows,
}

/// What has happened between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub time: Duration,
    pub server: Cpu,
    pub client: Duration,
    /// By all other processes of this machine.
    pub strangers: Duration,
    pub overflows: Overflows,
}

impl Moment {
    pub fn now(server: u32, server_port: u16) -> Moment {
        Moment {
            at: Instant::now(),
            server: Cpu::of(server),
            client: Cpu::of(std::process::id()),
            machine: machine(),
            overflows: Overflows::now(server_port),
        }
    }

    pub fn until(&self, later: &Moment) -> Spent {
        let server = later.server.since(&self.server);
        let client = later.client.since(&self.client).total();
        let all = later.machine.saturating_sub(self.machine);
        Spent {
            time: later.at - self.at,
            server,
            client,
            strangers: all.saturating_sub(server.total()).saturating_sub(client),
            overflows: later.overflows.since(&self.overflows),
        }
    }
}

/// Busy time of all cores since boot: everything but idle and waiting for disks. USER_HZ is 100.
fn machine() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let words = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<u64> = words.map(|word| word.parse().unwrap_or_default()).collect();
    // user nice system (idle iowait) irq softirq steal; guest is part of user.
    let busy = [0, 1, 2, 5, 6, 7].into_iter().filter_map(|column| ticks.get(column));
    Duration::from_millis(busy.sum::<u64>() * 10)
}
