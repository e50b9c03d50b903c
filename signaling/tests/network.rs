//! Servers on machines whose network comes late, changes, has one family of addresses or two, and is narrow.

mod namespaces;
mod process;

use namespaces::{End, add, alone, cable, ip, program_in, set};
use process::{AN_PHUOC, CHAIR, Folder, PROGRAM, Running};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const PAGE: &str = "127.0.0.1:8080";
/// Long enough for a picture to be seen on a busy machine, counted from when media flows.
const SECONDS: &str = "4";

/// A server with the listeners it has by default. There is no other program here, so all ports are free.
struct Server {
    folder: Folder,
    running: Running,
}

impl Server {
    fn start(name: &str) -> Server {
        Server::start_with(name, Command::new(PROGRAM), Stdio::null())
    }

    fn start_with(name: &str, mut program: Command, output: impl Into<Stdio>) -> Server {
        let folder = Folder::new(name);
        let meeting = folder.meeting("[media]\nworkers = 1\n");
        let log = File::create(folder.0.join("log")).expect("a log");
        program.args(["serve", &meeting]).arg("--data").arg(folder.0.join("data"));
        program.env("NHIPCAU_LOG", "info,rtc=off,rtc_dtls=off,webrtc=off");
        program.stdin(Stdio::null()).stdout(output).stderr(log);
        Server { folder, running: Running::start(&mut program) }
    }

    /// Until it serves.
    fn serves(mut self) -> Server {
        self.until("it serves", |_| TcpStream::connect(PAGE).is_ok());
        self
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.0.join("log")).expect("a log")
    }

    fn until(&mut self, what: &str, done: impl Fn(&Server) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            let ended = self.running.0.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < end, "not so: {what}\n{}", self.log());
            sleep(Duration::from_millis(20));
        }
    }
}

/// A site that measures its line for some seconds.
fn join(mut program: Command, host: &str, token: &str, seconds: &str) -> Running {
    program.args([
        "join",
        &format!("https://{host}:8443/#{token}"),
        "--insecure",
        "--report=json",
        "--takeover",
    ]);
    program.args(["--seconds", seconds]).stdout(Stdio::piped());
    Running::start(&mut program)
}

/// What it measured.
fn report(mut site: Running) -> Value {
    let mut text = String::new();
    let output = site.0.stdout.as_mut().expect("piped");
    output.read_to_string(&mut text).expect("text");
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// The chair, whose media flows: a site that is there before it measures itself by its own picture.
fn comes(server: &mut Server, program: Command, host: &str) -> Running {
    let came = |server: &Server| server.log().matches("site=\"Huyện Long Thành\" path=Up").count();
    let before = came(server);
    let chair = join(program, host, CHAIR, "600");
    server.until("the chair's media is up", |server| came(server) > before);
    chair
}

/// Two sites that come by `host` see each other whole.
fn meets(server: &mut Server, program: impl Fn() -> Command, host: &str) {
    let chair = comes(server, program(), host);
    let report = report(join(program(), host, AN_PHUOC, SECONDS));
    sees_chair(&report, host);
    drop(chair);
}

/// A whole picture has come, over UDP, and nothing of any was lost on the way.
fn sees_chair(report: &Value, who: &str) {
    let whole = report["time_to_first_frame_ms"].is_number() && report["transport"] == "udp";
    let tracks = report["received"].as_array().unwrap_or_else(|| panic!("{who}: {report}"));
    let pictures = tracks.iter().find(|t| t["kind"] == "video" && t["site"] == "Huyện Long Thành");
    let complete = pictures.is_some_and(|t| t["frames"].as_u64() > Some(0) && t["lost"] == 0);
    assert!(whole && complete, "{who}: {report}");
}

/// A terminal to print on, and the lines that come there.
fn terminal() -> (File, Receiver<String>) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("usable");
    let name = ptsname(&terminal, Vec::new()).expect("a name");
    let printed = File::options().read(true).write(true).open(name.to_str().expect("text")).expect("opened");
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        // Until no one has it open any more, which is an error to read from, or the receiver is gone.
        let mut lines = BufReader::new(File::from(terminal)).lines().map_while(Result::ok);
        lines.try_for_each(|line| sender.send(line))
    });
    (printed, lines)
}

/// Waits for a line with `text`.
fn shows(lines: &Receiver<String>, text: &str) {
    while !lines
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|e| panic!("{text} is not printed: {e}"))
        .contains(text)
    {}
}

#[test]
fn a_server_that_is_older_than_its_network_serves_it() {
    alone("a_server_that_is_older_than_its_network_serves_it", || {
        let (screen, lines) = terminal();
        let mut server = Server::start_with("late", Command::new(PROGRAM), screen).serves();
        shows(&lines, &format!("http://127.0.0.1:8080/#{AN_PHUOC}"));
        add("site");
        let ours = End { namespace: None, device: "network", addresses: &[] };
        cable(&ours, &End { namespace: Some("site"), device: "line", addresses: &["10.9.0.2/24"] });
        for address in ["10.9.0.1", "10.9.0.3"] {
            ip("addr flush dev network");
            ip(&format!("addr add {address}/24 dev network"));
            meets(&mut server, || program_in("site", PROGRAM), address);
            shows(&lines, &format!("https://{address}:8443/#{AN_PHUOC}"));
            let line = format!("reached by other addresses than before hosts=[\"{address}\"]");
            server.until(&line, |server| server.log().contains(&line));
        }
    });
}

/// What a request for `host` is answered with.
fn status(host: &str) -> String {
    let mut stream = TcpStream::connect(PAGE).expect("the server listens");
    let request = format!("GET / HTTP/1.1\r\nHost: {host}:8080\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer.lines().next().expect("a status").to_owned()
}

#[test]
fn a_machine_is_known_by_the_name_it_was_given_last() {
    alone("a_machine_is_known_by_the_name_it_was_given_last", || {
        let hostname =
            |name: &str| rustix::system::sethostname(name.as_bytes()).expect("a namespace of our own");
        hostname("nobody");
        let _server = Server::start("named").serves();
        let all = || ["nobody", "hop.dong-nai.example", "hop", "hop.local"].map(status);
        let (known, unknown) = ("HTTP/1.1 200 OK", "HTTP/1.1 421 Misdirected Request");
        assert_eq!(all(), [known, unknown, unknown, unknown]);
        hostname("Hop.dong-nai.example");
        assert_eq!(all(), [unknown, known, known, known]);
    });
}

#[test]
fn https_and_media_are_there_over_both_families() {
    alone("https_and_media_are_there_over_both_families", || {
        let mut server = Server::start("families").serves();
        for host in ["[::1]", "127.0.0.1"] {
            meets(&mut server, || Command::new(PROGRAM), host);
        }
    });
}

#[test]
fn a_machine_without_ipv6_serves_over_ipv4() {
    alone("a_machine_without_ipv6_serves_over_ipv4", || {
        set("net/ipv6/conf/all/disable_ipv6", "1");
        let mut server = Server::start("four").serves();
        meets(&mut server, || Command::new(PROGRAM), "127.0.0.1");
    });
}

/// What a router does with a packet that is too long for its narrow line and may not be cut.
#[derive(Clone, Copy, PartialEq)]
enum Router {
    /// Reports it, as it must.
    Tells,
    /// Its report is lost: something drops ICMP.
    Silent,
}

/// The server's namespace is `hall`. A router, this namespace, has a line to each site on which no longer packets go
/// than its MTU; like many it keeps TCP's segments short, and can do nothing of the kind for UDP.
fn narrow_lines(router: Router, sites: &[(&str, &str, u32)]) {
    set("net/ipv4/ip_forward", "1");
    set("net/ipv6/conf/all/forwarding", "1");
    let site = |name: &str, n: usize| {
        add(name);
        let prefixes = [format!("10.{n}.0."), format!("fd0{n}::")];
        let [near, far] =
            ["1", "2"].map(|end| [format!("{}{end}/24", prefixes[0]), format!("{}{end}/64", prefixes[1])]);
        let (device, near, far) =
            (format!("to-{name}"), near.each_ref().map(|a| &**a), far.each_ref().map(|a| &**a));
        let ours = End { namespace: None, device: &device, addresses: &near };
        cable(&ours, &End { namespace: Some(name), device: "line", addresses: &far });
        for (family, prefix) in ["", "-6 "].iter().zip(&prefixes) {
            ip(&format!("-n {name} {family}route add default via {prefix}1 advmss 500"));
        }
    };
    site("hall", 1);
    for (n, (name, address, mtu)) in (2..).zip(sites) {
        site(name, n);
        let family = if address.contains(':') { "-6 " } else { "" };
        ip(&format!("{family}route add {address} dev to-{name} mtu lock {mtu}"));
    }
    if router == Router::Silent {
        for (family, hall) in [("", "10.1.0.2"), ("-6 ", "fd01::2")] {
            ip(&format!("{family}rule add iif lo to {hall} blackhole"));
        }
    }
}

/// Sites on narrow lines see the chair, which is beside the server.
fn pictures_arrive(router: Router) {
    let sites = [("vpn", "10.2.0.2", 576), ("tunnel", "10.3.0.2", 1_100), ("six", "fd04::2", 1_280)];
    narrow_lines(router, &sites);
    let mut server = Server::start_with("narrow", program_in("hall", PROGRAM), Stdio::null());
    server.until("it listens", |server| server.log().contains("serving"));
    let _chair = join(program_in("hall", PROGRAM), "127.0.0.1", CHAIR, "600");
    for (name, address, _) in sites {
        let host = if address.contains(':') { "[fd01::2]" } else { "10.1.0.2" };
        if address.contains(':') {
            ip(&format!("-n {name} addr flush dev line scope global to 10.0.0.0/8"));
        }
        sees_chair(&report(join(program_in(name, PROGRAM), host, AN_PHUOC, SECONDS)), name);
    }
}

#[test]
fn pictures_arrive_over_narrow_lines() {
    alone("pictures_arrive_over_narrow_lines", || pictures_arrive(Router::Tells));
}

#[test]
fn pictures_arrive_over_narrow_lines_that_are_not_reported() {
    alone("pictures_arrive_over_narrow_lines_that_are_not_reported", || pictures_arrive(Router::Silent));
}
