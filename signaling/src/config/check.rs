//! What makes a configuration unfit, each as one sentence.

use super::{Config, MeetingConfig, name, token};
use crate::error::StartError;
use protocol::Role;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::Path;
use tokio_rustls::rustls::pki_types::ServerName;

/// Two that are one to the server: by the same key, or, very seldom, by keys of the same number.
const OTHER_KEY: &str = "đặt key khác cho một trong hai";

impl Config {
    /// Checks what types cannot.
    pub fn check(&self) -> Result<(), StartError> {
        let limits = &self.limits;
        within("limits.sites_per_meeting", limits.sites_per_meeting as u64, 1..=1_000)?;
        within(
            "limits.failed_joins_per_address_per_minute",
            u64::from(limits.failed_joins_per_address_per_minute),
            1..=100_000,
        )?;
        within("limits.messages_per_second", u64::from(limits.messages_per_second), 1..=1_000)?;
        within("limits.connections", limits.connections as u64, 1..=100_000)?;
        within("limits.connections_per_address", limits.connections_per_address as u64, 1..=100_000)?;
        within("drain_seconds", self.drain_seconds, 0..=300)?;
        within("media.workers", self.media.workers as u64, 0..=256)?;
        self.check_names()?;
        self.check_ports()?;
        self.check_meetings()
    }

    /// They go into links and the certificate.
    fn check_names(&self) -> Result<(), StartError> {
        if let Some(name) = self.names.iter().find(|name| !is_host(name)) {
            return fault(format!(
                "names: \"{name}\" phải là tên máy không dấu hoặc địa chỉ IP, không có cổng và không có http://"
            ));
        }
        let given = |file: &Path| !file.as_os_str().is_empty();
        if given(&self.tls.certificate) != given(&self.tls.key) {
            return fault("tls.certificate và tls.key phải có cả hai hoặc bỏ trống cả hai".to_owned());
        }
        Ok(())
    }

    /// Two settings for one port would end as "another program uses it".
    fn check_ports(&self) -> Result<(), StartError> {
        let listen = match self.media.listen.as_slice() {
            [] => vec![IpAddr::V6(Ipv6Addr::UNSPECIFIED)],
            some => some.to_vec(),
        };
        let media = listen.into_iter().map(|ip| ("media.port", SocketAddr::new(ip, self.media.port)));
        let mut all = vec![("http", self.http), ("https", self.https), ("metrics", self.metrics)];
        all.extend(media);
        for (i, (one, address)) in all.iter().enumerate() {
            let clash = all.iter().skip(i).find(|(other, at)| other != one && overlap(*address, *at));
            if let Some((other, _)) = clash {
                return fault(format!(
                    "{one} và {other} dùng chung cổng {}; đổi một trong hai",
                    address.port()
                ));
            }
        }
        Ok(())
    }

    fn check_meetings(&self) -> Result<(), StartError> {
        let (mut titles, mut ids) = (HashSet::new(), HashMap::new());
        let mut tokens = HashSet::new();
        for meeting in &self.meetings {
            let title = &meeting.title;
            named("cuộc họp", title)?;
            if !titles.insert(title) {
                return fault(format!("có hai cuộc họp cùng tên \"{title}\""));
            }
            if let Some(key) = &meeting.key {
                named("khóa", key)?;
            }
            if let Some(other) = ids.insert(meeting.id(), title) {
                return fault(format!("cuộc họp \"{other}\" và \"{title}\" trùng khóa; {OTHER_KEY}"));
            }
            check_sites(meeting)?;
            for site in &meeting.sites {
                if !tokens.insert(&site.token) {
                    let name = &site.name;
                    return fault(format!(
                        "\"{title}\", điểm cầu \"{name}\": token đã dùng cho điểm cầu khác"
                    ));
                }
            }
        }
        Ok(())
    }
}

/// A DNS name or an address, as certificates have them.
pub fn is_host(name: &str) -> bool {
    ServerName::try_from(name).is_ok()
}

/// Whether both cannot be listened on at once. 0 is any free port.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && (everywhere || one.ip() == other.ip())
}

fn check_sites(meeting: &MeetingConfig) -> Result<(), StartError> {
    let title = &meeting.title;
    let chairs = meeting.sites.iter().filter(|s| s.role == Role::Chair);
    if chairs.count() != 1 {
        return fault(format!("\"{title}\" phải có đúng một điểm cầu với role = \"chair\""));
    }
    let (mut names, mut ids) = (HashSet::new(), HashMap::new());
    for site in &meeting.sites {
        let name = &site.name;
        named("điểm cầu", name)?;
        if !names.insert(name) {
            return fault(format!("\"{title}\" có hai điểm cầu cùng tên \"{name}\""));
        }
        if let Some(key) = &site.key {
            named("khóa", key)?;
        }
        if let Some(other) = ids.insert(site.id(), name) {
            return fault(format!("\"{title}\": điểm cầu \"{other}\" và \"{name}\" trùng khóa; {OTHER_KEY}"));
        }
        if let Some(what) = token::fault(site.token.reveal()) {
            return fault(format!("\"{title}\", điểm cầu \"{name}\": {what}"));
        }
    }
    Ok(())
}

fn named(what: &str, name: &str) -> Result<(), StartError> {
    name::fault(what, name).map_or(Ok(()), fault)
}

fn within(key: &str, value: u64, range: RangeInclusive<u64>) -> Result<(), StartError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (low, high) = (range.start(), range.end());
    fault(format!("{key} = {value} phải nằm trong khoảng {low} đến {high}"))
}

fn fault(sentence: String) -> Result<(), StartError> {
    Err(StartError::config(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SiteConfig;

    const ONE: &str = "8f3a1c97d2e05b64a7c8e1f0392b5d61";
    const OTHER: &str = "c1e07b5a93d8264f0ab1c2d3e4f59687";

    fn meeting(sites: &str) -> String {
        format!("[[meetings]]\ntitle = \"Giao ban\"\nsites = [{sites}]\n")
    }

    #[test]
    fn each_fault_is_one_sentence() {
        let chair = format!("{{name=\"Huyện\", role=\"chair\", token=\"{ONE}\"}}");
        let site = |name: &str, token: &str| format!("{{name=\"{name}\", token=\"{token}\"}}");
        let two = |other: String| meeting(&format!("{chair},{other}"));
        let table = [
            ("[limits]\nsites_per_meeting = 0".to_owned(), "sites_per_meeting = 0"),
            ("drain_seconds = 301".to_owned(), "drain_seconds = 301"),
            ("https = \"127.0.0.1:8080\"".to_owned(), "http và https dùng chung cổng 8080"),
            ("[media]\nport = 8443".to_owned(), "https và media.port dùng chung cổng 8443"),
            ("names = [\"hop.example:8443\"]".to_owned(), "names: \"hop.example:8443\""),
            ("names = [\"Huyện Long Thành\"]".to_owned(), "phải là tên máy không dấu"),
            ("[tls]\nkey = \"key.pem\"".to_owned(), "phải có cả hai"),
            (meeting(""), "đúng một điểm cầu"),
            (meeting(&format!("{chair},{chair}")), "đúng một điểm cầu"),
            (meeting(&chair.replace(ONE, "short")), "\"Giao ban\", điểm cầu \"Huyện\": token quá ngắn"),
            (two(site("Huyện", OTHER)), "cùng tên"),
            (two(site("Xã", ONE)), "đã dùng cho điểm cầu khác"),
            (two(site(" ", OTHER)), "chữ cái hoặc chữ số"),
            (two(site("\u{3164}", OTHER)), "U+3164"),
            (two(site("Xã \u{202e}nơS hnìB", OTHER)), "tên điểm cầu \"Xã \\u{202e}nơS hnìB\" có ký tự"),
            (meeting(&chair).replace("Giao ban", "Giao\u{200b}ban"), "tên cuộc họp \"Giao\\u{200b}ban\" có"),
            (two(site(&"x".repeat(201), OTHER)), "1 đến 200 ký tự"),
            (two(site(" Huye\u{323}\u{302}n", OTHER)), "cùng tên"),
            (format!("{0}{0}", meeting(&chair)), "hai cuộc họp cùng tên"),
            (
                two(site("Xã", OTHER).replace("token", "key=\"Huyện\", token")),
                "\"Huyện\" và \"Xã\" trùng khóa",
            ),
            (two(site("Xã", OTHER).replace("token", "key=\"\", token")), "tên khóa \"\" phải có"),
            (
                meeting(&chair) + &meeting(&chair).replace("ban\"", "ca\"\nkey = \"Giao ban\""),
                "\"Giao ban\" và \"Giao ca\" trùng khóa",
            ),
        ];
        for (text, expected) in table {
            let config = Config::from_toml(&text).expect("parses");
            let error = config.overlay(&Vec::new(), &Vec::new()).expect_err(expected);
            assert!(error.sentence.contains(expected), "{error}");
        }
    }

    #[test]
    fn names_have_one_spelling() {
        let chair = format!("{{name=\"\u{a0}Huye\u{323}\u{302}n \", role=\"chair\", token=\"{ONE}\"}}");
        let site = format!("{{name=\"Bi\u{300}nh So\u{31b}n\", token=\"{OTHER}\"}}");
        let text = meeting(&format!("{site},{chair}")).replace("Giao ban", " Họp tua\u{302}\u{300}n");
        let config = Config::from_toml(&text).and_then(|c| c.overlay(&Vec::new(), &Vec::new()));
        let meeting = config.expect("good settings").meetings.remove(0);
        assert_eq!(meeting.title, "Họp tuần");
        let names: Vec<_> = meeting.sites.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["Huyện", "Bình Sơn"]);
    }

    #[test]
    fn a_site_stays_the_same_when_others_come_and_its_name_changes() {
        let chair = format!("{{name=\"Huyện\", role=\"chair\", token=\"{ONE}\"}}");
        let ids = |site: &str| {
            let text = meeting(&format!("{site},{chair}"));
            let config = Config::from_toml(&text).and_then(|c| c.overlay(&Vec::new(), &Vec::new()));
            let meeting = config.expect("good settings").meetings.remove(0);
            (meeting.id(), meeting.sites.iter().map(SiteConfig::id).collect::<Vec<_>>())
        };
        let site = format!("{{name=\"An Phước\", token=\"{OTHER}\"}}");
        let before = ids(&site);
        let renamed = site.replace("An Phước", "Xã An Phước\", key=\"An Phước");
        assert_eq!(ids(&renamed), before, "its old name is its key");
        let other = "{name=\"Bình Sơn\", token=\"d4e59687c1e07b5a93d8264f0ab1c2f3\"}";
        let after = ids(&format!("{other},{site}"));
        assert_eq!((after.0, after.1[0], after.1[2]), (before.0, before.1[0], before.1[1]));
    }

    #[test]
    fn a_meeting_may_be_called_what_its_invitation_says() {
        let title = "Hội nghị trực tuyến ".repeat(10);
        let text = meeting(&format!("{{name=\"{title}\", role=\"chair\", token=\"{ONE}\"}}"));
        let config = Config::from_toml(&text.replace("Giao ban", &title)).expect("parses");
        let config = config.overlay(&Vec::new(), &Vec::new()).expect("200 characters with the last space");
        assert_eq!(config.meetings[0].title.chars().count(), 199);
    }
}
