//! Which of S3's requests one is, and of what: `PutObject-manifest`.

use crate::answering::Request;
use crate::bucket::is_archive;

/// The operation, and where it is about one object the sort of that.
pub(super) fn of(request: &Request) -> String {
    let (path, query) = request.target().split_once('?').unwrap_or((request.target(), ""));
    let has = |name: &str| query.split('&').any(|part| part.split('=').next() == Some(name));
    // Path style: the bucket, and then the key.
    let key = path.trim_start_matches('/').split_once('/').map_or("", |(_, key)| key);
    let copies = request.header("x-amz-copy-source").is_some();
    let operation = match (request.method(), key.is_empty()) {
        ("PUT", false) if has("partNumber") => {
            if copies {
                "UploadPartCopy"
            } else {
                "UploadPart"
            }
        }
        ("PUT", false) => {
            if copies {
                "CopyObject"
            } else {
                "PutObject"
            }
        }
        ("POST", false) if has("uploads") => "CreateMultipartUpload",
        ("POST", false) if has("uploadId") => "CompleteMultipartUpload",
        ("POST", true) if has("delete") => "DeleteObjects",
        ("GET", true) if has("versions") => "ListObjectVersions",
        ("GET", true) if has("uploads") => "ListMultipartUploads",
        ("GET", true) if has("list-type") => "ListObjectsV2",
        ("GET", false) if has("uploadId") => "ListParts",
        ("GET", false) => "GetObject",
        ("HEAD", false) => "HeadObject",
        ("DELETE", false) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", false) => "DeleteObject",
        (method, _) => return format!("{method}-{}", query.split('=').next().unwrap_or_default()),
    };
    if key.is_empty() { operation.to_owned() } else { format!("{operation}-{}", sort(key)) }
}

fn sort(key: &str) -> &'static str {
    let sorts = [
        ("/databases/", "mark"),
        ("/status/", "status"),
        (".globals.", "globals"),
        (".index.", "index"),
        (".manifest.json", "manifest"),
        (".intact.json", "verdict"),
        (".damaged.json", "verdict"),
        (".drill.json", "drill"),
    ];
    let found = sorts.into_iter().find(|(part, _)| key.contains(part)).map(|(_, sort)| sort);
    found.unwrap_or(if is_archive(key) { "archive" } else { "other" })
}
