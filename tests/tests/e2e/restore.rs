//! `lastgood restore`: whatever happens, the old database or the new one stands under the name, whole.

mod bare;
mod bucket;
mod by_hand;
mod checks;
mod content;
mod counting;
mod early;
mod encrypted;
mod exchange;
mod failures;
mod glacier;
mod guests;
mod guide;
mod hostile;
mod in_place;
mod interrupted;
mod into;
mod locks;
mod old;
mod parts;
mod portions;
mod progress;
mod properties;
mod refusals;
mod roles;
mod rows;
mod safety;
mod search_path;
mod undo;
mod unreadable;
mod ways;
mod wrapped;

use std::path::{Path, PathBuf};

use crate::scene::Scene;

impl Scene<'_> {
    /// With one small table, backed up.
    fn backed_up(name: &str) -> Scene<'static> {
        let scene = Scene::new(name);
        scene.database.query("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)");
        scene.agent.run(&["backup"]).succeeds();
        scene.database.query("DELETE FROM t WHERE id > 10");
        scene
    }

    /// Services whose commands take until [`Scene::let_services_go`], or a minute, and then write down what they did: so there
    /// is time for what shall happen meanwhile, however busy the machine is.
    fn with_services_held(self) -> Self {
        let home = self.agent.home().display().to_string();
        let held = |does: &str| {
            format!(
                "for i in $(seq 3000); do [ -e '{home}/{does}' ] && break; sleep 0.02; done; echo {does} >> '{home}/services'"
            )
        };
        self.with("RESTORE_STOP_COMMAND", &held("stop")).with("RESTORE_START_COMMAND", &held("start"))
    }

    fn let_services_stop(&self) {
        std::fs::write(self.agent.home().join("stop"), "").unwrap();
    }

    /// Both, to stop and to start.
    fn let_services_go(&self) {
        self.let_services_stop();
        std::fs::write(self.agent.home().join("start"), "").unwrap();
    }

    /// What the services' commands have done.
    fn services(&self) -> String {
        std::fs::read_to_string(self.agent.home().join("services")).unwrap_or_default()
    }

    fn rows(&self) -> String {
        self.database.query("SELECT count(*) FROM t")
    }

    /// The names beside the database's own: those that restores left.
    fn beside(&self) -> Vec<String> {
        let others = self.database.server().databases().into_iter().filter(|name| name != self.database.name());
        others.filter(|name| name.starts_with(&format!("{}_", self.database.name()))).collect()
    }

    /// The only file whose name ends so.
    fn file(&self, suffix: &str) -> PathBuf {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|row| row.unwrap().path());
        let beside = |name: &str| [".globals.", ".index."].map(|part| name.contains(part));
        let is_meant = |name: &str| name.ends_with(suffix) && beside(name) == beside(suffix);
        let found: Vec<_> = files.filter(|path| is_meant(path.to_str().unwrap())).collect();
        assert_eq!(found.len(), 1, "files that end in {suffix}: {found:?}");
        found[0].clone()
    }
}

/// A psql that hands on what it is told up to the line that begins so, and then ends as if its connection was lost.
fn losing_the_answer(scene: &Scene<'_>, folder: &Path, last: &str) {
    let psql = scene.database.server().installation().programs().join("psql");
    let lossy = format!(
        r#"lost=$(mktemp)
        while IFS= read -r line; do
          printf '%s\n' "$line"
          case $line in '{last}'*) echo lost > "$lost"; exit;; esac
        done | {psql} "$@"
        status=$?
        [ ! -s "$lost" ] || {{ status=2; echo 'server closed the connection unexpectedly' >&2; }}
        rm "$lost"
        exit $status"#,
        psql = psql.display()
    );
    script(folder, "psql", &lossy);
}

/// An executable shell script.
fn script(folder: &Path, name: &str, body: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
