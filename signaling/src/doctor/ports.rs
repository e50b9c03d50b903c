//! Are the ports free?

use super::{Finding, Verdict, Words, words};
use crate::config::Config;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![
        tcp("port_http", "http", config.http),
        tcp("port_https", "https", config.https),
        tcp("port_metrics", "metrics", config.metrics),
    ];
    for address in media_addresses(config) {
        findings.push(media(address));
    }
    findings
}

/// Each worker takes the next port. Listening on all addresses means IPv6 and IPv4 at once.
fn media_addresses(config: &Config) -> Vec<SocketAddr> {
    let listen = match config.media.listen.as_slice() {
        [] => vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
        some => some.to_vec(),
    };
    let first = config.media.port;
    let ports = (0..config.media.threads() as u16).map(|i| match first {
        0 => 0,
        first => first.saturating_add(i),
    });
    ports.flat_map(|port| listen.iter().map(move |ip| SocketAddr::new(*ip, port))).collect()
}

fn tcp(check: &'static str, setting: &str, address: SocketAddr) -> Finding {
    verdict(check, setting, address, driver::listen(address, 1).map(drop))
}

/// Media needs UDP and TCP on the same port.
fn media(address: SocketAddr) -> Finding {
    let udp = UdpSocket::bind(address);
    let both = udp.and_then(|_| TcpListener::bind(address).map(drop));
    verdict("port_media", "media.port", address, both)
}

fn verdict(check: &'static str, setting: &str, address: SocketAddr, bound: std::io::Result<()>) -> Finding {
    let Err(error) = bound else {
        return Finding::good(
            check,
            words(
                format!("Cổng {address} ({setting}) còn trống."),
                format!("Port {address} ({setting}) is free."),
            ),
        );
    };
    let (found, advice) = diagnosis(setting, address, &error);
    Finding::bad(check, Verdict::Broken, found, advice)
}

/// What stands in the way, and what to do about it.
fn diagnosis(setting: &str, address: SocketAddr, error: &std::io::Error) -> (Words, Words) {
    match error.kind() {
        ErrorKind::AddrInUse => (
            words(
                format!("Cổng {address} ({setting}) đang có chương trình dùng."),
                format!("Port {address} ({setting}) is taken."),
            ),
            words(
                format!("Dừng chương trình đó (có thể là một nhipcau đang chạy) hoặc đổi {setting}."),
                format!("Stop that program (it may be a running nhipcau) or change {setting}."),
            ),
        ),
        ErrorKind::PermissionDenied => (
            words(
                format!("Không có quyền mở cổng {address} ({setting})."),
                format!("No permission to open port {address} ({setting})."),
            ),
            words("Chọn cổng từ 1024 trở lên.", "Choose a port from 1024 up."),
        ),
        _ => (
            words(
                format!("Không mở được {address} ({setting}): {error}."),
                format!("Cannot open {address} ({setting}): {error}."),
            ),
            words(
                format!("Đặt {setting} theo một địa chỉ của máy này."),
                format!("Set {setting} to an address of this machine."),
            ),
        ),
    }
}
