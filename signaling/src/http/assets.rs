//! The web app, embedded at build time from `web/dist`.

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Dist;

/// Vite puts a hash of the content into the names of what lies here.
const HASHED: &str = "assets/";
/// A year; the name changes with the content.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Asked for every time, answered by 304 while unchanged.
const ASK_ALWAYS: &str = "no-cache";

pub(super) fn router() -> Router {
    Router::new().fallback(get(asset))
}

async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    match uri.path().trim_start_matches('/') {
        "" => file("index.html", &headers).unwrap_or_else(not_built),
        path => file(path, &headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()),
    }
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let file = Dist::get(path)?;
    let tag = file.metadata.sha256_hash();
    let tag: String = tag.iter().take(8).map(|b| format!("{b:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let caching = match path.starts_with(HASHED) {
        true => FOREVER,
        false => ASK_ALWAYS,
    };
    let known = headers.get(header::IF_NONE_MATCH);
    if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        let headers = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, caching)];
        return Some((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let kind = mime_guess::from_path(path).first_or_octet_stream();
    let kind = match kind.type_() {
        mime_guess::mime::TEXT => format!("{kind}; charset=utf-8"),
        _ => kind.to_string(),
    };
    let headers =
        [(header::CONTENT_TYPE, kind.as_str()), (header::ETAG, &tag), (header::CACHE_CONTROL, caching)];
    Some((headers, file.data.into_owned()).into_response())
}

fn not_built() -> Response {
    let text = "Trang họp chưa được dựng. Hãy chạy: make web\n";
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, text).into_response()
}
