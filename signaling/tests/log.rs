//! What happens to a meeting and to the commands when their output cannot be written.

mod common;
mod process;

use common::{AN_PHUOC, BINH_SON, CHAIR, PATIENCE, Site, get, id};
use process::{Folder, PROGRAM, Running};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write, pipe};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const HTTP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);
const METRICS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 12);

/// A server with a meeting, whose listeners can be distinguished by their address.
fn serve(folder: &Folder, errors: impl Into<Stdio>) -> Running {
    std::fs::create_dir_all(&folder.0).expect("made");
    let site =
        |name: &str, role: &str, token: &str| format!("{{name={name:?}, role={role:?}, token={token:?}}}");
    let sites = [
        site("Huyện", "chair", CHAIR),
        site("An Phước", "site", AN_PHUOC),
        site("Bình Sơn", "site", BINH_SON),
    ];
    let data = folder.0.join("data");
    let text = format!(
        "http = \"{HTTP}:0\"\nhttps = \"127.0.0.1:0\"\nmetrics = \"{METRICS}:0\"\ndata = {data:?}\n\
         drain_seconds = 5\n[media]\nport = 0\nlisten = [\"127.0.0.1\"]\nworkers = 1\n\
         [[meetings]]\ntitle = \"Giao ban\"\nsites = [{}]\n",
        sites.join(", ")
    );
    let config = folder.0.join("nhipcau.toml");
    std::fs::write(&config, text).expect("written");
    // Tests run with `nohup` inherit an ignored SIGHUP.
    let mut command = Command::new("env");
    command
        .args(["--default-signal=HUP", PROGRAM, "serve", "--config"])
        .arg(config)
        .env("NHIPCAU_LOG", "debug");
    Running::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors))
}

async fn enter(http: SocketAddr, token: &str) -> Site {
    let mut site = Site::connect(http).await;
    site.hello(token).await;
    site.expect("welcome").await;
    site.expect("meeting").await;
    site
}

/// A pipe with room for nothing more, whose writers wait.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().expect("a pipe");
    let flags = fcntl_getfl(&writer).expect("flags");
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).expect("set");
    let refused = loop {
        if let Err(e) = writer.write(b"\n") {
            break e;
        }
    };
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    fcntl_setfl(&writer, flags).expect("set");
    (reader, writer)
}

fn dead_pipe() -> PipeWriter {
    pipe().expect("a pipe").1
}

fn full_disk() -> File {
    File::options().write(true).open("/dev/full").expect("every Linux has it")
}

/// People come, act and go, and the server ends as it should, whatever happens to its log.
async fn meet(mut server: Running) -> (Running, SocketAddr) {
    let http = server.listens(HTTP);
    let mut chair = enter(http, CHAIR).await;
    let mut site = enter(http, AN_PHUOC).await;
    for locked in [true, false] {
        chair.act(json!({"kind": "lock", "locked": locked})).await;
        site.until("meeting", |m| m["meeting"]["locked"] == locked).await;
    }
    let mut late = enter(http, BINH_SON).await;
    chair.sees(id("Bình Sơn"), |s| s["presence"] == "joining").await;
    late.say(json!({"type": "leave"})).await;
    late.closes().await;
    let metrics = server.listens(METRICS);
    server.signal(Signal::TERM);
    for mut inside in [chair, site] {
        inside.expect("draining").await;
    }
    (server, metrics)
}

/// Waits until a lost line is counted: the thread that writes the log tries when it has its turn.
async fn lines_are_lost(metrics: SocketAddr) {
    loop {
        let (_, numbers) = get(metrics, "/metrics", &[]).await;
        let lost = numbers.lines().find_map(|l| l.strip_prefix("nhipcau_log_lost_lines_total "));
        if lost.expect("counted").parse::<f64>().expect("a number") >= 1.0 {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_meeting_goes_on_and_ends_when_its_log_cannot_be_written() {
    let folder = Folder::new("log-broken");
    for (case, errors) in [("a full disk", Stdio::from(full_disk())), ("a dead pipe", dead_pipe().into())] {
        let mut server = serve(&folder, errors);
        let metrics = server.listens(METRICS);
        let mut early = enter(server.listens(HTTP), CHAIR).await;
        early.say(json!({"type": "leave"})).await;
        early.closes().await;
        let lost = timeout(PATIENCE, lines_are_lost(metrics)).await;
        assert!(lost.is_ok(), "{case}: no line is counted as lost");
        let (server, _) = meet(server).await;
        assert_eq!(server.ends().code(), Some(0), "{case}");
    }
}

#[tokio::test]
async fn a_meeting_goes_on_when_nobody_reads_its_log() {
    let folder = Folder::new("log-unread");
    let (_reader, writer) = full_pipe();
    let (server, _) = meet(serve(&folder, writer)).await;
    assert_eq!(server.ends().code(), Some(0));
}

#[tokio::test]
async fn a_log_that_is_read_again_goes_on_with_whole_lines() {
    let folder = Folder::new("log-again");
    let (mut reader, writer) = full_pipe();
    let mut server = serve(&folder, writer);
    let http = server.listens(HTTP);
    let chair = enter(http, CHAIR).await;
    let reading = std::thread::spawn(move || {
        let mut log = String::new();
        reader.read_to_string(&mut log).expect("text");
        log
    });
    drop(chair);
    assert_eq!(server.terminate().code(), Some(0));
    let log = reading.join().expect("no panic");
    let lines: Vec<&str> = log.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines.iter().all(|line| line.starts_with("20")), "each begins with its time: {lines:?}");
    assert!(lines.iter().any(|line| line.contains("serving")), "what waited was kept: {lines:?}");
    assert!(lines.iter().any(|line| line.contains("draining")), "{lines:?}");
}

#[tokio::test]
async fn media_flows_on_when_the_log_breaks_in_the_middle_of_a_meeting() {
    let folder = Folder::new("log-breaks");
    let mut server = serve(&folder, Stdio::piped());
    let log = server.0.stderr.take().expect("piped");
    let http = server.listens(HTTP);
    let mut chair = enter(http, CHAIR).await;
    let bots = [AN_PHUOC, BINH_SON].map(|token| {
        let mut join = Command::new(PROGRAM);
        join.args(["join", &format!("http://{http}/#{token}"), "--seconds", "5", "--report", "json"]);
        join.stdout(Stdio::piped()).spawn().expect("started")
    });
    let present = |m: &Value, site: usize| m["meeting"]["sites"][site]["presence"] == "present";
    chair.until("meeting", |m| present(m, 1) && present(m, 2)).await;
    drop(log);
    for locked in [true, false] {
        chair.act(json!({"kind": "lock", "locked": locked})).await;
        chair.until("meeting", |m| m["meeting"]["locked"] == locked).await;
    }
    for bot in bots {
        let ended = bot.wait_with_output().expect("ran");
        let report = String::from_utf8_lossy(&ended.stdout).into_owned();
        let code = ended.status.code();
        assert!(matches!(code, Some(0 | 20)), "connected, and media flowed both ways: {code:?} {report}");
    }
    let (_, numbers) = get(server.listens(METRICS), "/metrics", &[]).await;
    assert!(!numbers.contains("nhipcau_log_lost_lines_total 0\n"), "it did break");
    drop(chair);
    assert_eq!(server.terminate().code(), Some(0));
}

/// How a command ends whose output goes there, and what it writes to standard error.
fn ends(output: impl Into<Stdio>, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(PROGRAM);
    let ended = command.args(arguments).stdout(output).output().expect("ran");
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

#[test]
fn commands_end_with_a_sentence_or_silently_when_their_output_cannot_be_written() {
    let folder = Folder::new("output");
    let data = format!("--data={}", folder.0.display());
    let doctor = ["doctor", "--json", "--http=127.0.0.1:0", "--data=/proc/nowhere"];
    let join = ["join", "http://127.0.0.1:1/#nobody-listens-there", "--report", "json"];
    let print = ["serve", "--print-config", &data];
    for (arguments, verdict) in [(&doctor[..], 1), (&join, 1), (&print, 0)] {
        let (code, said) = ends(full_disk(), arguments);
        assert_eq!(code, Some(9), "{arguments:?}: {said}");
        let sentence = "E_OUTPUT: không in được kết quả ra đầu ra chuẩn: đĩa đã đầy\n";
        assert_eq!(said, sentence, "{arguments:?}");
        let (code, said) = ends(dead_pipe(), arguments);
        assert_eq!(code, Some(verdict), "{arguments:?}: its own verdict, as without the pipe: {said}");
        assert!(!said.contains("E_OUTPUT") && !said.contains("panic"), "{arguments:?}: {said}");
    }
    for arguments in [&["--help"][..], &["serve", "--help"], &["--version"]] {
        for output in [Stdio::from(full_disk()), dead_pipe().into()] {
            let (code, said) = ends(output, arguments);
            assert!(code.is_some_and(|code| code != 101), "{arguments:?}: {said}");
            assert!(!said.contains("panicked"), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn a_demo_goes_on_when_its_links_cannot_be_printed() {
    let folder = Folder::new("output-demo");
    let data = format!("--data={}", folder.0.display());
    let http = format!("--http={HTTP}:0");
    let (_reader, unread) = full_pipe();
    for output in [Stdio::from(full_disk()), dead_pipe().into(), unread.into()] {
        let mut command = Command::new(PROGRAM);
        command.args(["demo", "--json", &data, &http]).stdout(output).stderr(Stdio::null());
        let mut demo = Running::start(&mut command);
        let http = demo.listens(HTTP).to_string();
        assert!(process::get(&http, "/healthz").starts_with("HTTP/1.1 200"));
        assert_eq!(demo.terminate().code(), Some(0));
    }
}

#[tokio::test]
async fn a_closed_terminal_drains_unless_the_server_was_told_to_stay() {
    let folder = Folder::new("hangup");
    let mut server = serve(&folder, Stdio::null());
    let mut chair = enter(server.listens(HTTP), CHAIR).await;
    server.signal(Signal::HUP);
    chair.expect("draining").await;
    drop(chair);
    assert_eq!(server.ends().code(), Some(0));

    let mut command = Command::new("nohup");
    command.args([PROGRAM, "demo", "--json", "--data"]).arg(folder.0.join("demo"));
    let mut demo = Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()));
    let told: Value = demo.told();
    // It answers, so it has chosen its signals. What it ignores the kernel does not even deliver.
    assert!(process::get(&process::authority(&told["http"]), "/healthz").contains("200 OK"));
    let status = std::fs::read_to_string(format!("/proc/{}/status", demo.0.id())).expect("running");
    let mask = |name: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name)).expect("a mask");
        u64::from_str_radix(mask.trim(), 16).expect("hexadecimal")
    };
    assert_eq!((mask("SigIgn:") & 1, mask("SigCgt:") & 1), (1, 0), "SIGHUP stays ignored");
    assert_eq!(demo.terminate().code(), Some(0));
}
