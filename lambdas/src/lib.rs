//! The three functions, and what they share. Each reads an event, asks `core`, acts, and publishes what came of it.
//!
//! The rules are in `catalog`, the bytes in `archive`, the bucket in `repository`. Here is only what makes them
//! functions: events that come twice or out of order, a deadline, metrics, messages. Every record of an event is
//! handled before any failure fails the invocation.

mod cloud;
mod deadline;
mod event;
mod expected;
mod failure;
pub mod findings;
pub mod freshness;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod heartbeat;
pub mod logging;
pub mod message;
pub mod metric;
mod queue;
pub mod retention;
mod settings;
mod status;
pub mod verify;

pub use cloud::Cloud;
pub use deadline::Deadline;
pub use event::{Action, Arrival, Event, Malformed, Queued, Scheduled};
pub use failure::Failure;
pub use settings::{Environment, Settings};
