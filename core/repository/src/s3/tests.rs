//! S3's rarer answers, as its documentation has them: no server that runs here gives them when asked.

use std::sync::{Arc, Mutex};

use archive::{Digest, Digester};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::Bucket;
use crate::{BucketSettings, EndpointError, Error, Keys, Repository, Retry, Scope, Secret, UploadMetadata};

const BEGUN: &str = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";

fn error_body(code: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>as documented</Message></Error>")
}

/// The next answers to one kind of request; the last one is repeated.
struct Answers {
    /// A request line that holds both is meant.
    method: &'static str,
    target: &'static str,
    answers: Vec<(u16, &'static str, String)>,
}

/// A listener that answers as told, and keeps the request lines.
struct Listener {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    async fn start(special: impl Into<Vec<Answers>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, special) = (Arc::clone(&requests), Arc::new(Mutex::new(special.into())));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(answer_all(connection, Arc::clone(&seen), Arc::clone(&special)));
            }
        });
        Self { endpoint, requests }
    }

    async fn repository(&self) -> Repository {
        Repository::Bucket(Bucket::connect(self.settings()).await.unwrap())
    }

    fn settings(&self) -> BucketSettings {
        BucketSettings {
            region: Some("us-east-1".into()),
            endpoint: Some(self.endpoint.clone()),
            keys: Some(Keys { id: "id".into(), secret: Secret::new("secret"), token: None }),
            part_size: 5 << 20,
            retry: Retry { base_delay: std::time::Duration::from_millis(1), ..Retry::default() },
            ..BucketSettings::new("bucket", "backups")
        }
    }

    fn count(&self, method: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|line| line.starts_with(method)).count()
    }
}

async fn answer_all(connection: TcpStream, seen: Arc<Mutex<Vec<String>>>, special: Arc<Mutex<Vec<Answers>>>) {
    let mut connection = BufReader::new(connection);
    while let Some(line) = read_request(&mut connection).await {
        let (status, header, body) = answer(&line, &mut special.lock().unwrap());
        seen.lock().unwrap().push(line);
        let text = format!("HTTP/1.1 {status} x\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len());
        if connection.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(line: &str, special: &mut [Answers]) -> (u16, &'static str, String) {
    let is_meant = |special: &&mut Answers| line.starts_with(special.method) && line.contains(special.target);
    if let Some(special) = special.iter_mut().find(is_meant) {
        let last = special.answers.len() == 1;
        return if last { special.answers[0].clone() } else { special.answers.remove(0) };
    }
    match line.split(' ').next() {
        Some("POST") if line.contains("uploadId=") => (200, "", COMPLETED.to_owned()),
        Some("POST") => (200, "", BEGUN.to_owned()),
        // An identity that may store alone, and can't look at what it stored.
        Some("HEAD") => (403, "", String::new()),
        Some("GET") if !line.contains("uploadId=") => (403, "", error_body("AccessDenied")),
        Some("PUT") => (200, "ETag: \"9dd4e461268c8034f5c8564e155c67a6\"\r\n", String::new()),
        Some("DELETE") => (204, "", String::new()),
        _ => (404, "", error_body("NoSuchUpload")),
    }
}

/// The request's first line, its body read.
async fn read_request(connection: &mut BufReader<TcpStream>) -> Option<String> {
    let mut first = String::new();
    connection.read_line(&mut first).await.ok().filter(|length| *length > 0)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.ok()?;
        let line = line.trim_end().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    connection.read_exact(&mut vec![0; length]).await.ok()?;
    Some(first)
}

fn digest(bytes: &[u8]) -> Digest {
    let mut digester = Digester::new();
    digester.update(bytes);
    digester.finish()
}

/// Two parts through a listener whose completions are answered so.
async fn upload(answers: Vec<(u16, &'static str, String)>) -> (Listener, Result<crate::Stored, Error>) {
    upload_through([Answers { method: "POST", target: "uploadId=", answers }]).await
}

async fn upload_through(special: impl Into<Vec<Answers>>) -> (Listener, Result<crate::Stored, Error>) {
    let listener = Listener::start(special).await;
    let metadata = UploadMetadata {
        lastgood_id: "run-1".into(),
        database: "app".into(),
        backup_date: Timestamp::UNIX_EPOCH,
        expected_size: None,
    };
    let repository = listener.repository().await;
    let bytes = Bytes::from(vec![7; 6 << 20]);
    let mut upload =
        repository.start_upload("backups/20260120/app_backup_20260120_030000.sql", &metadata).await.unwrap();
    upload.write(bytes.clone()).await.unwrap();
    let outcome = upload.complete(&digest(&bytes)).await;
    (listener, outcome)
}

/// The ETag of two parts that have the ETag that the listener gives each.
const OVERTAKING: &str = "8eebdd4e9caa60f5fa2e84243b507d21-2";

const COMPLETED: &str = "<CompleteMultipartUploadResult><ETag>\"x-2\"</ETag></CompleteMultipartUploadResult>";

#[tokio::test]
async fn an_error_in_the_body_of_a_200_is_an_error_and_tried_again() {
    let answers = vec![(200, "", error_body("InternalError")), (200, "", COMPLETED.to_owned())];
    let (listener, outcome) = upload(answers).await;
    assert_eq!(outcome.unwrap().etag.as_deref(), Some("x-2"));
    assert_eq!((listener.count("POST"), listener.count("DELETE")), (3, 0));
}

#[tokio::test]
async fn an_error_that_stays_in_the_body_of_a_200_fails_and_aborts() {
    let (listener, outcome) = upload(vec![(200, "", error_body("InternalError"))]).await;
    assert!(matches!(outcome, Err(Error::Unavailable { .. })), "{outcome:?}");
    assert_eq!((listener.count("POST"), listener.count("DELETE")), (1 + 4, 1));
}

#[tokio::test]
async fn a_conflict_on_completion_asks_for_the_backup_again_and_aborts() {
    let (listener, outcome) = upload(vec![(409, "", error_body("ConditionalRequestConflict"))]).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::Conflict { .. }), "{error:?}");
    assert_eq!(error.hint().unwrap(), "run the backup again");
    assert_eq!((listener.count("POST"), listener.count("DELETE")), (2, 1));
}

#[tokio::test]
async fn a_stored_checksum_that_differs_is_an_error() {
    let wrong = "<CompleteMultipartUploadResult><ETag>\"x-2\"</ETag><ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME>\
                 </CompleteMultipartUploadResult>";
    let (_listener, outcome) = upload(vec![(200, "", wrong.to_owned())]).await;
    assert!(matches!(outcome, Err(Error::Checksum { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_archive_that_the_store_did_not_keep_is_no_success() {
    let empty = "Last-Modified: Thu, 02 Jan 2020 03:04:05 GMT\r\n";
    let (listener, outcome) =
        upload_through([Answers { method: "HEAD", target: "", answers: vec![(200, empty, String::new())] }]).await;
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("answered that it has the 6291456 bytes, and has 0"), "{error}");
    assert_eq!(listener.count("DELETE"), 1);
}

#[tokio::test]
async fn an_archive_that_another_run_replaced_is_no_success() {
    let other = "Last-Modified: Thu, 02 Jan 2020 03:04:05 GMT\r\nx-amz-meta-lastgood-id: run-2\r\n";
    let body = "x".repeat(6 << 20);
    let (_listener, outcome) =
        upload_through([Answers { method: "HEAD", target: "", answers: vec![(200, other, body)] }]).await;
    assert!(matches!(outcome, Err(Error::Exists { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_upload_that_another_of_the_same_bytes_overtook_is_aborted() {
    let bytes = vec![7; 6 << 20];
    let parts = "<ListPartsResult><UploadId>u1</UploadId></ListPartsResult>".to_owned();
    let row = format!(
        "<Contents><Key>backups/20260120/app_backup_20260120_030000.sql</Key><ETag>\"{OVERTAKING}\"</ETag><Size>{}</Size>\
         <LastModified>2020-01-02T03:04:05Z</LastModified></Contents>",
        bytes.len()
    );
    let listing = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{row}</ListBucketResult>");
    let empty = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>".to_owned();
    let (listener, outcome) = upload_through([
        Answers { method: "POST", target: "uploadId=", answers: vec![(412, "", error_body("PreconditionFailed"))] },
        Answers { method: "GET", target: "max-parts", answers: vec![(200, "", parts)] },
        Answers { method: "GET", target: "list-type", answers: vec![(200, "", empty), (200, "", listing)] },
    ])
    .await;
    assert_eq!(outcome.unwrap().size, 6 << 20);
    assert!(listener.count("DELETE") >= 1, "its parts would stay for ever");
}

#[tokio::test]
async fn a_store_that_takes_no_checksums_in_a_completion_gets_none() {
    let (listener, outcome) =
        upload(vec![(400, "", error_body("MalformedXML")), (200, "", COMPLETED.to_owned())]).await;
    assert_eq!(outcome.unwrap().etag.as_deref(), Some("x-2"));
    assert_eq!((listener.count("POST"), listener.count("DELETE")), (3, 0));
}

#[tokio::test]
async fn a_store_that_knows_no_condition_gets_a_plain_put() {
    let answers = vec![(501, "", error_body("NotImplemented")), (200, "ETag: \"e\"\r\n", String::new())];
    let listener = Listener::start([Answers { method: "PUT", target: "manifest", answers }]).await;
    let stored = listener.repository().await.put_new("backups/a.manifest.json", "{}").await.unwrap();
    assert!(matches!(stored, crate::PutOutcome::Stored(_)), "{stored:?}");
    assert_eq!(listener.count("PUT"), 2);
}

#[tokio::test]
async fn what_is_there_is_not_put_where_a_store_may_not_refuse_it() {
    let row = "<Contents><Key>backups/a.manifest.json</Key><LastModified>2020-01-02T03:04:05Z</LastModified>\
               <ETag>\"e\"</ETag><Size>7</Size></Contents>";
    let listing = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{row}</ListBucketResult>");
    let answers = vec![(200, "", listing)];
    let listener = Listener::start([Answers { method: "GET", target: "list-type", answers }]).await;
    // What lies there can't be read, and so not compared.
    drop(listener.repository().await.put_new("backups/a.manifest.json", "{}").await);
    assert_eq!(listener.count("PUT"), 0);
}

/// What a listing answered so fails of.
async fn listing_error(status: u16, header: &'static str, body: String) -> Error {
    let answers = vec![(status, header, body)];
    let listener = Listener::start([Answers { method: "GET", target: "list-type", answers }]).await;
    listener.repository().await.objects(Scope::All).await.unwrap_err()
}

#[tokio::test]
async fn a_bucket_elsewhere_says_its_region() {
    let redirected = listing_error(301, "x-amz-bucket-region: eu-west-1\r\n", error_body("PermanentRedirect")).await;
    assert_eq!(redirected.hint().unwrap(), "set AWS_REGION=eu-west-1");
    let malformed = error_body("AuthorizationHeaderMalformed")
        .replace("as documented", "the region 'us-east-1' is wrong; expecting 'eu-north-1'");
    let malformed = listing_error(400, "", malformed).await;
    assert_eq!(malformed.hint().unwrap(), "set AWS_REGION=eu-north-1");
}

#[tokio::test]
async fn a_region_that_only_the_body_names_is_named_too() {
    let elsewhere = error_body("AuthorizationHeaderMalformed").replace("</Error>", "<Region>garage</Region></Error>");
    let error = listing_error(400, "", elsewhere).await;
    assert_eq!(error.hint().unwrap(), "set AWS_REGION=garage");
    let unnamed = listing_error(400, "", error_body("AuthorizationHeaderMalformed")).await;
    assert!(unnamed.hint().unwrap().starts_with("check AWS_REGION and the access key"), "{unnamed:?}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_with_both_times_whatever_the_store_calls_it() {
    let skewed =
        error_body("RequestTimeTooSkewed").replace("</Error>", "<ServerTime>2020-01-02T03:04:05Z</ServerTime></Error>");
    let skewed = listing_error(403, "", skewed).await;
    let denied = listing_error(403, "Date: Thu, 02 Jan 2020 03:04:05 GMT\r\n", error_body("AccessDenied")).await;
    for error in [skewed, denied] {
        let text = error.to_string();
        assert!(text.contains(" here, there 2020-01-02 03:04:05 UTC"), "{text}");
    }
}

#[tokio::test]
async fn another_stores_own_words_are_passed_on() {
    let denied = error_body("AccessDenied").replace("as documented", "Forbidden: No such key: NOSUCHKEY");
    let error = listing_error(403, "", denied).await;
    assert!(error.to_string().ends_with("Forbidden: No such key: NOSUCHKEY"), "{error}");
    assert!(error.hint().unwrap().contains("wrong key or secret"));
}

#[tokio::test]
async fn what_is_accepted_and_makes_no_sense_is_said_and_not_called_http_200() {
    let page = listing_error(200, "Content-Type: text/html\r\n", "<html><body>Log in</body></html>".to_owned()).await;
    assert!(matches!(page, Error::Endpoint(EndpointError::NotS3 { .. })), "{page:?}");
    let odd = listing_error(200, "", "<SomethingElse/>".to_owned()).await;
    assert!(matches!(odd, Error::Unreadable { .. }) && odd.to_string().contains("cannot be read: "), "{odd:?}");
    let redirect = listing_error(302, "Location: http://login.example/\r\n", String::new()).await;
    assert!(matches!(redirect, Error::Endpoint(EndpointError::NotS3 { .. })), "{redirect:?}");
}

#[tokio::test]
async fn every_documented_refusal_has_its_own_error() {
    type Is = fn(&Error) -> bool;
    let table: [(u16, &str, Is); 10] = [
        (400, "ExpiredToken", |e| matches!(e, Error::ExpiredCredentials { .. })),
        (403, "InvalidAccessKeyId", |e| matches!(e, Error::BadCredentials { .. })),
        (403, "SignatureDoesNotMatch", |e| matches!(e, Error::BadCredentials { .. })),
        (403, "RequestTimeTooSkewed", |e| matches!(e, Error::ClockSkew { .. })),
        (403, "AccessDenied", |e| matches!(e, Error::AccessDenied { action, .. } if action == "s3:ListBucket")),
        (404, "NoSuchBucket", |e| matches!(e, Error::NoSuchBucket { .. })),
        (503, "SlowDown", |e| matches!(e, Error::Unavailable { .. })),
        (503, "GlacierExpeditedRetrievalNotAvailable", |e| matches!(e, Error::NoExpedited { .. })),
        (403, "InvalidObjectState", |e| matches!(e, Error::Archived { .. })),
        (400, "SomethingNew", |e| matches!(e, Error::Other { code, .. } if code == "SomethingNew")),
    ];
    for (status, code, is_expected) in table {
        let error = listing_error(status, "", error_body(code)).await;
        assert!(is_expected(&error), "{code}: {error:?}");
    }
    let page = listing_error(502, "", "<html>Bad gateway</html>".to_owned()).await;
    assert!(matches!(page, Error::Unavailable { .. }), "{page:?}");
}

#[tokio::test]
async fn the_permission_that_kms_lacks_is_named() {
    let denied = error_body("AccessDenied")
        .replace("as documented", "User: u is not authorized to perform: kms:GenerateDataKey on resource: key");
    let error = listing_error(403, "", denied).await;
    assert!(error.to_string().contains("kms:GenerateDataKey"), "{error}");
}

#[tokio::test]
async fn a_listing_that_says_there_is_more_but_not_where_is_an_error() {
    let body = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
    let error = listing_error(200, "", body.to_owned()).await;
    assert!(matches!(error, Error::IncompleteListing { .. }), "{error:?}");
}
