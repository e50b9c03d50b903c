//! `nhipcau demo`: a district's meeting to look at, with links that stay good between runs.

use crate::cli::DemoArgs;
use crate::config::{Config, MeetingConfig, SiteConfig};
use crate::data::write_secret;
use crate::error::{StartCode, StartError};
use crate::invite::{lan_hosts, shown};
use crate::listeners::{Listeners, address_of};
use endpoint::JoinLink;
use protocol::Role;
use protocol::Secret;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub const TITLE: &str = "Họp giao ban huyện Long Thành";
pub const CHAIR: &str = "Huyện Long Thành";
/// Sites the demo itself plays, without a screen.
pub const HEADLESS: [&str; 4] = ["An Phước", "Bình Sơn", "Phước Thái", "Thị trấn Long Thành"];
/// Sites left free for people to open.
const FREE: [&str; 4] = ["Lộc An", "Long Đức", "Tam An", "Long Phước"];
const TOKENS_FILE: &str = "demo-links.json";

/// The settings of a demo: its own meeting, its own data folder, any free media ports. For people it is on the same
/// ports every time; scripts read where it is, and may start many.
pub fn config(args: &DemoArgs) -> Result<Config, StartError> {
    let mut base = Config {
        data: default_data(),
        drain_seconds: 1,
        media: crate::config::MediaConfig { port: 0, ..Default::default() },
        ..Config::default()
    };
    if args.json {
        let listeners = [&mut base.http, &mut base.https, &mut base.metrics];
        listeners.into_iter().for_each(|address| address.set_port(0));
    }
    let mut config = args.settings.load_over(base)?;
    config.meetings = vec![meeting(&config.data)?];
    Ok(config)
}

fn default_data() -> PathBuf {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = state.or_else(home).unwrap_or_else(std::env::temp_dir);
    state.join("nhipcau-demo")
}

fn meeting(data: &Path) -> Result<MeetingConfig, StartError> {
    let tokens = tokens(data)?;
    let names = std::iter::once(CHAIR).chain(HEADLESS).chain(FREE);
    let sites = names.map(|name| SiteConfig {
        name: name.to_owned(),
        key: None,
        role: match name == CHAIR {
            true => Role::Chair,
            false => Role::Site,
        },
        token: tokens.get(name).cloned().unwrap_or_else(Secret::fresh),
    });
    Ok(MeetingConfig { title: TITLE.to_owned(), key: None, sites: sites.collect() })
}

/// Tokens by site, kept in the data folder.
fn tokens(data: &Path) -> Result<BTreeMap<String, Secret>, StartError> {
    let path = data.join(TOKENS_FILE);
    let kept = std::fs::read(&path).unwrap_or_default();
    let kept: BTreeMap<String, Secret> = serde_json::from_slice(&kept).unwrap_or_default();
    let mut tokens = kept.clone();
    for name in std::iter::once(CHAIR).chain(HEADLESS).chain(FREE) {
        tokens.entry(name.to_owned()).or_insert_with(Secret::fresh);
    }
    if tokens != kept {
        let text = serde_json::to_vec_pretty(&tokens)
            .map_err(|e| StartError::new(StartCode::Internal, e.to_string()))?;
        write_secret(&path, &text)?;
    }
    Ok(tokens)
}

/// Where everything is. The first line of `nhipcau demo --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Announcement {
    pub http: String,
    pub https: String,
    pub metrics: String,
    /// Where media is received, UDP and TCP: `address:port`.
    pub media: Vec<SocketAddr>,
    pub links: Links,
    /// The same links for other machines of the network, by address.
    pub lan: Vec<Links>,
}

/// Links for people, and those of the sites the demo plays itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Links {
    pub chair: String,
    pub sites: Vec<Link>,
    pub headless: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Link {
    pub name: String,
    pub link: String,
}

/// What to print of a server on these listeners, with media on these addresses.
pub fn announcement(
    config: &Config,
    listeners: &Listeners,
    media: &[SocketAddr],
) -> Result<Announcement, StartError> {
    let http = format!("http://{}", shown(address_of(&listeners.http)?));
    let https = address_of(&listeners.https)?;
    let metrics = shown(address_of(&listeners.metrics)?);
    Ok(Announcement {
        links: links(config, &http),
        http,
        https: format!("https://{}", shown(https)),
        metrics: format!("http://{metrics}/metrics"),
        media: media.to_vec(),
        lan: lan(config, https),
    })
}

fn lan(config: &Config, https: SocketAddr) -> Vec<Links> {
    let hosts = lan_hosts(config, https.ip());
    hosts.iter().map(|host| links(config, &format!("https://{host}:{}", https.port()))).collect()
}

fn links(config: &Config, base: &str) -> Links {
    let sites = config.meetings.iter().flat_map(|meeting| &meeting.sites);
    // `?ngay=1`: a link of the demo goes into the meeting at once, without the entry screen.
    let link = |site: &SiteConfig| Link {
        name: site.name.clone(),
        link: format!("{base}/?ngay=1#{}", site.token.reveal()),
    };
    let is_headless = |site: &&SiteConfig| HEADLESS.contains(&site.name.as_str());
    let (headless, people): (Vec<_>, Vec<_>) = sites.partition(is_headless);
    let (chairs, people): (Vec<_>, Vec<_>) = people.into_iter().partition(|s| s.role == Role::Chair);
    Links {
        chair: chairs.first().map(|s| link(s).link).unwrap_or_default(),
        sites: people.into_iter().map(link).collect(),
        headless: headless.into_iter().map(link).collect(),
    }
}

impl Announcement {
    /// Names and links of the sites the demo plays itself.
    pub fn headless(&self) -> Vec<(String, JoinLink)> {
        let site = |site: &Link| Some((site.name.clone(), site.link.parse().ok()?));
        self.links.headless.iter().filter_map(site).collect()
    }

    /// The same server, by the addresses the machine has now.
    pub fn moved(&self, config: &Config, https: SocketAddr) -> Announcement {
        Announcement { lan: lan(config, https), ..self.clone() }
    }

    /// One line for scripts.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A few lines for people.
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!("{TITLE} đang chạy. Bốn điểm cầu mẫu đã vào họp: {}.", HEADLESS.join(", ")),
            String::new(),
            format!("Chủ tọa:            {}", self.links.chair),
        ];
        for site in &self.links.sites {
            lines.push(format!("Điểm cầu {:<10} {}", format!("{}:", site.name), site.link));
        }
        for links in &self.lan {
            lines.push(String::new());
            let other = "Từ máy khác trong mạng (trình duyệt sẽ hỏi về chứng thư tự tạo, chọn tiếp tục):";
            lines.push(other.to_owned());
            lines.push(format!("Chủ tọa:            {}", links.chair));
            for site in &links.sites {
                lines.push(format!("Điểm cầu {:<10} {}", format!("{}:", site.name), site.link));
            }
        }
        lines.push(String::new());
        lines.push(format!("Số liệu đường truyền: {}. Dừng: Ctrl+C.", self.metrics));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Commands};
    use clap::Parser;

    fn args(data: &Path, more: &[&str]) -> DemoArgs {
        let data = data.to_string_lossy().into_owned();
        let line = ["nhipcau", "demo", "--data", &data].into_iter().chain(more.iter().copied());
        match Cli::parse_from(line).command {
            Commands::Demo(args) => args,
            _ => unreachable!("it says demo"),
        }
    }

    #[test]
    fn scripts_get_free_ports_and_people_the_ones_they_know() {
        let data = std::env::temp_dir().join(format!("nhipcau-demo-ports-{}", std::process::id()));
        let ports = |more: &[&str]| {
            let config = config(&args(&data, more)).expect("good settings");
            [config.http.port(), config.https.port(), config.metrics.port(), config.media.port]
        };
        assert_eq!(ports(&[]), [8080, 8443, 9464, 0]);
        assert_eq!(ports(&["--json"]), [0, 0, 0, 0]);
        assert_eq!(ports(&["--json", "--https", "127.0.0.1:18443"]), [0, 18443, 0, 0], "asked for is given");
        std::fs::remove_dir_all(&data).expect("cleaned up");
    }

    #[tokio::test]
    async fn links_stay_good_between_runs_and_say_whose_they_are() {
        let data = std::env::temp_dir().join(format!("nhipcau-demo-{}", std::process::id()));
        let first = config(&args(&data, &["--json"])).expect("good settings");
        let second = config(&args(&data, &["--json"])).expect("good settings");
        std::fs::remove_dir_all(&data).expect("cleaned up");
        assert_eq!(first.meetings, second.meetings, "the same tokens");

        let listeners = Listeners::open(&first).await.expect("free ports");
        let told = announcement(&first, &listeners, &[]).expect("told");
        let json: serde_json::Value = serde_json::from_str(&told.json()).expect("one object");
        let http = json["http"].as_str().expect("an address");
        let chair = json["links"]["chair"].as_str().expect("a link");
        let token = &first.meetings[0].sites[0].token;
        assert_eq!(chair, format!("{http}/?ngay=1#{}", token.reveal()));
        assert_eq!(json["links"]["sites"][0]["name"], FREE[0]);
        assert_eq!(told.headless().len(), HEADLESS.len());
        assert!(told.text().contains(chair));
    }
}
