//! What is served over HTTP and HTTPS: the page, the WebSocket, and whether the server is alive.

mod assets;
pub mod gate;
mod invitation;
mod server;

pub use gate::{Gate, Way};
pub use invitation::Invitations;
pub use server::{serve_plain, serve_tls};

use crate::hall::HallDoor;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::get;

/// Nothing from outside, no frames around us, no guessing of types; camera, microphone and screen for
/// ourselves only. `wasm-unsafe-eval` and inline styles are not needed and not allowed.
const SECURITY: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
         font-src 'self'; media-src 'self' blob: mediastream:; connect-src 'self'; \
         worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), \
         fullscreen=(self), screen-wake-lock=(self), geolocation=(), usb=(), payment=()",
    ),
];

/// The whole site.
pub fn router(door: HallDoor, invitations: Invitations, gate: Gate) -> Router {
    Router::new()
        .merge(crate::ws::router(door.clone()))
        .route("/healthz", get(health).with_state(door))
        .merge(invitation::router(invitations))
        .merge(assets::router())
        .layer(from_fn_with_state(gate, gate::for_people))
        .layer(map_response(secure))
}

/// 200 while everything turns; else 503, and a line for each part that does not.
async fn health(State(door): State<HallDoor>) -> (StatusCode, String) {
    let stuck = door.stuck();
    match stuck.is_empty() {
        true => (StatusCode::OK, "ok\n".to_owned()),
        false => (StatusCode::SERVICE_UNAVAILABLE, stuck.iter().map(|part| format!("{part}\n")).collect()),
    }
}

async fn secure(mut response: Response) -> Response {
    for (name, value) in SECURITY {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
