//! Which of UDP and TCP reaches the bridge: a signed check of our own (RFC 8445 section 7.2.4) to every candidate of
//! its answer, both kinds at once.
//!
//! The `webrtc` crate needs this help: it finds the candidate that a packet comes from by the address alone, and the
//! bridge's candidates have the same address over UDP and TCP. So a reply over TCP is attributed to the UDP candidate
//! and thrown away ("Success response from invalid candidate pair"), and whether TCP is used after all depends on a
//! check of the bridge's own. The crate is given the candidates of one kind only.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, select_ok};
use rtc::crypto::{RTCCryptoProvider, default_provider};
use rtc::ice::attributes::control::AttrControlling;
use rtc::ice::attributes::priority::PriorityAttr;
use rtc::shared::tcp_framing::{TcpFrameDecoder, frame_packet};
use rtc::stun::attributes::ATTR_USERNAME;
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, TransactionId};
use rtc::stun::textattrs::TextAttribute;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::{interval, timeout};

/// A satellite's round trip is 0.6 s, 2.5 s with a full queue; TCP needs two of them.
const PATIENCE: Duration = Duration::from_secs(8);
/// UDP gets so much longer than TCP has needed: it is better for media, and TCP took two round trips where it takes
/// one. A line that loses three of four checks has answered by then.
const UDP_GRACE: Duration = Duration::from_secs(1);
/// Between two checks over UDP; RFC 8445 asks for 50 ms at least.
const REPEAT: Duration = Duration::from_millis(250);
/// Candidates of one kind that are tried; each costs a socket, and a bridge has one per address.
const MOST_CANDIDATES: usize = 16;
/// Priority of a host candidate (RFC 8445 section 5.1.2.1); nothing is nominated by it.
const PRIORITY: u32 = 126 << 24;

/// What media goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    Udp,
    Tcp,
}

/// Whether the bridge has replied; `None` while that is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Reach {
    pub udp: Option<bool>,
    pub tcp: Option<bool>,
}

impl Reach {
    pub fn is_known(&self) -> bool {
        self.udp.is_some() && self.tcp.is_some()
    }

    /// As people read it.
    pub fn sentence(&self) -> String {
        let word = |reached| match reached {
            Some(true) => "tới được",
            Some(false) => "không tới được",
            None => "chưa rõ",
        };
        format!("UDP: {}; TCP: {}", word(self.udp), word(self.tcp))
    }
}

/// Begins to try; ends by itself after [`PATIENCE`]. `None`: there is nothing to check with.
pub fn start(offer: &str, answer: &str, local_ip: IpAddr) -> Option<watch::Receiver<Reach>> {
    let check = Arc::new(Check::new(offer, answer)?);
    let udp: Vec<_> = candidates(answer, TransportKind::Udp)
        .map(|target| Box::pin(over_udp(target, local_ip, Arc::clone(&check))) as Attempt)
        .collect();
    let tcp: Vec<_> = candidates(answer, TransportKind::Tcp)
        .map(|target| Box::pin(over_tcp(target, Arc::clone(&check))) as Attempt)
        .collect();
    let (tell, reach) = watch::channel(Reach::default());
    tokio::spawn(async move {
        let udp = async {
            let reached = any(udp).await;
            tell.send_modify(|reach| reach.udp = Some(reached));
        };
        let tcp = async {
            let reached = any(tcp).await;
            tell.send_modify(|reach| reach.tcp = Some(reached));
        };
        tokio::join!(udp, tcp);
    });
    Some(reach)
}

/// What media is to go over: UDP where it reaches the bridge. `None`: nothing does.
pub async fn choose(reach: &mut watch::Receiver<Reach>) -> Option<TransportKind> {
    let open = |reach: &Reach| decide(reach) == Choice::Open;
    let first = *reach.wait_for(|reach| !open(reach) || reach.tcp == Some(true)).await.ok()?;
    if open(&first) {
        // When the time is up, what is known decides.
        let _ = timeout(UDP_GRACE, reach.wait_for(|reach| !open(reach))).await;
    }
    match decide(&reach.borrow()) {
        Choice::Take(kind) => Some(kind),
        Choice::Open => Some(TransportKind::Tcp),
        Choice::Nothing => None,
    }
}

/// What follows from what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Take(TransportKind),
    /// UDP may still come.
    Open,
    Nothing,
}

fn decide(reach: &Reach) -> Choice {
    match (reach.udp, reach.tcp) {
        (Some(true), _) => Choice::Take(TransportKind::Udp),
        (Some(false), Some(true)) => Choice::Take(TransportKind::Tcp),
        (Some(false), Some(false)) => Choice::Nothing,
        (None, _) | (_, None) => Choice::Open,
    }
}

/// The answer with candidates of this kind only.
pub fn only(kind: TransportKind, answer: &str) -> String {
    let wanted = |line: &&str| !line.starts_with("a=candidate:") || kind_of(line) == Some(kind);
    answer.split_inclusive('\n').filter(wanted).collect()
}

fn kind_of(candidate: &str) -> Option<TransportKind> {
    let transport = candidate.split_ascii_whitespace().nth(2)?;
    match () {
        () if transport.eq_ignore_ascii_case("udp") => Some(TransportKind::Udp),
        () if transport.eq_ignore_ascii_case("tcp") && candidate.contains("tcptype passive") => {
            Some(TransportKind::Tcp)
        }
        () => None,
    }
}

/// Addresses of one kind, each once: an answer repeats them in every section.
fn candidates(answer: &str, kind: TransportKind) -> impl Iterator<Item = SocketAddr> {
    let mut found = Vec::new();
    for line in answer.lines().filter(|line| line.starts_with("a=candidate:") && kind_of(line) == Some(kind))
    {
        let mut words = line.split_ascii_whitespace().skip(4);
        let address = words.next().and_then(|ip| ip.parse::<IpAddr>().ok());
        let port = words.next().and_then(|port| port.parse::<u16>().ok());
        if let Some(target) = address.zip(port).map(SocketAddr::from)
            && !found.contains(&target)
        {
            found.push(target);
        }
    }
    found.into_iter().take(MOST_CANDIDATES)
}

type Attempt = BoxFuture<'static, io::Result<()>>;

/// Whether one of them gets a reply in time.
async fn any(attempts: Vec<Attempt>) -> bool {
    !attempts.is_empty() && matches!(timeout(PATIENCE, select_ok(attempts)).await, Ok(Ok(_)))
}

async fn over_udp(target: SocketAddr, local_ip: IpAddr, check: Arc<Check>) -> io::Result<()> {
    let from = match (local_ip.is_ipv4() == target.is_ipv4(), target) {
        (true, _) => local_ip,
        (false, SocketAddr::V4(_)) => Ipv4Addr::UNSPECIFIED.into(),
        (false, SocketAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((from, 0)).await?;
    socket.connect(target).await?;
    let mut repeat = interval(REPEAT);
    let mut buffer = [0; 1500];
    loop {
        tokio::select! {
            // What the network refuses now (ICMP) may go through a moment later.
            _ = repeat.tick() => drop(socket.send(&check.request).await),
            received = socket.recv(&mut buffer) => {
                let packet = received.ok().and_then(|length| buffer.get(..length));
                if packet.is_some_and(|packet| check.is_replied_by(packet)) {
                    return Ok(());
                }
            }
        }
    }
}

async fn over_tcp(target: SocketAddr, check: Arc<Check>) -> io::Result<()> {
    let mut stream = TcpStream::connect(target).await?;
    stream.write_all(&frame_packet(&check.request)).await?;
    let mut frames = TcpFrameDecoder::new();
    let mut buffer = [0; 1500];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        frames.extend_from_slice(buffer.get(..length).unwrap_or_default());
        while let Some(packet) = frames.next_packet() {
            if check.is_replied_by(&packet) {
                return Ok(());
            }
        }
    }
}

/// A binding request, and what its reply is known by.
struct Check {
    request: Vec<u8>,
    number: TransactionId,
    password: String,
    crypto: Arc<dyn RTCCryptoProvider>,
}

impl Check {
    fn new(offer: &str, answer: &str) -> Option<Check> {
        let username = format!("{}:{}", attribute(answer, "ice-ufrag")?, attribute(offer, "ice-ufrag")?);
        let password = attribute(answer, "ice-pwd")?.to_owned();
        let crypto = default_provider().ok()?;
        let number = TransactionId::new();
        let mut message = Message::new();
        let integrity =
            MessageIntegrity::new_short_term_integrity_with_provider(password.clone(), crypto.crypto());
        let built = message.build(&[
            Box::new(BINDING_REQUEST),
            Box::new(number),
            Box::new(TextAttribute::new(ATTR_USERNAME, username)),
            Box::new(AttrControlling(rand::random())),
            Box::new(PriorityAttr(PRIORITY)),
            Box::new(integrity),
            Box::new(FINGERPRINT),
        ]);
        built.ok()?;
        Some(Check { request: message.raw, number, password, crypto })
    }

    /// Signed with the answer's password, so by the bridge and by no middlebox.
    fn is_replied_by(&self, packet: &[u8]) -> bool {
        let mut message = Message::new();
        let read = message.unmarshal_binary(packet).is_ok();
        read && message.typ == BINDING_SUCCESS
            && message.transaction_id == self.number
            && MessageIntegrity::check(&mut message, self.password.as_bytes(), self.crypto.crypto()).is_ok()
    }
}

fn attribute<'a>(sdp: &'a str, name: &str) -> Option<&'a str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\na=ice-ufrag:srv\r\na=ice-pwd:of-the-server-000000000\r\n\
        a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host\r\n\
        a=candidate:2 1 tcp 1671430143 127.0.0.1 5000 typ host tcptype passive\r\n\
        a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host\r\na=end\r\n";

    #[test]
    fn an_answer_is_reduced_to_one_kind() {
        let udp = only(TransportKind::Udp, ANSWER);
        assert!(udp.contains(" udp ") && !udp.contains(" tcp ") && udp.ends_with("a=end\r\n"), "{udp}");
        let tcp = only(TransportKind::Tcp, ANSWER);
        assert!(tcp.contains(" tcp ") && !tcp.contains(" udp "), "{tcp}");
        let targets: Vec<_> = candidates(ANSWER, TransportKind::Udp).collect();
        assert_eq!(targets, [SocketAddr::from(([127, 0, 0, 1], 5000))]);
    }

    #[test]
    fn only_a_signed_reply_to_this_very_check_counts() {
        let check = Check::new("a=ice-ufrag:own\r\n", ANSWER).expect("a check");
        let reply = |number: TransactionId, password: &str| {
            let mut message = Message::new();
            let integrity = MessageIntegrity::new_short_term_integrity_with_provider(
                password.to_owned(),
                check.crypto.crypto(),
            );
            let built = message.build(&[
                Box::new(BINDING_SUCCESS),
                Box::new(number),
                Box::new(integrity),
                Box::new(FINGERPRINT),
            ]);
            built.expect("a message");
            message.raw
        };
        assert!(check.is_replied_by(&reply(check.number, "of-the-server-000000000")));
        assert!(!check.is_replied_by(&reply(check.number, "of-somebody-else-000000")));
        assert!(!check.is_replied_by(&reply(TransactionId::new(), "of-the-server-000000000")));
        assert!(!check.is_replied_by(&check.request) && !check.is_replied_by(b"HTTP/1.1 403"));
    }

    #[test]
    fn udp_is_taken_where_it_reaches_the_bridge_and_waited_for_where_it_may() {
        let (yes, no) = (Some(true), Some(false));
        for (udp, tcp, expected) in [
            (yes, None, Choice::Take(TransportKind::Udp)),
            (yes, yes, Choice::Take(TransportKind::Udp)),
            (None, yes, Choice::Open),
            (None, no, Choice::Open),
            (no, None, Choice::Open),
            (no, yes, Choice::Take(TransportKind::Tcp)),
            (no, no, Choice::Nothing),
        ] {
            assert_eq!(decide(&Reach { udp, tcp }), expected, "{udp:?} {tcp:?}");
        }
    }

    #[tokio::test]
    async fn silent_udp_gives_way_to_tcp() {
        // The sender is kept: nothing more comes to be known.
        let (tell, mut reach) = watch::channel(Reach { udp: None, tcp: Some(true) });
        assert_eq!(choose(&mut reach).await, Some(TransportKind::Tcp));
        tell.send_replace(Reach { udp: Some(false), tcp: Some(false) });
        assert_eq!(choose(&mut reach).await, None);
        assert_eq!(reach.borrow().sentence(), "UDP: không tới được; TCP: không tới được");
    }
}
