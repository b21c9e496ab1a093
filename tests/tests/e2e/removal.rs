//! docs/cloud.md's way out, typed as it stands there: the stack goes, then its bucket, for good.

use std::process::{Command, Output};

use e2e::aws::cli;
use e2e::bucket::Bucket;
use e2e::ministack::Ministack;
use e2e::process;
use e2e::stack::Stack;
use e2e::tools;
use serde_json::json;

/// The commands of the page's last section.
fn commands() -> Vec<String> {
    let page = std::fs::read_to_string(tools::root().join("docs/cloud.md")).unwrap();
    let (_, section) = page.split_once("## Removing it").unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(str::to_owned).collect()
}

fn shell(line: &str, stack: &Stack<'_>) -> Output {
    let path = format!("{}:/usr/bin:/bin", cli::folder().display());
    let mut shell = Command::new("bash");
    shell.args(["-ec", line]).env_clear().env("PATH", path).envs(stack.ministack().root().environment());
    process::output(&mut shell)
}

#[test]
fn the_pages_lines_leave_nothing() {
    let stack = Stack::new(Ministack::shared(), "leaving");
    stack.deploy(&[]);
    let arn = stack.output("AgentPolicyArn");
    stack.user("leaving-agent", "AgentPolicyArn");
    let bucket = Bucket::existing(&stack.ministack().root(), &stack.bucket());
    for _ in 0..2 {
        bucket.put("backups/20260101/app_backup_20260101_030000.intact.json", b"{}");
    }
    bucket.delete("backups/20260101/app_backup_20260101_030000.intact.json");
    assert!(bucket.versions().len() > 1);

    let commands = commands();
    assert_eq!(commands.len(), 7, "{commands:#?}");
    for line in commands {
        let typed = line
            .replace("backup-agent", "leaving-agent")
            .replace("AGENT_POLICY_ARN", &arn)
            .replace("--stack-name backups", "--stack-name leaving")
            .replace("BUCKET", bucket.name());
        let output = shell(&typed, &stack);
        assert!(output.status.success(), "{typed}\n{}", String::from_utf8_lossy(&output.stderr));
        if typed.contains("delete-stack") {
            let wait = "aws cloudformation wait stack-delete-complete --stack-name leaving";
            assert!(shell(wait, &stack).status.success());
        }
    }
    let buckets = stack.ask("s3", "ListBuckets", json!({}));
    let names = buckets["Buckets"].as_array().unwrap().iter().map(|bucket| bucket["Name"].as_str().unwrap());
    assert!(!names.collect::<Vec<_>>().contains(&bucket.name()), "{buckets:#}");
}
