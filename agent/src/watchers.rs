//! Who is told how a backup or a drill goes: a monitor (pings), people (messages), and the administrator's own commands.

mod hooks;
mod http;
mod memory;
mod notice;
mod ping;

#[cfg(test)]
pub(crate) use hooks::TOLD;
pub(crate) use notice::Notice;

use crate::answers::failure::Failure;
use crate::interrupt::Interrupt;
use crate::settings::{DatabaseSettings, Settings};
use hooks::Hooks;
use ping::Ping;

/// All of them for one database's run.
pub(crate) struct Watchers {
    ping: Ping,
    notice: Notice,
    hooks: Option<Hooks>,
}

impl Watchers {
    /// Those of a backup.
    pub(crate) fn of_backup(settings: &Settings, database: &DatabaseSettings, interrupt: &Interrupt) -> Self {
        let (success, failure) = (database.healthcheck.as_ref(), database.healthcheck_fail.as_ref());
        Self {
            ping: Ping::new(success, failure, interrupt.cancellation()),
            notice: Notice::new("backup", settings, database, interrupt),
            hooks: Some(Hooks::of(database, interrupt)),
        }
    }

    /// Those of a drill.
    pub(crate) fn of_drill(settings: &Settings, database: &DatabaseSettings, interrupt: &Interrupt) -> Self {
        Self {
            ping: Ping::new(database.drill_healthcheck.as_ref(), None, interrupt.cancellation()),
            notice: Notice::new("drill", settings, database, interrupt),
            hooks: None,
        }
    }

    /// Tells that it begins.
    ///
    /// # Errors
    /// When a command that has to come before it fails.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        self.ping.start().await;
        match &self.hooks {
            Some(hooks) => hooks.before().await,
            None => Ok(()),
        }
    }

    /// Tells that what failed before any database was known works again.
    pub(crate) async fn recovered(&self) {
        self.notice.recovered().await;
    }

    /// Tells that it could not begin: another run is under way, or it was told to stop before.
    pub(crate) async fn refused(&self, failure: &Failure) {
        self.ping.failure(failure).await;
        self.notice.end(Some(failure)).await;
        if let Some(hooks) = &self.hooks {
            hooks.on_failure(Some(failure), None).await;
        }
    }

    /// Tells how it ended; `backup` is the archive's name.
    pub(crate) async fn end(&self, failure: Option<&Failure>, backup: Option<&str>) {
        match failure {
            None => self.ping.success().await,
            Some(failure) => self.ping.failure(failure).await,
        }
        self.notice.end(failure).await;
        if let Some(hooks) = &self.hooks {
            hooks.after(failure, backup).await;
        }
    }
}
