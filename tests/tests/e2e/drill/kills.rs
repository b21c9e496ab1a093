//! A drill that is ended at any moment leaves nothing; what a `kill -9` leaves is gone after the next one.
//!
//! Three moments in `make test`; `make drill-kills` takes fifty of each signal on each kind of server (`DRILL_KILLS`).

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::{Duration, Instant};

use e2e::bounds::wait_until;
use e2e::postgres::Postgres;
use rustix::process::Signal;

use super::Scene;

const GROUNDS: [&[&str]; 3] = [&["drill"], &["drill", "--server"], &["drill", "--temporary-server"]];

#[test]
fn a_drill_that_is_ended_at_any_moment_leaves_nothing_and_the_next_one_clears_up_after_a_kill() {
    let asked: Option<usize> = std::env::var("DRILL_KILLS").ok().and_then(|number| number.parse().ok());
    let scene = Scene::on(Postgres::shared(), "killed");
    scene.database.query(
        "CREATE TABLE t AS SELECT n AS id, md5(n::text) AS text FROM generate_series(1, 20000) n; CREATE INDEX ON t (text);
         COMMENT ON TABLE t IS 'rows'; SELECT lo_from_bytea(0, 'content')",
    );
    let scene = scene.backed_up();
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", scene.database.server().port());
    for ground in GROUNDS {
        let arguments: Vec<&str> =
            ground.iter().copied().chain((ground.last() == Some(&"--server")).then_some(url.as_str())).collect();
        let begun = Instant::now();
        scene.agent.run(&arguments).succeeds();
        let whole = begun.elapsed();
        for number in 0..asked.unwrap_or(1) {
            for signal in [Signal::TERM, Signal::KILL] {
                let moment = if asked.is_some() { whole.mul_f64(random()) } else { whole / 2 };
                end_at(&scene, &arguments, signal, moment);
            }
            if number % 10 == 9 {
                eprintln!("{} kills of each signal: {}", number + 1, arguments.join(" "));
            }
        }
    }
}

fn end_at(scene: &Scene<'_>, arguments: &[&str], signal: Signal, moment: Duration) {
    let run = scene.agent.start(arguments);
    std::thread::sleep(moment);
    run.signal(signal);
    let outcome = run.wait();
    if signal == Signal::KILL && outcome.code.is_none() {
        let next = scene.agent.run(arguments).succeeds();
        let left = scene.database.query(
            "SELECT datname, datconnlimit, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname LIKE '%drill%';
             SELECT l.*, a.query FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE locktype = 'advisory'",
        );
        assert!(scene.is_clean(), "{signal:?} after {moment:?}: the next drill clears up\n{outcome}{next}\n{left}");
    }
    let what = format!("nothing is left, {signal:?} after {moment:?}\n{outcome}");
    wait_until(&what, || scene.is_clean() && processes_in(scene) == 0);
}

/// How many processes work below the folder of temporary servers.
fn processes_in(scene: &Scene<'_>) -> usize {
    let folder = scene.temporary.path();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)))
        .count()
}

/// From 0 to 1.
fn random() -> f64 {
    let number = RandomState::new().build_hasher().finish();
    (number >> 11) as f64 / (1_u64 << 53) as f64
}
