//! The values that libpq takes for its settings. libpq itself judges them only when it connects, and by then nobody knows
//! where they stood.

/// The variables that take one of a few words.
const CHOICES: [(&str, &[&str]); 13] = [
    ("PGSSLMODE", &["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
    ("PGCHANNELBINDING", &["disable", "prefer", "require"]),
    ("PGGSSENCMODE", &["disable", "prefer", "require"]),
    ("PGGSSDELEGATION", &["0", "1"]),
    ("PGSSLNEGOTIATION", &["postgres", "direct"]),
    ("PGSSLCERTMODE", &["disable", "allow", "require"]),
    ("PGSSLSNI", &["0", "1"]),
    ("PGTARGETSESSIONATTRS", &["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]),
    ("PGLOADBALANCEHOSTS", &["disable", "random"]),
    ("PGSSLMINPROTOCOLVERSION", &TLS),
    ("PGSSLMAXPROTOCOLVERSION", &TLS),
    ("PGMINPROTOCOLVERSION", &["3.0", "3.2", "latest"]),
    ("PGMAXPROTOCOLVERSION", &["3.0", "3.2", "latest"]),
];

/// libpq takes these in capitals and in small letters.
const TLS: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
/// What `PGREQUIREAUTH` lists, or with a `!` before it bans.
const METHODS: [&str; 7] = ["password", "md5", "gss", "sspi", "scram-sha-256", "oauth", "none"];

/// What other clients write for a `sslmode`: node-postgres, asyncpg, JDBC, and those that come from MySQL.
const SSL_MODES: [(&str, &[&str]); 6] = [
    ("disable", &["disabled", "false", "0", "no", "off", "f"]),
    ("allow", &[]),
    ("prefer", &["preferred"]),
    // libpq reads `ssl=true` of a URL as this; it can't encrypt without looking at a certificate that it was given.
    ("require", &["required", "true", "1", "yes", "on", "t", "no-verify"]),
    ("verify-ca", &[]),
    ("verify-full", &["verify-identity"]),
];

/// libpq's word for what was written as `sslmode` or `ssl`; `None` where it is neither libpq's nor another client's.
#[must_use]
pub fn ssl_mode(text: &str) -> Option<&'static str> {
    let word = text.trim().to_ascii_lowercase().replace('_', "-");
    SSL_MODES.iter().find(|(mode, others)| *mode == word || others.contains(&word.as_str())).map(|(mode, _)| *mode)
}

/// What is wrong with a variable's value, if libpq can't take it. The complaint never repeats it.
///
/// # Errors
/// What libpq expects instead.
pub fn check(variable: &str, value: &str) -> Result<(), String> {
    if let Some((_, words)) = CHOICES.iter().find(|(name, _)| *name == variable) {
        let is_one = |word: &&str| *word == value || (**words == TLS && word.eq_ignore_ascii_case(value));
        return match words.iter().any(is_one) {
            true => Ok(()),
            false => Err(format!("expected one of {}", words.join(", "))),
        };
    }
    match variable {
        "PGHOST" => value.split(',').try_for_each(host),
        "PGPORT" => value.split(',').try_for_each(port),
        "PGREQUIREAUTH" => {
            let is_method = |text: &str| METHODS.contains(&text.trim().trim_start_matches('!'));
            match value.split(',').all(is_method) {
                true => Ok(()),
                false => Err(format!("expected some of {}, separated by commas", METHODS.join(", "))),
            }
        }
        "PGCONNECT_TIMEOUT" if value.trim().parse::<i32>().is_err() => Err("expected a number of seconds".into()),
        _ => Ok(()),
    }
}

fn port(text: &str) -> Result<(), String> {
    let is_port = text.is_empty() || text.trim().parse::<u16>().is_ok_and(|port| port > 0);
    if is_port { Ok(()) } else { Err("expected a whole number from 1 to 65535".into()) }
}

/// A name, an address or a socket's folder. What is none of them would be asked of the resolver, and called a host that is away.
fn host(text: &str) -> Result<(), String> {
    // An address may have the scope of an interface: fe80::1%eth0.
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    if text.starts_with(['/', '@']) || address.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(());
    }
    if text.contains("://") {
        return Err("expected a host name, not a URL; DATABASE_URL takes one".into());
    }
    if text.contains('@') {
        return Err("expected a host name alone, without a login".into());
    }
    if text.contains("${") {
        return Err("it contains ${…}, which nothing replaced".into());
    }
    if text.starts_with('[') {
        return Err("expected the IPv6 address without brackets".into());
    }
    match text.split_once(':') {
        Some((_, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
            Err("expected a host name alone: its port has a setting of its own".into())
        }
        _ if text.chars().any(|c| c.is_whitespace() || c.is_control() || ":/\\<>{}()=;$\"'?#".contains(c)) => {
            Err("expected a host name, an address or the folder of a socket".into())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_clients_words_for_ssl_have_libpqs_meaning() {
        let cases = [
            ("verify-full", Some("verify-full")),
            ("VERIFY_FULL", Some("verify-full")),
            ("true", Some("require")),
            ("1", Some("require")),
            ("no-verify", Some("require")),
            ("off", Some("disable")),
            ("0", Some("disable")),
            ("tunnel", None),
            ("", None),
        ];
        for (text, mode) in cases {
            assert_eq!(ssl_mode(text), mode, "{text}");
        }
        for (mode, _) in SSL_MODES {
            assert_eq!(check("PGSSLMODE", mode), Ok(()), "{mode}");
        }
    }

    #[test]
    fn what_libpq_could_not_use_is_told_from_what_it_can() {
        let right = [
            ("PGHOST", "db1.example.org"),
            ("PGHOST", "a,b,"),
            ("PGHOST", "/run/postgresql"),
            ("PGHOST", "::1"),
            ("PGHOST", "fe80::1%eth0"),
            ("PGHOST", "/cloudsql/a:b:c"),
            ("PGPORT", "5432,,6543"),
            ("PGSSLMODE", "require"),
            ("PGCONNECT_TIMEOUT", "10"),
            ("PGSSLMINPROTOCOLVERSION", "tlsv1.2"),
            ("PGREQUIREAUTH", "scram-sha-256, md5"),
            ("PGREQUIREAUTH", "!password"),
            ("PGOPTIONS", "-c search_path=app"),
        ];
        for (variable, value) in right {
            assert_eq!(check(variable, value), Ok(()), "{variable}={value}");
        }
        let wrong = [
            ("PGHOST", "db1:5432"),
            ("PGHOST", "postgresql://db1"),
            ("PGHOST", "me@db1"),
            ("PGHOST", "[::1]"),
            ("PGHOST", "${DB}"),
            ("PGHOST", "db 1"),
            ("PGPORT", "tcp://10.0.0.1:5432"),
            ("PGPORT", "0"),
            ("PGSSLMODE", "true"),
            ("PGCHANNELBINDING", "yes"),
            ("PGCONNECT_TIMEOUT", "10s"),
            ("PGSSLMAXPROTOCOLVERSION", "1.2"),
            ("PGREQUIREAUTH", "scram"),
            ("PGHOST", "tcp(db)"),
            ("PGHOST", "host=db;dbname=shop"),
        ];
        for (variable, value) in wrong {
            assert!(check(variable, value).is_err(), "{variable}={value}");
        }
    }
}
