//! SQL that takes rows out of a database that nobody else works in, in one transaction, which is looked at from outside before it is
//! committed: the rows that leave are those that others still see and that it has touched, and the rows that come are those that it has
//! touched and that are seen afterwards. So it is known to the row what the SQL did, whatever it called.
//!
//! The SQL is a text that the server executes (`DO`, `EXECUTE`), because psql obeys its own commands: neither `\! command` nor COMMIT nor
//! `COPY … FROM STDIN` is anything but an error there. What the server says of it is shown by its SQLSTATE: a message may tell a value.

use serde::Deserialize;

use crate::programs::program::ProgramError;
use crate::programs::session::{Session, SessionError};
use crate::psql::PsqlError;
use crate::quote::{identifier, literal};
use crate::{Psql, Secret};

/// How a line begins that tells of an error.
const FAILED: &str = "lastgood: failed ";
/// SQLSTATEs whose messages name tables and constraints. A trigger may say anything under them: no more is told of them than the quoted
/// words, which are shown where they are names of the archive.
const PLAIN: [&str; 5] = ["23502", "23503", "23505", "23514", "23P01"];
/// What our own block raises where rows are still there that it has deleted.
const KEPT: &str = "LG001";

/// SQL to be executed.
#[derive(Clone, Debug)]
pub enum Statements {
    /// The user's own: it may name anything anywhere.
    Own(Secret),
    /// A statement of ours, and the question how many of its rows are there; values stand in their literals alone.
    Ours {
        /// Deletes them.
        delete: Secret,
        /// Counts them.
        count: Secret,
    },
}

/// A transaction that has executed the SQL and isn't committed.
pub struct Erasing {
    session: Session,
    /// Its number, without the epoch.
    transaction: u32,
    /// Whether definitions, whole tables or large objects may have changed.
    changes_more: bool,
}

/// A table that the transaction has written to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Touched {
    oid: u32,
    /// Its schema, as the archive spells it.
    pub schema: String,
    /// Its name, as the archive spells it.
    pub name: String,
    /// Its columns in the order in which pg_dump writes them, as the archive spells them.
    pub columns: Vec<String>,
}

/// Which rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Those that leave, seen by others while the transaction is open.
    Leaving,
    /// Those that it has touched and that are there when it is committed.
    Coming,
}

/// Why the SQL changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ErasingError {
    /// The server refused it.
    #[error("the server refuses it with PostgreSQL's error {state}")]
    Refused {
        /// Its SQLSTATE.
        state: String,
        /// What stood in quotes in its message, where it is one that names tables and constraints. It may be a value all the same.
        quoted: Vec<String>,
    },
    /// Roles are the whole server's.
    #[error("the SQL makes or changes roles or tablespaces, which no backup of one database holds")]
    Roles,
    /// What was deleted is still there.
    #[error(
        "rows that match are still there after they were deleted: a trigger or a rule of the table keeps or changes them"
    )]
    Kept,
    /// psql, or the server through it, can't be asked.
    #[error(transparent)]
    Psql(#[from] PsqlError),
    /// psql failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The connection ended.
    #[error("the server ended the connection while the SQL was executed")]
    Ended,
    /// An answer that isn't what was asked for.
    #[error("cannot read what the SQL changed: {0}")]
    Answer(String),
}

/// What a column of a row that goes must have.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// This value, as the column's type reads it.
    Value(Secret),
    /// NULL.
    Null,
    /// Anything but NULL.
    NotNull,
}

/// `DELETE` of the rows whose columns have all of this.
#[must_use]
pub fn deletion(schema: &str, table: &str, conditions: &[(String, Wanted)]) -> Statements {
    let condition = |(column, wanted): &(String, Wanted)| match wanted {
        Wanted::Value(value) => format!("{} = {}", identifier(column), literal(value.expose())),
        Wanted::Null => format!("{} IS NULL", identifier(column)),
        Wanted::NotNull => format!("{} IS NOT NULL", identifier(column)),
    };
    let all: Vec<String> = conditions.iter().map(condition).collect();
    let rows = format!("{}.{} WHERE {}", identifier(schema), identifier(table), all.join(" AND "));
    Statements::Ours {
        delete: Secret::new(format!("DELETE FROM {rows}")),
        count: Secret::new(format!("SELECT pg_catalog.count(*) FROM {rows}")),
    }
}

impl Erasing {
    /// Executes the SQL as an application would, with the session's settings reset, and all its constraints checked. `encoding` is the
    /// archive's character set, in which names come back. Answers with the tables that were written to.
    ///
    /// # Errors
    /// [`ErasingError`]; nothing is changed then.
    pub fn begin(psql: &Psql, encoding: &str, statements: &Statements) -> Result<(Self, Vec<Touched>), ErasingError> {
        let psql = psql.with(&[("PGCLIENTENCODING", Secret::new("UTF8"))]);
        let mut session = Session::start_silently(&psql)?;
        let asked = session.ask(&script(statements, encoding));
        let answer = match asked {
            Ok(answer) => answer,
            Err(SessionError::Ended) => return Err(ended(session)),
            Err(SessionError::Program(error)) => return Err(error.into()),
        };
        if let Some((_, failed)) = answer.split_once(FAILED.trim_end()) {
            session.abandon();
            return Err(refused(failed.trim()));
        }
        let mut lines = answer.lines().filter(|line| !line.is_empty());
        let odd = |error: &dyn std::fmt::Display| ErasingError::Answer(error.to_string());
        let number = lines.next().unwrap_or_default().trim();
        let transaction = number.parse().map_err(|e| odd(&e))?;
        let mut is_true = || lines.next().is_some_and(|line| line.trim() == "t");
        let (changes_more, changes_roles) = (is_true(), is_true());
        let touched: Result<Vec<Touched>, _> = lines.map(serde_json::from_str).collect();
        if changes_roles {
            session.abandon();
            return Err(ErasingError::Roles);
        }
        Ok((Self { session, transaction, changes_more }, touched.map_err(|e| odd(&e))?))
    }

    /// Whether something may have changed that no row of a table tells of: TRUNCATE, definitions, large objects; temporary tables as well.
    #[must_use]
    pub fn changes_more(&self) -> bool {
        self.changes_more
    }

    /// The question for rows of a table, which [`Psql::pour`] answers as pg_dump writes them, in the archive's character set.
    #[must_use]
    pub fn question(&self, table: &Touched, rows: Rows, encoding: &str) -> String {
        let age = |of: &str| format!("pg_catalog.age({of}) <= pg_catalog.age('{}'::pg_catalog.xid)", self.transaction);
        let left = format!("xmax::pg_catalog.text <> '0' AND {}", age("xmax"));
        let condition = match rows {
            Rows::Leaving => left,
            Rows::Coming => format!("{} OR {left}", age("xmin")),
        };
        // As pg_dump sets them. The names never pass through us. Whoever holds the whole table is not waited for.
        format!(
            "SET client_encoding = {};\nSET datestyle = ISO;\nSET intervalstyle = postgres;\nSET extra_float_digits = 3;\n\
             SET synchronize_seqscans = off;\nSET row_security = off;\nSET lock_timeout = '10s';\nSET search_path = '';\n\
             SELECT pg_catalog.format('COPY (SELECT %s FROM ONLY %I.%I WHERE ' || {} || ') TO STDOUT',
                (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), n.nspname, c.relname)
                FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = {} \\gexec\n",
            literal(encoding),
            literal(&condition.replace('%', "%%")),
            table.oid
        )
    }

    /// Commits.
    ///
    /// # Errors
    /// [`ErasingError`], also when a constraint refuses it only now.
    pub fn commit(self) -> Result<Committed, ErasingError> {
        let Self { mut session, transaction, changes_more } = self;
        let answer = session.ask(&format!("COMMIT;\n{}", reported()));
        match answer {
            Ok(answer) if answer.trim().is_empty() => {}
            Ok(answer) => {
                let failed = answer.split_once(FAILED.trim_end()).map_or("", |(_, failed)| failed);
                session.abandon();
                return Err(refused(failed.trim()));
            }
            Err(SessionError::Ended) => return Err(ended(session)),
            Err(SessionError::Program(error)) => return Err(error.into()),
        }
        Ok(Committed(Self { session, transaction, changes_more }))
    }
}

/// A transaction that is committed.
pub struct Committed(Erasing);

impl Committed {
    /// As [`Erasing::question`], of the rows that are there now.
    #[must_use]
    pub fn question(&self, table: &Touched, encoding: &str) -> String {
        self.0.question(table, Rows::Coming, encoding)
    }

    /// Ends the session.
    pub fn end(self) {
        self.0.session.abandon();
    }
}

/// psql's own words are not for anybody's eyes.
fn ended(session: Session) -> ErasingError {
    match session.why() {
        Err(ProgramError::Interrupted(signal)) => ProgramError::Interrupted(signal).into(),
        _ => ErasingError::Ended,
    }
}

fn reported() -> String {
    format!("\\if :ERROR\n\\echo '{FAILED}' :SQLSTATE :LAST_ERROR_MESSAGE\n\\endif\n")
}

fn script(statements: &Statements, encoding: &str) -> String {
    let block = match statements {
        Statements::Own(sql) => format!("BEGIN EXECUTE {}; END", literal(sql.expose())),
        Statements::Ours { delete, count } => format!(
            "DECLARE n int8; BEGIN EXECUTE {}; EXECUTE {} INTO n;
                IF n > 0 THEN RAISE EXCEPTION USING ERRCODE = '{KEPT}'; END IF; END",
            literal(delete.expose()),
            literal(count.expose())
        ),
    };
    let touched = "SELECT pg_catalog.row_to_json(t) FROM (SELECT c.oid::pg_catalog.int8 AS oid, n.nspname AS schema, c.relname AS name,
            COALESCE((SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), '[]') AS columns
        FROM pg_catalog.pg_stat_xact_user_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0 AND c.relkind = 'r' AND c.relpersistence <> 't' ORDER BY c.oid) t;\n";
    // RESET ALL: as the database, the role and the server have it, and not as a session of ours. Each step only where the one before
    // didn't fail.
    let differ = |a: &str, b: &str| {
        format!("SELECT pg_catalog.current_setting('lastgood.{a}') <> pg_catalog.current_setting('lastgood.{b}');\n")
    };
    let steps = [
        format!("SET track_counts = on;\n{}", catalogs("before")),
        format!("DO LANGUAGE plpgsql {};\n", literal(&block)),
        "SET CONSTRAINTS ALL IMMEDIATE;\n".to_owned(),
        catalogs("after"),
        format!(
            "SET client_encoding = {};\n{}{}{touched}",
            literal(encoding),
            differ("before", "after"),
            differ("roles_before", "roles_after"),
        ),
    ];
    let chain = steps.iter().rev().fold(String::new(), |next, step| {
        format!("{step}\\if :ERROR\n\\echo '{FAILED}' :SQLSTATE :LAST_ERROR_MESSAGE\n\\else\n{next}\\endif\n")
    });
    format!(
        "\\set ON_ERROR_STOP 0\n\\set VERBOSITY sqlstate\nRESET ALL;\nSET client_min_messages = error;\n\
         SELECT pg_catalog.set_config(n, '0', false) FROM pg_catalog.unnest(ARRAY['statement_timeout', 'transaction_timeout',
            'lock_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout']) n
            WHERE pg_catalog.current_setting(n, true) IS NOT NULL \\g /dev/null\n\
         SET default_transaction_read_only = off;\nBEGIN;\n\
         SELECT pg_catalog.txid_current() % 4294967296;\n{chain}"
    )
}

/// Notes how many rows the catalogs have, and how many of them this transaction has written: TRUNCATE and every definition write there. Those
/// of what the whole server has are noted by themselves as well.
fn catalogs(moment: &str) -> String {
    let block = format!(
        "DECLARE c name; n text; counts text := ''; roles text := ''; BEGIN
            FOR c IN SELECT r.relname FROM pg_catalog.pg_class r WHERE r.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND r.relkind = 'r'
                AND r.relname NOT LIKE 'pg\\_statistic%' ORDER BY 1 LOOP
                EXECUTE pg_catalog.format('SELECT pg_catalog.concat(pg_catalog.count(*), ''/'', pg_catalog.count(*) FILTER (WHERE
                    pg_catalog.age(xmin) <= pg_catalog.age((pg_catalog.txid_current() %% 4294967296)::pg_catalog.text::pg_catalog.xid))) FROM pg_catalog.%I', c) INTO n;
                counts := counts || n || ' ';
                IF c IN ('pg_authid', 'pg_auth_members', 'pg_db_role_setting', 'pg_tablespace') THEN roles := roles || n || ' '; END IF;
            END LOOP;
            PERFORM pg_catalog.set_config('lastgood.{moment}', counts, false), pg_catalog.set_config('lastgood.roles_{moment}', roles, false); END"
    );
    format!("DO LANGUAGE plpgsql {};\n", literal(&block))
}

/// An error without any value.
fn refused(failed: &str) -> ErasingError {
    let (state, message) = failed.split_once(' ').unwrap_or((failed, ""));
    if state == KEPT {
        return ErasingError::Kept;
    }
    let quoted = message.split('"').skip(1).step_by(2).filter(|_| PLAIN.contains(&state)).map(str::to_owned);
    ErasingError::Refused { state: state.to_owned(), quoted: quoted.collect() }
}

/// Takes from every foreign-data wrapper the means to reach its servers: they belong to others, and hold no backup's rows. Answers with the SQL
/// that gives them back.
#[must_use]
pub fn unreach() -> String {
    let each = |what: &str| {
        format!(
            "SELECT pg_catalog.format('ALTER FOREIGN DATA WRAPPER %I {what}', fdwname, fdwhandler::pg_catalog.regproc)
            FROM pg_catalog.pg_foreign_data_wrapper WHERE fdwhandler <> 0"
        )
    };
    format!(
        "SET search_path = '';\nSET client_min_messages = error;\n\\t on\n\\pset format unaligned\n{};\n{} \\gexec\n",
        each("HANDLER %s;"),
        each("NO HANDLER")
    )
}

/// The question for foreign keys that rows break which the SQL has left: it may have switched their triggers off. Answered with a name a line.
#[must_use]
pub fn broken_keys(touched: &[Touched]) -> String {
    let oids: Vec<String> = touched.iter().map(|table| table.oid.to_string()).collect();
    let pairs = "(SELECT pg_catalog.string_agg(pg_catalog.format('p.%I OPERATOR(%I.%s) c.%I', pa.attname, n.nspname, o.oprname, ca.attname), ' AND ')
            FROM unnest(k.conkey, k.confkey, k.conpfeqop) AS u (child, parent, equal)
                JOIN pg_catalog.pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = u.child
                JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = u.parent
                JOIN pg_catalog.pg_operator o ON o.oid = u.equal JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace)";
    let filled = "(SELECT pg_catalog.string_agg(pg_catalog.format('c.%I IS NOT NULL', ca.attname), ' AND ')
            FROM pg_catalog.unnest(k.conkey) AS u (child) JOIN pg_catalog.pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = u.child)";
    let only = |relation: &str| {
        format!("(SELECT CASE WHEN r.relkind = 'r' THEN 'ONLY ' ELSE '' END || pg_catalog.format('%I.%I', n.nspname, r.relname)
            FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace WHERE r.oid = k.{relation})")
    };
    format!(
        "SET search_path = '';\nSET row_security = off;\nSET statement_timeout = 0;\n\\t on\n\\pset format unaligned\n
         WITH RECURSIVE changed AS (SELECT o AS oid FROM pg_catalog.unnest('{{{}}}'::pg_catalog.oid[]) AS o
            UNION SELECT i.inhparent FROM changed JOIN pg_catalog.pg_inherits i ON i.inhrelid = changed.oid)
         SELECT pg_catalog.format('SELECT %L WHERE EXISTS (SELECT FROM %s AS c WHERE %s AND NOT EXISTS (SELECT FROM %s AS p WHERE %s))',
            k.conname, {}, {filled}, {}, {pairs})
         FROM pg_catalog.pg_constraint k WHERE k.contype = 'f' AND k.convalidated AND k.conparentid = 0
            AND (k.conrelid IN (SELECT oid FROM changed) OR k.confrelid IN (SELECT oid FROM changed)) \\gexec\n",
        oids.join(","),
        only("conrelid"),
        only("confrelid")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_quotes_names_and_values_whatever_is_in_them() {
        let value = |text: &str| Wanted::Value(Secret::new(text));
        let conditions = [("e\"mail".to_owned(), value("o'neil\\@x")), ("n".to_owned(), value("1; DROP TABLE t"))];
        let Statements::Ours { delete, count } = deletion("my app", "us\"ers", &conditions) else { unreachable!() };
        let rows = r#"FROM "my app"."us""ers" WHERE "e""mail" =  E'o''neil\\@x' AND "n" = '1; DROP TABLE t'"#;
        assert_eq!(delete.expose(), format!("DELETE {rows}"));
        assert_eq!(count.expose(), format!("SELECT pg_catalog.count(*) {rows}"));
        let nulls = [("a".to_owned(), Wanted::Null), ("b".to_owned(), Wanted::NotNull)];
        let Statements::Ours { delete, .. } = deletion("s", "t", &nulls) else { unreachable!() };
        assert_eq!(delete.expose(), r#"DELETE FROM "s"."t" WHERE "a" IS NULL AND "b" IS NOT NULL"#);
    }

    #[test]
    fn the_sql_reaches_psql_as_a_text_alone() {
        let script = script(&Statements::Own(Secret::new("DELETE FROM t;\n\\! touch x\nCOMMIT; SELECT :'v'")), "UTF8");
        assert!(script.contains("DO LANGUAGE plpgsql  E'BEGIN EXECUTE "), "{script}");
    }

    #[test]
    fn an_error_tells_no_value() {
        for failed in ["22P02 invalid input syntax for type integer: \"ada\"", "42703 column \"ada\" does not exist"] {
            let error = refused(failed);
            assert!(
                !error.to_string().contains("ada")
                    && matches!(&error, ErasingError::Refused { quoted, .. } if quoted.is_empty())
            );
        }
        let constraint =
            "23503 update or delete on table \"users\" violates foreign key constraint \"x\" on table \"orders\"";
        let ErasingError::Refused { state, quoted } = refused(constraint) else { unreachable!() };
        assert_eq!((state.as_str(), quoted.join(" ").as_str()), ("23503", "users x orders"));
        assert_eq!(refused("LG001 ").to_string(), ErasingError::Kept.to_string());
    }
}
