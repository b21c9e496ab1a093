//! `lastgood report`: the page, its data, the history behind it, and what may not come of it.

use std::os::unix::fs::PermissionsExt as _;

use e2e::bucket::Bucket;
use e2e::seaweedfs::Seaweedfs;
use serde_json::{Value, json};

use crate::json::holds;
use e2e::past::{agent, days_ago, drill, put_in_bucket, put_in_directory, stem};

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

fn history(folder: &std::path::Path, database: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(format!("status/history/{database}.json"))).unwrap()).unwrap()
}

#[test]
fn a_page_has_the_last_good_backup_its_proof_and_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let newest = days_ago(0);
    for days in [0, 1, 40] {
        put_in_directory(folder.path(), "app", days_ago(days));
    }
    let agent = agent().directory(folder.path()).setting("DB_NAME", "app").setting("MIN_BACKUP_COUNT", "1");
    agent.run(&["check"]).succeeds();
    let noted = history(folder.path(), "app");
    assert_eq!(noted["days"][0]["verdict"], "good", "{noted:#}");
    assert_eq!(noted["days"][0]["backup"], json!(stem("app", newest)), "{noted:#}");
    assert_eq!(noted["days"][0]["rows"], 3_002, "{noted:#}");
    let page = agent.home().join("page.html");
    agent.run(&["report", "--output", page.to_str().unwrap()]).succeeds().mentions("page.html: 1 database, healthy");
    assert_eq!(std::fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains(&stem("app", newest)) && html.contains("3,002 rows"), "{html}");
    let run = agent.run(&["report", "--json"]).succeeds();
    holds("report", &run);
    let told = run.json();
    let one = &told["databases"][0];
    let calendar = one["calendar"].as_array().unwrap();
    assert_eq!((calendar.len(), calendar.last().unwrap()), (365, &json!({"day": today(), "verdict": "good"})));
    assert_eq!(one["evidence"].as_array().unwrap().len(), 3);
    assert!(one["evidence"][0]["verified"]["by"].is_string(), "{one:#}");
    assert!(!agent.home().join("lastgood-report.html").exists(), "with --json no page is asked for");
}

/// What was noted outlives a later and better hour, other fields, and the manifests.
#[test]
fn a_bad_hour_stays_and_what_cannot_be_read_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    put_in_directory(folder.path(), "app", days_ago(3));
    let agent = agent().directory(folder.path()).setting("DB_NAME", "app").setting("MIN_BACKUP_COUNT", "1");
    agent.run(&["check"]).exits(6);
    let today = days_ago(0);
    put_in_directory(folder.path(), "app", today);
    agent.run(&["check"]).succeeds();
    agent.run(&["verify", "latest"]).succeeds();
    let noted = history(folder.path(), "app");
    assert_eq!(noted["days"].as_array().unwrap().len(), 1, "{noted:#}");
    assert_eq!(
        (&noted["days"][0]["verdict"], &noted["days"][0]["backup"]),
        (&json!("late"), &json!(stem("app", today)))
    );
    let path = folder.path().join("status/history/app.json");
    for text in [r#"{"version": 2, "database": "app"}"#, "{"] {
        std::fs::write(&path, text).unwrap();
        agent.run(&["check"]).succeeds().keeps_silent_about("history");
        agent.run(&["check", "--verbose"]).succeeds();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "it stays as it is");
        let told = agent.run(&["report", "--json"]).succeeds().json();
        assert!(told["databases"][0]["notes"][0].as_str().unwrap().contains("its history cannot be read"), "{told:#}");
    }
}

#[test]
fn a_hostile_name_is_text_and_a_failed_drill_is_said() {
    let (folder, name) = (tempfile::tempdir().unwrap(), "a<script>alert(1)</script>");
    let now = days_ago(0);
    let stem = format!("{}_backup_{}", catalog::encode_database(name), now.strftime("%Y%m%d_%H%M%S"));
    put_in_directory(folder.path(), "app", now);
    for end in [".sql.gz", ".manifest.json", ".intact.json"] {
        let from = folder.path().join(format!("{}{end}", e2e::past::stem("app", now)));
        std::fs::copy(from, folder.path().join(format!("{stem}{end}"))).unwrap();
    }
    let failed = drill("app", now, now, false).to_json().unwrap();
    std::fs::write(folder.path().join(format!("{}.drill.json", e2e::past::stem("app", now))), failed).unwrap();
    let agent = agent().directory(folder.path());
    let page = agent.home().join("page.html");
    agent.run(&["report", "--all-databases", "--output", page.to_str().unwrap()]).succeeds();
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<script"), "{html}");
    assert!(html.contains("table public.small has 1 row, and 2 were dumped"), "{html}");
    let refused = agent.run(&["report", "--output", "/nowhere/page.html"]).exits(1);
    refused.mentions("cannot write the page into /nowhere/page.html");
}

#[test]
fn a_link_is_to_the_page_that_is_there() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    put_in_bucket(&bucket, "app", days_ago(0));
    let agent = agent().bucket(bucket.name(), bucket.access()).setting("DB_NAME", "app");
    agent.run(&["report", "--link"]).exits(5).mentions("there is no page at ");
    bucket.put("backups/status/report.html", b"<!DOCTYPE html>the page");
    let run = agent.run(&["report", "--link", "--expires", "2h", "--json"]).succeeds();
    holds("report --link", &run);
    let link = run.json()["link"].as_str().unwrap().to_owned();
    assert!(link.contains("X-Amz-Expires=7200") && link.contains("response-content-type=text%2Fhtml"), "{link}");
    let read = e2e::process::output(std::process::Command::new("curl").args([
        "--silent",
        "--fail",
        "--max-time",
        "30",
        &link,
    ]));
    assert_eq!(String::from_utf8_lossy(&read.stdout), "<!DOCTYPE html>the page");
    agent.run(&["report", "--link", "--expires", "8d"]).exits(2).mentions("longer than 7 days");
    agent.run(&["check"]).succeeds();
    assert_eq!(bucket.get_json("backups/status/history/app.json")["days"][0]["day"], json!(today()));
}
