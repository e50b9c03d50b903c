//! The program as it is installed: its processes, what they print and how they end.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nhipcau");

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        Folder(std::env::temp_dir().join(format!("nhipcau-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What a test leaves in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running program; killed when the test ends before it does.
struct Running(Child);

impl Running {
    fn start(arguments: &[&str]) -> Running {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::null());
        Running(command.spawn().expect("started"))
    }

    fn first_line(&mut self) -> String {
        let mut line = String::new();
        let output = self.0.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("text");
        line
    }

    fn terminate(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("running");
        self.0.wait().expect("ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended in most tests.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One GET; answers everything that came.
fn get(authority: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(authority).expect("somebody listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

/// `host:port` of a URL.
fn authority(url: &Value) -> String {
    let url = url.as_str().expect("a URL");
    url.split('/').nth(2).expect("a host").to_owned()
}

#[test]
fn two_demos_run_side_by_side_and_say_where() {
    let folder = Folder::new("side-by-side");
    let data = folder.0.to_str().expect("a path");
    let mut demos = [(); 2].map(|()| Running::start(&["demo", "--json", "--data", data]));
    let told = demos.each_mut().map(|demo| -> Value {
        serde_json::from_str(&demo.first_line()).expect("one JSON object on the first line")
    });
    let mut ports = BTreeSet::new();
    for demo in &told {
        assert!(get(&authority(&demo["http"]), "/healthz").starts_with("HTTP/1.1 200"));
        assert!(get(&authority(&demo["metrics"]), "/metrics").contains("nhipcau_build_info"));
        TcpStream::connect(authority(&demo["https"])).expect("HTTPS listens");
        let listeners = ["http", "https", "metrics"].map(|name| authority(&demo[name]));
        let own: BTreeSet<String> =
            listeners.iter().map(|at| at.rsplit(':').next().expect("a port").to_owned()).collect();
        assert_eq!(own.len(), 3, "{demo}");
        ports.extend(own);
        let media: Vec<SocketAddr> = serde_json::from_value(demo["media"].clone()).expect("addresses");
        let on_this_machine = media.iter().find(|at| at.ip().is_loopback()).expect("loopback");
        TcpStream::connect(on_this_machine).expect("media listens, also on TCP");
        ports.insert(on_this_machine.port().to_string());
    }
    assert_eq!(ports.len(), 8, "each its own: {told:?}");
    for demo in demos {
        assert_eq!(demo.terminate().code(), Some(0));
    }
}
