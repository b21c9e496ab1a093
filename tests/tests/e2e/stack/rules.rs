//! What the script decides from words alone: its functions, called one by one in a shell.

use std::process::Command;

use e2e::ministack::Ministack;
use e2e::process::output;
use e2e::stack::Stack;
use e2e::tools;
use serde_json::json;

use super::shell;

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

/// A policy of a bucket `b` with one statement about these keys.
fn one_statement(sid: &str, effect: &str, keys: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "DenyPlainHttp", "Effect": "Deny", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"],
            "Condition": {"StringNotLike": {"aws:x": "${aws:username}"}}},
        {"Sid": sid, "Effect": effect, "Resource": [format!("arn:aws:s3:::b/{keys}"), "arn:aws:s3:::b/*"]},
    ]})
    .to_string()
}

#[test]
fn prefixes_may_lie_beside_each_other_and_not_within() {
    let cases = [
        ("backups", "DenyDelete", "backups/*", true),
        ("backups", "DenyForgedStatus", "backups/status/*", true),
        ("backups", "DenyReplacedMarks", "backups/databases/*", true),
        ("backups", "DenyDelete", "backups/????????/*", true),
        ("backups", "DenyDelete", "backups-eu/*", true),
        ("backups", "DenyDelete", "*", true),
        ("x/status", "DenyDelete", "x/status/*", true),
        ("backups/eu", "DenyDelete", "backups/*", false),
        ("backups/eu", "DenyDeleteother", "backups/*", false),
        ("backups/eu", "DenyOverwrite", "backups/*.sql.gz", false),
        ("backups", "DenyDelete", "backups/eu/*", false),
        ("backups", "DenyOverwriteother", "backups/eu/*.manifest.json", false),
        // A stranger's says nothing about stacks.
        ("backups", "Theirs", "backups/reports/*", true),
        ("backups", "DenyForgedStatus", "backups/eu/*", true),
        ("backups", "TheirDenyDelete", "backups/reports/*", true),
    ];
    for (prefix, sid, guarded, fits) in cases {
        let policy = one_statement(sid, "Deny", guarded);
        let spaced = policy.replace([','], " ,\n ");
        for policy in [&policy, &spaced] {
            let said = shell("s", prefix, &format!("check_nesting b '{policy}'"));
            assert_eq!(said.is_empty(), fits, "{prefix} beside {sid} {guarded}: {said}");
        }
    }
    let allowed = one_statement("DenyDelete", "Allow", "backups/eu/*");
    assert_eq!(shell("s", "backups", &format!("check_nesting b '{allowed}'")), "");
}

/// That a bucket is the account's own, and no stack's, doesn't make its policy this script's to rewrite.
#[test]
fn a_bucket_is_taken_only_if_its_policy_is_an_earlier_stacks() {
    let ours = one_statement("DenyDelete", "Deny", "backups/*");
    let theirs = one_statement("DenyDelete", "Deny", "photos/*");
    let allowed = one_statement("DenyOverwrite", "Allow", "backups/*.sql");
    let named = one_statement("DenyOverwriteolder", "Deny", "backups/*.sql");
    for (policy, taken) in [(&*ours, true), (&named, true), (&theirs, false), (&allowed, false), ("", false)] {
        let said = shell(
            "s",
            "backups",
            &format!(
                "aws() {{ echo None; }}; read_policy() {{ echo '{policy}'; }}; parameters=(); take_retained b
                echo \"${{parameters[*]}} $connect\""
            ),
        );
        if taken {
            assert!(said.ends_with("ExistingBucket=true yes"), "{policy}: {said}");
        } else {
            let expected = "refused: the bucket b is there already, and its policy doesn't show that a stack with this prefix left it";
            assert_eq!(said, expected, "{policy}");
        }
    }
    let refused = shell("s", "backups", "aws() { echo None; }; read_policy() { return 1; }; take_retained b");
    assert!(refused.starts_with("refused: "), "{refused}");
}

/// A stack that was deployed before there was a floor gets one without naming it.
#[test]
fn the_floor_is_compared_where_it_is_new() {
    let older = r"parameter.DeleteAfterDays\t7\nparameter.ObjectLockDays\t0\nparameter.ObjectLockMode\tGOVERNANCE\n";
    let keeping = older.replace("7", "0") + r"parameter.KeepLast\t3\n";
    let floor = r"parameter.NeverYoungerThanDays\t7\n";
    let refused =
        "error: DeleteAfterDays=7 is below NeverYoungerThanDays=14, which wins\nhint: add NeverYoungerThanDays=7, ";
    let note = |days: u8| {
        format!("Note: the keep rules remove no backup younger than {days} days (NeverYoungerThanDays; 0 is off).\n")
    };
    let cases = [
        (older.to_owned(), "MinimumGood=3", "", refused),
        (older.to_owned(), "NeverYoungerThanDays=7", "", ""),
        (older.to_owned(), "DeleteAfterDays=20", "", ""),
        (older.to_owned() + floor, "MinimumGood=3", "", ""),
        (older.replace('7', "90"), "MinimumGood=3", "", ""),
        (keeping.clone(), "MinimumGood=3", &note(14), ""),
        (keeping.clone(), "NeverYoungerThanDays=2", &note(2), ""),
        (keeping.clone(), "NeverYoungerThanDays=0", "", ""),
        (keeping.clone(), "KeepLast=0", "", ""),
        (keeping.clone() + floor, "MinimumGood=3", "", ""),
        (keeping.clone() + floor, "KeepDaily=3", &note(7), ""),
        (keeping + floor, "DeleteAfterDays=30", "", ""),
    ];
    for (facts, parameter, out, err) in cases {
        let said =
            shell::shell(&format!("facts=$'status\\tx\\n{facts}'; parameters=({parameter}); refuse_contradictions"));
        assert_eq!((said.out.as_str(), said.well), (out, err.is_empty()), "{facts} {parameter}: {}", said.err);
        assert!(said.err.starts_with(err), "{facts} {parameter}: {}", said.err);
    }
}
