//! What the script decides from words alone: its functions, called one by one in a shell.

use std::process::Command;

use e2e::ministack::Ministack;
use e2e::process::output;
use e2e::stack::Stack;
use e2e::tools;

/// What a line of shell prints when these parts of the script are there, and the stack and its prefix are named.
fn shell(stack: &str, prefix: &str, line: &str) -> String {
    let parts = tools::root().join("infra/deploy");
    let script = format!(
        "set -euo pipefail; source '{}/bucket.sh'; stack={stack} account=111122223333 AWS_DEFAULT_REGION=eu-central-1
        fail() {{ echo \"refused: $1\"; exit; }}; parameter() {{ echo '{prefix}'; }}; {line}",
        parts.display()
    );
    let output = output(Command::new("bash").args(["-c", &script]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

#[test]
fn every_stacks_name_makes_a_legal_bucket() {
    let end = "-111122223333-eu-central-1";
    let fits = "a".repeat(37);
    let long = "B".repeat(50);
    let hyphens = format!("a{}z", "-".repeat(48));
    let cases = [
        ("backups", format!("backups{end}")),
        ("Backups", format!("backups{end}")),
        ("B-2", format!("b-2{end}")),
        ("Sthree-x", format!("lastgood-sthree-x{end}")),
        ("xn--x", format!("lastgood-xn--x{end}")),
        (&fits, format!("{fits}{end}")),
    ];
    for (stack, expected) in cases {
        assert_eq!(shell(stack, "", "default_bucket"), expected);
    }
    for stack in [&long, &hyphens] {
        let bucket = shell(stack, "", "default_bucket");
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(bucket.len() <= 63 && bucket.bytes().all(legal) && bucket.ends_with(end), "{stack}: {bucket}");
    }
    // Shortened, and still two buckets.
    let other = format!("{}b", "B".repeat(49));
    assert_ne!(shell(&long, "", "default_bucket"), shell(&other, "", "default_bucket"));
    for stack in ["9lives", "under_score", &"x".repeat(51)] {
        let refused = Stack::new(Ministack::shared(), stack).try_deploy(&["--yes"]);
        assert_eq!(refused.status.code(), Some(2), "{stack}: {refused:?}");
    }
}

#[test]
fn prefixes_may_lie_beside_each_other_and_not_within() {
    let cases = [
        ("backups", "backups/*", true),
        ("backups", "backups/status/*", true),
        ("backups", "backups/????????/*", true),
        ("backups", "backups-eu/*", true),
        ("backups", "*", true),
        ("x/status", "x/status/*", true),
        ("backups/eu", "backups/*", false),
        ("backups", "backups/eu/*", false),
        ("backups/eu", "backups/databases/*", false),
    ];
    for (prefix, guarded, fits) in cases {
        let policy = format!(r#"{{"Resource":["arn:aws:s3:::b/{guarded}","arn:aws:s3:::b/*"]}}"#);
        let said = shell("s", prefix, &format!("check_nesting b '{policy}'"));
        assert_eq!(said.is_empty(), fits, "{prefix} beside {guarded}: {said}");
    }
}
