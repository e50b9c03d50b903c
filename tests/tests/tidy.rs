//! The house stays tidy: small files, short functions, no left-overs, arrows that go one way.

#[path = "tidy/arrows.rs"]
mod arrows;

use std::path::{Path, PathBuf};
use std::process::Command;

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 40;

/// Files that may be longer, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[("signaling/protocol/src/lib.rs", "the protocol is one document")];

/// Functions that may be longer, each with its reason.
const LONG_FUNCTIONS: &[(&str, &str)] = &[
    ("sfu/src/engine/reports.rs:sender_reports", "two kinds of slots, one report each; a flat list"),
    ("sfu/src/sdp/codec.rs:a_codec_is_taken_only_with_parameters_we_can_forward", "a flat table"),
    ("sfu/src/sdp/tests/hostile.rs:an_offer_is_refused_with_its_reason", "a flat table"),
    ("sfu/src/sdp/tests/mod.rs:sections_get_their_roles_by_kind_direction_and_order", "a flat table"),
];

/// What each folder of the page may import beside itself; the first row that holds a file counts. A row names only
/// rows below it, so no arrow runs back up.
const WEB_ARROWS: arrows::Table = &[
    ("pages/meeting/main", &["pages/meeting", "hooks", "ui", "session", "i18n"]),
    ("pages/meeting", &["hooks", "ui", "meeting", "i18n", "protocol"]),
    ("hooks", &["session", "media", "meeting", "protocol"]),
    ("ui", &["i18n", "protocol"]),
    ("session", &["media", "meeting", "protocol", "memory"]),
    ("media", &["protocol", "memory"]),
    ("meeting", &["protocol"]),
    ("i18n", &["memory"]),
    ("protocol", &[]),
    ("memory", &[]),
];

/// The same for what a crate names by `crate::` and `super::`, for each crate by its folder.
const RUST_ARROWS: &[(&str, arrows::Table)] = &[
    ("sfu", SFU_ARROWS),
    ("sfu/rtp", RTP_ARROWS),
    ("sfu/audio", AUDIO_ARROWS),
    ("sfu/driver", DRIVER_ARROWS),
    ("signaling", SIGNALING_ARROWS),
    ("signaling/protocol", PROTOCOL_ARROWS),
    ("signaling/endpoint", ENDPOINT_ARROWS),
];

/// `command` and `event` are what the quarters say to each other. They stand above `sdp`, whose offers and refusals
/// they carry, and below `room` and `peer`, which keep what was desired.
#[rustfmt::skip]
const SFU_ARROWS: arrows::Table = &[
    ("engine", &["demux", "peer", "room", "command", "event", "bandwidth", "forward", "receive", "sdp", "transport",
        "mix", "shortfall", "stats", "discard", "ids", "limits", "net", "time"]),
    ("demux", &["transport", "discard", "ids", "net"]),
    ("peer", &["room", "command", "bandwidth", "forward", "receive", "sdp", "transport", "discard", "ids",
        "limits", "net", "shortfall", "time"]),
    ("room", &["command", "forward", "mix", "shortfall", "stats", "ids", "limits", "time"]),
    ("command", &["sdp", "ids", "net"]),
    ("event", &["sdp", "shortfall", "stats", "ids", "net"]),
    ("bandwidth", &["time"]),
    ("forward", &["discard", "ids", "time"]),
    ("receive", &["discard", "ids", "limits", "time"]),
    ("sdp", &["ids", "limits", "net"]),
    ("transport", &["discard", "limits", "net", "time"]),
    ("stats", &["discard", "ids", "net"]),
    ("mix", &["ids"]),
    ("discard", &[]),
    ("ids", &[]),
    ("limits", &[]),
    ("net", &[]),
    ("shortfall", &[]),
    ("time", &[]),
];

#[rustfmt::skip]
const RTP_ARROWS: arrows::Table = &[
    ("codec", &["error"]),
    ("extension", &["packet", "ids"]),
    ("packet", &["error", "ids"]),
    ("rtcp", &["error", "ids", "ntp"]),
    ("sequence", &[]),
    ("error", &[]),
    ("ids", &[]),
    ("ntp", &[]),
];

#[rustfmt::skip]
const AUDIO_ARROWS: arrows::Table = &[
    ("tests", &["lib", "buffer", "codec", "marks", "mixer", "room"]),
    ("mixer", &["room", "grid", "codec"]),
    ("room", &["mix", "voice", "grid", "codec"]),
    ("mix", &["grid", "codec"]),
    ("voice", &["buffer", "slack", "codec"]),
    ("buffer", &["codec"]),
    ("slack", &["codec"]),
    ("grid", &["codec"]),
    ("marks", &["codec"]),
    ("codec", &[]),
    ("lib", &[]),
];

/// The worker is the loop, and `workers` all of them.
#[rustfmt::skip]
const DRIVER_ARROWS: arrows::Table = &[
    ("tests", &["lib", "workers", "worker", "machine", "tcp", "udp", "connection", "bind", "overflow"]),
    ("lib", &[]),
    ("workers", &["worker", "machine", "bind", "config", "interfaces", "overflow", "placement", "priority", "probe", "watch"]),
    ("worker", &["machine", "bind", "measure", "mixing", "outbox", "placement", "tcp", "udp", "watch"]),
    ("mixing", &["placement"]),
    ("machine", &[]),
    ("probe", &["bind", "udp"]),
    ("bind", &["udp"]),
    ("tcp", &["connection", "udp"]),
    ("udp", &["gso"]),
    ("connection", &["outgoing", "frame"]),
    ("outgoing", &["frame"]),
    ("interfaces", &["config"]),
    ("overflow", &["placement"]),
    ("watch", &["placement"]),
    ("placement", &[]),
    ("config", &[]),
    ("frame", &[]),
    ("gso", &[]),
    ("measure", &[]),
    ("outbox", &[]),
    ("priority", &[]),
];

/// The commands stand above everything, the protocol below.
#[rustfmt::skip]
const SIGNALING_ARROWS: arrows::Table = &[
    ("lib", &["serve"]),
    ("serve", &["http", "hall", "metrics", "media", "listeners", "tls", "config", "log", "net", "error"]),
    ("demo", &["invite", "cli", "data", "listeners", "config", "error"]),
    ("doctor", &["cli", "tls", "descriptors", "config", "output", "error"]),
    ("join", &["cli", "log", "output", "error"]),
    ("invite", &["tls", "config"]),
    ("certificate", &["cli", "tls", "config", "output", "error"]),
    ("cli", &["config", "error"]),
    ("http", &["ws", "hall", "tls", "config", "log", "net", "error"]),
    ("ws", &["hall", "media", "meeting", "log", "net", "outgoing", "error"]),
    ("hall", &["metrics", "links", "media", "meeting", "config", "log", "net", "outgoing", "data", "error", "ids"]),
    ("metrics", &["links", "media", "meeting", "log"]),
    ("links", &["media", "meeting", "outgoing", "ids"]),
    ("media", &["meeting", "config", "error", "ids"]),
    ("meeting", &["error"]),
    ("tls", &["data", "config", "error"]),
    ("descriptors", &["config", "error"]),
    ("listeners", &["config", "error"]),
    ("data", &["error"]),
    ("config", &["error", "ids"]),
    ("log", &["output", "error"]),
    ("output", &["error"]),
    ("net", &["ids"]),
    ("outgoing", &[]),
    ("error", &[]),
    ("ids", &[]),
];

/// Machines. They are passed the time and secrets, and run in virtual time; the same inputs give the same outputs.
const MACHINES: [&str; 15] = [
    "sfu/src/engine.rs",
    "sfu/src/engine",
    "sfu/src/peer",
    "sfu/src/room",
    "sfu/audio/src/buffer.rs",
    "sfu/audio/src/grid.rs",
    "sfu/audio/src/mix.rs",
    "sfu/audio/src/mixer.rs",
    "sfu/audio/src/room.rs",
    "sfu/audio/src/voice.rs",
    "signaling/src/meeting",
    "signaling/src/hall/core.rs",
    "signaling/src/hall/core",
    "signaling/src/links",
    "signaling/src/media",
];

/// Files among them that may have more, each with its reason.
const NO_MACHINES: &[(&str, &str)] = &[
    ("signaling/src/hall/core/register.rs", "links are looked up by their secrets, and never gone through"),
    ("signaling/src/media/plane.rs", "starts the workers"),
    ("sfu/src/engine.rs", "draws SSRCs and credentials from the seed it is given"),
    ("sfu/src/engine/admit.rs", "as engine.rs"),
    ("sfu/src/peer/subscriber.rs", "as engine.rs"),
];

/// What no machine has: a clock, randomness, tasks and channels, an order that differs from run to run.
const NOT_IN_MACHINES: [&str; 7] =
    ["Instant::now", "SystemTime::now", "rand::", "Secret::fresh", "tokio::", "HashMap", "HashSet"];

/// A file a subject, in one document.
const PROTOCOL_ARROWS: arrows::Table =
    &[("sdp", &["lib"]), ("measure", &["lib"]), ("lib", &["secret"]), ("secret", &[])];

/// The conversation above, media and what it is made of below.
#[rustfmt::skip]
const ENDPOINT_ARROWS: arrows::Table = &[
    ("tests", &["site", "send", "receive", "picture", "vp8", "options", "lib"]),
    ("demo", &["client", "options", "lib"]),
    ("client", &["session", "site", "stats", "receive", "probe", "options", "lib"]),
    ("session", &["wishes", "socket", "site", "send", "receive", "probe", "picture", "options", "lib"]),
    ("verdict", &["stats", "probe", "lib"]),
    ("stats", &["send", "receive", "probe"]),
    ("site", &["send", "receive", "probe", "options", "lib"]),
    ("socket", &["anew", "options", "lib"]),
    ("wishes", &["options"]),
    ("link", &["lib"]),
    ("send", &["receive", "tone", "speech", "picture", "vp8", "options"]),
    ("receive", &["level", "vp8"]),
    ("tone", &["speech", "level"]),
    ("speech", &["schedule", "level", "options"]),
    ("schedule", &["options"]),
    ("picture", &["text", "marker"]),
    ("anew", &[]),
    ("probe", &[]),
    ("level", &[]),
    ("vp8", &[]),
    ("text", &[]),
    ("marker", &[]),
    ("options", &[]),
    ("lib", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

/// Tracked source files with one of these endings.
fn sources(endings: &[&str]) -> Vec<(String, String)> {
    let listed = Command::new("git").arg("ls-files").current_dir(root()).output().expect("git");
    let listed = String::from_utf8(listed.stdout).expect("file names");
    let wanted =
        |name: &&str| endings.iter().any(|ending| name.ends_with(ending)) && !name.ends_with("gen.ts");
    let read =
        |name: &str| std::fs::read_to_string(root().join(name)).ok().map(|text| (name.to_owned(), text));
    listed.lines().filter(wanted).filter_map(read).collect()
}

fn excused(list: &[(&str, &str)], name: &str) -> bool {
    list.iter().any(|(excused, _)| *excused == name)
}

#[test]
fn files_are_small() {
    let long: Vec<String> = sources(&[".rs", ".ts", ".tsx", ".mjs", ".py"])
        .into_iter()
        .map(|(name, text)| (text.lines().count(), name))
        .filter(|(lines, name)| *lines > MAX_FILE_LINES && !excused(LONG_FILES, name))
        .map(|(lines, name)| format!("{name}: {lines} lines"))
        .collect();
    assert_eq!(long, [] as [String; 0]);
}

/// Lines of each `fn` of a formatted Rust file: from its first line to the closing brace at the same
/// indentation.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let head = code.split('(').next().unwrap_or("");
        let is_fn =
            head.split(' ').any(|word| word == "fn") && !code.starts_with("//") && !code.ends_with(';');
        if !is_fn {
            continue;
        }
        let closes = |line: &&str| {
            line.len() > indent && line.starts_with(&" ".repeat(indent)) && line[indent..].starts_with('}')
        };
        if let Some(end) = lines.iter().skip(start).position(closes) {
            let name = head.rsplit(' ').next().unwrap_or("").to_owned();
            found.push((name, end + 1));
        }
    }
    found
}

#[test]
fn functions_are_short() {
    let mut long = Vec::new();
    for (name, text) in sources(&[".rs"]) {
        for (function, lines) in functions(&text) {
            let full = format!("{name}:{function}");
            if lines > MAX_FUNCTION_LINES && !excused(LONG_FUNCTIONS, &full) {
                long.push(format!("{full}: {lines} lines"));
            }
        }
    }
    assert_eq!(long, [] as [String; 0]);
}

#[test]
fn the_measure_measures() {
    let text =
        "impl A {\n    fn short(&self) {\n        one();\n    }\n}\nfn long() {\n    a();\n    b();\n}\n";
    assert_eq!(functions(text), [("short".to_owned(), 3), ("long".to_owned(), 4)]);
}

#[test]
fn nothing_is_left_over() {
    // Written apart, or this file would find itself.
    let marks =
        [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["to", "do!("].concat(), ["INTE", "RIM"].concat()];
    let mut found = Vec::new();
    for (name, text) in sources(&[".rs", ".ts", ".tsx", ".mjs", ".sh", ".py"]) {
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                found.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert_eq!(found, [] as [String; 0]);
}

/// Fails where a table is wrong, or where arrows are not in it or run in circles.
fn check_arrows(table: arrows::Table, found: &[arrows::Arrows]) {
    assert_eq!(arrows::rows_that_name_up(table), [] as [&str; 0]);
    let wrong: Vec<String> = found.iter().flat_map(|arrows| arrows::wrong(table, arrows)).collect();
    assert_eq!(wrong, [] as [String; 0]);
    assert_eq!(arrows::circles(found), [] as [String; 0]);
}

/// Source files below a folder, named from there.
fn sources_below(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    let below = |(name, text): (String, String)| Some((name.strip_prefix(folder)?.to_owned(), text));
    sources(endings).into_iter().filter_map(below).collect()
}

#[test]
fn machines_are_told_everything() {
    let is_machine = |name: &str| MACHINES.iter().any(|machine| Path::new(name).starts_with(machine));
    let is_test =
        |name: &str| name.contains("stories") || name.contains("_tests") || name.contains("recorder");
    let machines = sources(&[".rs"]).into_iter().filter(|(name, _)| is_machine(name) && !is_test(name));
    let machines: Vec<_> = machines.filter(|(name, _)| !excused(NO_MACHINES, name)).collect();
    assert!(machines.len() > 15, "{}", machines.len());
    let found: Vec<String> = machines
        .iter()
        .map(|(name, text)| (name, text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()))
        .flat_map(|(name, text)| {
            // An example in a comment drives the machine, as a host does.
            let code = || text.lines().filter(|line| !line.trim_start().starts_with("//"));
            NOT_IN_MACHINES
                .iter()
                .filter(move |word| code().any(|line| line.contains(**word)))
                .map(move |word| format!("{name}: {word}"))
        })
        .collect();
    assert_eq!(found, [] as [String; 0]);
}

#[test]
fn arrows_of_the_page_go_one_way() {
    let files = sources_below("web/src/", &[".ts", ".tsx"]);
    let found: Vec<_> = files
        .iter()
        .map(|(name, text)| arrows::of_typescript(name.split('.').next().unwrap_or(name), text))
        .collect();
    check_arrows(WEB_ARROWS, &found);
}

#[test]
fn arrows_of_crates_go_one_way() {
    for (name, table) in RUST_ARROWS {
        let found = arrows::of_rust(&sources_below(&format!("{name}/src/"), &[".rs"]));
        assert!(!found.is_empty(), "{name} has no sources");
        check_arrows(table, &found);
    }
}
