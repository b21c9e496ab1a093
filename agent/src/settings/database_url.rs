//! `DATABASE_URL`, read as libpq reads a connection URI, and as other clients write one.
//!
//! `postgresql://user:password@host:port/database?sslmode=require`, also with several hosts, an IPv6 address, a socket
//! folder, under the names that frameworks have for PostgreSQL, as JDBC and R2DBC write it, and as libpq's `host=… dbname=…`.
//! Passwords never reach a command line: every part becomes the environment variable that libpq reads for it.
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>

mod parameters;
mod parts;
mod words;

use percent_encoding::percent_decode_str;
use postgres::Secret;

use super::definition::Form;
use parameters::Parameter;
use parts::hosts_and_ports;

pub(crate) use parts::DatabaseUrl;

pub(crate) const DATABASE_URL: Form<DatabaseUrl> =
    Form { words: "`postgresql://user:password@host:port/database`", parse };

/// Where a drill restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DrillServer {
    /// A private server of its own.
    Temporary,
    Url(Box<DatabaseUrl>),
}

pub(crate) const DRILL_SERVER: Form<DrillServer> = Form {
    words: "`temporary`, or `postgresql://user:password@host:port/database`",
    parse: |text| match text.trim() {
        "temporary" => Ok(DrillServer::Temporary),
        url => parse(url).map(|url| DrillServer::Url(Box::new(url))),
    },
};

/// What frameworks call PostgreSQL in a URL: libpq, django-environ, dj-database-url, Laravel, Ecto.
const SCHEMES: [&str; 12] = [
    "postgresql",
    "postgres",
    "postgis",
    "pgsql",
    "psql",
    "pdo-pgsql",
    "postgresql_psycopg2",
    "ecto",
    "timescale",
    "timescalegis",
    "pgx",
    "pgx5",
];
/// Java's ways to a driver, before its own URL. Wrappers put their name in between.
const JAVA: [&str; 3] = ["jdbc:", "r2dbc:", "vertx-reactive:"];
const ANOTHER: &str = "not a PostgreSQL URL";
const NO_URL: &str = "expected postgresql:// at its beginning";
/// No program can be given one, raw or escaped.
const ZERO: &str = "one of its parts contains a zero byte";
const RAW: &str = "a special character stands raw in it, in the password most likely: write / as %2F, ? as %3F, # as %23, \
                   @ as %40 and % as %25";

/// Whether a complaint says that a text is the address of something else, not that it is a broken one of PostgreSQL's.
pub(super) fn is_of_another(complaint: &str) -> bool {
    complaint.starts_with(ANOTHER) || complaint == NO_URL
}

fn parse(text: &str) -> Result<DatabaseUrl, String> {
    if text.contains('\0') {
        return Err(ZERO.into());
    }
    // Docker's --env-file keeps the quotes of a value.
    let text = text.trim();
    let quoted = ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    let text = quoted.unwrap_or(text);
    if let Some(java) = JAVA.iter().find_map(|start| text.strip_prefix(start)) {
        return of_java(java);
    }
    if let Some(socket) = text.strip_prefix("socket:") {
        return of_socket(socket);
    }
    // PHP's PDO and Perl's DBI.
    let pairs = ["pgsql:", "dbi:Pg:"].into_iter().find_map(|start| text.strip_prefix(start));
    let pairs = pairs.filter(|rest| !rest.starts_with("//"));
    match pairs.or_else(|| words::begin(text).then_some(text)) {
        Some(pairs) => of_words(pairs),
        None => of_uri(without_scheme(text)?, false),
    }
}

/// `postgresql://host/database?user=…` or `postgresql:database`, and what a wrapper puts before it.
fn of_java(text: &str) -> Result<DatabaseUrl, String> {
    let driver = ["postgresql:", "pgsql:"].into_iter().find_map(|driver| text.split_once(driver));
    let Some((_, rest)) = driver.filter(|(wrapper, _)| !wrapper.contains('/')) else {
        return Err(format!("{ANOTHER}: expected jdbc:postgresql://"));
    };
    let mut url = match rest.strip_prefix("//") {
        Some(rest) => of_uri(rest, true)?,
        None => of_uri(&format!("/{}", rest.trim_start_matches('/')), true)?,
    };
    url.variables.entry("PGHOST").or_insert_with(|| Secret::new("localhost"));
    Ok(url)
}

/// What follows a URI's scheme and slashes.
fn of_uri(rest: &str, is_java: bool) -> Result<DatabaseUrl, String> {
    let (authority, tail) =
        rest.split_at_checked(rest.find(['/', '?', '#']).unwrap_or(rest.len())).unwrap_or((rest, ""));
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    // The last `@`, so that one inside an unencoded password does no harm: host names have none.
    let (credentials, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let parameters = Parameter::all(query, is_java);
    if path.contains('@') || path.starts_with('#') || parameters.iter().any(|p| p.shows_a_host(credentials.is_empty()))
    {
        return Err(RAW.into());
    }
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let (hosts, ports) = hosts_and_ports(hosts)?;
    let mut url = DatabaseUrl { is_java, ..DatabaseUrl::default() };
    url.set("PGUSER", &decoded(user)?);
    url.set("PGPASSWORD", &decoded(password)?);
    url.set("PGHOST", &decoded(&hosts)?);
    url.set("PGPORT", &decoded(&ports)?);
    let database = path.strip_prefix('/').unwrap_or(path);
    if hosts.is_empty() && database.contains('/') {
        return Err("its database has a slash; write a socket's folder as ?host=/run/postgresql".into());
    }
    url.set("PGDATABASE", &decoded(database)?);
    let read = parameters.iter().map(|p| Ok((p.name.to_owned(), decoded(&p.value)?)));
    url.take(&read.collect::<Result<Vec<_>, String>>()?)?;
    url.checked()
}

/// node-postgres' `socket:/run/postgresql?db=shop`, with a login as in other URLs.
fn of_socket(text: &str) -> Result<DatabaseUrl, String> {
    let rest = text.strip_prefix("//").unwrap_or(text);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, folder) = path.split_once('/').unwrap_or((path, ""));
    let query = query
        .split('&')
        .map(|pair| if pair.starts_with("db=") { pair.replacen("db", "dbname", 1) } else { pair.into() });
    let query = query.collect::<Vec<String>>().join("&");
    let folder = folder.trim_end_matches('/');
    of_uri(
        &format!("{login}{}/?host=/{folder}&{query}", if login.is_empty() || login.ends_with('@') { "" } else { "@" }),
        false,
    )
}

/// libpq's `host=… dbname=…`, or PDO's with semicolons.
fn of_words(text: &str) -> Result<DatabaseUrl, String> {
    let mut url = DatabaseUrl::default();
    url.take(&words::pairs(text)?)?;
    url.checked()
}

/// A part without its percent escapes.
fn decoded(encoded: &str) -> Result<String, String> {
    let escapes = encoded.split('%').skip(1);
    let is_escape = |after: &str| after.get(..2).is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit()));
    if !escapes.into_iter().all(is_escape) {
        return Err("a % in it begins no escape: write it as %25".into());
    }
    let value = percent_decode_str(encoded).decode_utf8().map_err(|_| "one of its parts is not valid UTF-8")?;
    if value.contains('\0') {
        return Err(ZERO.into());
    }
    Ok(value.into_owned())
}

fn without_scheme(text: &str) -> Result<&str, String> {
    let (scheme, rest) = text.split_once("://").ok_or(NO_URL)?;
    let (scheme, _driver) = scheme.split_once('+').unwrap_or((scheme, ""));
    if SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) {
        return Ok(rest);
    }
    if scheme == "prisma" {
        return Err("it leads to a proxy that speaks Prisma's language: set the address of the server itself".into());
    }
    Err(format!("{ANOTHER}: expected postgresql:// or postgres://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> String {
        match parse(text) {
            Ok(url) => url
                .variables
                .iter()
                .map(|(name, value)| format!("{name}={}", value.expose()))
                .collect::<Vec<_>>()
                .join(" "),
            Err(complaint) => complaint,
        }
    }

    #[test]
    fn urls_mean_what_they_mean_to_libpq() {
        let cases = [
            ("postgresql://", ""),
            ("postgres://u@h/d", "PGDATABASE=d PGHOST=h PGUSER=u"),
            (
                "postgresql+asyncpg://u:p%40ss@h:6543/my%20app",
                "PGDATABASE=my app PGHOST=h PGPASSWORD=p@ss PGPORT=6543 PGUSER=u",
            ),
            ("postgresql://u:p@ss:w@h/d", "PGDATABASE=d PGHOST=h PGPASSWORD=p@ss:w PGUSER=u"),
            ("postgresql://u@[::1]:5433/d", "PGDATABASE=d PGHOST=::1 PGPORT=5433 PGUSER=u"),
            ("postgresql://a:1,b:2/d", "PGDATABASE=d PGHOST=a,b PGPORT=1,2"),
            ("postgresql://%2Frun%2Fpostgresql/d", "PGDATABASE=d PGHOST=/run/postgresql"),
            (
                "postgresql:///d?host=/run/postgresql&sslmode=require",
                "PGDATABASE=d PGHOST=/run/postgresql PGSSLMODE=require",
            ),
            ("postgresql://h/d?ssl=require&pool_size=5", "PGDATABASE=d PGHOST=h PGSSLMODE=require"),
            ("mysql://h/d", "not a PostgreSQL URL: expected postgresql:// or postgres://"),
            ("h/d", "expected postgresql:// at its beginning"),
            ("postgresql://h:port/d", "its port is not a number"),
            ("postgresql://[::1/d", "its IPv6 address has no closing bracket"),
            ("postgresql://u:%00@h/d", "one of its parts contains a zero byte"),
            ("postgresql://u:\0@h/d", "one of its parts contains a zero byte"),
            ("dbname=d password=a\0b", "one of its parts contains a zero byte"),
            ("postgresql://u:%FF@h/d", "one of its parts is not valid UTF-8"),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(2000))]

        /// Whatever stands raw in a password: the server that is meant is asked, or none.
        #[test]
        fn no_password_leads_to_another_server(password in "[ab5/?#@:%&=+,.\\[\\]]{0,10}", java in proptest::bool::ANY) {
            let scheme = if java { "jdbc:postgresql" } else { "postgresql" };
            for tail in ["", "?sslmode=require", "?application_name=a"] {
                if let Ok(url) = parse(&format!("{scheme}://shop:{password}@db.example:5433/shop{tail}")) {
                    let part = |name: &str| url.variables.get(name).map_or("", Secret::expose);
                    let found = [part("PGHOST"), part("PGPORT"), part("PGDATABASE"), part("PGUSER")];
                    proptest::prop_assert_eq!(found, ["db.example", "5433", "shop", "shop"]);
                }
            }
        }

        #[test]
        fn a_complaint_never_repeats_the_password(before in "[a-z:/@]{0,12}", after in "[a-z:/?#@&=%]{0,20}") {
            for scheme in ["postgresql://", "jdbc:postgresql://", "socket:", "host=", "mysql://", ""] {
                if let Err(complaint) = parse(&format!("{scheme}{before}HUSH{after}")) {
                    proptest::prop_assert!(!complaint.contains("HUSH"), "{}", complaint);
                }
            }
        }
    }
}
