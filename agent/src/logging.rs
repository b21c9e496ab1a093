//! What is said along the way: plain lines on stderr for people, and lines with their time in the log file.
//!
//! A log file that is not writable never stops a backup: lines go to a file in the temporary folder instead, and a warning
//! says so. Errors end in the log once, here, at the boundary where they are handled.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rustix::fs::OFlags;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::answers::failure::Failure;
use crate::answers::report::{columns_of_stderr, fitting, visible};
use crate::answers::runnable::runnable;
use crate::settings::LogFile;

/// The target of lines for the log file alone.
const FILE_ONLY: &str = "lastgood::file";

/// Starts to pass on what `tracing` is told, until the process ends. `log_file`: where lines go besides stderr.
pub(crate) fn start(log_file: Option<&LogFile>, verbose: u8, quiet: bool) {
    let opened = log_file.map(|log_file| open_for(log_file, quiet));
    let (file, warning) = opened.map_or((None, None), |opened| (opened.file, opened.warning));
    let complains = log_file.filter(|log_file| !quiet || log_file.is_set);
    let full = complains.map(|log_file| format!("cannot write to the log file {}", log_file.path.display()));
    let people = tracing_subscriber::fmt::layer()
        .event_format(Plain)
        .with_ansi(false)
        .with_writer(io::stderr)
        .with_filter(tracing_subscriber::filter::filter_fn(|metadata| metadata.target() != FILE_ONLY))
        .with_filter(filter(verbose, quiet));
    let file = file.map(|file| {
        tracing_subscriber::fmt::layer()
            .event_format(Timed)
            .with_ansi(false)
            .with_writer(Mutex::new(Watched { file, complaint: full }))
            .with_filter(filter(verbose, false))
    });
    // A second subscriber can only be a test's own.
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(people).with(file));
    if let Some(warning) = warning {
        tracing::warn!("{warning}");
    }
}

/// Writes why the command failed into the log file. stderr gets it from the report.
pub(crate) fn failed(failure: &Failure) {
    tracing::error!(target: FILE_ONLY, "{}", failure.to_string().replace('\n', "; "));
}

/// Writes what was done into the log file, a line each. stdout has it as the answer.
pub(crate) fn done(words: &impl fmt::Display) {
    words.to_string().lines().for_each(|line| tracing::info!(target: FILE_ONLY, "{line}"));
}

/// Libraries are heard from a second `-v` on: their debug lines are many, and none holds a request's headers below trace.
fn filter(verbose: u8, quiet: bool) -> EnvFilter {
    let ours = match (quiet, verbose) {
        (true, _) => "warn",
        (false, 0) => "warn,lastgood=info",
        (false, 1) => "warn,lastgood=debug,postgres=debug,repository=debug",
        (false, _) => return EnvFilter::new("info,lastgood=trace,postgres=trace,repository=trace"),
    };
    // The SDK's client asks its user to report what it can't read; our own error says what that is.
    EnvFilter::new(format!("{ours},aws_smithy_http_client::client=error,aws_smithy_http_client::client::tls=warn"))
}

/// A log file that can be opened and then takes nothing, because its disk is full: said once, where people read.
struct Watched {
    file: File,
    complaint: Option<String>,
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if let (Err(error), Some(complaint)) = (&written, self.complaint.take_if(|_| written.is_err())) {
            // Not by the log, which is being written to.
            let _ = writeln!(io::stderr().lock(), "warning: {complaint}: {error}; lines are missing there");
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Opened {
    file: Option<File>,
    warning: Option<String>,
}

/// Without `quiet`'s exception, a user who runs it from cron without root's rights would get a mail each night about a
/// default path.
fn open_for(log_file: &LogFile, quiet: bool) -> Opened {
    let opened = open(&log_file.path);
    Opened { warning: opened.warning.filter(|_| !quiet || log_file.is_set), ..opened }
}

fn open(path: &Path) -> Opened {
    let error = match append(path, OFlags::empty()) {
        Ok(file) => return Opened { file: Some(file), warning: None },
        Err(error) => error,
    };
    let instead = temporary();
    let reason = format!("cannot write to the log file {}: {error}", path.display());
    match append_ours(&instead) {
        Ok(file) => {
            Opened { file: Some(file), warning: Some(format!("{reason}; logging to {} instead", instead.display())) }
        }
        Err(_) => Opened { file: None, warning: Some(format!("{reason}; nothing is logged")) },
    }
}

/// One file for all runs of a user, so that a year of cron jobs leaves one file behind.
#[expect(clippy::disallowed_methods, reason = "where the system keeps what is temporary: no setting of ours")]
fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("lastgood-{}.log", rustix::process::geteuid().as_raw()))
}

fn append(path: &Path, flags: OFlags) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Opens our own file in the temporary folder, which every user may write to: a link or a file that another user put there
/// is refused, and no pipe is waited for.
fn append_ours(path: &Path) -> io::Result<File> {
    let file = append(path, OFlags::NOFOLLOW | OFlags::NONBLOCK)?;
    let metadata = file.metadata()?;
    if metadata.uid() == rustix::process::geteuid().as_raw() && metadata.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("the file belongs to another user"))
}

/// For people: the message, after `error:` or `warning:` where it is one.
struct Plain;

/// For the log file: time, level, message.
struct Timed;

impl<S, N> FormatEvent<S, N> for Plain
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let label = match *event.metadata().level() {
            Level::ERROR => "error: ",
            Level::WARN => "warning: ",
            _ => "",
        };
        let text = format!("{label}{}", fields(context, event)?);
        writeln!(writer, "{}", fitting(&runnable(&text), columns_of_stderr()))
    }
}

impl<S, N> FormatEvent<S, N> for Timed
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        write!(writer, "{:.3} {} ", jiff::Timestamp::now(), event.metadata().level())?;
        writeln!(writer, "{}", fields(context, event)?)
    }
}

/// The message: what a server or an archive says in it must not reach a terminal as a command.
fn fields<S, N>(context: &FmtContext<'_, S, N>, event: &Event<'_>) -> Result<String, fmt::Error>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    let mut fields = String::new();
    context.format_fields(Writer::new(&mut fields), event)?;
    Ok(visible(&fields).into_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_log_file_is_the_users_alone_and_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lastgood.log");
        for _ in 0..2 {
            let opened = open(&path);
            assert_eq!(opened.warning, None);
            opened.file.unwrap().write_all(b"line\n").unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "line\nline\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_log_file_that_cannot_be_written_is_replaced_and_said() {
        let opened = open(Path::new("/nowhere/lastgood.log"));
        assert!(opened.file.is_some());
        let warning = opened.warning.unwrap();
        assert!(warning.contains("/nowhere/lastgood.log") && warning.contains("instead"), "{warning}");
    }

    /// Anybody may have put it where everybody may.
    #[test]
    fn no_pipe_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("lastgood-0.log");
        #[expect(clippy::disallowed_methods, reason = "a tool of the test's")]
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(append_ours(&pipe).is_err());
        // With somebody who reads.
        let _reader = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        assert!(append_ours(&pipe).is_err());
    }

    #[test]
    fn a_log_file_that_takes_nothing_is_complained_of_once() {
        let file = append(Path::new("/dev/full"), OFlags::empty()).unwrap();
        let mut watched = Watched { file, complaint: Some("full".to_owned()) };
        assert!(watched.write(b"line\n").is_err() && watched.complaint.is_none());
        assert!(watched.write(b"line\n").is_err());
    }

    #[test]
    fn quiet_runs_complain_of_a_log_file_only_where_somebody_set_it() {
        let complains = |is_set, quiet| {
            let log_file = LogFile { path: "/nowhere/lastgood.log".into(), is_set };
            open_for(&log_file, quiet).warning.is_some()
        };
        assert_eq!([complains(true, true), complains(true, false), complains(false, false)], [true; 3]);
        assert!(!complains(false, true));
    }

    #[test]
    fn a_link_in_the_temporary_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::os::unix::fs::symlink(&target, folder.path().join("link")).unwrap();
        assert!(append_ours(&folder.path().join("link")).is_err());
        assert!(!target.exists());
    }
}
