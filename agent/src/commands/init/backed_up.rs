//! The first backup, made as every other one will be, and read back.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::nightly::Nightly;
use super::planned::Plan;
use super::programs::Call;
use crate::answers::failure::{Exit, Failure};
use crate::cli::Schedule;

/// How long the stack's function may take to read the first backup.
const PATIENCE: Duration = Duration::from_secs(90);
const TICK: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct First {
    pub(super) id: String,
    pub(super) size: u64,
    /// `good`, or what it is called until somebody has read it back.
    pub(super) state: String,
    pub(super) tables: Option<u64>,
    pub(super) rows: Option<u64>,
    /// Seconds since the first thing was done.
    pub(super) seconds: f64,
}

/// Makes it, and has it read back where this identity may.
///
/// # Errors
/// When it fails, or is damaged.
pub(super) fn first(nightly: Nightly<'_>, plan: &Plan, began: Instant) -> Result<First, Failure> {
    if plan.schedule == Schedule::Systemd && nightly.machine.runs_systemd {
        start_unit(nightly)?;
    } else {
        nightly.run(&["backup"])?;
    }
    let mut listed = newest(nightly)?;
    if is_unread(&listed) {
        match nightly.run(&["verify", "latest"]) {
            Err(failure) if failure.exit == Exit::Damaged => return Err(failure),
            // The stack's function reads it: who backs up may not.
            Err(failure) if plan.policy.is_some() => {
                tracing::debug!("left to the AWS stack: {failure}");
                wait_for_stack(nightly)?;
            }
            Err(failure) => tracing::warn!("the backup is stored, and could not be read back: {failure}"),
            Ok(_) => {}
        }
        listed = newest(nightly)?;
    }
    let text = |name: &str| listed.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let number = |name: &str| listed.get(name).and_then(Value::as_u64);
    Ok(First {
        id: text("id"),
        size: number("size").unwrap_or_default(),
        state: text("state"),
        tables: number("tables"),
        rows: number("rows"),
        seconds: (began.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0,
    })
}

/// By the unit, as at night.
fn start_unit(nightly: Nightly<'_>) -> Result<(), Failure> {
    systemctl(&["daemon-reload"], nightly)?;
    systemctl(&["start", "lastgood.service"], nightly)
        .map_err(|failure| failure.hint("journalctl -n 20 -u lastgood says why; lastgood init can then be run again"))
}

/// Asks systemd for something.
///
/// # Errors
/// When it refuses.
pub(super) fn systemctl(arguments: &[&str], nightly: Nightly<'_>) -> Result<(), Failure> {
    let failed = |why: &str| {
        let command = arguments.join(" ");
        Failure::new(Exit::Failed, format!("systemctl {command} failed: {why}"))
            .hint(format!("look into it, and run it by hand: systemctl {command}"))
    };
    let call =
        Call::found("systemctl", &["/usr/bin", "/bin"].map(Into::into)).ok_or_else(|| failed("it is not installed"))?;
    let answer = call.arguments(arguments).given("", nightly.stop).map_err(|error| failed(&error.to_string()))?;
    if answer.is_done { Ok(()) } else { Err(failed(&answer.said)) }
}

/// Waits until it is judged; that it is not yet is no failure.
fn wait_for_stack(nightly: Nightly<'_>) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    while is_unread(&newest(nightly)?) && Instant::now() < until {
        if let Some(signal) = nightly.stop.sleep(TICK) {
            return Err(crate::interrupt::stopped_by(signal));
        }
    }
    Ok(())
}

fn newest(nightly: Nightly<'_>) -> Result<Value, Failure> {
    let listed = nightly.run(&["list", "--limit", "1"])?;
    Ok(listed.pointer("/databases/0/backups/0").cloned().unwrap_or_default())
}

/// Whether nobody has read it back yet.
fn is_unread(backup: &Value) -> bool {
    backup.get("state").is_some_and(|state| state == "uploaded")
}
