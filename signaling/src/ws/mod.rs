//! WebSockets: the upgrade, and one task per connection.

mod connection;
mod timeouts;

pub use timeouts::{Due, Timeouts};

use crate::hall::HallDoor;
use crate::log::few;
use crate::net::{Allowance, Place};
use axum::Extension;
use axum::Router;
use axum::extract::{ConnectInfo, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use protocol::MAX_MESSAGE_BYTES;
use std::net::SocketAddr;

/// Read at once from one connection. The library's 128 KiB would be cleared before every read and kept for
/// every site: 4 % of the whole process with 400 of them. Messages are mostly below 2 KiB.
const BUFFER_BYTES: usize = 8 * 1024;

/// Upgrades at `/ws`.
pub fn router(door: HallDoor) -> Router {
    Router::new().route("/ws", any(upgrade)).with_state(door)
}

async fn upgrade(
    State(door): State<HallDoor>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Extension(place): Extension<Place>,
    Extension(allowance): Extension<Allowance>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !same_host(&headers) {
        few::FOREIGN_PAGE.tell(|unsaid| {
            tracing::warn!(%address, unsaid, "refused a WebSocket of a page from another host");
        });
        return (StatusCode::FORBIDDEN, "E_ORIGIN\n").into_response();
    }
    let upgrade = upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0);
    let visit = connection::Visit { address, place, allowance };
    upgrade.on_upgrade(|socket| connection::run(socket, visit, door))
}

/// Browsers say which page opens a socket. Only our own pages may: another site's page in the same browser could
/// otherwise use what it finds. Programs that are no browsers send no `Origin`, and no browser sends two.
fn same_host(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter().map(|v| v.to_str().unwrap_or_default());
    let Some(origin) = origins.next() else {
        return true;
    };
    let page_host = origin.split_once("://").map(|(_, host)| host);
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
    origins.next().is_none() && page_host.is_some() && page_host == host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_host_may_open_a_socket() {
        let table = [
            (&[][..], true),
            (&["https://hop.example:8443"], true),
            (&["http://hop.example:8443"], true),
            (&["https://hop.example"], false),
            (&["https://evil.example"], false),
            (&["null"], false),
            (&["https://hop.example:8443", "https://evil.example"], false),
            (&["https://hop.example:8443", "https://hop.example:8443"], false),
        ];
        for (origins, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "hop.example:8443".parse().expect("a header"));
            for origin in origins {
                headers.append(header::ORIGIN, origin.parse().expect("a header"));
            }
            assert_eq!(same_host(&headers), expected, "{origins:?}");
        }
    }
}
