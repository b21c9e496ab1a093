//! A database as it is on the server now, and what the role may do there.

use serde::Deserialize;
use serde_json::Value;

use crate::quote::{identifier, literal};
use crate::{Error, Psql, PsqlError};

/// A database that exists, with everything that a new one must have in common with it.
#[derive(Clone, Debug, Deserialize)]
pub struct LiveDatabase {
    /// Its name.
    pub name: String,
    /// The role that owns it.
    pub owner: String,
    /// Its character set, as PostgreSQL calls it.
    pub encoding: String,
    /// Where its files are.
    pub tablespace: String,
    /// A new database gets this tablespace by itself: it is template0's own.
    pub in_usual_tablespace: bool,
    /// The role may put a new database there.
    pub may_use_tablespace: bool,
    /// The comment on it, if it has one.
    pub comment: Option<String>,
    /// On disk, in bytes; `None` where the role may not ask.
    pub size: Option<u64>,
    /// The row of `pg_database`, whose columns differ from one version to the next.
    row: Value,
    /// The role has the owner's rights, and so may rename and drop it.
    pub is_ours: bool,
    /// The role may create another database that belongs to the same owner.
    pub may_give_to_owner: bool,
    /// Connections other than ours.
    pub connections: u64,
    /// Transactions that were prepared and neither committed nor rolled back: they hold the database under its name.
    pub prepared_transactions: Vec<String>,
    /// Logical replication slots, which stay with the old database.
    pub slots: Vec<String>,
    /// Subscriptions to other servers, which stay with it as well.
    #[serde(default)]
    pub subscriptions: Vec<String>,
}

/// The right to give something to a role, or to act as it: since version 16 a membership may lack it.
pub const MAY_SET: &str = "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END";

/// The role of a connection, and what its server says of itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Role {
    /// The role's name.
    pub name: String,
    /// The role is a superuser.
    pub superuser: bool,
    /// The role may create databases.
    pub creates_databases: bool,
    version_number: u32,
    /// The server is a standby, and takes no writes.
    pub standby: bool,
    /// Where the server's files are, where the role may know it.
    pub data_directory: Option<String>,
    /// Its transactions only read, unless a session says otherwise: the server's, the role's or the connection's setting.
    #[serde(default)]
    pub reads_alone: bool,
    /// How many more sessions the role may have, of its own limit and the server's.
    pub sessions: i64,
    /// `max_locks_per_transaction`.
    locks_per_transaction: u64,
    /// How many transactions the server's table of locks is laid out for.
    lock_holders: u64,
    /// `max_pred_locks_per_transaction`, whose table has room to spare that locks may take.
    predicate_locks: u64,
    /// How many locks find room in what is left of the last huge page, at most.
    spare_locks: u64,
}

impl Role {
    /// Asks over `psql`, which is connected to any database of the server.
    ///
    /// # Errors
    /// When the server can't be asked.
    pub fn ask(psql: &Psql) -> Result<Self, Error> {
        let select = "SELECT rolname AS name, rolsuper AS superuser, rolcreatedb OR rolsuper AS creates_databases,
            current_setting('server_version_num')::int AS version_number, pg_is_in_recovery() AS standby,
            (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS data_directory,
            (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only') AS reads_alone,
            current_setting('max_locks_per_transaction')::bigint AS locks_per_transaction,
            current_setting('max_pred_locks_per_transaction')::bigint AS predicate_locks,
            CASE WHEN coalesce(current_setting('huge_pages_status', true), current_setting('huge_pages')) = 'on' THEN 5 * coalesce(
                (SELECT nullif(setting::bigint, 0) FROM pg_settings WHERE name = 'huge_page_size'), 2048) ELSE 0 END AS spare_locks,
            current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint
                + current_setting('max_worker_processes')::bigint + current_setting('max_wal_senders')::bigint + 2
                + coalesce(current_setting('autovacuum_worker_slots', true), current_setting('autovacuum_max_workers'))::bigint AS lock_holders,
            least(CASE WHEN rolconnlimit >= 0 AND NOT rolsuper THEN rolconnlimit - (SELECT count(*) FROM pg_stat_activity a
                    WHERE a.usesysid = r.oid AND a.pid <> pg_backend_pid()) END,
                current_setting('max_connections')::bigint - (SELECT count(*) FROM pg_stat_activity a
                    WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid())
                - CASE WHEN rolsuper THEN 0 ELSE current_setting('superuser_reserved_connections')::bigint
                    + coalesce(current_setting('reserved_connections', true)::bigint, 0) END) AS sessions
            FROM pg_roles r WHERE rolname = current_user";
        let role: Option<Self> = psql.row(select).map_err(|e| Error::unreachable(psql, &e))?;
        role.ok_or(Error::RoleGone)
    }

    /// How many locks the server has room for, those of all sessions together.
    #[must_use]
    pub fn locks(&self) -> u64 {
        self.locks_per_transaction.saturating_mul(self.lock_holders)
    }

    /// More than it can ever have room for. Its table of locks grows into shared memory that others were given too much of; measured
    /// with versions 15 and 18, a single session gets at most 1.6 times as many, a tenth of the predicate locks, and 500.
    #[must_use]
    pub fn locks_at_most(&self) -> u64 {
        let predicate = self.predicate_locks.saturating_mul(self.lock_holders);
        self.locks().saturating_mul(33) / 20 + predicate / 10 + 600 + self.spare_locks
    }

    /// `max_locks_per_transaction` for a transaction that takes so many, and others beside it.
    #[must_use]
    pub fn locks_setting_for(&self, needed: u64) -> u64 {
        (needed + needed / 10).div_ceil(self.lock_holders.max(1)).max(self.locks_per_transaction)
    }

    /// New databases have a schema `public` in which only their owner may create: since version 15.
    #[must_use]
    pub fn closes_public(&self) -> bool {
        self.version_number >= 150_000
    }

    /// It may keep event triggers from acting, which came with version 17.
    #[must_use]
    pub fn may_silence_event_triggers(&self) -> bool {
        self.superuser && self.version_number >= 170_000
    }

    /// Subscriptions can belong to roles that are no superusers: since version 16.
    #[must_use]
    pub fn lets_others_subscribe(&self) -> bool {
        self.version_number >= 160_000
    }

    /// The setting came with version 17.
    #[must_use]
    pub fn knows_transaction_timeout(&self) -> bool {
        self.version_number >= 170_000
    }

    /// The server's version as a number, such as `150014`.
    #[must_use]
    pub fn version_number(&self) -> u32 {
        self.version_number
    }
}

impl LiveDatabase {
    /// Asks for `database` over `maintenance`, which is connected to another one of the same server.
    ///
    /// # Errors
    /// When the server can't be asked.
    pub fn ask(maintenance: &Psql, database: &str) -> Result<Option<Self>, Error> {
        let select = format!(
            "SELECT d.datname AS name, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
                t.spcname AS tablespace,
                t.oid = (SELECT dattablespace FROM pg_database WHERE datname = 'template0') AS in_usual_tablespace,
                has_tablespace_privilege(t.oid, 'CREATE') AS may_use_tablespace, shobj_description(d.oid, 'pg_database') AS comment,
                CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid) END AS size,
                row_to_json(d) AS row, pg_has_role(d.datdba, 'USAGE') AS is_ours,
                pg_has_role(d.datdba, {MAY_SET}) AS may_give_to_owner,
                (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid()) AS connections,
                ARRAY(SELECT gid FROM pg_prepared_xacts p WHERE p.database = d.datname) AS prepared_transactions,
                ARRAY(SELECT slot_name FROM pg_replication_slots s WHERE s.database = d.datname) AS slots,
                ARRAY(SELECT subname FROM pg_subscription s WHERE s.subdbid = d.oid) AS subscriptions
            FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = {}",
            literal(database)
        );
        maintenance.row(&select).map_err(|e| Error::unreachable(maintenance, &e))
    }

    /// The options of CREATE DATABASE that give a new one the same character set, locale and place.
    #[must_use]
    pub fn creation_options(&self) -> String {
        let mut options = format!("ENCODING {}", literal(&self.encoding));
        let mut add = |keyword: &str, column: &str| {
            if let Some(value) = self.column(column) {
                options.push_str(&format!(" {keyword} {}", literal(value)));
            }
        };
        add("LC_COLLATE", "datcollate");
        add("LC_CTYPE", "datctype");
        let provider = self.column("datlocprovider");
        if let Some("i") = provider {
            // The column was renamed in version 17.
            add("ICU_LOCALE", if self.row.get("datlocale").is_some() { "datlocale" } else { "daticulocale" });
            add("ICU_RULES", "daticurules");
        }
        if let Some("b") = provider {
            add("BUILTIN_LOCALE", "datlocale");
        }
        match provider {
            Some("i") => options.push_str(" LOCALE_PROVIDER icu"),
            Some("b") => options.push_str(" LOCALE_PROVIDER builtin"),
            Some("c") => options.push_str(" LOCALE_PROVIDER libc"),
            _ => {}
        }
        // To name the usual one changes nothing, but takes a right that few roles have.
        if !self.in_usual_tablespace {
            options.push_str(&format!(" TABLESPACE {}", identifier(&self.tablespace)));
        }
        options
    }

    /// The role may create another database in the same tablespace.
    #[must_use]
    pub fn has_room_for_another(&self) -> bool {
        self.in_usual_tablespace || self.may_use_tablespace
    }

    /// How many connections it takes; -1 for no limit.
    pub fn connection_limit(&self) -> i64 {
        self.row.get("datconnlimit").and_then(Value::as_i64).unwrap_or(-1)
    }

    /// Nobody may connect to it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.row.get("datallowconn").and_then(Value::as_bool) == Some(false)
    }

    /// A DROP DATABASE of it was interrupted: nothing can be done with it but that.
    #[must_use]
    pub fn is_half_dropped(&self) -> bool {
        self.connection_limit() == -2
    }

    /// Any role may copy it.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.row.get("datistemplate").and_then(Value::as_bool).unwrap_or(false)
    }

    fn column(&self, name: &str) -> Option<&str> {
        self.row.get(name).and_then(Value::as_str).filter(|value| !value.is_empty())
    }
}

/// A connection that doesn't hold the database: to `postgres`, `template1`, or another one of `others`. Its psql stays.
///
/// # Errors
/// When none of them lets the role in, or the run is told to stop.
pub fn maintenance(psql: &Psql, database: &str, others: &[&str]) -> Result<Psql, Error> {
    let mut last = None;
    for other in ["postgres", "template1"].iter().chain(others).filter(|other| **other != database) {
        // Its first question is seldom its last.
        let candidate = psql.to(other).kept();
        match candidate.statement("SELECT 1;\n") {
            Ok(_) => return Ok(candidate),
            Err(PsqlError::Interrupted(signal)) => return Err(Error::Interrupted(signal)),
            // The first one's reason is found out; it takes its time.
            Err(error) => last = last.or_else(|| Some(Error::unreachable(&candidate, &error))),
        }
    }
    Err(last.unwrap_or(Error::NoEntry))
}
