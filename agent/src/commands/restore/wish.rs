//! What was asked for: the flags of the command line, and the settings that go with them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use postgres::programs::dump_options;
use postgres::words::needs::Locale;

use crate::answers::failure::Failure;
use crate::cli::RestoreArgs;
use crate::commands::restore::checks;
use crate::settings::{DatabaseSettings, Settings};

/// What a restore was asked to do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// `--in-place`.
    pub(crate) in_place: bool,
    /// `--into`: the target is another database than the one that was backed up.
    pub(crate) into: bool,
    /// `--table`, each `NAME` or `SCHEMA.NAME`; empty: all.
    pub(crate) tables: Vec<String>,
    /// `--schema`; empty: all.
    pub(crate) schemas: Vec<String>,
    /// `--schema-only`.
    pub(crate) schema_only: bool,
    /// `--data-only`.
    pub(crate) data_only: bool,
    /// `--jobs`.
    pub(crate) jobs: Option<usize>,
    /// `--skip-backup`.
    pub(crate) skip_backup: bool,
    /// `--force`.
    pub(crate) force: bool,
    /// `--trust-archive`.
    pub(crate) trust_archive: bool,
    /// `--create-roles`.
    pub(crate) create_roles: bool,
    /// `--locale`.
    pub(crate) locale: Option<Locale>,
    /// `--tablespace-map`, old to new; an empty one: that of the database.
    pub(crate) tablespaces: BTreeMap<String, String>,
    /// `--search-path-fix`.
    pub(crate) search_path_fix: bool,
    /// `--keep-going`.
    pub(crate) keep_going: bool,
    /// `--without-extension`.
    pub(crate) without_extensions: Vec<String>,
    /// `--confirm`.
    pub(crate) confirm: bool,
    /// `--dry-run`.
    pub(crate) dry_run: bool,
    /// The shell command that stops what uses the database; `None` where nothing is to be stopped.
    pub(crate) stop_command: Option<String>,
    /// The shell command that starts it again.
    pub(crate) start_command: Option<String>,
    /// The role that a safety backup is made as, where it isn't the connection's own.
    pub(crate) dumps_as: Option<String>,
    /// The user's own checks of the restored database, and `SET` statements between them.
    pub(crate) checks: Vec<String>,
    /// It is a drill's: what is made is marked, so that the next drill knows what it may drop.
    pub(crate) is_drill: bool,
    /// Where rows may wait: `TMPDIR`.
    pub(crate) spool_directory: PathBuf,
}

impl Wish {
    /// Not all that the backup has is wanted.
    pub(crate) fn is_partial(&self) -> bool {
        self.schema_only || !self.tables.is_empty() || !self.schemas.is_empty()
    }

    /// What this command line asks for. With `--into` nobody uses the target yet, so nothing is stopped.
    ///
    /// # Errors
    /// As [`checks::of`].
    pub(crate) fn of(args: &RestoreArgs, settings: &Settings, database: &DatabaseSettings) -> Result<Self, Failure> {
        let stops = !args.skip_services && args.into.is_none();
        Ok(Self {
            in_place: args.in_place,
            into: args.into.is_some(),
            tables: args.table.clone(),
            schemas: args.schema.clone(),
            schema_only: args.schema_only,
            data_only: args.data_only,
            jobs: args.jobs.map(usize::from),
            skip_backup: args.skip_backup,
            force: args.force,
            trust_archive: args.trust_archive,
            create_roles: args.create_roles,
            locale: args.locale.clone(),
            tablespaces: args.tablespace_map.iter().cloned().collect(),
            search_path_fix: args.search_path_fix,
            keep_going: args.keep_going,
            without_extensions: args.without_extension.clone(),
            confirm: args.confirm,
            dry_run: args.dry_run,
            stop_command: database.stop_command.clone().filter(|_| stops),
            start_command: database.start_command.clone().filter(|_| stops),
            dumps_as: dump_options::role(&database.dump_options).map(str::to_owned),
            // Of a part they would miss the rest.
            checks: if args.skip_checks || args.undo.is_some() || args.leaves_gaps() {
                Vec::new()
            } else {
                checks::of(database)?
            },
            is_drill: false,
            spool_directory: settings.spool_directory.clone(),
        })
    }
}
