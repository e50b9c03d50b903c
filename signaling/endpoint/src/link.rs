//! Join links: `http(s)://host:port/#TOKEN`. The secret is in the fragment, which browsers never send, and so does this
//! client: it goes into `hello` only.

use super::JoinError;
use protocol::Secret;

/// A parsed join link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinLink {
    /// Without the brackets of an IPv6 literal.
    pub host: String,
    pub port: u16,
    pub tls: bool,
    pub token: Secret,
}

impl std::str::FromStr for JoinLink {
    type Err = JoinError;

    fn from_str(link: &str) -> Result<Self, JoinError> {
        parse(link.trim()).ok_or_else(|| {
            JoinError::new("bad_link", "Liên kết họp phải có dạng http(s)://máy-chủ:cổng/#mã.")
        })
    }
}

impl JoinLink {
    /// Address of the WebSocket behind the link.
    pub fn websocket_url(&self) -> String {
        let scheme = if self.tls { "wss" } else { "ws" };
        format!("{scheme}://{}/ws", self.authority())
    }

    fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn parse(link: &str) -> Option<JoinLink> {
    let (scheme, rest) = link.split_once("://")?;
    let tls = match scheme {
        "http" | "ws" => false,
        "https" | "wss" => true,
        _ => return None,
    };
    let (address, token) = rest.split_once('#')?;
    let authority = address.split(['/', '?']).next()?;
    let (host, port) = host_and_port(authority, if tls { 443 } else { 80 })?;
    if host.is_empty() || token.is_empty() {
        return None;
    }
    Some(JoinLink { host: host.to_owned(), port, tls, token: token.into() })
}

fn host_and_port(authority: &str, default: u16) -> Option<(&str, u16)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, port.parse().ok()?)),
            None => Some((host, default)),
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, default)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_websocket_and_keep_the_token_apart() {
        for (link, url, token) in [
            ("http://127.0.0.1:8080/#abc", "ws://127.0.0.1:8080/ws", "abc"),
            ("https://hop.example/#a-b_c", "wss://hop.example:443/ws", "a-b_c"),
            ("http://[::1]:9/#t", "ws://[::1]:9/ws", "t"),
            ("  https://h:8443/?x=1#t ", "wss://h:8443/ws", "t"),
        ] {
            let parsed: JoinLink = link.parse().expect(link);
            assert_eq!((parsed.websocket_url().as_str(), parsed.token.reveal()), (url, token));
        }
    }

    #[test]
    fn what_is_not_a_join_link_is_refused_with_one_code() {
        for link in ["", "abc", "http://h:1/", "http://h:1/#", "ftp://h/#t", "http://h:x/#t", "http:///#t"] {
            let error = link.parse::<JoinLink>().expect_err(link);
            assert_eq!(error.code, "bad_link");
        }
    }
}
