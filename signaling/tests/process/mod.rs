//! The program as it is installed: its processes, and what they print.

#![allow(dead_code, reason = "each test binary uses its part")]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_nhipcau");

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder that goes when the test does.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        Folder(std::env::temp_dir().join(format!("nhipcau-{name}-{}", std::process::id())))
    }
}

/// Secrets of a meeting's links.
pub const CHAIR: &str = "8f3a1c97d2e05b64a7c8e1f0392b5d61";
pub const AN_PHUOC: &str = "c1e07b5a93d8264f0ab1c2d3e4f59687";

impl Folder {
    /// A configuration with one meeting, for `--config`; more settings come first.
    pub fn meeting(&self, settings: &str) -> String {
        std::fs::create_dir_all(&self.0).expect("made");
        let file = self.0.join("nhipcau.toml");
        let text = format!(
            "{settings}\n[[meetings]]\ntitle = \"Giao ban\"\nsites = [\n\
             {{ name = \"Huyện Long Thành\", role = \"chair\", token = \"{CHAIR}\" }},\n\
             {{ name = \"An Phước\", token = \"{AN_PHUOC}\" }},\n]\n"
        );
        std::fs::write(&file, text).expect("written");
        format!("--config={}", file.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What a test leaves in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program; killed when the test ends before it does.
pub struct Running(pub Child);

impl Running {
    pub fn start(command: &mut Command) -> Running {
        Running(command.spawn().expect("started"))
    }

    pub fn demo(data: &Path, more: &[&str]) -> Running {
        let mut command = Command::new(PROGRAM);
        command.args(["demo", "--json", "--data"]).arg(data).args(more);
        Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()))
    }

    /// What it prints first.
    pub fn told(&mut self) -> Value {
        let mut line = String::new();
        let output = self.0.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("text");
        serde_json::from_str(&line).expect("one JSON object on the first line")
    }

    /// Where it listens on one of the addresses of loopback: what it prints may be lost.
    pub fn listens(&mut self, ip: Ipv4Addr) -> SocketAddr {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(ended) = self.0.try_wait().expect("a child") {
                panic!("it ended: {ended}");
            }
            if let Some(found) = listener(self.0.id(), ip) {
                return found;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("it does not listen on {ip}");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).expect("running");
    }

    pub fn terminate(self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ends()
    }

    pub fn ends(mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(ended) = self.0.try_wait().expect("a child") {
                return ended;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("it does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended in most tests.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The TCP socket of a process that listens on an address, by proc(5): inodes of its descriptors, and
/// state 0A in the table.
fn listener(process: u32, ip: Ipv4Addr) -> Option<SocketAddr> {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?;
    let links = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let sockets: Vec<String> = links.map(|link| link.to_string_lossy().into_owned()).collect();
    let table = std::fs::read_to_string(format!("/proc/{process}/net/tcp")).ok()?;
    let wanted = format!("{:08X}:", u32::from_ne_bytes(ip.octets()));
    table.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let port = local.strip_prefix(&wanted)?;
        let ours = *state == "0A" && sockets.contains(&format!("socket:[{inode}]"));
        let port = u16::from_str_radix(port, 16).ok().filter(|_| ours)?;
        Some(SocketAddr::from((ip, port)))
    })
}

/// One GET; returns everything that came.
pub fn get(authority: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(authority).expect("the server listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

/// `host:port` of a URL.
pub fn authority(url: &Value) -> String {
    let url = url.as_str().expect("a URL");
    url.split('/').nth(2).expect("a host").to_owned()
}

/// Listeners on any free ports, of this machine alone.
pub const ANYWHERE: [&str; 8] = [
    "--http=127.0.0.1:0",
    "--https=127.0.0.1:0",
    "--metrics=127.0.0.1:0",
    "--media-port=0",
    "--media-workers=1",
    "--media-listen=127.0.0.1",
    "--names=hop.example",
    "--drain-seconds=0",
];
