//! The server under load: configured, started, stopped.

use crate::place::{self, MEDIA_IP, SERVER_CORE};
use ::protocol::SiteId;
use ::signaling::ids::site_id;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// The namespace has no other programs, so all ports are free.
pub const HTTP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const METRICS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);
pub const MEDIA_PORT: u16 = 50_000;
/// From start to an open port: certificates are made, and a debug build is slow.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Server {
    child: Child,
    log: PathBuf,
}

/// The secret of a site's link.
pub fn token(meeting: usize, site: usize) -> String {
    format!("load-meeting-{meeting:04}-site-{site:05}")
}

impl Server {
    /// `meetings` has the number of sites of each meeting; the first of each is its chair.
    pub fn start(program: &Path, meetings: &[usize]) -> Result<Server, String> {
        let folder = place::scratch();
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let (config, log) = (folder.join("nhipcau.toml"), folder.join("server.log"));
        let written = fs::write(&config, configuration(&folder, meetings));
        written.map_err(|e| format!("{}: {e}", config.display()))?;
        let output = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let child = place::on_core(SERVER_CORE)
            .arg(program)
            .args(["serve", "--config"])
            .arg(&config)
            .env("NHIPCAU_LOG", "warn,rtc=off,rtc_dtls=off,webrtc=off")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn();
        let child = child.map_err(|e| format!("setpriv and taskset are needed: {e}"))?;
        let mut server = Server { child, log };
        server.wait_until_open()?;
        Ok(server)
    }

    /// `setpriv` and `taskset` become the server: they do not fork.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_open(&mut self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if TcpStream::connect(HTTP).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended at once ({status}): {}", self.end_of_log()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the server does not open {HTTP}: {}", self.end_of_log()))
    }

    /// The sum of one family of its metrics, which are as new as the last second; not a number where there are none.
    pub fn metric(&self, family: &str) -> f64 {
        sum_of(|line| line.strip_prefix(family).is_some_and(|rest| rest.starts_with(['{', ' '])))
    }

    /// Packets left out so far because a worker could not keep up.
    pub fn left_out(&self) -> f64 {
        sum_of(|line| {
            line.starts_with("nhipcau_worker_dropped_packets_total{") && line.contains("reason=\"overload\"")
        })
    }

    /// An error of the client with the end of the server's log.
    pub fn explain(&self, error: String) -> String {
        format!("{error}; the server's log: {}", self.end_of_log())
    }

    /// The end of its log.
    fn end_of_log(&self) -> String {
        let mut text = String::new();
        // A log that cannot be read adds nothing.
        let _ = File::open(&self.log).and_then(|mut log| log.read_to_string(&mut text));
        let lines: Vec<&str> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().map(|line| line.chars().take(300).collect::<String>() + "\n").collect()
    }
}

fn sum_of(is_wanted: impl Fn(&str) -> bool) -> f64 {
    let page = scrape().unwrap_or_default();
    let wanted = page.lines().filter(|line| is_wanted(line));
    let values = wanted.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.reduce(|sum, value| sum + value).unwrap_or(f64::NAN)
}

fn scrape() -> std::io::Result<String> {
    let mut stream = TcpStream::connect(METRICS)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be dead already; that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, meetings: &[usize]) -> String {
    let mut text = format!(
        "http = \"{HTTP}\"\nhttps = \"127.0.0.1:8443\"\nmetrics = \"{METRICS}\"\ndata = \"{}\"\n\
         [media]\nport = {MEDIA_PORT}\nlisten = [\"{MEDIA_IP}\"]\nworkers = 1\n\
         [limits]\nsites_per_meeting = 1000\nconnections_per_address = 100000\n\
         messages_per_second = 1000\nconnections = 100000\n",
        folder.display()
    );
    for (meeting, sites) in meetings.iter().enumerate() {
        add_meeting(&mut text, meeting, *sites).expect("a string takes everything");
    }
    text
}

/// The name of a site, which also identifies it.
pub fn name(site: usize) -> String {
    format!("Xã {site}")
}

pub fn id(site: usize) -> SiteId {
    site_id(&name(site))
}

fn add_meeting(text: &mut String, meeting: usize, sites: usize) -> std::fmt::Result {
    write!(text, "[[meetings]]\ntitle = \"Tải {meeting}\"\nsites = [\n")?;
    for site in 0..sites {
        let role = if site == 0 { "role = \"chair\", " } else { "" };
        writeln!(text, "{{ name = \"{}\", {role}token = \"{}\" }},", name(site), token(meeting, site))?;
    }
    writeln!(text, "]")
}
