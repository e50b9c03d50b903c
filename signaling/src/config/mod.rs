//! Settings: TOML file, then environment, then flags, each outweighing the one before.
//!
//! Every setting is one row of [`settings::SETTINGS`]; its environment variable and its flag are made
//! from its key (`limits.sites_per_meeting` → `NHIPCAU_LIMITS_SITES_PER_MEETING` and
//! `--limits-sites-per-meeting`). Meetings come from the file only.

mod check;
mod name;
mod read;
pub mod settings;
mod token;

pub use check::is_host;

use crate::error::StartError;
use crate::ids::{MeetingId, site_id};
use name::spelling;
use protocol::Secret;
use protocol::{Role, SiteId};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// All settings of the server. `ops/nhipcau.toml` documents each with its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port for HTTP; on `localhost` browsers allow the camera without a certificate. Other
    /// machines that come there are sent to HTTPS.
    pub http: SocketAddr,
    /// Address and port for HTTPS, which browsers on other machines need for the camera.
    pub https: SocketAddr,
    /// Address and port for Prometheus; keep it off public networks.
    pub metrics: SocketAddr,
    /// Folder for what is kept between runs: the certificate.
    pub data: PathBuf,
    /// Names or addresses by which sites reach this server; put into links and the certificate.
    pub names: Vec<String>,
    /// Seconds sites get to notice that the server is going down.
    pub drain_seconds: u64,
    pub tls: TlsConfig,
    pub media: MediaConfig,
    pub limits: Limits,
    pub meetings: Vec<MeetingConfig>,
}

/// A certificate of the operator's; without one the server makes its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// PEM file with its key, without a password.
    pub key: PathBuf,
}

/// The media plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaConfig {
    /// First port, UDP and TCP; each worker takes the next one. 0: any free ports.
    pub port: u16,
    /// Addresses of this machine to receive media on; empty: all.
    pub listen: Vec<IpAddr>,
    /// Addresses told to sites instead of the machine's own, for servers behind NAT.
    pub advertise: Vec<IpAddr>,
    /// Worker threads; 0: one for each processor.
    pub workers: usize,
}

/// What one site, address or meeting may use up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Sites inside one meeting at the same time; the chair is never refused.
    pub sites_per_meeting: usize,
    /// Attempts to join with an unknown link, from one address (IPv6: one /64) within a minute.
    pub failed_joins_per_address_per_minute: u32,
    /// Messages a connection may send per second, over time.
    pub messages_per_second: u32,
    /// Connections of all kinds at the same time.
    pub connections: usize,
    /// Of these, connections from one address (IPv6: one /64) that are no site in a meeting, or not yet.
    pub connections_per_address: usize,
}

/// One meeting and who is invited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeetingConfig {
    pub title: String,
    /// What the meeting is known by while its title changes; without one, by its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub sites: Vec<SiteConfig>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteConfig {
    pub name: String,
    /// What the site is known by while its name changes; without one, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default = "plain_site")]
    pub role: Role,
    /// The secret part of the join link, 128 bits at least.
    pub token: Secret,
}

impl MeetingConfig {
    pub fn id(&self) -> MeetingId {
        MeetingId::of_key(self.key.as_ref().unwrap_or(&self.title))
    }
}

impl SiteConfig {
    pub fn id(&self) -> SiteId {
        site_id(self.key.as_ref().unwrap_or(&self.name))
    }
}

fn plain_site() -> Role {
    Role::Site
}

impl Default for Config {
    fn default() -> Config {
        Config {
            http: SocketAddr::from(([127, 0, 0, 1], 8080)),
            https: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 8443)),
            metrics: SocketAddr::from(([127, 0, 0, 1], 9464)),
            data: PathBuf::from("/var/lib/nhipcau"),
            names: Vec::new(),
            drain_seconds: 3,
            tls: TlsConfig::default(),
            media: MediaConfig::default(),
            limits: Limits::default(),
            meetings: Vec::new(),
        }
    }
}

impl Default for MediaConfig {
    fn default() -> MediaConfig {
        MediaConfig { port: 50_000, listen: Vec::new(), advertise: Vec::new(), workers: 0 }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            sites_per_meeting: 64,
            failed_joins_per_address_per_minute: 240,
            messages_per_second: 20,
            connections: 2_000,
            // An eighth: 35 halls behind one address may load the page in the same ten seconds.
            connections_per_address: 250,
        }
    }
}

impl MediaConfig {
    /// Worker threads there will be.
    pub fn threads(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            n => n,
        }
    }
}

/// Settings given as text: key (as in the file) and value.
pub type Overrides = Vec<(String, String)>;

impl Config {
    /// Reads `file` if there is one, then puts `environment` and `flags` over it and checks the whole.
    pub fn load(
        file: Option<&Path>,
        environment: &Overrides,
        flags: &Overrides,
    ) -> Result<Config, StartError> {
        let config = match file {
            Some(path) => Config::from_file(path)?,
            None => Config::default(),
        };
        config.overlay(environment, flags)
    }

    /// Puts `environment` and then `flags` over these settings and checks the whole.
    pub fn overlay(mut self, environment: &Overrides, flags: &Overrides) -> Result<Config, StartError> {
        for (key, value) in environment {
            let given = format!("biến môi trường {}", settings::variable(key));
            self.set(key, value, &given)?;
        }
        for (key, value) in flags {
            self.set(key, value, &format!("tham số --{}", settings::flag(key)))?;
        }
        self.normalise();
        self.check()?;
        Ok(self)
    }

    fn from_file(path: &Path) -> Result<Config, StartError> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            StartError::config(format!("không đọc được tệp cấu hình {}: {e}", path.display()))
        })?;
        Config::from_toml(&text)
            .map_err(|e| StartError::config(format!("tệp cấu hình {}, {}", path.display(), e.sentence)))
    }

    /// Reads TOML; errors name line and column.
    pub fn from_toml(text: &str) -> Result<Config, StartError> {
        read::read(text).map_err(|fault| {
            let (line, column) = position(text, fault.at);
            StartError::config(format!("dòng {line}, cột {column}: {}", fault.what))
        })
    }

    fn set(&mut self, key: &str, value: &str, given: &str) -> Result<(), StartError> {
        let setting = settings::find(key)
            .ok_or_else(|| StartError::config(format!("{given}: không có thiết lập này")))?;
        (setting.apply)(self, value)
            .map_err(|what| StartError::config(format!("{given}: giá trị \"{value}\" {what}")))
    }

    /// Names in their one spelling; the chair's site first: the order of the protocol.
    fn normalise(&mut self) {
        for meeting in &mut self.meetings {
            meeting.title = spelling(&meeting.title);
            meeting.sites.iter_mut().for_each(|site| site.name = spelling(&site.name));
            let keys = meeting.sites.iter_mut().map(|site| &mut site.key).chain([&mut meeting.key]);
            keys.flatten().for_each(|key| *key = spelling(key));
            meeting.sites.sort_by_key(|site| site.role != Role::Chair);
        }
    }

    /// The settings in force as TOML, secrets left out.
    pub fn printable(&self) -> String {
        let mut shown = self.clone();
        for meeting in &mut shown.meetings {
            for site in &mut meeting.sites {
                site.token = Secret::from("(không hiển thị)");
            }
        }
        toml::to_string_pretty(&shown).unwrap_or_else(|e| format!("# {e}\n"))
    }
}

/// Line and column, both from 1, of a byte in `text`.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.chars().rev().take_while(|c| *c != '\n').count().saturating_add(1);
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ClientMessage;

    fn pairs(list: &[(&str, &str)]) -> Overrides {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn flags_outweigh_environment_outweighs_file() {
        let folder = std::env::temp_dir().join(format!("nhipcau-config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let file = folder.join("nhipcau.toml");
        std::fs::write(&file, "http = \"127.0.0.1:1\"\nhttps = \"127.0.0.1:1\"\nmetrics = \"127.0.0.1:1\"\n")
            .expect("written");
        let environment = pairs(&[("https", "127.0.0.1:2"), ("metrics", "127.0.0.1:2")]);
        let flags = pairs(&[("metrics", "127.0.0.1:3"), ("limits.sites_per_meeting", "7")]);
        let config = Config::load(Some(&file), &environment, &flags).expect("good settings");
        std::fs::remove_dir_all(&folder).expect("cleaned up");
        assert_eq!(config.http.port(), 1, "only the file names it");
        assert_eq!(config.https.port(), 2, "environment over file");
        assert_eq!(config.metrics.port(), 3, "flags over environment");
        assert_eq!(config.limits.sites_per_meeting, 7);
    }

    #[test]
    fn unknown_fields_name_their_place() {
        let error = Config::from_toml("drain_seconds = 3\n\n[limits]\nsites = 9\n").expect_err("unknown");
        assert!(error.sentence.contains("dòng 4, cột 1"), "{error}");
        assert!(error.sentence.contains("sites"), "{error}");
        assert_eq!(error.to_string().lines().count(), 1);
        let error = Config::from_toml("http = 5\n").expect_err("not an address");
        assert!(error.sentence.contains("dòng 1, cột 8"), "{error}");
    }

    #[test]
    fn mistakes_are_told_in_vietnamese_where_they_are() {
        let table = [
            ("drain_seconds = \"3\"", "dòng 1, cột 17: sai kiểu: chuỗi \"3\", cần "),
            ("drain_seconds = -3", "dòng 1, cột 17: sai giá trị: số `-3`, cần "),
            (
                "[media]\nports = 1",
                "dòng 2, cột 1: không có thiết lập `ports`; các thiết lập ở đây: `port`, ",
            ),
            ("media = 1", "dòng 1, cột 9: sai kiểu: số `1`, cần "),
            ("[[meetings]]\ntitle = \"Giao ban\"", "dòng 1, cột 1: thiếu `sites`"),
            (
                "[[meetings]]\ntitle = \"Giao ban\"\nsites = [{ name = \"Huyện\", role = \"boss\", token = \"t\" }]",
                "dòng 3, cột 35: không có giá trị `boss`; cần `chair`, `site`",
            ),
            ("http = \"here\"", "dòng 1, cột 8: "),
            ("http = 2026-11-26", "dòng 1, cột 8: sai kiểu: thời điểm, cần "),
            ("drain_seconds = 3\ndrain_seconds = 4", "dòng 2, cột 1: không đúng cú pháp TOML: "),
            ("drain_seconds", "không đúng cú pháp TOML: "),
        ];
        for (text, expected) in table {
            let error = Config::from_toml(text).expect_err(text);
            assert!(error.sentence.contains(expected), "{text}: {error}");
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn the_example_is_the_defaults_and_names_every_setting() {
        let text = include_str!("../../../ops/nhipcau.toml");
        let mut example = Config::from_toml(text).expect("the example parses");
        let error = example.check().expect_err("its secrets are known to everybody");
        assert!(error.sentence.contains("token mẫu"), "{error}");
        let sites = example.meetings.iter_mut().flat_map(|meeting| &mut meeting.sites);
        sites.for_each(|site| site.token = Secret::fresh());
        example.check().expect("the example is valid otherwise");
        let mut plain = example.clone();
        plain.meetings.clear();
        assert_eq!(plain, Config::default(), "the example shows the defaults");
        assert!(!example.meetings.is_empty(), "and how to write a meeting");
        for setting in settings::SETTINGS {
            let name = setting.key.rsplit('.').next().unwrap_or(setting.key);
            assert!(text.contains(&format!("{name} = ")), "{name} is missing");
        }
    }

    #[test]
    fn a_secret_is_shown_by_nothing_it_is_part_of() {
        let hello = r#"{"type":"hello","version":1,"token":"abcd-1234","seat":"efgh-5678"}"#;
        let message: ClientMessage = serde_json::from_str(hello).expect("a hello");
        let shown = format!("{message:?}");
        assert!(shown.contains("Secret(…)") && !shown.contains("1234") && !shown.contains("5678"), "{shown}");
        let again = serde_json::to_value(&message).expect("JSON");
        assert_eq!((&again["token"], &again["seat"]), (&"abcd-1234".into(), &"efgh-5678".into()));

        let site = "sites = [{ name = \"Huyện\", role = \"chair\", token = \"abcd-1234\" }]";
        let text = format!("[[meetings]]\ntitle = \"Giao ban\"\n{site}\n");
        let config = Config::from_toml(&text).expect("parses");
        assert!(!format!("{config:?}").contains("1234"), "{config:?}");
        let printed = config.printable();
        assert!(!printed.contains("1234") && printed.contains("drain_seconds"), "{printed}");
        // Without the quotes it is a number, and the parser would show it.
        let error = Config::from_toml(&text.replace("\"abcd-1234\"", "1234")).expect_err("a number");
        assert!(!error.sentence.contains("1234") && error.sentence.contains("dấu ngoặc kép"), "{error}");
    }
}
