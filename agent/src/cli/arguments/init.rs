//! The arguments of `init`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `--database` is the database's name on this machine's server here, or its whole URL without the password, and `--env-file` the file
/// to write.
#[derive(Args, Debug, Default)]
pub(crate) struct InitArgs {
    /// The folder for backups. Default: /var/backups/lastgood if there is no bucket.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) directory: Option<PathBuf>,
    /// The bucket for backups. It must exist.
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Option<String>,
    /// The bucket's region.
    #[arg(long, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// The folder in the bucket. Default: backups.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) prefix: Option<String>,
    /// The URL of an S3 server that is not AWS.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Take bucket, prefix and region from the outputs of the AWS stack of this name, which is deployed already.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bucket", "prefix"])]
    pub(crate) from_stack: Option<String>,
    /// Read the role's password from FILE, `-` for stdin. PGPASSWORD is taken as well, and a terminal is asked.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// What backs up every night: the package's systemd timers, lines for a crontab, or nothing. Default: the timers where systemd runs
    /// and the package is installed, else cron.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) schedule: Option<Schedule>,
    /// Do not ask: take every proposal, and answer yes to every question.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Try the database and the places, and show what would be done. Write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What runs Lastgood every night.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Schedule {
    Systemd,
    Cron,
    None,
}
