//! The real `lastgood`, run as a user's cron would run it: with what a test gives it and nothing of this machine's.

mod outcome;
mod running;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

pub use self::outcome::Outcome;
pub use self::running::Running;
use crate::bucket::Access;
use crate::postgres::{Database, Installation, PASSWORD, USER};
use crate::{build, process, signals};

/// Settings and a home for runs of `lastgood`.
pub struct Agent {
    home: TempDir,
    environment: Vec<(String, String)>,
    /// Folders searched before the system's.
    programs: Vec<PathBuf>,
}

impl Agent {
    /// With an empty home, and no setting but a folder for its locks, so that parallel tests don't exclude each other.
    #[expect(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Agent {
        let home = tempfile::Builder::new().prefix("lastgood-home-").tempdir().unwrap();
        let agent = Agent { home, environment: Vec::new(), programs: Vec::new() };
        let locks = agent.home().display().to_string();
        agent.setting("BACKUP_LOCK_DIR", locks).setting("AWS_EC2_METADATA_DISABLED", "true")
    }

    /// One setting, over an earlier one of this name.
    pub fn setting(mut self, name: &str, value: impl Into<String>) -> Agent {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// The database to protect, by TCP, with the client programs of its server's version.
    pub fn database(self, database: &Database<'_>) -> Agent {
        let server = database.server();
        self.database_at(&server.port().to_string(), database.name()).programs_of(server.installation())
    }

    /// A database at another port than its server's, such as a proxy's.
    pub fn database_at(self, port: &str, name: &str) -> Agent {
        self.setting("DB_HOST", "127.0.0.1")
            .setting("DB_PORT", port)
            .setting("DB_USER", USER)
            .setting("DB_PASSWORD", PASSWORD)
            .setting("DB_NAME", name)
    }

    /// The bucket to store in, as this identity.
    pub fn bucket(self, name: &str, access: &Access) -> Agent {
        let agent = self.setting("BACKUP_S3_BUCKET", name);
        access.environment().into_iter().fold(agent, |agent, (name, value)| agent.setting(name, value))
    }

    /// A further bucket to store in, of this number, as this identity.
    pub fn bucket_beside(self, number: usize, name: &str, access: &Access) -> Agent {
        self.setting(&format!("BACKUP_S3_BUCKET_{number}"), name)
            .setting(&format!("BACKUP_S3_ENDPOINT_{number}"), access.endpoint.clone())
            .setting(&format!("AWS_REGION_{number}"), access.region.clone())
            .setting(&format!("BACKUP_AWS_ACCESS_KEY_ID_{number}"), access.key_id.clone())
            .setting(&format!("BACKUP_AWS_SECRET_ACCESS_KEY_{number}"), access.secret.clone())
    }

    /// The directory to store in.
    pub fn directory(self, path: &Path) -> Agent {
        self.setting("BACKUP_DIR", path.display().to_string())
    }

    /// The client programs of this version come first in `PATH`.
    pub fn programs_of(self, installation: &Installation) -> Agent {
        self.programs_in(installation.programs())
    }

    /// A folder that comes first in `PATH`: for a program that misbehaves.
    pub fn programs_in(mut self, folder: &Path) -> Agent {
        self.programs.insert(0, folder.to_owned());
        self
    }

    /// Its home: settings files, log files and locks lie there.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs `lastgood` with these arguments to its end.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Outcome {
        Outcome::new(describe(arguments), process::output(&mut self.command(arguments)))
    }

    /// Runs it by a wrapper, such as `unshare`, with the agent's own environment.
    #[track_caller]
    pub fn run_by<W: AsRef<OsStr>, S: AsRef<OsStr>>(&self, wrapper: &[W], arguments: &[S]) -> Outcome {
        Outcome::new(describe(arguments), process::output(&mut self.command_by(wrapper, arguments)))
    }

    /// Runs it with `input` typed at its prompts.
    #[track_caller]
    pub fn run_with_input<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Outcome {
        Outcome::new(describe(arguments), process::output_given(&mut self.command(arguments), input.as_bytes()))
    }

    /// Starts it, to be watched or killed while it works.
    pub fn start<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Running {
        Running::start(describe(arguments), self.command(arguments).stdin(Stdio::null()))
    }

    /// The bare command, for what the others don't offer.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        signals::begin_afresh();
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.home()).env_clear();
        command.env("PATH", self.path()).env("HOME", self.home()).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Another program, with the agent's own environment.
    pub fn command_of<W: AsRef<OsStr>>(&self, words: &[W]) -> Command {
        let inner = self.command::<&str>(&[]);
        let (program, first) = words.split_first().expect("a program");
        let mut command = Command::new(program);
        command.args(first).env_clear().current_dir(self.home());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    fn command_by<W: AsRef<OsStr>, S: AsRef<OsStr>>(&self, wrapper: &[W], arguments: &[S]) -> Command {
        let mut command = self.command_of(wrapper);
        let inner = self.command(arguments);
        command.arg(inner.get_program()).args(inner.get_args());
        command
    }

    fn path(&self) -> std::ffi::OsString {
        let system = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
        std::env::join_paths(self.programs.iter().chain(&system)).unwrap()
    }
}

static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();

/// The agent's binary, of the profile that the tests are built with; or the one that the environment names, of another release.
pub fn binary() -> &'static Path {
    let named = || std::env::var_os("AGENT").map(PathBuf::from);
    match BINARY.get_or_init(|| named().map_or_else(|| build(&build::own_profile()), Ok)) {
        Ok(binary) => binary,
        Err(errors) => panic!("lastgood doesn't compile:\n{errors}"),
    }
}

/// For measuring, in place of [`binary`]: as it is released, or this file. To be called before any agent runs.
pub fn use_release(file: Option<PathBuf>) {
    BINARY.get_or_init(|| file.map_or_else(|| build("release"), Ok));
    binary();
}

fn build(profile: &str) -> Result<PathBuf, String> {
    build::package("lastgood", profile).map(|folder| folder.join("lastgood"))
}

fn describe<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    let words = arguments.iter().map(|argument| argument.as_ref().to_string_lossy());
    std::iter::once("lastgood".into()).chain(words).collect::<Vec<_>>().join(" ")
}
