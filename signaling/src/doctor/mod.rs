//! `nhipcau doctor`: is this machine ready? Each finding is a verdict and, where it is not good,
//! exactly one advice. Looks, and changes nothing: it may run as another account than the server.

mod clock;
mod machine;
mod ports;

use crate::cli::{DoctorArgs, Language};
use crate::config::Config;
use crate::error::StartError;
use crate::output;
use serde::Serialize;
use std::process::ExitCode;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Good,
    Warning,
    Broken,
}

/// The same words in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    pub vi: String,
    pub en: String,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// Stable name, for scripts.
    pub check: &'static str,
    pub verdict: Verdict,
    pub found: Words,
    /// What to do; `None` where nothing needs doing.
    pub advice: Option<Words>,
}

/// Two languages in one line of code.
pub(crate) fn words(vi: impl Into<String>, en: impl Into<String>) -> Words {
    Words { vi: vi.into(), en: en.into() }
}

impl Finding {
    fn good(check: &'static str, found: Words) -> Finding {
        Finding { check, verdict: Verdict::Good, found, advice: None }
    }

    fn bad(check: &'static str, verdict: Verdict, found: Words, advice: Words) -> Finding {
        Finding { check, verdict, found, advice: Some(advice) }
    }
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    ready: bool,
    findings: &'a [Finding],
}

/// Examines, prints, and returns 1 when something is broken.
pub fn run(args: &DoctorArgs) -> Result<ExitCode, StartError> {
    let findings = match args.settings.load() {
        Ok(config) => examine(&config),
        Err(e) => vec![Finding::bad(
            "config",
            Verdict::Broken,
            words(e.to_string(), e.to_string()),
            words("Sửa cấu hình rồi chạy lại.", "Correct the configuration and run again."),
        )],
    };
    let ready = findings.iter().all(|f| f.verdict != Verdict::Broken);
    if args.json {
        let findings = &findings;
        let report = Report { ready, findings };
        output::print(&serde_json::to_string(&report).unwrap_or_default())?;
    } else {
        let lines: Vec<_> = findings.iter().map(|f| line(f, args.lang)).collect();
        output::print(&lines.join("\n"))?;
    }
    Ok(match ready {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Everything, in the order in which one would repair it.
fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![configuration(config)];
    findings.extend(ports::examine(config));
    findings.push(machine::socket_buffers());
    findings.push(machine::open_files(config));
    findings.extend(clock::examine());
    findings.push(machine::certificate(config));
    findings.push(machine::disk(config));
    findings
}

fn configuration(config: &Config) -> Finding {
    let meetings = config.meetings.len();
    if meetings == 0 {
        return Finding::bad(
            "config",
            Verdict::Warning,
            words("Cấu hình chưa có cuộc họp nào.", "The configuration names no meeting."),
            words(
                "Thêm mục [[meetings]] vào tệp cấu hình và chỉ tệp đó bằng --config.",
                "Add [[meetings]] to the configuration file and name the file with --config.",
            ),
        );
    }
    let sites: usize = config.meetings.iter().map(|m| m.sites.len()).sum();
    Finding::good(
        "config",
        words(
            format!("Cấu hình: {meetings} cuộc họp, {sites} điểm cầu."),
            format!("Configuration: {meetings} meetings, {sites} sites."),
        ),
    )
}

fn line(finding: &Finding, language: Language) -> String {
    let vi = language == Language::Vi;
    let verdict = match (finding.verdict, vi) {
        (Verdict::Good, true) => "ĐẠT      ",
        (Verdict::Warning, true) => "CẢNH BÁO ",
        (Verdict::Broken, true) => "HỎNG     ",
        (Verdict::Good, false) => "GOOD     ",
        (Verdict::Warning, false) => "WARNING  ",
        (Verdict::Broken, false) => "BROKEN   ",
    };
    let say = |words: &Words| match vi {
        true => words.vi.clone(),
        false => words.en.clone(),
    };
    let advice = finding.advice.as_ref();
    let advice = advice.map_or(String::new(), |advice| format!("\n         → {}", say(advice)));
    format!("{verdict}{}{advice}", say(&finding.found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_good_has_one_advice() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut config = Config { data: "/proc/nowhere".into(), ..Config::default() };
        config.http = taken.local_addr().expect("bound");
        let findings = examine(&config);
        for finding in &findings {
            let good = finding.verdict == Verdict::Good;
            assert_eq!(good, finding.advice.is_none(), "{finding:?}");
        }
        let verdict = |check| {
            let found = findings.iter().find(|f| f.check == check);
            found.unwrap_or_else(|| panic!("no {check}")).verdict
        };
        assert_eq!(verdict("port_http"), Verdict::Broken, "the port is taken");
        assert_eq!(verdict("disk"), Verdict::Broken, "it cannot be written");
        assert_eq!(verdict("config"), Verdict::Warning, "no meeting");
    }
}
