//! The database of a case, and its server: the one that all share, or one of its own where that is what breaks.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::fault::{Act, Meanwhile};
use crate::postgres::{Database, Installation, Postgres};
use crate::torture::ground::SIZE;

/// A database, and its server.
pub(super) struct Ground {
    pub(super) name: String,
    servers: Servers,
}

enum Servers {
    /// The one that everybody shares; the database goes with the value.
    Shared(#[expect(dead_code, reason = "it is dropped")] Database<'static>),
    Own {
        first: Box<Postgres>,
        standby: Option<Box<Postgres>>,
        asks_standby: bool,
    },
}

impl Ground {
    pub(super) fn new(act: Act) -> Ground {
        match act {
            Act::Meanwhile(Meanwhile::Restart | Meanwhile::Crash) => Self::own(false, false),
            Act::Meanwhile(Meanwhile::Failover) => Self::own(true, false),
            Act::Meanwhile(Meanwhile::Promotion) => Self::own(true, true),
            _ => Self::shared(),
        }
    }

    /// A copy of one that nobody is connected to.
    fn shared() -> Ground {
        static TEMPLATE: OnceLock<Database<'static>> = OnceLock::new();
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let server = Postgres::shared();
        let template = TEMPLATE.get_or_init(|| {
            let database = server.new_database("torture_template");
            database.fill_with_megabytes(SIZE);
            database
        });
        let name = format!("torture_copy_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        server.query(&format!("CREATE DATABASE {name} TEMPLATE {}", template.name()));
        let servers = Servers::Shared(server.database(&name));
        Ground { name, servers }
    }

    fn own(stands_by: bool, asks_standby: bool) -> Ground {
        let name = "app".to_owned();
        let first = Postgres::start(Installation::debian());
        first.query(&format!("CREATE DATABASE {name}"));
        let database = first.database(&name);
        database.fill_with_megabytes(SIZE);
        // Dropping the value would drop the database.
        std::mem::forget(database);
        let standby = stands_by.then(|| Box::new(first.standby()));
        Ground { name, servers: Servers::Own { first: Box::new(first), standby, asks_standby } }
    }

    /// Where the backup finds its server.
    pub(super) fn port(&self) -> u16 {
        match &self.servers {
            Servers::Own { standby: Some(standby), asks_standby: true, .. } => standby.port(),
            Servers::Own { first, .. } => first.port(),
            Servers::Shared(_) => Postgres::shared().port(),
        }
    }

    /// The server that is there whatever happens.
    pub(super) fn living(&self) -> &Postgres {
        match &self.servers {
            Servers::Own { first, standby, .. } => standby.as_deref().unwrap_or(first),
            Servers::Shared(_) => Postgres::shared(),
        }
    }

    /// A server that may be ended.
    pub(super) fn first_mut(&mut self) -> &mut Postgres {
        match &mut self.servers {
            Servers::Own { first, .. } => first,
            Servers::Shared(_) => unreachable!("the server that everybody shares is left alone"),
        }
    }
}
