//! Roles that the backup names and the server lacks: with `--create-roles` they are made before anything else, as the globals
//! beside the archive say, and taken away again when the restore fails.

pub(crate) mod named;
pub(crate) mod stored;

use std::collections::BTreeSet;

use postgres::PsqlError;
use postgres::database::new_roles::{Maker, NewRoles, Wanted};
use postgres::words::globals::Globals;
use serde::{Deserialize, Serialize};

use crate::answers::failure::{Exit, Failure};
use crate::commands::restore::archive::Archive;
use crate::commands::restore::backup::Backup;
use crate::commands::restore::head::Head;
use crate::commands::restore::server::Server;
use crate::commands::restore::wish::Wish;

/// What is known of them before they are made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Births {
    /// What is to be made.
    pub(crate) new: NewRoles,
    /// What will not be as it was. One line each.
    pub(crate) warnings: Vec<String>,
    /// Why they can't be made, and what to do about it.
    pub(crate) obstacle: Option<(String, String)>,
    /// Roles that are there and can't log in, though the backup's could: a restore that was killed may have made them.
    pub(crate) shut_out: Vec<String>,
}

/// A role that was made, as it is answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedRole {
    pub(crate) name: String,
    /// It cannot log in before somebody gives it a password.
    pub(crate) waits_for_password: bool,
}

impl Births {
    /// Reads the globals, decides what is to be made, and tries it. Changes nothing.
    ///
    /// # Errors
    /// When the globals or the server cannot be asked.
    pub(super) fn gather(
        wish: &Wish,
        backup: &Backup,
        archive: &Archive,
        head: &Head,
        server: &Server,
    ) -> Result<Self, Failure> {
        if !wish.create_roles {
            return Ok(Self::default());
        }
        let failed = |e: PsqlError| Failure::new(Exit::Failed, e.to_string());
        let maker = Maker::ask(&server.maintenance).map_err(failed)?;
        let existing: BTreeSet<String> = server.roles()?.into_keys().collect();
        let (globals, mut warnings) = globals(backup, archive)?;
        let everything = maker.is_alone_among(&existing);
        let wanted = Wanted { names: named::by(head), existing: &existing, everything };
        let new = NewRoles::of(&globals, &wanted, &maker);
        let shut_out = shut_out(&globals, server)?;
        if new.is_empty() {
            return Ok(Self { shut_out, ..Self::default() });
        }
        if !maker.makes_roles() {
            return Ok(Self { obstacle: Some(no_right(&maker.name)), ..Self::default() });
        }
        let refused = match new.attempt(&server.maintenance) {
            Ok(refused) => refused,
            Err(PsqlError::Refused(words)) => {
                let obstacle =
                    Some((format!("the server refuses to create a role of the backup: {words}"), REFUSED.to_owned()));
                return Ok(Self { obstacle, ..Self::default() });
            }
            Err(error) => return Err(failed(error)),
        };
        warnings.extend(new.notes.iter().cloned());
        warnings.extend(refused.into_iter().map(|refused| format!("not carried over: {refused}")));
        warnings.extend(
            new.roles
                .iter()
                .filter(|role| role.superuser)
                .map(|role| format!("{} is made a superuser, as it was", role.name)),
        );
        Ok(Self { new, warnings, obstacle: None, shut_out })
    }

    /// The server, asked as if the roles were there.
    pub(super) fn as_if_born(&self, server: &Server) -> Server {
        if self.new.is_empty() {
            return server.clone();
        }
        let (psql, maintenance) = (server.psql.as_if(self.new.prelude()), server.maintenance.as_if(self.new.prelude()));
        Server { psql, maintenance, ..server.clone() }
    }

    /// The names of the roles that are made.
    pub(crate) fn names(&self) -> Vec<String> {
        self.new.roles.iter().map(|role| role.name.clone()).collect()
    }

    /// The roles that are made, for the answer.
    pub(crate) fn created(&self) -> Vec<CreatedRole> {
        let created = |role: &postgres::database::new_roles::NewRole| CreatedRole {
            name: role.name.clone(),
            waits_for_password: role.waits_for_password,
        };
        self.new.roles.iter().map(created).collect()
    }
}

fn shut_out(globals: &Globals, server: &Server) -> Result<Vec<String>, Failure> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
    }
    let select = "SELECT rolname AS name FROM pg_catalog.pg_roles WHERE NOT rolcanlogin ORDER BY rolname";
    let there: Vec<Named> = server.maintenance.rows(select).map_err(|e| Failure::new(Exit::Failed, e.to_string()))?;
    let could = |role: &Named| globals.roles.get(&role.name).is_some_and(|role| role.logs_in);
    Ok(there.into_iter().filter(could).map(|role| role.name).collect())
}

const REFUSED: &str = "create that role by hand, or leave --create-roles out";

fn no_right(role: &str) -> (String, String) {
    let statement = format!("ALTER ROLE {} CREATEROLE", postgres::quote::identifier(role));
    (
        format!("the role {role} may not create roles"),
        format!("restore as a superuser, or as one: {statement}; without --create-roles what needs them is left out"),
    )
}

/// What the backup's server said of its roles; nothing, and a warning, where that was not stored.
fn globals(backup: &Backup, archive: &Archive) -> Result<(Globals, Vec<String>), Failure> {
    let named = backup.manifest.as_ref().and_then(|manifest| manifest.globals.as_ref());
    let sql = named.map(|named| stored::read(named, archive)).transpose()?.flatten();
    Ok(match sql {
        Some(sql) => (Globals::read(&sql), Vec::new()),
        None => (Globals::default(), vec![NAMES_ALONE.to_owned()]),
    })
}

const NAMES_ALONE: &str = "roles are made from their names alone, without attributes, memberships and settings: no roles were stored with this backup";
