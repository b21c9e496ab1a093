//! What the functions log: Lambda reads each line's level and time, and files what it can't read as INFO.

use e2e::functions::Function;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{AMPLE, Ground};
use e2e::past::dump;

#[test]
fn every_line_is_json_with_its_level_and_an_rfc_3339_timestamp() {
    let ground = Ground::new();
    ground.bucket.put("backups/20260120/shop_backup_20260120_030000.sql.gz", dump());
    ground.bucket.put("backups/20260121/shop_backup_20260121_030000.sql.gz", b"nothing of ours");
    let mut verify = Function::start(&ground.function("verify"));
    verify.invoke(&json!({"action": "sweep"}), AMPLE).done();
    verify.invoke(&json!({"hello": "world"}), AMPLE).failed();
    let log = verify.log();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")));
    let levels = lines.map(|line: Value| {
        let timestamp = line["timestamp"].as_str().unwrap_or_else(|| panic!("no timestamp: {line}"));
        timestamp.parse::<Timestamp>().unwrap();
        assert!(line["message"].is_string(), "{line}");
        line["level"].as_str().unwrap_or_else(|| panic!("no level: {line}")).to_owned()
    });
    let mut levels: Vec<String> = levels.collect();
    levels.sort();
    levels.dedup();
    assert_eq!(levels, ["ERROR", "INFO", "WARN"], "a failure, an intact backup, a damaged one:\n{log}");
    assert!(!log.contains(&ground.bucket.access().secret), "{log}");
}
