//! The commands: what they print and how they end.

mod process;

use process::{ANYWHERE, Folder, PROGRAM, Running, authority, get};
use rustix::process::{geteuid, getpriority_process};
use serde_json::Value;
use signaling::tls::kept;
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant, SystemTime};

/// Name and niceness of each thread.
fn threads(of: &Child) -> Vec<(String, i32)> {
    let folder = format!("/proc/{}/task", of.id());
    let tasks = std::fs::read_dir(folder).expect("threads").flatten();
    // A thread may have ended meanwhile.
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    let read = |stat: String| {
        let (head, fields) = stat.rsplit_once(')').expect("a name in brackets");
        let name = head.split_once('(').expect("brackets").1.to_owned();
        // proc(5): niceness is the 19th field, the name the second.
        let niceness = fields.split_whitespace().nth(16).and_then(|field| field.parse().ok());
        (name, niceness.expect("a number"))
    };
    stats.map(read).collect()
}

#[test]
fn media_goes_before_all_other_threads() {
    let folder = Folder::new("priority");
    let mut demo = Running::demo(&folder.0, &[]);
    demo.told();
    let own = getpriority_process(None).expect("the test's niceness");
    let behind = (own + 5).min(19);
    // Each gives way as the first thing it does, which on a busy machine may be after the output above.
    let in_order = |threads: &[(String, i32)]| {
        let (media, others): (Vec<_>, Vec<_>) =
            threads.iter().partition(|(name, _)| name.starts_with("media-"));
        media.iter().all(|(_, nice)| *nice <= own) && others.iter().all(|(_, nice)| *nice == behind)
    };
    let end = Instant::now() + Duration::from_secs(60);
    while !in_order(&threads(&demo.0)) && Instant::now() < end {
        std::thread::yield_now();
    }
    let threads = threads(&demo.0);
    assert!(threads.iter().any(|(name, _)| name == "media-0") && threads.len() > 3, "{threads:?}");
    assert!(in_order(&threads), "{own}: {threads:?}");
}

#[test]
fn two_demos_run_side_by_side_and_say_where() {
    let folder = Folder::new("side-by-side");
    let mut demos = [(); 2].map(|()| Running::demo(&folder.0, &[]));
    let told = demos.each_mut().map(Running::told);
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

/// Runs the program with a data folder on a disk of its own that is full, in a mount namespace that
/// ends with it. `kept` is in the folder before. Prints what is in the folder afterwards.
fn on_a_full_disk(folder: &Folder, kept: Option<&Path>, arguments: &[&str]) -> Output {
    const SCRIPT: &str = r#"
        data=$1 kept=$2; shift 2
        mount -t tmpfs -o size=64k tmpfs "$data"
        test -z "$kept" || cp "$kept" "$data/"
        cat /dev/zero > "$data/filler" 2> /dev/null || true
        code=0; timeout 60 "$@" --data "$data" || code=$?
        echo; ls -A "$data"; test -z "$kept" || cat "$data/$(basename "$kept")"
        exit $code"#;
    std::fs::create_dir_all(&folder.0).expect("a mount point");
    let namespace = if geteuid().is_root() { "-m" } else { "-rm" };
    let mut command = Command::new("unshare");
    command.args([namespace, "sh", "-euc", SCRIPT, "sh"]);
    command.arg(&folder.0).arg(kept.unwrap_or(Path::new(""))).arg(PROGRAM).args(arguments);
    command.output().expect("unshare")
}

#[test]
fn a_full_disk_is_one_sentence_and_leaves_nothing_half_written() {
    let (folder, elsewhere) = (Folder::new("full"), Folder::new("full-config"));
    let meeting = elsewhere.meeting("");
    for command in [&["serve", &meeting][..], &["demo"]] {
        let ended = on_a_full_disk(&folder, None, &[command, &ANYWHERE].concat());
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(5), "{command:?}: {said}");
        let sentence = said.lines().last().expect("a sentence");
        let expected = format!("E_DATA_DIRECTORY: không ghi được vào thư mục dữ liệu {}", folder.0.display());
        assert!(sentence.starts_with(&expected) && sentence.contains("đĩa đã đầy"), "{said}");
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "\nfiller\n", "{command:?}");
    }
}

#[test]
fn a_certificate_that_cannot_be_replaced_stays_whole() {
    let made = Folder::new("kept-certificate");
    let names = BTreeSet::from(["old.example".to_owned()]);
    kept::add(&made.0, &names, SystemTime::now()).expect("made");
    let before = std::fs::read_to_string(made.0.join(kept::FILE)).expect("kept");
    let folder = Folder::new("full-certificate");
    let add = ["certificate", "--add=new.example"];
    let ended = on_a_full_disk(&folder, Some(&made.0.join(kept::FILE)), &add);
    assert_eq!(ended.status.code(), Some(5), "{}", String::from_utf8_lossy(&ended.stderr));
    let left = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(left, format!("\n{}\nfiller\n{before}", kept::FILE));
}

/// The finding of one check of `doctor --json`.
fn finding(printed: &[u8], check: &str) -> Value {
    let report = printed.split(|byte| *byte == b'\n').next().expect("a line");
    let report: Value = serde_json::from_slice(report).expect("one JSON object");
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().find(|f| f["check"] == check).expect("the check").clone()
}

#[test]
fn doctor_sees_a_full_disk() {
    let folder = Folder::new("full-doctor");
    let ended = on_a_full_disk(&folder, None, &[&["doctor", "--json"][..], &ANYWHERE].concat());
    assert_eq!(ended.status.code(), Some(1), "broken");
    let disk = finding(&ended.stdout, "disk");
    assert_eq!(disk["verdict"], "broken", "{disk}");
    assert!(disk["found"]["vi"].as_str().is_some_and(|t| t.contains("đã đầy")), "{disk}");
    assert!(disk["advice"]["vi"].is_string());
    assert!(String::from_utf8_lossy(&ended.stdout).ends_with("\nfiller\n"));
}

#[test]
fn doctor_changes_nothing() {
    let folder = Folder::new("doctor");
    let data = folder.0.join("state/nhipcau");
    let doctor = || {
        let mut command = Command::new(PROGRAM);
        command.args(["doctor", "--json", "--data"]).arg(&data).args(ANYWHERE);
        finding(&command.output().expect("ran").stdout, "disk")
    };
    let absent = doctor();
    assert_eq!(absent["verdict"], "warning", "{absent}");
    let advice = absent["advice"]["en"].as_str().expect("one advice");
    assert!(advice.contains(&format!("install -d -m 700 -o ACCOUNT {}", data.display())), "{advice}");
    assert!(!folder.0.exists(), "nothing was made");

    std::fs::create_dir_all(&data).expect("made");
    let before = std::fs::metadata(&data).expect("there").modified().expect("a time");
    let there = doctor();
    assert!(there["found"]["en"].as_str().is_some_and(|t| t.contains("can be written")), "{there}");
    assert_eq!(std::fs::metadata(&data).expect("there").modified().expect("a time"), before);
    assert_eq!(std::fs::read_dir(&data).expect("a folder").count(), 0);

    std::fs::write(folder.0.join("file"), "").expect("written");
    let mut command = Command::new(PROGRAM);
    command.args(["doctor", "--json", "--data"]).arg(folder.0.join("file")).args(ANYWHERE);
    assert_eq!(finding(&command.output().expect("ran").stdout, "disk")["verdict"], "broken");
}

#[test]
fn join_measures_over_tls_and_trusts_only_what_it_may() {
    let folder = Folder::new("join-tls");
    let mut demo = Running::demo(&folder.0, &["--https", "127.0.0.1:0"]);
    let told = demo.told();
    let site = told["links"]["sites"][0]["link"].as_str().expect("a link");
    let token = site.split('#').nth(1).expect("a token");
    let link = format!("https://{}/#{token}", authority(&told["https"]));
    // Served, so the certificate is made.
    assert!(get(&authority(&told["http"]), "/healthz").starts_with("HTTP/1.1 200"));
    let own = certificate(&folder.0);

    // For as long as it does by itself: on a busy machine the line seems narrow at first, and little of its own comes.
    let join = |trust: &[&str]| {
        Command::new(PROGRAM).args(["join", &link, "--report", "json"]).args(trust).output().expect("ran")
    };
    for trust in [&["--insecure"][..], &["--ca", &own]] {
        let joined = join(trust);
        let said = String::from_utf8_lossy(&joined.stderr);
        // A verdict, which depends on how busy the machine is.
        assert!(matches!(joined.status.code(), Some(0 | 20)), "{trust:?}: {said}");
        let report: Value = serde_json::from_slice(&joined.stdout).expect("JSON");
        assert_eq!(report["connected"], true, "{report}");
    }
    let other = folder.0.join("other");
    let names = BTreeSet::from(["localhost".to_owned()]);
    kept::add(&other, &names, SystemTime::now()).expect("made");
    let foreign = ["--ca", &certificate(&other)];
    for (trust, why) in [(&[][..], "không rõ ai cấp; "), (&foreign, "không phải chứng thư đã chỉ bằng --ca")]
    {
        let refused = join(trust);
        assert_eq!(refused.status.code(), Some(1));
        let report: Value = serde_json::from_slice(&refused.stdout).expect("JSON all the same");
        assert_eq!((&report["connected"], &report["error"]["code"]), (&false.into(), &"certificate".into()));
        let said = String::from_utf8_lossy(&refused.stderr);
        let sentence = format!("Không tin được chứng thư của máy chủ 127.0.0.1: {why}");
        assert!(said.starts_with(&sentence) && said.ends_with(". [certificate]\n"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// A file with the certificate kept in a data folder, as PEM.
fn certificate(data: &Path) -> String {
    let kept = std::fs::read(data.join(kept::FILE)).expect("kept");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    let file = data.join("certificate.pem");
    std::fs::write(&file, kept["certificate_pem"].as_str().expect("PEM")).expect("written");
    file.to_str().expect("a path").to_owned()
}

#[test]
fn what_stands_in_the_way_of_a_start_is_one_sentence_with_a_code() {
    let folder = Folder::new("start");
    let meeting = folder.meeting("");
    let data = format!("--data={}", folder.0.display());
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let bad = folder.0.join("bad.toml");
    std::fs::write(&bad, "drain_seconds = 3\n\n[limits]\nsites = 9\n").expect("written");
    let serve = |more: &[&str], variable: &str| {
        let name = |argument: &str| argument.split('=').next().map(str::to_owned);
        let rest = ANYWHERE.iter().filter(|other| more.iter().all(|given| name(given) != name(other)));
        let meeting = Some(&meeting).filter(|_| more.iter().all(|given| !given.starts_with("--config")));
        let mut command = Command::new(PROGRAM);
        command.arg("serve").args(rest).arg(&data).args(meeting).args(more).env(variable, "1");
        let ended = command.output().expect("ran");
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    let http = format!("--http={address}");
    let media = format!("--media-port={}", address.port());
    let file = format!("--config={}", bad.display());
    let table = [
        (&[http.as_str()][..], "IRRELEVANT", 3, format!("E_PORT_TAKEN: cổng {address} (http) ")),
        (&[&media], "IRRELEVANT", 3, format!("E_PORT_TAKEN: cổng {address} (media.port) ")),
        (
            &["--http=203.0.113.1:0"],
            "IRRELEVANT",
            4,
            "E_ADDRESS: không mở được 203.0.113.1:0 (http)".to_owned(),
        ),
        (&[&file], "IRRELEVANT", 2, format!("E_CONFIG: tệp cấu hình {}, dòng 4, cột 1: ", bad.display())),
        (&["--drain-seconds=x"], "IRRELEVANT", 2, "E_CONFIG: tham số --drain-seconds: ".to_owned()),
        (&[], "NHIPCAU_HTPP", 2, "E_CONFIG: biến môi trường NHIPCAU_HTPP: ".to_owned()),
    ];
    for (arguments, variable, code, sentence) in table {
        let (ended, said) = serve(arguments, variable);
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.starts_with(&sentence) && said.lines().count() == 1, "{said}");
    }
}
