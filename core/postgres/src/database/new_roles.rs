//! Roles that a server lacks: as statements of ours, tried in a transaction that is taken back, and then made in one that isn't.

mod maker;
mod naming;
mod wanted;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Deserialize;

pub use self::maker::Maker;
pub use self::naming::can_be_made;
pub use self::wanted::Wanted;
use self::wanted::with_their_own;
use crate::quote::{identifier, literal, setting_name};
use crate::words::globals::{GlobalRole, Globals, Membership, ParameterPrivilege};
use crate::{Psql, PsqlError, Secret};

/// What is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRoles {
    /// The roles.
    pub roles: Vec<NewRole>,
    /// What is not made as it was, and why. A line each.
    pub notes: Vec<String>,
    creations: Vec<Secret>,
    additions: Vec<Addition>,
    /// What takes back what would hold a role.
    revocations: Vec<String>,
}

/// A role that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRole {
    /// Its name.
    pub name: String,
    /// It could log in, and can't before somebody gives it a password. Of one that is made from its name alone that isn't known.
    pub waits_for_password: bool,
    /// It may do anything on the server.
    pub superuser: bool,
}

/// What belongs to a role, and is no reason not to make it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Addition {
    statement: String,
    /// Where the server refuses that.
    otherwise: Option<String>,
}

/// How often it is asked what became of a transaction.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// The line before the server's words about an addition that it refused.
const REFUSED: &str = "lastgood: refused ";

impl NewRoles {
    /// What makes the roles that are wanted and not there, as the globals say.
    #[must_use]
    pub fn of(globals: &Globals, wanted: &Wanted<'_>, maker: &Maker) -> Self {
        let names = with_their_own(globals, wanted);
        let mut new = Self::default();
        for name in &names {
            new.create(name, globals.roles.get(name), maker);
        }
        if !maker.superuser {
            let options = if maker.sixteen() { " WITH INHERIT TRUE, SET TRUE" } else { "" };
            for name in &names {
                new.add(format!("GRANT {} TO CURRENT_USER{options}", identifier(name)), None);
            }
        }
        for membership in &globals.memberships {
            new.join(membership, (&names, wanted), maker);
        }
        for (name, role) in names.iter().filter_map(|name| Some((name, globals.roles.get(name)?))) {
            new.describe(name, role);
        }
        for privilege in &globals.parameters {
            new.grant(privilege, &names, wanted.everything);
        }
        if wanted.everything {
            new.set_for_all(globals, maker);
        }
        if globals.unknown > 0 {
            new.notes.push(format!(
                "{} of the backup's roles were left out: not written as pg_dumpall writes them",
                if globals.unknown == 1 { "1 statement".to_owned() } else { format!("{} statements", globals.unknown) }
            ));
        }
        new
    }

    /// Whether there is nothing to make.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty()
    }

    fn create(&mut self, name: &str, role: Option<&GlobalRole>, maker: &Maker) {
        let mut statement = format!("CREATE ROLE {} WITH", identifier(name));
        let plain = GlobalRole::default();
        let known = role.unwrap_or(&plain);
        let refused: Vec<&str> =
            known.attributes.iter().copied().filter(|attribute| !maker.may_give(attribute)).collect();
        if !refused.is_empty() {
            self.notes.push(format!(
                "{name} is made without {}, which {} may not give",
                refused.join(", "),
                maker.name
            ));
        }
        for attribute in known.attributes.iter().filter(|attribute| !refused.contains(*attribute)) {
            // Writing into a String cannot fail. What is so anyway takes a right to say.
            let _ = if is_usual(attribute) { Ok(()) } else { write!(statement, " {attribute}") };
        }
        let _ = known.connection_limit.map_or(Ok(()), |limit| write!(statement, " CONNECTION LIMIT {limit}"));
        let logs_in = known.logs_in && known.password.is_some();
        let _ = write!(statement, "{}", if logs_in { " LOGIN" } else { " NOLOGIN" });
        if let Some(password) = &known.password {
            let _ = write!(statement, " PASSWORD {}", literal(password.expose()));
        }
        let until = known.valid_until.as_ref();
        let _ = until.map_or(Ok(()), |until| write!(statement, " VALID UNTIL {}", literal(until)));
        self.creations.push(Secret::new(statement));
        self.roles.push(NewRole {
            name: name.to_owned(),
            waits_for_password: role.is_none_or(|role| role.logs_in && role.password.is_none()),
            superuser: known.attributes.contains("SUPERUSER") && !refused.contains(&"SUPERUSER"),
        });
    }

    fn set_for_all(&mut self, globals: &Globals, maker: &Maker) {
        for set in &globals.of_all {
            let statement = format!("ALTER ROLE ALL {set}");
            if maker.superuser {
                self.add(statement, None);
            } else {
                self.notes
                    .push(format!("not carried over: {statement}: it takes a superuser, which {} is not", maker.name));
            }
        }
    }

    fn add(&mut self, statement: String, otherwise: Option<String>) {
        self.additions.push(Addition { statement, otherwise });
    }

    /// A membership of a role that is made. Who is there already gets nothing new.
    fn join(&mut self, membership: &Membership, (names, wanted): (&BTreeSet<String>, &Wanted<'_>), maker: &Maker) {
        let Membership { role, member, admin, inherit, set, grantor } = membership;
        if !names.contains(member) {
            if names.contains(role) {
                self.notes.push(format!("{member} is there already, and is not made a member of {role}"));
            }
            return;
        }
        if !names.contains(role) && !wanted.existing.contains(role) {
            self.notes.push(format!("{member} is not made a member of {role}, which this server lacks"));
            return;
        }
        let mut options: Vec<String> = Vec::new();
        if *admin {
            options.push("ADMIN OPTION".to_owned());
        }
        let later = [("INHERIT", inherit), ("SET", set)];
        if maker.sixteen() {
            let said = later.iter().filter_map(|(name, value)| Some((name, (**value)?)));
            options.extend(said.map(|(name, value)| format!("{name} {}", if value { "TRUE" } else { "FALSE" })));
        } else if later.iter().any(|(_, value)| **value == Some(false)) {
            self.notes.push(format!("{member} is a full member of {role}: this server knows no INHERIT or SET option"));
        }
        let with = if options.is_empty() { String::new() } else { format!(" WITH {}", options.join(", ")) };
        let plain = format!("GRANT {} TO {}{with}", identifier(role), identifier(member));
        let is_there = |name: &&String| names.contains(*name) || wanted.existing.contains(*name);
        match grantor.as_ref().filter(is_there) {
            Some(grantor) => self.add(format!("{plain} GRANTED BY {}", identifier(grantor)), Some(plain)),
            None => self.add(plain, None),
        }
    }

    fn describe(&mut self, name: &str, role: &GlobalRole) {
        let name = identifier(name);
        role.settings.iter().for_each(|set| self.add(format!("ALTER ROLE {name} {set}"), None));
        if let Some(comment) = &role.comment {
            self.add(format!("COMMENT ON ROLE {name} IS {}", literal(comment)), None);
        }
        for (provider, label) in &role.labels {
            let (provider, label) = (identifier(provider), literal(label));
            self.add(format!("SECURITY LABEL FOR {provider} ON ROLE {name} IS {label}"), None);
        }
    }

    fn grant(&mut self, privilege: &ParameterPrivilege, names: &BTreeSet<String>, everything: bool) {
        let grantee = match &privilege.grantee {
            Some(name) if names.contains(name) => identifier(name),
            None if everything => "PUBLIC".to_owned(),
            _ => return,
        };
        let option = if privilege.grantable { " WITH GRANT OPTION" } else { "" };
        let (what, parameter) = (privilege.privileges.join(", "), setting_name(&privilege.parameter));
        self.add(format!("GRANT {what} ON PARAMETER {parameter} TO {grantee}{option}"), None);
        self.revocations.push(format!("REVOKE ALL ON PARAMETER {parameter} FROM {grantee}"));
    }

    /// psql's input that makes them within a transaction, whatever of their additions is refused, and prints nothing: for questions
    /// about what would be so then.
    #[must_use]
    pub fn prelude(&self) -> Secret {
        let creations: String = self.creations.iter().map(|creation| format!("{};\n", creation.expose())).collect();
        let tolerant = "\\set ON_ERROR_STOP 0\n\\set ON_ERROR_ROLLBACK on\n";
        let additions: String = self.additions.iter().map(Addition::script).collect();
        Secret::new(format!("{creations}{tolerant}{additions}\\set ON_ERROR_STOP 1\n\\set ON_ERROR_ROLLBACK off\n"))
    }

    fn script(&self, end: &str) -> Secret {
        let creations: String = self.creations.iter().map(|creation| format!("{};\n", creation.expose())).collect();
        let additions: String = self
            .additions
            .iter()
            .enumerate()
            .map(|(at, addition)| {
                let told = format!("\\if :ERROR\n\\echo '{REFUSED}'{at}\n\\echo :LAST_ERROR_MESSAGE\n\\endif\n");
                addition.script() + &told
            })
            .collect();
        let tolerant = "\\set ON_ERROR_STOP 0\n\\set ON_ERROR_ROLLBACK on\n";
        Secret::new(format!("BEGIN;\n{creations}{tolerant}{additions}\\set ON_ERROR_STOP 1\n{end};\n"))
    }

    /// Tries all of it, and takes it back: what of it the server refuses, a line each.
    ///
    /// # Errors
    /// [`PsqlError::Refused`] when one of the roles can't be made.
    pub fn attempt(&self, psql: &Psql) -> Result<Vec<String>, PsqlError> {
        self.run(psql, "ROLLBACK")
    }

    /// Makes them: all, or none. Whether they were made where the connection broke at the end is asked over another one.
    ///
    /// # Errors
    /// [`PsqlError`]; none is there then, unless the server could not be asked any more.
    pub fn make(&self, psql: &Psql) -> Result<Vec<String>, PsqlError> {
        let session = psql.kept();
        let answer = session.statement(self.script("SELECT txid_current()").expose())?;
        let transaction = answer.lines().last().and_then(|line| line.parse::<u64>().ok());
        let refused = self.refused(&answer);
        match session.statement("COMMIT;\n") {
            Err(error) if !matches!(error, PsqlError::Refused(_)) => {
                drop(session);
                match transaction {
                    Some(transaction) if was_committed(psql, transaction) => Ok(refused),
                    _ => Err(error),
                }
            }
            ended => ended.map(|_| refused),
        }
    }

    fn run(&self, psql: &Psql, end: &str) -> Result<Vec<String>, PsqlError> {
        Ok(self.refused(&psql.script(self.script(end).expose())?))
    }

    /// What the server said of the additions that it refused.
    fn refused(&self, answer: &str) -> Vec<String> {
        let mut lines = answer.lines();
        let mut refused = Vec::new();
        while let Some(line) = lines.next() {
            let addition = line.strip_prefix(REFUSED).and_then(|at| self.additions.get(at.parse::<usize>().ok()?));
            if let Some(addition) = addition {
                refused.push(format!("{}: {}", addition.statement, lines.next().unwrap_or_default()));
            }
        }
        refused
    }

    /// Takes them away again, with what was granted to them: what couldn't go, a line each.
    #[must_use]
    pub fn take_back(&self, psql: &Psql) -> Vec<String> {
        let psql = psql.unstopped();
        for revocation in &self.revocations {
            // What wasn't granted needs no revoking.
            drop(psql.script(&format!("{revocation};\n")));
        }
        let names: Vec<String> = self.roles.iter().map(|role| identifier(&role.name)).collect();
        // All at once: one may have granted another one to a third.
        if psql.script(&format!("DROP ROLE {};\n", names.join(", "))).is_ok() {
            return Vec::new();
        }
        let refused = |name: String| Some(format!("{name}: {}", psql.script(&format!("DROP ROLE {name};\n")).err()?));
        names.into_iter().filter_map(refused).collect()
    }
}

/// Whether a transaction whose end was not answered was committed. The server may take a moment to see that its client is gone.
fn was_committed(psql: &Psql, transaction: u64) -> bool {
    #[derive(Deserialize)]
    struct Row {
        status: Option<String>,
    }
    let select = format!("SELECT txid_status({transaction}) AS status");
    for _ in 0..TRIES {
        match psql.row::<Row>(&select) {
            Ok(Some(Row { status: Some(status) })) if status != "in progress" => return status == "committed",
            Ok(_) => {}
            Err(error) => tracing::debug!("{error}"),
        }
        std::thread::sleep(PAUSE);
    }
    false
}

/// Every new role is so.
fn is_usual(attribute: &str) -> bool {
    attribute == "INHERIT" || (attribute.starts_with("NO") && attribute != "NOINHERIT")
}

impl Addition {
    fn script(&self) -> String {
        let otherwise = self.otherwise.as_ref();
        let otherwise = otherwise.map_or(String::new(), |other| format!("\\if :ERROR\n{other};\n\\endif\n"));
        format!("{};\n{otherwise}", self.statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOBALS: &str = "CREATE ROLE app; ALTER ROLE app WITH NOSUPERUSER INHERIT NOCREATEROLE CREATEDB LOGIN NOREPLICATION NOBYPASSRLS;
        CREATE ROLE boss; ALTER ROLE boss WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS PASSWORD 'SCRAM';
        CREATE ROLE team; CREATE ROLE alice; CREATE ROLE stranger; CREATE ROLE old;
        ALTER ROLE app SET work_mem TO '7MB'; COMMENT ON ROLE app IS 'it''s';
        GRANT team TO app WITH INHERIT FALSE GRANTED BY boss; GRANT app TO alice GRANTED BY gone; GRANT app TO old;
        GRANT pg_monitor TO stranger; GRANT pg_maintain TO app; GRANT SET ON PARAMETER log_statement TO app;";

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn maker(superuser: bool, version: u32) -> Maker {
        Maker {
            name: "me".to_owned(),
            superuser,
            creates_roles: true,
            creates_databases: true,
            version,
            first: "postgres".to_owned(),
            ..Maker::default()
        }
    }

    fn made(wanted: &[&str], everything: bool, maker: &Maker) -> (String, Vec<String>) {
        let existing = names(&["postgres", "old", "pg_monitor", "me"]);
        let wanted = Wanted { names: names(wanted), existing: &existing, everything };
        let new = NewRoles::of(&Globals::read(GLOBALS), &wanted, maker);
        (new.script("COMMIT").expose().to_owned(), new.notes)
    }

    #[test]
    fn a_role_comes_with_what_it_is_a_member_of_and_with_its_members() {
        let (script, notes) = made(&["app"], false, &maker(true, 150_000));
        for statement in [
            "CREATE ROLE \"app\" WITH CREATEDB NOLOGIN;",
            "CREATE ROLE \"alice\" WITH NOLOGIN;",
            "CREATE ROLE \"team\" WITH NOLOGIN;",
            "GRANT \"team\" TO \"app\";",
            "GRANT \"app\" TO \"alice\";",
            "ALTER ROLE \"app\" SET \"work_mem\" TO '7MB';",
            "COMMENT ON ROLE \"app\" IS 'it''s';",
            "GRANT SET ON PARAMETER \"log_statement\" TO \"app\";",
        ] {
            assert!(script.contains(statement), "{statement} in {script}");
        }
        assert!(
            !script.contains("stranger") && !script.contains("boss") && !script.contains("CURRENT_USER"),
            "{script}"
        );
        assert_eq!(
            notes,
            [
                "app is a full member of team: this server knows no INHERIT or SET option",
                "old is there already, and is not made a member of app",
                "app is not made a member of pg_maintain, which this server lacks",
            ]
        );
    }

    #[test]
    fn a_server_without_roles_gets_all_and_a_password_lets_in() {
        let (script, _) = made(&["app"], true, &maker(true, 180_000));
        for statement in [
            "CREATE ROLE \"boss\" WITH BYPASSRLS CREATEDB CREATEROLE REPLICATION SUPERUSER LOGIN PASSWORD 'SCRAM';",
            "GRANT \"team\" TO \"app\" WITH INHERIT FALSE GRANTED BY \"boss\";\n\\if :ERROR\nGRANT \"team\" TO \"app\" WITH INHERIT FALSE;",
            "GRANT \"pg_monitor\" TO \"stranger\";",
        ] {
            assert!(script.contains(statement), "{statement} in {script}");
        }
    }

    #[test]
    fn who_is_no_superuser_gives_what_it_has_and_says_the_rest() {
        let (script, notes) = made(&["boss", "missing"], false, &maker(false, 160_000));
        assert!(script.contains("CREATE ROLE \"boss\" WITH CREATEDB CREATEROLE LOGIN PASSWORD 'SCRAM';"), "{script}");
        assert!(script.contains("GRANT \"boss\" TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;"), "{script}");
        assert!(script.contains("CREATE ROLE \"missing\" WITH NOLOGIN;"), "a name alone is enough: {script}");
        assert_eq!(notes, ["boss is made without BYPASSRLS, REPLICATION, SUPERUSER, which me may not give"]);
    }

    #[test]
    fn what_no_role_can_be_called_is_left_alone() {
        let existing = BTreeSet::new();
        let wanted =
            Wanted { names: names(&["pg_new", "public", "none", "b\u{FFFD}"]), existing: &existing, everything: false };
        assert!(NewRoles::of(&Globals::default(), &wanted, &maker(true, 180_000)).is_empty());
    }
}
