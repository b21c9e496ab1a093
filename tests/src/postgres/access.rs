//! Who may reach a server, and how.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::Postgres;
use crate::process::output;
use crate::tools::succeed;

impl Postgres {
    /// Lets in whom these lines of `pg_hba.conf` let in.
    pub fn admit(&self, rules: &str) {
        std::fs::write(self.socket_directory().join("data/pg_hba.conf"), rules).unwrap();
        self.query("SELECT pg_reload_conf()");
    }

    /// From now on no file of a new session may grow longer than so many bytes; any length without a number.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        // As the server's own user: root may not be allowed to.
        let mut prlimit = self.installation().server_program("/usr/bin/prlimit");
        prlimit.args(["--pid", &self.pid().to_string(), &format!("--fsize={limit}:")]);
        succeed(output(&mut prlimit), "prlimit");
    }

    /// Offers TLS from now on, with copies of these files.
    pub fn encrypt(&self, certificate: &Path, key: &Path) {
        for (setting, file, from) in [("ssl_cert_file", "server.crt", certificate), ("ssl_key_file", "server.key", key)]
        {
            let to = self.socket_directory().join(file);
            place(from, &to);
            self.query(&format!("ALTER SYSTEM SET {setting} = '{}'", to.display()));
        }
        self.query("ALTER SYSTEM SET ssl = on");
        self.query("SELECT pg_reload_conf()");
    }
}

/// A copy that is the server's alone.
fn place(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o600)).unwrap();
    let owner = std::fs::metadata(to.parent().unwrap()).unwrap();
    std::os::unix::fs::chown(to, Some(owner.uid()), Some(owner.gid())).unwrap();
}
