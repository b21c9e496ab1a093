//! The administrator's own commands around a backup.

use std::time::Duration;

use postgres::Stop;

use crate::answers::failure::{Exit, Failure};
use crate::interrupt::{Interrupt, stopped_by};
use crate::settings::DatabaseSettings;
use crate::shell::{how, status_until, status_within};

/// What comes after a backup may take so long: other databases wait for it.
const AFTER: Duration = Duration::from_secs(15 * 60);

/// What a command may find in its environment.
#[cfg(test)]
pub(crate) const TOLD: [&str; 6] =
    ["LASTGOOD_DATABASE", "LASTGOOD_RESULT", "LASTGOOD_EXIT", "LASTGOOD_BACKUP", "LASTGOOD_ERROR", "LASTGOOD_HINT"];

/// The commands of one database.
#[derive(Clone, Debug)]
pub(crate) struct Hooks {
    before: Option<String>,
    after: Option<String>,
    on_failure: Option<String>,
    database: String,
    stop: Stop,
}

impl Hooks {
    pub(crate) fn of(database: &DatabaseSettings, interrupt: &Interrupt) -> Self {
        Self {
            before: database.before.clone(),
            after: database.after.clone(),
            on_failure: database.on_failure.clone(),
            database: database.name.clone().unwrap_or_default(),
            stop: interrupt.stop().clone(),
        }
    }

    /// Runs what comes before the backup.
    ///
    /// # Errors
    /// Exit 1 when it fails: the backup isn't made then.
    pub(crate) async fn before(&self) -> Result<(), Failure> {
        let Some(command) = &self.before else { return Ok(()) };
        let told = vec![("LASTGOOD_DATABASE", self.database.clone())];
        let (shell, stop) = (command.clone(), self.stop.clone());
        let done = on_its_thread(move || how(status_until(&shell, &told, &stop))).await;
        if let (Err(_), Some(signal)) = (&done, self.stop.signal()) {
            return Err(stopped_by(signal));
        }
        done.map_err(|error| {
            Failure::new(Exit::Failed, format!("BACKUP_BEFORE failed, so no backup was made: {error}"))
                .hint("run it by hand; without BACKUP_BEFORE the backup is made at once")
        })
    }

    /// Runs what comes after it, also when the run was told to stop. What fails here is a warning: the backup is what it is.
    pub(crate) async fn after(&self, failure: Option<&Failure>, backup: Option<&str>) {
        self.on_failure(failure, backup).await;
        if let Some(Err(error)) = self.run(self.after.as_ref(), failure, backup).await {
            tracing::warn!("BACKUP_AFTER failed: {error}");
        }
    }

    /// Runs what a failure asks for, and nothing that undoes what BACKUP_BEFORE has done: another run's may be under way.
    pub(crate) async fn on_failure(&self, failure: Option<&Failure>, backup: Option<&str>) {
        let command = self.on_failure.as_ref().filter(|_| failure.is_some());
        if let Some(Err(error)) = self.run(command, failure, backup).await {
            tracing::warn!("BACKUP_ON_FAILURE failed: {error}");
        }
    }

    async fn run(
        &self,
        command: Option<&String>,
        failure: Option<&Failure>,
        backup: Option<&str>,
    ) -> Option<Result<(), String>> {
        let mut told = self.told(failure);
        told.extend(backup.map(|backup| ("LASTGOOD_BACKUP", backup.to_owned())));
        Some(bounded(command?, &told).await)
    }

    /// What a command finds in its environment.
    fn told(&self, failure: Option<&Failure>) -> Vec<(&'static str, String)> {
        let (result, exit) = failure.map_or(("done", Exit::Done), |failure| ("failed", failure.exit));
        let mut told = vec![
            ("LASTGOOD_DATABASE", self.database.clone()),
            ("LASTGOOD_RESULT", result.to_owned()),
            ("LASTGOOD_EXIT", exit.code().to_string()),
        ];
        if let Some(failure) = failure {
            told.push(("LASTGOOD_ERROR", failure.error.clone()));
            told.extend(failure.hint.clone().map(|hint| ("LASTGOOD_HINT", hint)));
        }
        // No text of ours has a zero byte, which no environment can hold; what a server says might.
        told.iter_mut().for_each(|(_, value)| value.retain(|c| c != '\0'));
        told
    }
}

async fn bounded(command: &str, told: &[(&'static str, String)]) -> Result<(), String> {
    let (shell, told) = (command.to_owned(), told.to_owned());
    on_its_thread(move || how(status_within(&shell, &told, AFTER))).await
}

/// Waits for a thread that may block.
async fn on_its_thread(work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}
