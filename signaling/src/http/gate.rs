//! Before anything is served: is the server addressed by a name it knows, and is the connection encrypted?
//!
//! A page of any other site may have its own name point at this server (DNS rebinding) and then use it from the browser
//! of a user who may reach it. Names are therefore known beforehand: those of the configuration, this machine's, and
//! the address a connection came to. What comes without TLS from another machine is sent to HTTPS: the first thing a
//! page sends is the secret of its link.

use crate::config::Config;
use crate::log::few;
use crate::tls::Shown;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// How long a browser that came once with a trusted certificate insists on TLS. A month: meetings are
/// weekly, and a unit whose certificate ran out without a new one is not locked out for a year.
const STRICT: HeaderValue = HeaderValue::from_static("max-age=2592000");
/// Requested by monitors, under any name; it reveals nothing.
const HEALTH: &str = "/healthz";

const UNKNOWN_NAME: &str =
    "E_HOST: máy chủ không nhận tên này; người quản trị thêm tên vào thiết lập names.\n";

/// How a connection came.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub peer: SocketAddr,
    /// The address of this machine it came to.
    pub local: IpAddr,
    pub tls: bool,
}

/// What the gate knows; the same for all connections.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Known>);

#[derive(Debug)]
struct Known {
    names: BTreeSet<String>,
    addresses: Vec<IpAddr>,
    /// Its names are names of the server, too; it may change.
    certificate: Arc<Shown>,
    https_port: u16,
}

impl Gate {
    pub fn new(config: &Config, certificate: Arc<Shown>, https_port: u16) -> Gate {
        let given = config.names.iter().map(|name| name.to_lowercase());
        let addresses = config.names.iter().filter_map(|name| name.parse().ok());
        let addresses = addresses.chain(config.media.advertise.iter().copied()).collect();
        Gate(Arc::new(Known { names: given.collect(), addresses, certificate, https_port }))
    }

    /// Whether this server is meant by a host, which came to a local address.
    fn knows(&self, host: &str, local: IpAddr) -> bool {
        match host.parse::<IpAddr>() {
            Ok(ip) => {
                let same = |other: &IpAddr| other.to_canonical() == ip.to_canonical();
                same(&local)
                    || self.0.addresses.iter().any(same)
                    || self.0.certificate.is_for(&ip.to_string())
            }
            Err(_) => self.0.names.contains(host) || self.0.certificate.is_for(host) || is_machine(host),
        }
    }

    /// The host of a request for this server.
    #[expect(clippy::result_large_err, reason = "a response is what both callers return")]
    fn host(&self, request: &Request, way: Way) -> Result<String, Response> {
        let Some(host) = host_of(request.headers()) else {
            return Err((StatusCode::BAD_REQUEST, "E_HOST\n").into_response());
        };
        if self.knows(&host, way.local) {
            return Ok(host);
        }
        few::FOREIGN_NAME.tell(|unsaid| {
            tracing::warn!(address = %way.peer, unsaid, "refused a request for a name that is not ours");
        });
        Err((StatusCode::MISDIRECTED_REQUEST, UNKNOWN_NAME).into_response())
    }

    /// The same address over TLS.
    fn over_tls(&self, host: &str, uri: &Uri) -> Response {
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        let port = match self.0.https_port {
            443 => String::new(),
            port => format!(":{port}"),
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let headers = [(header::LOCATION, format!("https://{host}{port}{path}"))];
        (StatusCode::PERMANENT_REDIRECT, headers).into_response()
    }
}

/// Whether a name is this machine's, which a network may give it after the server has started.
fn is_machine(host: &str) -> bool {
    let machine = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
    let short = machine.split('.').next().unwrap_or_default();
    let own = ["localhost", machine.as_str(), short];
    own.contains(&host) || host.strip_suffix(".local").is_some_and(|name| name == short)
}

/// The middleware of the listeners for people.
pub async fn for_people(
    State(gate): State<Gate>,
    Extension(way): Extension<Way>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path() == HEALTH {
        return next.run(request).await;
    }
    let host = match gate.host(&request, way) {
        Ok(host) => host,
        Err(refused) => return refused,
    };
    if !way.tls && !way.peer.ip().is_loopback() {
        return gate.over_tls(&host, request.uri());
    }
    let mut response = next.run(request).await;
    if way.tls && gate.0.certificate.trusted {
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, STRICT);
    }
    response
}

/// The middleware of the listener for numbers: Prometheus comes without TLS.
pub async fn for_numbers(
    State(gate): State<Gate>,
    Extension(way): Extension<Way>,
    request: Request,
    next: Next,
) -> Response {
    match gate.host(&request, way) {
        Ok(_) => next.run(request).await,
        Err(refused) => refused,
    }
}

/// The host a request names, in lower case, without port and brackets; `None` unless there is exactly
/// one. What follows must not choose between two.
fn host_of(headers: &HeaderMap) -> Option<String> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none())?.to_str().ok()?;
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => host.split(':').next()?,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty()).then(|| name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MediaConfig;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::Service;

    fn headers(hosts: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().expect("a header"));
        }
        headers
    }

    #[test]
    fn a_request_names_one_host() {
        let table = [
            (&["Hop.Example:8443"][..], Some("hop.example")),
            (&["hop.example."], Some("hop.example")),
            (&["10.0.0.1:8443"], Some("10.0.0.1")),
            (&["[::1]:8443"], Some("::1")),
            (&["[::1"], None),
            (&[""], None),
            (&[], None),
            (&["hop.example", "evil.example"], None),
            (&["hop.example", "hop.example"], None),
        ];
        for (hosts, expected) in table {
            assert_eq!(host_of(&headers(hosts)).as_deref(), expected, "{hosts:?}");
        }
    }

    fn gate(names: &[&str], certificate: &[&str], https_port: u16) -> Gate {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let media = MediaConfig { advertise: vec![[203, 0, 113, 7].into()], ..MediaConfig::default() };
        let config = Config { names, media, ..Config::default() };
        Gate::new(&config, Shown::for_tests(certificate), https_port)
    }

    #[test]
    fn the_server_knows_its_names_and_no_others() {
        let gate =
            gate(&["Hop.Long-Thanh.local", "198.51.100.1"], &["*.dong-nai.example", "192.0.2.9"], 8443);
        let local = IpAddr::from([10, 20, 30, 40]);
        let machine = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
        for known in [
            "hop.long-thanh.local",
            "localhost",
            machine.as_str(),
            "10.20.30.40",
            "::ffff:10.20.30.40",
            "198.51.100.1",
            "203.0.113.7",
            "192.0.2.9",
            "hop.dong-nai.example",
        ] {
            assert!(gate.knows(known, local), "{known}");
        }
        for unknown in ["evil.example", "long-thanh.local", "10.20.30.41", "dong-nai.example", "x.localhost"]
        {
            assert!(!gate.knows(unknown, local), "{unknown}");
        }
    }

    #[test]
    fn what_comes_without_tls_is_sent_to_the_same_place_over_tls() {
        let at = |port, host: &str, uri: &'static str| {
            let response = gate(&[], &[], port).over_tls(host, &Uri::from_static(uri));
            assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
            response.headers().get(header::LOCATION).expect("a place").to_str().expect("text").to_owned()
        };
        assert_eq!(at(8443, "10.0.0.1", "/?ngay=1"), "https://10.0.0.1:8443/?ngay=1");
        assert_eq!(at(443, "hop.example", "/"), "https://hop.example/");
        assert_eq!(at(8443, "fd00::1", "/ws"), "https://[fd00::1]:8443/ws");
        assert_eq!(at(8443, "hop.example", "http://hop.example/a"), "https://hop.example:8443/a");
    }

    /// What a request gets that came so; `None` is the page.
    async fn asked(gate: Gate, peer: &str, tls: bool, path: &'static str) -> Option<Response> {
        let router = Router::new().route("/", get(async || "page")).route(HEALTH, get(async || "ok"));
        let mut router = router.layer(from_fn_with_state(gate, for_people));
        let peer = SocketAddr::new(peer.parse().expect("an address"), 40_000);
        let way = Way { peer, local: [10, 0, 0, 1].into(), tls };
        let request = Request::builder().uri(path).header(header::HOST, "10.0.0.1:8080").extension(way);
        let response = router.call(request.body(Body::empty()).expect("a request")).await;
        Some(response.unwrap_or_else(|e| match e {})).filter(|response| response.status() != StatusCode::OK)
    }

    #[tokio::test]
    async fn only_this_machine_is_served_without_tls() {
        let gate = gate(&[], &[], 8443);
        for peer in ["127.0.0.1", "::1"] {
            assert!(asked(gate.clone(), peer, false, "/").await.is_none(), "{peer}");
        }
        for peer in ["10.0.0.2", "fd00::2"] {
            let sent = asked(gate.clone(), peer, false, "/?ngay=1").await.expect("sent elsewhere");
            assert_eq!(sent.headers()[header::LOCATION], "https://10.0.0.1:8443/?ngay=1", "{peer}");
            assert!(asked(gate.clone(), peer, true, "/").await.is_none(), "{peer} over TLS");
            assert!(asked(gate.clone(), peer, false, HEALTH).await.is_none(), "{peer}: health");
        }
    }
}
