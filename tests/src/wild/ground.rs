//! The servers of a run: for each version one that has the corpus' extensions, and a bare one.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use rustix::process::Signal;

use super::case::{Case, INSTALLED};
use crate::postgres::{Installation, Postgres};
use crate::server::Server;

/// Every server's: what logical replication and many connections need.
const SETTINGS: [&str; 3] = ["wal_level=logical", "max_prepared_transactions=10", "track_commit_timestamp=off"];

/// Copies of the installations, and the servers that run from them.
pub(super) struct Ground {
    homes: Vec<Home>,
    servers: Mutex<HashMap<(u32, bool), Arc<Postgres>>>,
}

/// One version.
struct Home {
    original: Installation,
    /// With the corpus' extensions.
    copy: Installation,
    folder: PathBuf,
    /// Keeps the copy's folder, and removes it when this process ends, however it ends.
    _keeper: Server,
}

impl Ground {
    pub(super) fn new(cases: &[Case]) -> Ground {
        let homes = Installation::all().into_iter().map(|installation| Home::new(installation, cases)).collect();
        Ground { homes, servers: Mutex::default() }
    }

    /// The server of a case, or the bare one to restore onto. Shared, unless the case wants its own.
    pub(super) fn server(&self, case: &Case, version: u32, bare: bool) -> Arc<Postgres> {
        let home = self.homes.iter().find(|home| home.original.major() == version).expect("a version that is here");
        case.about.locales.iter().for_each(|locale| home.build_locale(locale));
        let own: Vec<&str> = case.about.server.iter().map(String::as_str).collect();
        if case.about.alone || !own.is_empty() {
            return Arc::new(home.start(bare, &own));
        }
        let mut servers = self.servers.lock().unwrap();
        Arc::clone(servers.entry((version, bare)).or_insert_with(|| Arc::new(home.start(bare, &[]))))
    }
}

impl Home {
    fn new(original: Installation, cases: &[Case]) -> Home {
        let folder = Server::new_folder("wild");
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let copy = original.copied_into(&folder);
        for name in INSTALLED {
            for file in cases.iter().flat_map(|case| case.files_for(name)) {
                std::fs::copy(&file, copy.shared_files().join(name).join(file.file_name().unwrap())).unwrap();
            }
        }
        let mut sleep = Command::new("sleep");
        sleep.arg("infinity");
        let keeper = Server::start("the keeper of a folder", sleep, folder.clone(), Signal::TERM);
        Home { original, copy, folder, _keeper: keeper }
    }

    fn start(&self, bare: bool, own: &[&str]) -> Postgres {
        let installation = if bare { &self.original } else { &self.copy };
        // A bare server is as others are: the case's settings are those of the server that it came from.
        let own = if bare { &[] } else { own };
        Postgres::start_with(installation.clone(), &[&SETTINGS[..], own].concat())
    }

    fn build_locale(&self, locale: &str) {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _guard = ONE_AT_A_TIME.lock().unwrap();
        let folder = self.folder.join("locales").join(locale);
        if folder.exists() {
            return;
        }
        let (definition, charset) = locale.split_once('.').expect("a locale such as es_CL.UTF-8");
        let output =
            crate::process::output(Command::new("localedef").args(["-i", definition, "-f", charset]).arg(&folder));
        assert!(output.status.success(), "localedef {locale}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
