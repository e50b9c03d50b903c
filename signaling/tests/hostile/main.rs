//! What strangers and one invited link can do to a server, over real sockets.

#[path = "../common/mod.rs"]
mod common;
mod flood;
#[path = "../process/mod.rs"]
mod process;
mod strangers;

use process::{Folder, PROGRAM, Running};
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

/// Where a server that runs as a process listens.
const HTTP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 13);

/// A server with the meeting of [`common::config`] and another one.
fn serve(folder: &Folder) -> Running {
    std::fs::create_dir_all(&folder.0).expect("made");
    let mut config = common::config();
    config.http = (HTTP, 0).into();
    config.data = folder.0.join("data");
    config.media.listen = vec![Ipv4Addr::LOCALHOST.into()];
    config.media.workers = 1;
    config.meetings.push(flood::other_meeting());
    let file = folder.0.join("nhipcau.toml");
    std::fs::write(&file, toml::to_string(&config).expect("TOML")).expect("written");
    let mut command = Command::new(PROGRAM);
    command.arg("serve").arg("--config").arg(file);
    Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
}

/// A site in its meeting, which shows that it is alive; done when the server has closed its connection.
async fn stays(mut site: common::Site) {
    let mut sign = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = sign.tick() => site.say(serde_json::json!({"type": "ping", "n": 1})).await,
            message = site.next() => if message.is_none() {
                return;
            },
        }
    }
}

/// The most memory a process has had so far, in KiB: the page it frees again counts, too.
fn peak_kib(server: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.0.id())).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix(" kB")).expect("proc(5)");
    peak.parse().expect("a number")
}
