//! Bytes that aren't those that were stored: no function calls them intact.

use e2e::functions::Function;
use serde_json::json;

use super::{AMPLE, Ground, invoke};
use e2e::past::{days_ago, key, put_in_bucket};

#[test]
fn empty_short_long_or_other_bytes_are_never_intact() {
    let ground = Ground::new();
    let made = days_ago(1);
    put_in_bucket(&ground.bucket, "app", made);
    let archive = key("app", made, ".sql.gz");
    let whole = ground.bucket.get(&archive);
    let mut verify = Function::start(&ground.function("verify"));
    let cases: [(&str, Vec<u8>); 4] = [
        ("empty", Vec::new()),
        ("size", whole[..whole.len() - 1].to_vec()),
        ("size", [&whole[..], b"\0"].concat()),
        ("size", b"<html>not found</html>".to_vec()),
    ];
    for (finding, bytes) in cases {
        ground.bucket.put(&archive, &bytes);
        for verdict in [".intact.json", ".damaged.json"] {
            ground.bucket.delete(&key("app", made, verdict));
        }
        let answer = verify.invoke(&ground.arrival(&key("app", made, ".manifest.json")), AMPLE).done();
        let judged = &answer["backups"][0];
        assert_eq!(judged["outcome"], "damaged", "{answer}");
        let mut found = judged["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]);
        assert!(found.any(|code| *code == json!(finding)), "no finding {finding}: {answer}");
    }
}

/// And what the function can't follow to its end is no damage: the checksum that the store took proves its bytes.
#[test]
fn a_broken_manifest_is_a_finding_and_a_limit_none() {
    let ground = Ground::new();
    let (made, long) = (days_ago(1), days_ago(2));
    put_in_bucket(&ground.bucket, "app", made);
    ground.bucket.delete(&key("app", made, ".intact.json"));
    ground.bucket.put(&key("app", made, ".manifest.json"), b"{\"version\": 1");
    // As `zstd --long=31` begins: a window of 2 GiB.
    ground.bucket.put(&key("app", long, ".sql.zst"), &[0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0]);
    let swept = invoke(&ground.function("verify"), &json!({"action": "sweep"})).done();
    let handled = swept["backups"].as_array().unwrap();
    assert_eq!(
        (&handled[0]["outcome"], &handled[0]["findings"][0]["code"]),
        (&json!("damaged"), &json!("manifest")),
        "{swept}"
    );
    assert_eq!((&handled[1]["outcome"], &handled[1]["content"]), (&json!("intact"), &json!("unread")), "{swept}");
    let damaged: Vec<String> = ground.bucket.keys().into_iter().filter(|key| key.ends_with(".damaged.json")).collect();
    assert_eq!(damaged, [key("app", made, ".damaged.json")]);
}
