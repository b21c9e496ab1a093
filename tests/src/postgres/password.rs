//! The password of every server's superuser, and how it is recognised wherever it must not be.

/// Everybody's password: one that breaks what quotes it wrongly, and that no log or manifest may contain.
pub const PASSWORD: &str = r#"s3cret p@ss:w/rd%'"\#"#;

/// A stretch of [`PASSWORD`] that no quoting changes: in JSON, in a connection string and in Rust's `{:?}` it reads the same.
const UNQUOTED: &str = "s3cret p@ss:w/rd%";

/// Whether these bytes show [`PASSWORD`], as it is, quoted however, or escaped as in a URL.
pub fn holds_password(bytes: &[u8]) -> bool {
    let in_a_url = percent_encode(UNQUOTED);
    [UNQUOTED, &in_a_url].iter().any(|text| memchr::memmem::find(bytes, text.as_bytes()).is_some())
}

pub(super) fn percent_encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_found_however_it_is_quoted() {
        let url = format!("postgresql://postgres:{}@localhost/app", percent_encode(PASSWORD));
        let in_libpq = format!("password='{}'", PASSWORD.replace('\\', r"\\").replace('\'', r"\'"));
        let in_sql = format!("PASSWORD '{}'", PASSWORD.replace('\'', "''"));
        let json = serde_json::json!({"error": {"command": format!("PGPASSWORD={PASSWORD}")}}).to_string();
        let debug = format!("{:?}", std::process::Command::new("psql").env("PGPASSWORD", PASSWORD));
        for shown in [PASSWORD.to_owned(), url, in_libpq, in_sql, json, debug, format!("{:?}", Some(PASSWORD))] {
            assert!(holds_password(shown.as_bytes()), "{shown}");
        }
        assert!(!holds_password(b"s3cret"));
    }
}
