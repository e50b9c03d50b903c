//! The links by which sites come in, for the person who sends them out.

use crate::config::{Config, MeetingConfig};
use crate::tls;
use protocol::Role;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often the machine's addresses are looked at for readers of links: someone who has just plugged in a cable waits
/// for them, and reading takes some dozen microseconds.
const FOLLOW_EVERY: Duration = Duration::from_secs(2);

/// Watches, for as long as the server runs, by which hosts others reach it: it may have started before its network. A
/// change is a line of the log, and `changed` prints the links again.
pub async fn follow(config: &Config, https: IpAddr, changed: impl Fn()) {
    let mut looks = interval(FOLLOW_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = lan_hosts(config, https);
    loop {
        looks.tick().await;
        let hosts = lan_hosts(config, https);
        if hosts != known {
            tracing::info!(?hosts, "reached by other addresses than before");
            known = hosts;
            changed();
        }
    }
}

/// Every meeting's links, for people. `https` and `http` are where the server listens.
pub fn text(config: &Config, https: SocketAddr, http: SocketAddr) -> String {
    let mut bases: Vec<_> =
        lan_hosts(config, https.ip()).iter().map(|host| format!("https://{host}:{}", https.port())).collect();
    if bases.is_empty() {
        // Of this machine alone.
        bases.push(format!("http://{}", shown(http)));
    }
    let meetings = config.meetings.iter().map(|meeting| of_meeting(meeting, &bases));
    meetings.collect::<Vec<_>>().join("\n\n")
}

fn of_meeting(meeting: &MeetingConfig, bases: &[String]) -> String {
    let mut lines = vec![meeting.title.clone()];
    for site in &meeting.sites {
        let role = match site.role {
            Role::Chair => "Chủ tọa",
            Role::Site => "Điểm cầu",
        };
        for base in bases {
            lines.push(format!("  {role} {}: {base}/#{}", site.name, site.token.reveal()));
        }
    }
    lines.join("\n")
}

/// An address as a person on this machine writes it: `localhost` is a secure context.
pub(crate) fn shown(address: SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}

/// Hosts by which other machines reach the listener, as in a URL.
pub(crate) fn lan_hosts(config: &Config, listening: IpAddr) -> Vec<String> {
    if !config.names.is_empty() {
        let host = |name: &String| name.parse().map_or_else(|_| name.clone(), in_url);
        return config.names.iter().map(host).collect();
    }
    match listening {
        ip if ip.is_loopback() => Vec::new(),
        ip if !ip.is_unspecified() => vec![in_url(ip)],
        any => {
            let reachable = tls::lan_addresses().into_iter();
            let reachable = reachable.filter(|ip| ip.is_ipv4() || any.is_ipv6());
            reachable.map(in_url).collect()
        }
    }
}

fn in_url(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_site_has_a_link_for_every_name_of_the_server() {
        let sample = include_str!("../../ops/nhipcau.toml");
        let mut config = Config::from_toml(sample).expect("the sample");
        config.names = ["hop.example", "fd00::1"].map(str::to_owned).to_vec();
        let everywhere: SocketAddr = "0.0.0.0:8443".parse().expect("an address");
        let text = text(&config, everywhere, config.http);
        let meeting = &config.meetings[0];
        assert!(text.starts_with(&meeting.title), "{text}");
        for site in &meeting.sites {
            for host in ["hop.example", "[fd00::1]"] {
                let link = format!("{}: https://{host}:8443/#{}", site.name, site.token.reveal());
                assert!(text.contains(&link), "{link} in {text}");
            }
        }
        assert_eq!(text.matches("Chủ tọa").count(), 2, "{text}");
    }

    #[test]
    fn a_server_of_one_machine_has_links_for_that_machine() {
        let config = Config::from_toml(include_str!("../../ops/nhipcau.toml")).expect("the sample");
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        assert!(text(&config, loopback(8443), loopback(8080)).contains("http://127.0.0.1:8080/#"));
    }
}
