//! Ctrl-C, SIGTERM, and a terminal that goes away: a run that is told to stop ends what it began, and leaves nothing half done.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::failure::{Exit, Failure};

/// Tells whoever asks that the run was told to stop. Clones see the same.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(watch::Receiver<Option<&'static str>>);

impl Interrupt {
    /// Listens from now on. The first signal is an invitation; a second one ends the process at once.
    ///
    /// # Errors
    /// Exit 1 when the system refuses to install the handlers.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let refused = |e| Failure::new(Exit::Failed, format!("can't listen for signals: {e}"));
        let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(refused)?;
        let (say, told) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let name = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                    _ = hangup.recv() => "SIGHUP",
                };
                if say.send_replace(Some(name)).is_some() {
                    std::process::exit(i32::from(Exit::Failed.code()));
                }
                tracing::warn!("{name}: stopping; once more ends at once");
            }
        });
        Ok(Self(told))
    }

    /// Ends when the run is told to stop, with the signal's name; else never.
    pub(crate) async fn wait(&mut self) -> &'static str {
        loop {
            if let Some(name) = *self.0.borrow_and_update() {
                return name;
            }
            if self.0.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The signal that told the run to stop, if one did.
    pub(crate) fn seen(&self) -> Option<&'static str> {
        *self.0.borrow()
    }
}
