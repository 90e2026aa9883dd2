//! The endpoint: `/metrics` and `/stats`.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

use crate::ledger::Ledger;

const OPEN_METRICS: &str = "application/openmetrics-text";
const OPEN_METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn endpoint(registry: Registry, ledger: Arc<Ledger>) -> Router {
    let registry = Arc::new(registry);
    Router::new()
        .route("/", get("/metrics: for Prometheus\n/stats: as JSON\n"))
        .route(
            "/metrics",
            get(move |headers| async move { metrics(&registry, &headers) }),
        )
        .route("/stats", get(move || async move { stats(&ledger) }))
}

/// In the format that is asked for.
fn metrics(registry: &Registry, headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT).map(|value| value.as_bytes());
    let is_open = String::from_utf8_lossy(accepted.unwrap_or_default()).contains(OPEN_METRICS);
    let mut body = String::new();
    let (encoded, content_type) = if is_open {
        (text::encode(&mut body, registry), OPEN_METRICS_TYPE)
    } else {
        (
            prometheus_text::encode(&mut body, registry),
            prometheus_text::CONTENT_TYPE,
        )
    };
    match encoded {
        Ok(()) => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn stats(ledger: &Ledger) -> Response {
    match serde_json::to_string(&ledger.stats()) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
