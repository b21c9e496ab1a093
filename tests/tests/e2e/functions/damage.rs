//! Bytes that aren't those that were stored: no function calls them intact.

use e2e::functions::Function;
use serde_json::json;

use super::{AMPLE, Ground};
use crate::past::{days_ago, key, put_in_bucket};

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
