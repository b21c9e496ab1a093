//! A stand-in for pg_dump that writes an archive of any length: a dump is only time, and a hundred gigabytes need no disk.

use std::fs;
use std::io::{BufWriter, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use tempfile::TempDir;

use crate::postgres::Installation;

#[path = "../../core/archive/benches/parts/sample.rs"]
mod sample;

/// A folder of client programs, for `PG_BIN_DIR`, in which pg_dump is the generator.
pub struct Generator {
    folder: TempDir,
}

impl Generator {
    /// `bench` is the program whose `--generate BYTES` calls [`write()`].
    pub fn new(installation: &Installation, bench: &Path, bytes: u64) -> Generator {
        let folder = tempfile::Builder::new().prefix("lastgood-generator-").tempdir().unwrap();
        let programs = installation.programs();
        symlink(programs.join("psql"), folder.path().join("psql")).unwrap();
        let (real, bench) = (programs.join("pg_dump"), bench.display());
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = --version ]; then exec {} --version; fi\nexec {bench} --generate {bytes}\n",
            real.display(),
        );
        let program = folder.path().join("pg_dump");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Generator { folder }
    }

    /// The folder.
    pub fn programs(&self) -> &Path {
        self.folder.path()
    }
}

/// Writes an archive of about so many bytes to standard output: rows as `sql/sized.sql` makes them, uncompressed. It is of the
/// database that pg_dump would have been led to.
pub fn write(bytes: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, std::io::stdout().lock());
    let database = std::env::var("PGDATABASE").unwrap();
    sample::write(&database, bytes, &mut out).and_then(|()| out.flush()).unwrap();
}
