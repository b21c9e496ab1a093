//! What breaks between Lastgood and PostgreSQL.

use std::time::Duration;

use crate::proxy::Direction::Down;
use crate::proxy::Fault as Network;

/// What breaks.
pub(super) struct Fault {
    pub(super) name: &'static str,
    pub(super) act: Act,
    /// In small letters; one of them at least is in what is said of it.
    pub(super) words: &'static [&'static str],
}

/// How it breaks.
#[derive(Clone, Copy)]
pub(super) enum Act {
    /// The network, from so many bytes on.
    Network(fn(u64) -> Network),
    /// Bytes come that slowly, a second.
    Slow(u64),
    /// While the network stands still at that byte.
    Meanwhile(Meanwhile),
    /// A setting of the database, which comes about while the network stands still for a second.
    Setting(&'static str),
}

/// What happens while nothing moves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Meanwhile {
    /// Nothing, for a while.
    Nothing,
    /// SIGKILL to a program that the agent runs.
    Kill(&'static str),
    /// An administrator ends every session in the database.
    EndSessions,
    /// The server is stopped in a hurry, and started again.
    Restart,
    /// The server crashes, and recovers.
    Crash,
    /// The server crashes, and its standby takes over.
    Failover,
    /// The backup is made from a standby, which takes over.
    Promotion,
}

/// How long the network stands still.
pub(super) const WHILE: Duration = Duration::from_secs(1);

const SERVER: &[&str] = &["server", "connection", "pg_dump", "psql", "a session that reads rows failed"];

const fn meanwhile(name: &'static str, what: Meanwhile) -> Fault {
    Fault { name, act: Act::Meanwhile(what), words: SERVER }
}

const fn setting(name: &'static str, setting: &'static str, words: &'static [&'static str]) -> Fault {
    Fault { name, act: Act::Setting(setting), words }
}

/// Every fault.
pub(super) const FAULTS: &[Fault] = &[
    Fault { name: "cut-once", act: Act::Network(|at| Network::CutOnce(Down, at)), words: SERVER },
    Fault { name: "gone-for-good", act: Act::Network(|at| Network::GoAway(Down, at)), words: SERVER },
    Fault { name: "garbage", act: Act::Network(|at| Network::Garble(Down, at)), words: SERVER },
    Fault { name: "slow", act: Act::Slow(8_000_000), words: SERVER },
    meanwhile("stall", Meanwhile::Nothing),
    meanwhile("pg-dump-killed", Meanwhile::Kill("pg_dump")),
    meanwhile("psql-killed", Meanwhile::Kill("psql")),
    meanwhile("sessions-ended", Meanwhile::EndSessions),
    meanwhile("server-restarted", Meanwhile::Restart),
    meanwhile("server-crashed", Meanwhile::Crash),
    meanwhile("failover", Meanwhile::Failover),
    meanwhile("standby-promoted", Meanwhile::Promotion),
    setting("statement-timeout", "statement_timeout = '300ms'", &["statement timeout", "statement_timeout"]),
    setting(
        "idle-timeout",
        "idle_in_transaction_session_timeout = '300ms'",
        &["idle-in-transaction", "idle_in_transaction_session_timeout", "server"],
    ),
    setting("lock-timeout", "lock_timeout = '1ms'", &["lock"]),
];
