//! What monitoring systems are told: `lastgood check --format`, and the rules and the dashboard that go with it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use e2e::agent::Agent;
use e2e::past::{agent, days_ago, put_in_directory};
use e2e::process;
use e2e::tools::{python_command, root};
use tempfile::TempDir;

/// Three days' backups of each of these.
fn healthy(databases: &[&str]) -> (TempDir, Agent) {
    let folder = tempfile::tempdir().unwrap();
    for database in databases {
        (0..3).for_each(|days| put_in_directory(folder.path(), &catalog::encode_database(database), days_ago(days)));
    }
    let agent = agent().setting("MIN_BACKUP_SIZE", "1").setting("MIN_BACKUP_COUNT", "3").directory(folder.path());
    (folder, agent)
}

fn promtool(arguments: &[&str], input: Option<&str>) {
    let mut promtool = Command::new(python_command("promtool"));
    let output = process::output_within(
        e2e::bounds::LIMIT,
        promtool.args(arguments).current_dir(root()),
        input.map(str::as_bytes),
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
}

/// Every name of a figure of ours in a text.
fn figures(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    words.filter(|word| word.starts_with("lastgood_")).map(str::to_owned).collect()
}

#[test]
fn prometheus_gets_a_file_that_it_understands_and_an_old_one_where_check_failed() {
    let (_folder, agent) = healthy(&["app", "o\"dd \\ näme"]);
    let collected = tempfile::tempdir().unwrap();
    let file = collected.path().join("lastgood.prom");
    let check = ["check", "--all-databases", "--format", "prometheus", "--output", file.to_str().unwrap()];
    assert_eq!(agent.run(&check).succeeds().stdout, "");
    let text = fs::read_to_string(&file).unwrap();
    promtool(&["check", "metrics"], Some(&text));
    assert!(text.contains("lastgood_healthy{database=\"app\"} 1\n"), "{text}");
    assert!(text.contains("lastgood_healthy{database=\"o\\\"dd \\\\ näme\"} 1\n"), "{text}");
    assert!(text.contains("lastgood_good_backups{database=\"app\"} 3\n"), "{text}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644, "a collector reads it");

    let unhealthy = agent.setting("MIN_BACKUP_COUNT", "9");
    unhealthy.run(&check).exits(6);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("lastgood_healthy{database=\"app\"} 0\n"), "{text}");
    assert!(text.contains("\nlastgood_check_healthy 0\n"), "{text}");

    let empty = tempfile::tempdir().unwrap();
    let nothing = unhealthy.directory(empty.path());
    nothing.run(&check).exits(6);
    let none = fs::read_to_string(&file).unwrap();
    promtool(&["check", "metrics"], Some(&none));
    assert!(none.contains("\nlastgood_check_healthy 0\n") && !none.contains("{database="), "{none}");
    nothing.run(&check[..2]).exits(6).mentions("error: there are no backups of any database in ");
    let text = none;

    let nowhere = nothing.directory(Path::new("/nonexistent"));
    nowhere.run(&check).exits(1).mentions("error: ");
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "what was told stays, and its time grows old");
    assert_eq!(fs::read_dir(collected.path()).unwrap().count(), 1, "no half-written file stays");
}

#[test]
fn a_plugin_says_one_line_with_figures_and_ends_with_its_own_statuses() {
    let (_folder, agent) = healthy(&["app"]);
    let check = ["check", "--database", "app", "--format", "nagios"];
    let fine = agent.run(&check).succeeds().stdout;
    let (words, figures) = fine.lines().next().unwrap().split_once(" | ").unwrap();
    assert!(words.starts_with("LASTGOOD OK - app: newest good backup made "), "{fine}");
    assert!(figures.starts_with("'app age'=") && figures.contains("s 'app size'="), "{fine}");
    assert!(figures.ends_with("B 'app good'=3"), "{fine}");

    let agent = agent.setting("MIN_BACKUP_COUNT", "9");
    let bad = agent.run(&check).exits(2).stdout;
    assert!(bad.starts_with("LASTGOOD CRITICAL - app: ") && bad.contains(" | 'app age'="), "{bad}");

    let empty = tempfile::tempdir().unwrap();
    let agent = agent.directory(empty.path());
    for nothing in [&check[..], &["check", "--all-databases", "--format", "nagios"]] {
        let lost = agent.run(nothing).exits(2).stdout;
        assert!(lost.starts_with("LASTGOOD CRITICAL - "), "{lost}");
    }

    let agent = agent.directory(Path::new("/nonexistent"));
    let unknown = agent.run(&check).exits(3);
    assert!(unknown.stdout.starts_with("LASTGOOD UNKNOWN - "), "{unknown}");
    let wrong = agent.setting("MIN_BACKUP_COUNT", "many").run(&check).exits(3);
    assert!(wrong.stdout.starts_with("LASTGOOD UNKNOWN - MIN_BACKUP_COUNT=many"), "{wrong}");
}

#[test]
fn influx_gets_a_line_for_each_database() {
    let (_folder, agent) = healthy(&["app", "a b,c=d"]);
    let lines = agent.run(&["check", "--all-databases", "--format", "influx"]).succeeds().stdout;
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].starts_with("lastgood,database=a\\ b\\,c\\=d healthy=1,"), "{lines:?}");
    assert!(lines[1].starts_with("lastgood,database=app healthy=1,retired=0,findings=0,"), "{lines:?}");
    assert!(lines[2].starts_with("lastgood_check healthy=1 ") && lines.len() == 3, "{lines:?}");
    let time = lines[1].rsplit_once(' ').unwrap().1;
    assert!(time.parse::<i64>().unwrap() > 1_700_000_000_000_000_000, "nanoseconds: {time}");
}

#[test]
fn the_rules_ring_when_they_should_and_name_only_figures_that_there_are() {
    promtool(&["check", "rules", "agent/monitoring/lastgood.rules.yml"], None);
    promtool(&["test", "rules", "tests/lastgood.rules.test.yml"], None);
    let code = fs::read_to_string(root().join("agent/src/commands/check/formats.rs")).unwrap();
    let there = figures(&code);
    for file in ["agent/monitoring/lastgood.rules.yml", "agent/monitoring/grafana.json", "docs/monitoring.md"] {
        let named = figures(&fs::read_to_string(root().join(file)).unwrap());
        assert!(named.len() > 3, "{file}");
        for figure in named {
            assert!(there.contains(&figure), "{file}: nobody gives {figure}");
        }
    }
    let dashboard = fs::read_to_string(root().join("agent/monitoring/grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert_eq!(dashboard["panels"].as_array().unwrap().len(), 6);
}
