//! One trial from its database to its verdict.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::by_hand;
use super::case::{Expect, Expected, Way};
use super::command::{Run, run};
use super::expectation::{Expectation, expectation};
use super::fingerprint::{Fingerprint, Look};
use super::ground::Ground;
use super::plan::Trial;
use super::psql::ask;
use super::scene::{Scene, drop_database};
use crate::agent::Agent;
use crate::postgres::{Postgres, USER};

/// What a trial came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The restored database equals the source.
    Ok,
    /// Refused before anything was touched, and rightly: what the agent said.
    Refused(String),
    /// Anything else: what happened.
    Bad(String),
}

/// Takes the trial.
pub(super) fn judge(ground: &Ground, trial: &Trial<'_>) -> Verdict {
    let scene = Scene::new(ground, trial);
    scene_verdict(&scene).unwrap_or_else(Verdict::Bad)
}

fn scene_verdict(scene: &Scene<'_>) -> Result<Verdict, String> {
    let expected = expectation(scene.trial);
    scene.set().map_err(|error| format!("the case itself: {error}"))?;
    let backup = run(&scene.backup_agent(), &["backup"])?;
    if backup.code != 0 {
        return refused_backup(&backup, &expected);
    }
    let source = look(scene, &scene.server, &scene.name, &expected)?;
    prepare(scene).map_err(|error| format!("the case itself: {error}"))?;
    let before = scene.databases(&scene.target);
    let live = if has_living_content(scene) { Some(look(scene, &scene.target, &scene.name, &expected)?) } else { None };

    let agent = scene.restore_agent();
    let dry = run(&agent, &arguments(scene, "--dry-run"))?;
    if scene.stop_mark().exists() {
        return Err("the dry run stopped the services".to_owned());
    }
    let untouched = if dry.code != 0 { living(scene, &expected)? } else { None };
    let restore = run(&agent, &arguments(scene, "--confirm"))?;
    no_connection_is_left(scene)?;
    match (dry.code, restore.code) {
        (0, 0) => {
            compare(scene, &source, &restore, &expected)?;
            leave_the_living_alone(scene, &source, &restore, &expected)?;
            drop_old(scene, &agent)?;
            if let Some(live) = live {
                go_back(scene, &agent, &restore, (&live, &expected))?;
            }
            Ok(Verdict::Ok)
        }
        (0, code) => Err(format!("dry run 0, restore {code}: {}{}", left(scene, &before), restore.said())),
        (code, 0) => Err(format!("dry run {code}, restore 0: {}", dry.said())),
        _ => {
            nothing_happened(scene, &before, untouched, &expected, &restore)?;
            refused(scene, &restore, &expected)
        }
    }
}

fn refused_backup(backup: &Run, expected: &Expectation) -> Result<Verdict, String> {
    let may = expected.refusals.iter().filter(|expect| expect.result == Expected::BackupRefused);
    match may.into_iter().any(|expect| backup.holds(&expect.says)) {
        true => Ok(Verdict::Refused(backup.said())),
        false => Err(format!("backup {}: {}", backup.code, backup.said())),
    }
}

fn look(scene: &Scene<'_>, server: &Postgres, database: &str, expected: &Expectation) -> Result<Fingerprint, String> {
    let equal = scene.named(scene.case().text("equal.sql").unwrap_or_default());
    let look = Look {
        server,
        programs: scene.programs(server),
        database,
        as_name: &scene.name,
        equal: &equal,
        owners: expected.owners,
    };
    let except: Vec<_> = expected.except.iter().map(|text| scene.named(text)).collect();
    Fingerprint::of(&look).map(|fingerprint| fingerprint.without(&except))
}

/// What lies between backup and restore.
fn prepare(scene: &Scene<'_>) -> Result<(), String> {
    match scene.trial.way {
        Way::Swap | Way::InPlace => {
            if let Some(sql) = scene.case().text("live.sql") {
                ask(&scene.server, &scene.name, &scene.named(sql))?;
            }
        }
        Way::Into => {}
        Way::Empty => {
            let create = &scene.case().about.create;
            let create = format!("CREATE DATABASE @db@_copy OWNER @owner@ TEMPLATE template0 {create}");
            ask(&scene.server, USER, &scene.named(&create))?;
        }
        Way::Gone => drop_database(&scene.server, &scene.name),
        Way::Bare => scene.set_bare()?,
    }
    Ok(())
}

fn has_living_content(scene: &Scene<'_>) -> bool {
    scene.trial.way == Way::InPlace && scene.case().text("live.sql").is_some()
}

fn living(scene: &Scene<'_>, expected: &Expectation) -> Result<Option<Fingerprint>, String> {
    match scene.trial.way {
        Way::Swap | Way::InPlace => look(scene, &scene.target, &scene.name, expected).map(Some),
        Way::Into | Way::Empty | Way::Gone | Way::Bare => Ok(None),
    }
}

fn arguments(scene: &Scene<'_>, last: &str) -> Vec<String> {
    let into = format!("{}_copy", scene.name);
    let way: &[&str] = match scene.trial.way {
        Way::Swap | Way::Gone | Way::Bare => &[],
        Way::Into | Way::Empty => &["--into", &into],
        Way::InPlace => &["--in-place"],
    };
    let own = scene.case().about.arguments.iter().map(|argument| scene.named(argument));
    let words = ["restore", "latest"].iter().chain(way).map(|word| (*word).to_owned());
    words.chain(own).chain([last.to_owned()]).collect()
}

fn compare(scene: &Scene<'_>, source: &Fingerprint, restore: &Run, expected: &Expectation) -> Result<(), String> {
    if let Some(text) = expected.says.iter().find(|text| !restore.text.contains(&scene.named(text))) {
        return Err(format!("nothing about {text:?}: {}", restore.said()));
    }
    if let Some(text) = expected.never.iter().find(|text| restore.text.contains(&scene.named(text))) {
        let line = restore.text.lines().find(|line| line.contains(&scene.named(text))).unwrap_or_default();
        return Err(format!("says {text:?}: {}", line.trim()));
    }
    let database = match scene.trial.way {
        Way::Into | Way::Empty => format!("{}_copy", scene.name),
        Way::Swap | Way::InPlace | Way::Gone | Way::Bare => scene.name.clone(),
    };
    let restored = look(scene, &scene.target, &database, expected)?;
    // What is newer than the backup stays in place.
    let differences = source.differences(&restored).into_iter();
    let differences: Vec<_> = differences.filter(|line| !has_living_content(scene) || line.starts_with('-')).collect();
    differing("exit 0, but another content", &differences, &restore.said())
}

/// `--into` touches neither the database that is set nor its safety backups.
fn leave_the_living_alone(
    scene: &Scene<'_>,
    source: &Fingerprint,
    restore: &Run,
    expected: &Expectation,
) -> Result<(), String> {
    if !matches!(scene.trial.way, Way::Into | Way::Empty) {
        return Ok(());
    }
    let living = look(scene, &scene.server, &scene.name, expected)?;
    differing("the living database changed", &source.differences(&living), &restore.said())?;
    match restore.text.contains(&format!("to go back: lastgood restore {}_backup_", scene.name)) {
        true => Err(format!("the way back is the living database's: {}", restore.said())),
        false => Ok(()),
    }
}

fn differing(what: &str, differences: &[String], said: &str) -> Result<(), String> {
    if differences.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = differences.iter().take(6).map(String::as_str).collect();
    let more = differences.len().saturating_sub(shown.len());
    Err(format!("{what} ({more} more lines): {} ¦ {said}", shown.join(" ¦ ")))
}

/// A swap's old database goes when it is told to, and nothing else is left.
fn drop_old(scene: &Scene<'_>, agent: &Agent) -> Result<(), String> {
    let here = scene.databases(&scene.target);
    if let Some(left) = here.iter().find(|name| name.contains("_restoring_")) {
        return Err(format!("exit 0, but {left} is left"));
    }
    if !here.iter().any(|name| name.contains("_before_")) {
        return Ok(());
    }
    let run = run(agent, &["restore", "--drop-old", "--confirm"])?;
    let here = scene.databases(&scene.target);
    match run.code == 0 && here == [scene.name.clone()] {
        true => Ok(()),
        false => Err(format!("--drop-old {}, left {here:?}: {}", run.code, run.said())),
    }
}

/// After a restore in place: what the report says leads back.
fn go_back(
    scene: &Scene<'_>,
    agent: &Agent,
    restore: &Run,
    (live, expected): (&Fingerprint, &Expectation),
) -> Result<(), String> {
    let Some(command) = restore.text.lines().find_map(|line| line.split_once("to go back: lastgood ")) else {
        return Err(format!("no way back is named: {}", restore.said()));
    };
    let words = command.1.split_whitespace().map(str::to_owned).chain(["--confirm".to_owned()]);
    let back = run(agent, &words.collect::<Vec<_>>())?;
    if back.code != 0 {
        return Err(format!("the way back fails, {}: {}", back.code, back.said()));
    }
    let differences = live.differences(&look(scene, &scene.target, &scene.name, expected)?);
    let lost: Vec<_> = differences.into_iter().filter(|line| line.starts_with('-')).collect();
    differing("the way back leads elsewhere", &lost, &back.said())
}

fn nothing_happened(
    scene: &Scene<'_>,
    before: &[String],
    untouched: Option<Fingerprint>,
    expected: &Expectation,
    restore: &Run,
) -> Result<(), String> {
    if scene.stop_mark().exists() {
        return Err(format!("refused after services were stopped: {}", restore.said()));
    }
    let left = left(scene, before);
    if !left.is_empty() {
        return Err(format!("refused, but {left}{}", restore.said()));
    }
    if untouched != living(scene, expected)? {
        return Err(format!("refused, but the living database changed: {}", restore.said()));
    }
    Ok(())
}

/// Names that came or went.
fn left(scene: &Scene<'_>, before: &[String]) -> String {
    let after = scene.databases(&scene.target);
    match after == before {
        true => String::new(),
        false => format!("databases {before:?} became {after:?}: "),
    }
}

fn refused(scene: &Scene<'_>, restore: &Run, expected: &Expectation) -> Result<Verdict, String> {
    let said = restore.said();
    let may = expected.refusals.iter().filter(|expect| expect.result == Expected::Refused);
    let told = |expect: &&Expect| restore.holds(&expect.says.iter().map(|text| scene.named(text)).collect::<Vec<_>>());
    let Some(expect) = may.into_iter().find(told) else {
        return Err(format!("refused, and the case doesn't say so: {said}"));
    };
    // A wish that nobody can grant has no counterpart by hand: a table that the backup hasn't got.
    let Some(demands) = &expect.demands else { return Ok(Verdict::Refused(said)) };
    let demands = scene.named(demands);
    match by_hand::refusal(scene, expect.demands_owners) {
        None => Err(format!("refused, but it works by hand: {said}")),
        Some(words) if !words.contains(&demands) => Err(format!("by hand {words:?}, not {demands:?}: {said}")),
        Some(_) => Ok(Verdict::Refused(said)),
    }
}

fn no_connection_is_left(scene: &Scene<'_>) -> Result<(), String> {
    let sql = format!(
        "SELECT string_agg(application_name || ': ' || query, '; ') FROM pg_stat_activity
            WHERE datname ~ '^{}(_|$)' AND backend_type = 'client backend'",
        scene.name
    );
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let connections = ask(&scene.target, USER, &sql)?;
        if connections.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("connections are left: {connections}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
