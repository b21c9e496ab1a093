//! The log has one JSON object a line, with `level` and an RFC 3339 `timestamp` at its top: without them Lambda files
//! errors as INFO.

use std::str::FromStr;

use tracing_subscriber::filter::LevelFilter;

/// Starts to log to standard output, at the level that `AWS_LAMBDA_LOG_LEVEL` names, by default INFO.
#[expect(clippy::disallowed_methods, reason = "Lambda's own variable: logging starts before settings are read")]
pub fn start() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok();
    let level = level.and_then(|name| LevelFilter::from_str(&name).ok()).unwrap_or(LevelFilter::INFO);
    let format = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false);
    format.with_max_level(level).init();
}
