//! What can be in the way of a connection.

/// What is in the way of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// No machine has this name.
    UnknownHost,
    /// Nobody can tell now whether a machine has this name.
    NoNames,
    /// The machine refuses connections to this port.
    NoServer,
    /// There is no socket in this folder.
    NoSocket,
    /// Nothing answers.
    Silent,
    /// Something else than PostgreSQL answers.
    NotPostgres,
    /// TLS is demanded, and the server has none.
    NoTls,
    /// A certificate, the server's or ours, isn't accepted.
    Certificate,
    /// `pg_hba.conf` has no way in for this role from here.
    NotAdmitted,
    /// The same over the socket, where most servers let in who has the role's name (peer).
    NotPeer,
    /// The server takes no connections now: it starts up, shuts down, or recovers.
    NotNow,
    /// It has no connection left.
    TooMany,
    /// The password is wrong, or lacks.
    Password,
    /// There is no role of this name.
    NoRole,
    /// There is no database of this name.
    NoDatabase,
    /// The database lets nobody in, or not this role.
    Closed,
    /// Something else, of which the server's words tell.
    Other,
}
