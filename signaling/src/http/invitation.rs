//! `GET /invitation`: where a link leads, for its entry page. The secret comes in a header as in `hello`, never in the
//! address, which logs and histories keep. A client without a link learns nothing, and may guess as often as it may try
//! to join.

use super::Way;
use crate::config::Config;
use crate::error::Refusal;
use crate::hall::HallDoor;
use crate::net::JoinLimit;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use protocol::Secret;
use protocol::{ErrorCode, InvitationView};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// All links, and how often each address has guessed. The configuration does not change while the server runs, so the
/// hall need not be asked.
#[derive(Clone)]
pub struct Invitations(Arc<Known>);

struct Known {
    links: HashMap<Secret, InvitationView>,
    wrong: Mutex<JoinLimit>,
    door: HallDoor,
}

impl Invitations {
    pub fn new(config: &Config, door: HallDoor) -> Invitations {
        let links = config.meetings.iter().flat_map(|meeting| {
            meeting.sites.iter().map(|site| {
                let view = InvitationView { meeting: meeting.title.clone(), site: site.name.clone() };
                (site.token.clone(), view)
            })
        });
        let wrong = Mutex::new(JoinLimit::new(config.limits.failed_joins_per_address_per_minute));
        Invitations(Arc::new(Known { links: links.collect(), wrong, door }))
    }

    /// Only what is wrong counts: many sites behind one address open their pages at the same time.
    fn find(&self, address: IpAddr, token: Option<Secret>) -> Result<InvitationView, ErrorCode> {
        if let Some(view) = token.and_then(|token| self.0.links.get(&token)) {
            return Ok(view.clone());
        }
        let mut wrong = self.0.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        match wrong.admit(Instant::now(), address) {
            true => Err(ErrorCode::UnknownLink),
            false => Err(ErrorCode::TooManyJoins),
        }
    }
}

pub(super) fn router(invitations: Invitations) -> Router {
    Router::new().route("/invitation", get(show)).with_state(invitations)
}

async fn show(
    State(invitations): State<Invitations>,
    Extension(way): Extension<Way>,
    headers: HeaderMap,
) -> Response {
    match invitations.find(way.peer.ip(), bearer(&headers)) {
        Ok(view) => ([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response(),
        Err(code) => {
            invitations.0.door.count(code);
            let status = match code {
                ErrorCode::TooManyJoins => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::NOT_FOUND,
            };
            (status, [(header::CACHE_CONTROL, "no-store")], Json(Refusal::new(code).refused()))
                .into_response()
        }
    }
}

/// RFC 6750.
fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    Some(value.strip_prefix("Bearer ")?.trim().into())
}
