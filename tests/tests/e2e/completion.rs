//! Completion in real shells: names of backups, databases and places, and never a shell's business what a name says.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::agent::{self, Agent};
use e2e::bucket::Bucket;
use e2e::process::output;
use e2e::proxy::{Direction, Fault, Proxy};
use e2e::seaweedfs::Seaweedfs;

use e2e::past::{agent, days_ago, put_in_directory, stem};

/// An agent with backups of two databases, and the scripts in its home, where `lastgood` is first in `PATH`.
fn scene(folder: &Path) -> Agent {
    put_in_directory(folder, "app", days_ago(0));
    put_in_directory(folder, "app", days_ago(1));
    put_in_directory(folder, "blog", days_ago(2));
    let agent = agent().setting("DB_NAME", "app").directory(folder).programs_in(agent::binary().parent().unwrap());
    for shell in ["bash", "zsh", "fish"] {
        let script = agent.run(&["completions", shell]).succeeds().stdout;
        std::fs::write(agent.home().join(shell), script).unwrap();
    }
    agent
}

fn shell(agent: &Agent, words: &[&str]) -> Vec<String> {
    let run: &mut Command = &mut agent.command_of(words);
    let ended = output(run);
    let (shown, said) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(said.is_empty(), "{words:?}: {said}");
    shown.lines().map(str::to_owned).collect()
}

/// What bash offers behind these words.
fn bash(agent: &Agent, typed: &[&str]) -> Vec<String> {
    let words: Vec<String> = typed.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source ~/bash; COMP_WORDS=({}); COMP_CWORD={}; COMP_LINE='{}'; COMP_POINT=${{#COMP_LINE}}; COMPREPLY=(); \
         _lastgood_names lastgood '{}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        typed.len() - 1,
        typed.join(" "),
        typed[typed.len() - 1],
    );
    shell(agent, &["bash", "--norc", "-c", &script])
}

#[test]
fn bash_offers_backups_databases_and_places() {
    let folder = tempfile::tempdir().unwrap();
    let agent = scene(folder.path());
    let (new, old) = (stem("app", days_ago(0)), stem("app", days_ago(1)));
    let (new, old) = (new.rsplit_once('_').unwrap().0, old.rsplit_once('_').unwrap().0);
    let offered = bash(&agent, &["lastgood", "show", ""]);
    assert_eq!(offered[..2], ["latest", "latest~1"]);
    assert!(offered[2].starts_with(new) && offered[3].starts_with(old) && offered.len() == 4, "{offered:?}");
    assert_eq!(bash(&agent, &["lastgood", "restore", "app_"]).len(), 2);
    assert_eq!(bash(&agent, &["lastgood", "retire", ""]), ["app", "blog"]);
    assert_eq!(bash(&agent, &["lastgood", "list", "--repository", ""]), ["directory"]);
    assert!(bash(&agent, &["lastgood", "show", "--database", "blog", ""])[2].starts_with("blog_backup_"));
    // Flags and commands come from the generated script.
    assert!(bash(&agent, &["lastgood", "restore", "--in"]).contains(&"--into".to_owned()));
    assert!(bash(&agent, &["lastgood", "re"]).contains(&"restore".to_owned()));
    assert!(!bash(&agent, &["lastgood", ""]).contains(&"complete".to_owned()));
}

#[test]
fn fish_and_zsh_offer_them_too() {
    let folder = tempfile::tempdir().unwrap();
    let agent = scene(folder.path());
    let fish = |line: &str| {
        let offered =
            shell(&agent, &["fish", "--no-config", "--command", &format!("source ~/fish; complete -C '{line}'")]);
        offered.into_iter().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(fish("lastgood show ").contains(&"latest".to_owned()));
    assert_eq!(fish("lastgood show app_").len(), 2);
    assert_eq!(fish("lastgood list --repository "), ["directory"]);
    assert!(fish("lastgood retire ").contains(&"blog".to_owned()));
    assert!(fish("lastgood restore --in").contains(&"--into".to_owned()));
    // Without an editor nothing is completed: what would be offered is printed.
    let zsh = |line: &str| {
        let script = format!(
            "autoload -Uz compinit; compinit -u -d ~/dump; source ~/zsh; compadd() {{ print -l -- $names }}; \
             _lastgood_flags() {{ print flags }}; words=({line}); CURRENT=$#words; _lastgood"
        );
        shell(&agent, &["zsh", "-f", "-c", &script])
    };
    assert_eq!(zsh("lastgood show ''")[0], "latest");
    assert_eq!(zsh("lastgood list --repository ''"), ["directory"]);
    assert_eq!(zsh("lastgood restore --in"), ["flags"]);
}

#[test]
fn what_fails_or_hangs_offers_nothing_and_says_nothing() {
    let bucket = Bucket::new(&Seaweedfs::shared().admin());
    let proxy = Proxy::start(&bucket.access().endpoint);
    proxy.set(Fault::Stall(Direction::Down, 0));
    let agent = agent().setting("DB_NAME", "app").bucket(bucket.name(), &bucket.access().through(&proxy));
    let silent = |agent: &Agent| {
        let began = Instant::now();
        let run = agent.run(&["complete", "", "lastgood", "show"]).succeeds();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    };
    silent(&agent);
    proxy.set(Fault::GoAway(Direction::Down, 0));
    silent(&agent);
    silent(&agent.setting("DATABASE_URL", "postgresql://me:hush@/a?b#c").setting("BACKUP_KEEP_LAST", "x"));
}

/// A database may be called anything, and everybody who may add a backup chooses a name.
#[test]
fn a_name_that_a_shell_would_carry_out_is_not_offered() {
    let folder = tempfile::tempdir().unwrap();
    let agent = scene(folder.path());
    for name in ["$(touch gotcha)", "`touch gotcha`", "a;touch gotcha", "-rf"] {
        put_in_directory(folder.path(), name, days_ago(1));
    }
    assert_eq!(bash(&agent, &["lastgood", "retire", ""]), ["app", "blog"]);
    bash(&agent, &["lastgood", "show", "--database", "$(touch gotcha)", ""]);
    assert!(!agent.home().join("gotcha").exists());
}
