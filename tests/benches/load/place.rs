//! Where all of it runs: a private network namespace with `lo` and an address on a veth pair whose ends both stay
//! inside; the server on one core, the client on the other. Every process is killed by the kernel when its parent ends,
//! however that ends; the namespace goes with them.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

/// The kernel carries what is sent to it over `lo`, and no server takes it for loopback.
pub const MEDIA_IP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 77, 0, 1));
pub const SERVER_CORE: usize = 0;
const CLIENT_CORE: usize = 1;
/// Clear of the server's, and enough for some thousand sites.
const PORTS: &str = "10000 49999";

/// A process that dies with the thread that starts it, on one core.
pub fn on_core(core: usize) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", &core.to_string()]);
    command
}

/// Starts this program again inside a namespace of its own and returns how it ended. A signal ends it too, and what it
/// has put into the folder of temporary files is removed.
pub fn enter() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let folder = scratch();
    let done = runtime.block_on(watch(inside()));
    if let Err(error) = std::fs::remove_dir_all(&folder)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        eprintln!("load: {} is left behind: {error}", folder.display());
    }
    done
}

/// Files of the server of this run.
pub fn scratch() -> PathBuf {
    let key = "LOAD_SCRATCH";
    let own = || std::env::temp_dir().join(format!("nhipcau-load-{}", std::process::id()));
    std::env::var_os(key).map_or_else(own, PathBuf::from)
}

/// As root a network namespace is enough, others need a user namespace around it. Lower niceness is set where it is
/// permitted, and where the kernel groups processes by session it counts for a session of our own. Each site takes two
/// file descriptors here and one at the server.
fn inside() -> Command {
    let own = std::env::current_exe().expect("the path of this program");
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "unshare", "-n"]);
    if !is_root() {
        command.arg("-r");
    }
    let raised = r#"ulimit -n "$(ulimit -Hn)"; { echo -10 > /proc/self/autogroup; } 2>/dev/null; exec "$@""#;
    let core = CLIENT_CORE.to_string();
    command.args(["setsid", "nice", "-n", "-10", "taskset", "-c", &core, "sh", "-c", raised, "sh"]);
    command.arg(own).arg("--inside").args(std::env::args_os().skip(1));
    command.env("LOAD_SCRATCH", scratch());
    command
}

fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
}

async fn watch(command: Command) -> ExitCode {
    use tokio::signal::unix::{SignalKind, signal};
    let mut command = tokio::process::Command::from(command);
    let mut child = match command.kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("load: setpriv, unshare, nice and taskset are needed: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut terminate = signal(SignalKind::terminate()).expect("a signal handler");
    let status = tokio::select! {
        status = child.wait() => status,
        _ = terminate.recv() => return ExitCode::FAILURE,
        _ = tokio::signal::ctrl_c() => return ExitCode::FAILURE,
    };
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Sets up the namespace.
pub fn furnish() -> Result<(), String> {
    let address = format!("{MEDIA_IP}/24");
    ip(&["link", "set", "lo", "up"])?;
    ip(&["link", "add", "bridge0", "type", "veth", "peer", "name", "bridge1"])?;
    ip(&["addr", "add", &address, "dev", "bridge0"])?;
    ip(&["link", "set", "bridge0", "up"])?;
    ip(&["link", "set", "bridge1", "up"])?;
    std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", PORTS).map_err(|e| format!("port range: {e}"))
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            Err(format!("ip {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
        }
        Err(error) => Err(format!("ip is needed: {error}")),
    }
}
