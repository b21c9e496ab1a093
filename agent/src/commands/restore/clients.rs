//! The database's clients, usually the user's services, are stopped while it is exchanged, and started again whatever
//! happened.

use std::os::unix::process::ExitStatusExt as _;

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::failure::stopped_by;
use crate::commands::restore::wish::Wish;
use crate::interrupt::{AtEnd, Interrupt};
use crate::shell::{in_words, status, status_until};

/// The commands that stop and start whatever uses the database: the user's services.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients {
    stop: Option<String>,
    start: Option<String>,
}

/// Clients that were stopped. Dropping it starts them again, so that no way out of a restore leaves them down.
#[must_use]
pub(crate) struct Stopped {
    start: Option<String>,
    /// Starts them even in a process that ends at once.
    at_end: Option<AtEnd>,
}

impl Clients {
    /// What was asked for.
    pub(crate) fn of(wish: &Wish) -> Self {
        Self { stop: wish.stop_command.clone(), start: wish.start_command.clone() }
    }

    /// Stops them.
    ///
    /// # Errors
    /// Exit 1 when the command fails. What it may have stopped has been started again then.
    pub(crate) fn stop(&self, interrupt: &Interrupt) -> Result<Stopped, Failure> {
        let stopped = Stopped::new(self.start.clone(), interrupt);
        if let Some(command) = &self.stop {
            tracing::info!("stopping services: {command}");
            if let Err(error) = in_words(command, status_until(command, &[], interrupt.stop())) {
                if let Some(signal) = interrupt.seen() {
                    return Err(stopped_by(signal));
                }
                return Err(Failure::new(Exit::Failed, format!("RESTORE_STOP_COMMAND failed: {error}"))
                    .hint("run it by hand; --skip-services restores without it"));
            }
        }
        Ok(stopped)
    }
}

impl Stopped {
    fn new(start: Option<String>, interrupt: &Interrupt) -> Self {
        let at_end = start.clone().map(|command| {
            interrupt.at_end(move || start_now(&command).err().iter().for_each(|failure| tracing::error!("{failure}")))
        });
        Self { start, at_end }
    }

    /// Starts them again.
    ///
    /// # Errors
    /// Exit 1 when the command fails, for the caller to tell what had been done before.
    pub(crate) fn start(mut self) -> Result<(), Failure> {
        self.start_once()
    }

    fn start_once(&mut self) -> Result<(), Failure> {
        let Some(command) = self.start.take() else { return Ok(()) };
        self.at_end = None;
        start_now(&command)
    }
}

fn start_now(command: &str) -> Result<(), Failure> {
    tracing::info!("starting services: {command}");
    let mut ended = status(command, &[]);
    // Ctrl-C reaches all of our group, and so a command that isn't a group of its own yet.
    if ended.as_ref().is_ok_and(|status| status.signal().is_some()) {
        ended = status(command, &[]);
    }
    in_words(command, ended).map_err(|error| {
        Failure::new(Exit::Failed, format!("RESTORE_START_COMMAND failed: {error}"))
            .hint(format!("start the services by hand: {command}"))
    })
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // Dropped on an early return.
        if let Err(failure) = self.start_once() {
            tracing::error!("{failure}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(folder: &std::path::Path, stop: &str) -> Clients {
        let started = folder.join("started");
        Clients { stop: Some(stop.to_owned()), start: Some(format!("echo started >> '{}'", started.display())) }
    }

    fn starts(folder: &std::path::Path) -> usize {
        std::fs::read_to_string(folder.join("started")).unwrap_or_default().lines().count()
    }

    #[test]
    fn clients_start_once_whether_asked_or_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let clients = clients(folder.path(), "true");
        clients.stop(&Interrupt::never()).unwrap().start().unwrap();
        assert_eq!(starts(folder.path()), 1);
        drop(clients.stop(&Interrupt::never()).unwrap());
        assert_eq!(starts(folder.path()), 2);
    }

    #[test]
    fn clients_that_refuse_to_stop_are_started_again_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let failure = clients(folder.path(), "exit 7").stop(&Interrupt::never()).err().unwrap();
        assert!(failure.error.contains("exit 7") && failure.error.contains('7'), "{failure}");
        assert_eq!(starts(folder.path()), 1);
    }
}
