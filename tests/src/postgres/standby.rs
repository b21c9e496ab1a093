//! A second server that follows a first one.

use super::database::environment;
use super::{Postgres, USER, data};
use crate::server::Server;
use crate::{process, tools};

impl Postgres {
    /// A server that follows this one, and answers queries meanwhile.
    pub fn standby(&self) -> Postgres {
        let folder = Server::new_folder("standby");
        let installation = self.installation().clone();
        installation.give_to_server(&folder);
        let reachable = installation.within_reach(&folder);
        let mut copy = reachable.server_program("pg_basebackup");
        copy.envs(environment(self, USER)).arg("--pgdata").arg(data(&folder));
        copy.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]);
        tools::succeed(process::output(&mut copy), "pg_basebackup");
        Self::launch(installation, &reachable, folder, &[])
    }

    /// Makes a standby a server of its own.
    pub fn promote(&self) {
        assert_eq!(self.query("SELECT pg_promote()"), "t", "the standby was promoted");
    }
}
