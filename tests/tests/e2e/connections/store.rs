//! At the store.

use std::path::Path;
use std::time::Instant;

use e2e::agent::Agent;
use e2e::bucket::{Access, Bucket};
use e2e::postgres::{Database, Postgres};
use e2e::seaweedfs::Seaweedfs;

use super::tls::Certificate;
use super::{AT_ONCE, closed_port, fails, no_host, server_that_says};

/// With the patience that users have: fifteen minutes.
fn agent(bucket: &Bucket, endpoint: &str) -> Agent {
    let access = Access { endpoint: endpoint.to_owned(), ..bucket.access().clone() };
    Agent::new().bucket(bucket.name(), &access)
}

fn bucket() -> Bucket {
    Bucket::new(&Seaweedfs::shared().admin())
}

fn small() -> Database<'static> {
    let database = Postgres::shared().new_database("store");
    database.query("CREATE TABLE t AS SELECT 1 AS id");
    database
}

fn page() -> Vec<u8> {
    let body = "<!doctype html><title>Welcome to nginx!</title>";
    format!("HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into()
}

#[test]
fn an_address_that_leads_to_no_store_is_named_with_what_is_there() {
    let bucket = bucket();
    let store = bucket.access().endpoint.trim_start_matches("http://").to_owned();
    let folder = tempfile::tempdir().unwrap();
    let with_tls = Certificate::of_its_own(folder.path(), "tls", "localhost", &["-days", "2"]).serve(&store);
    let (no_host, closed, page) = (no_host(), closed_port(), server_that_says(page()));
    let ssh = server_that_says("SSH-2.0-OpenSSH_9.2p1\r\n");
    for (endpoint, exit, error, hint) in [
        (
            format!("http://{no_host}:9000"),
            2,
            "there is no host named aaa",
            "hint: check the host name in BACKUP_S3_ENDPOINT",
        ),
        (
            format!("http://127.0.0.1:{closed}"),
            1,
            "no server listens at http://127.0.0.1:",
            "hint: check the port in BACKUP_S3_E",
        ),
        (format!("https://{store}"), 2, "answers without TLS", "begin BACKUP_S3_ENDPOINT with http://"),
        (
            format!("http://127.0.0.1:{with_tls}"),
            2,
            "answers with TLS alone",
            "hint: begin BACKUP_S3_ENDPOINT with https://",
        ),
        (
            format!("http://127.0.0.1:{page}"),
            2,
            "is not an S3 store: HTTP 404 with text/html",
            "hint: check host and port",
        ),
        (format!("http://127.0.0.1:{ssh}"), 2, "is not an S3 store: ", "hint: check host and port"),
        (format!("https://127.0.0.1:{ssh}"), 2, "answers without TLS", "otherwise check the port"),
    ] {
        fails(&agent(&bucket, &endpoint), &["list"], exit, &[error, hint]);
    }
}

#[test]
fn a_certificate_says_what_is_wrong_with_it_and_one_of_ones_own_is_trusted_by_file() {
    let bucket = bucket();
    let store = bucket.access().endpoint.trim_start_matches("http://").to_owned();
    let folder = tempfile::tempdir().unwrap();
    let serve = |made: Certificate| {
        let port = made.serve(&store);
        (made, format!("https://localhost:{port}"))
    };
    let certificate =
        |file: &str, name: &str, more: &[&str]| serve(Certificate::of_its_own(folder.path(), file, name, more));
    let (own, own_url) = certificate("own", "localhost", &["-days", "2"]);
    let leaf = ["-days", "2", "-addext", "basicConstraints=critical,CA:FALSE"];
    let (signed, signed_url) = certificate("leaf", "localhost", &leaf);
    let (foreign, foreign_url) = certificate("foreign", "elsewhere.example", &["-days", "2"]);
    let (old, old_url) = serve(Certificate::expired(folder.path(), "old", "localhost"));
    let cannot = "the certificate of https://localhost:";
    for url in [&own_url, &signed_url] {
        fails(
            &agent(&bucket, url),
            &["list"],
            1,
            &[cannot, "cannot be trusted: ", "hint: set AWS_CA_BUNDLE (or SSL_CERT_FILE)"],
        );
    }
    let trusting =
        |url: &str, setting: &str, file: &Path| agent(&bucket, url).setting(setting, file.display().to_string());
    for (url, certificate) in [(&own_url, &own), (&signed_url, &signed)] {
        for setting in ["AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
            trusting(url, setting, &certificate.certificate).run(&["list"]).succeeds();
        }
    }
    let another = trusting(&own_url, "AWS_CA_BUNDLE", &signed.certificate);
    fails(&another, &["list"], 1, &[cannot, "AWS_CA_BUNDLE"]);
    let named = trusting(&foreign_url, "AWS_CA_BUNDLE", &foreign.certificate);
    fails(&named, &["list"], 1, &[cannot, "it is made out to ", "hint: use a host name that the certificate holds"]);
    let expired = trusting(&old_url, "AWS_CA_BUNDLE", &old.certificate);
    fails(&expired, &["list"], 1, &[cannot, " expired", "hint: have the store's certificate renewed"]);
    let missing = trusting(&own_url, "AWS_CA_BUNDLE", Path::new("/nowhere/ca.pem"));
    fails(&missing, &["list"], 2, &["the bucket's settings cannot be used", "/nowhere/ca.pem (AWS_CA_BUNDLE"]);
}

#[test]
fn a_dry_run_waits_for_nothing_and_finds_what_the_run_would_lack() {
    let (bucket, database) = (bucket(), small());
    let endpoint = &bucket.access().endpoint;
    agent(&bucket, endpoint)
        .database(&database)
        .run(&["backup", "--dry-run"])
        .succeeds()
        .mentions("nothing was written");
    assert_eq!(bucket.keys(), Vec::<String>::new());
    // Who may list and not put.
    let reader = Agent::new().bucket(bucket.name(), &Seaweedfs::shared().reader()).database(&database);
    fails(
        &reader,
        &["backup", "--dry-run"],
        1,
        &["access denied (AccessDenied): s3:PutObject on s3://", "hint: allow s3:PutObject"],
    );
    let busy = server_that_says("HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n");
    let busy = agent(&bucket, &format!("http://127.0.0.1:{busy}")).database(&database);
    for arguments in [&["backup", "--dry-run"][..], &["prune", "--dry-run"], &["adopt", "--all", "--dry-run"]] {
        fails(&busy, arguments, 1, &["the store cannot serve"]);
    }
    fails(&busy, &["restore", "latest", "--dry-run"], 1, &["the store cannot serve"]);
}

#[test]
fn zero_minutes_of_retrying_are_none() {
    let bucket = bucket();
    let busy = server_that_says("HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\n\r\n");
    let agent = agent(&bucket, &format!("http://127.0.0.1:{busy}")).setting("BACKUP_RETRY_MINUTES", "0");
    fails(&agent, &["list"], 1, &["the store cannot serve"]);
}

#[test]
fn a_wrong_key_and_a_wrong_secret_are_told_apart() {
    let bucket = bucket();
    let admin = Seaweedfs::shared().admin();
    for (access, words) in [
        (Access { key_id: "nobody".into(), ..admin.clone() }, "(InvalidAccessKeyId): it does not know it"),
        (Access { secret: "wrong".into(), ..admin.clone() }, "(SignatureDoesNotMatch): the secret is not the key's"),
    ] {
        let agent = Agent::new().bucket(bucket.name(), &access);
        let hint = format!("aws s3 ls --endpoint-url {}", admin.endpoint);
        fails(&agent, &["list"], 2, &[words, &hint]).keeps_silent_about(&admin.secret);
    }
}

#[test]
fn a_store_that_was_there_before_is_waited_for() {
    let started = Instant::now();
    let (bucket, database) = (bucket(), small());
    let proxy = e2e::proxy::Proxy::start(&bucket.access().endpoint);
    let agent = agent(&bucket, &format!("http://{}", proxy.address())).database(&database);
    let agent = agent.setting("BACKUP_RETRY_DELAY", "100ms");
    proxy.set(e2e::proxy::Fault::CutOnce(e2e::proxy::Direction::Up, 3_000));
    agent.run(&["backup"]).succeeds().mentions("trying again");
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
}
