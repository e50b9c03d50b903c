//! What an operator meets: links, the certificate, limits of the machine.

mod process;

use process::{AN_PHUOC, ANYWHERE, CHAIR, Folder, PROGRAM, Running};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let ended: Output = Command::new(PROGRAM).args(arguments).output().expect("ran");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ended.status.code(), text(&ended.stdout), text(&ended.stderr))
}

#[test]
fn a_server_without_a_meeting_prints_what_to_do() {
    let folder = Folder::new("no-meeting");
    let data = format!("--data={}", folder.0.display());
    for command in ["serve", "links"] {
        let (code, printed, said) = run(&[&[command, &data][..], &ANYWHERE].concat());
        assert_eq!((code, printed.as_str()), (Some(2), ""), "{said}");
        assert!(said.starts_with("E_CONFIG: chưa có cuộc họp nào; ") && said.contains("--config"), "{said}");
        assert!(said.contains("nhipcau demo") && said.lines().count() == 1, "{said}");
    }
}

/// A meeting, and the arguments that name it to a command.
fn meeting(name: &str) -> (Folder, Vec<String>) {
    let folder = Folder::new(name);
    let data = format!("--data={}", folder.0.join("data").display());
    let mut arguments = vec![folder.meeting(""), data];
    arguments.extend(ANYWHERE.map(str::to_owned));
    (folder, arguments)
}

#[test]
fn links_are_printed_on_request_and_on_a_terminal() {
    let (_folder, arguments) = meeting("links");
    let ended = Command::new(PROGRAM).arg("links").args(&arguments).output().expect("ran");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let printed = String::from_utf8(ended.stdout).expect("text");
    for link in [format!("Chủ tọa Huyện Long Thành: https://hop.example:0/#{CHAIR}"), format!("/#{AN_PHUOC}")]
    {
        assert!(printed.contains(&link), "{printed}");
    }

    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("usable");
    let name = ptsname(&terminal, Vec::new()).expect("a name");
    let name = name.to_str().expect("text");
    let open = || File::options().read(true).write(true).open(name).expect("opened");
    let mut serve = Command::new(PROGRAM);
    serve.arg("serve").args(&arguments).stdin(Stdio::null()).stdout(open()).stderr(Stdio::null());
    let server = Running::start(&mut serve);
    // A terminal that no one has open any more is an error to read from.
    let mut lines = BufReader::new(File::from(terminal)).lines().map_while(Result::ok);
    let shown = lines.find(|line| line.contains(AN_PHUOC)).expect("a link");
    assert!(shown.contains("Điểm cầu An Phước: https://hop.example:"), "{shown}");
    assert_eq!(server.terminate().code(), Some(0));
}

#[test]
fn links_are_in_no_journal() {
    let (_folder, arguments) = meeting("journal");
    let mut serve = Command::new(PROGRAM);
    serve.arg("serve").args(&arguments).env("NHIPCAU_LOG", "trace");
    let mut server = Running::start(serve.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let (output, errors) = (server.0.stdout.take().expect("piped"), server.0.stderr.take().expect("piped"));
    let mut errors = BufReader::new(errors);
    let mut log = String::new();
    while !log.contains("serving") {
        assert!(errors.read_line(&mut log).expect("text") > 0, "{log}");
    }
    assert_eq!(server.terminate().code(), Some(0));
    errors.read_to_string(&mut log).expect("text");
    let mut printed = String::new();
    BufReader::new(output).read_to_string(&mut printed).expect("text");
    assert!(printed.is_empty() && !log.contains(AN_PHUOC), "{printed}{log}");
}

#[test]
fn the_certificate_is_shown_and_gets_names_and_a_damaged_one_is_left_alone() {
    let folder = Folder::new("certificate");
    let data = format!("--data={}", folder.0.display());
    let certificate = |more: &[&str]| run(&[&["certificate", &data][..], more].concat());
    let (code, printed, _) = certificate(&[]);
    assert_eq!(code, Some(0));
    assert!(printed.starts_with("Chưa có chứng thư."), "{printed}");

    let (code, printed, said) = certificate(&["--add", "Hop.Example", "--add=203.0.113.7"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(printed.contains("hop.example") && printed.contains("203.0.113.7, "), "{printed}");
    let fingerprint = |printed: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix("Vân tay SHA-256: "));
        line.expect("a fingerprint").to_owned()
    };
    let first = fingerprint(&printed);
    let (_, printed, _) = certificate(&["--add", "hop.example"]);
    assert_eq!(fingerprint(&printed), first, "it has the name");
    let (_, pem, _) = certificate(&["--pem"]);
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\n") && pem.ends_with("CERTIFICATE-----\n"), "{pem}");
    let (_, printed, _) = certificate(&["--names", "hop2.example"]);
    assert!(printed.contains("Thêm bằng:       nhipcau certificate --add hop2.example"), "{printed}");
    let (code, _, said) = certificate(&["--add", "https://hop.example"]);
    assert_eq!(code, Some(2), "{said}");

    let file = folder.0.join("certificate.json");
    std::fs::write(&file, "{\"names\":").expect("damaged");
    let meeting = Folder::new("certificate-config");
    let serve = ["serve", &meeting.meeting(""), &data];
    for (code, _, said) in [certificate(&[]), run(&[&serve[..], &ANYWHERE].concat())] {
        assert_eq!(code, Some(6), "{said}");
        let sentence = said.lines().last().expect("a sentence");
        assert!(
            sentence.starts_with("E_CERTIFICATE: tệp chứng thư ") && sentence.contains("bị hỏng"),
            "{said}"
        );
        assert_eq!(std::fs::read_to_string(&file).expect("there"), "{\"names\":", "left alone");
    }
}

/// `serve` under limits of open files, as `ulimit` sets them; with its log.
fn limited(folder: &Folder, limits: &str) -> (Running, BufReader<impl Read>) {
    let script = format!("{limits}; exec \"$@\"");
    let data = format!("--data={}", folder.0.join("data").display());
    let mut serve = Command::new("bash");
    serve.args(["-c", &script, "bash", PROGRAM, "serve", &folder.meeting(""), &data]).args(ANYWHERE);
    let mut server = Running::start(serve.stdout(Stdio::null()).stderr(Stdio::piped()));
    let errors = server.0.stderr.take().expect("piped");
    (server, BufReader::new(errors))
}

#[test]
fn open_files_are_taken_as_the_system_gives_them_and_too_few_are_reported() {
    let folder = Folder::new("open-files");
    let until = |log: &mut BufReader<_>, word: &str| {
        let mut all = String::new();
        while !all.contains(word) {
            assert!(BufRead::read_line(log, &mut all).expect("text") > 0, "no {word}: {all}");
        }
        all
    };
    let (server, mut log) = limited(&folder, "ulimit -Sn 256");
    until(&mut log, "serving");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.0.id())).expect("running");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a limit");
    let numbers: Vec<&str> = files.split_whitespace().skip(3).take(2).collect();
    assert_eq!(numbers[0], numbers[1], "soft and hard: {files}");
    assert_eq!(server.terminate().code(), Some(0));

    let (server, mut log) = limited(&folder, "ulimit -n 1024");
    let told = until(&mut log, "serving");
    assert!(told.contains("limits.connections is lowered") && told.contains("connections=384"), "{told}");
    assert_eq!(server.terminate().code(), Some(0));

    let (server, mut log) = limited(&folder, "ulimit -n 128");
    let told = until(&mut log, "E_CONFIG");
    assert!(told.contains("hệ thống chỉ cho mở 128 tệp") && told.contains("ulimit -n"), "{told}");
    assert_eq!(server.ends().code(), Some(2));
}
