//! CHECK constraints that are taken away while rows come in, and put back afterwards: as they were where the rows let them, else `NOT VALID`.
//!
//! pg_dump writes them into the definition of their table or domain, and so they look at each row that comes in. One that asks the time, a
//! setting or another table may refuse rows that it took once.

use serde::Deserialize;

use crate::quote::{identifier, literal};
use crate::{Psql, PsqlError};

/// The CHECK constraints of tables and domains that the role may change and no extension brought.
const CHECKS: &str = "FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
    LEFT JOIN pg_class t ON t.oid = c.conrelid LEFT JOIN pg_type d ON d.oid = c.contypid
    CROSS JOIN LATERAL (SELECT CASE WHEN t.oid IS NULL THEN 'DOMAIN' ELSE 'TABLE' END, coalesce(t.relname, d.typname)) AS o (kind, name)
    WHERE c.contype = 'c' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND (t.relkind IN ('r', 'p') OR d.typtype = 'd')
        AND pg_has_role(coalesce(t.relowner, d.typowner), 'USAGE') AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e'
            AND (e.classid = 'pg_class'::regclass AND e.objid = c.conrelid OR e.classid = 'pg_type'::regclass AND e.objid = c.contypid))";
/// A domain that is used within other types: PostgreSQL adds a CHECK to such a one as `NOT VALID` alone.
const WITHIN_TYPES: &str = "(EXISTS (SELECT FROM pg_type o WHERE o.typbasetype = d.oid) OR EXISTS (SELECT FROM pg_range r WHERE r.rngsubtype = d.oid)
    OR EXISTS (SELECT FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
        WHERE a.atttypid = d.typarray AND d.typarray <> 0 OR a.atttypid = d.oid AND r.relkind = 'c'))";

/// SQLSTATE of what is there already.
const DUPLICATE_OBJECT: &str = "42710";

/// A constraint that was taken away.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Check {
    /// `TABLE` or `DOMAIN`.
    kind: String,
    schema: String,
    /// The table's or domain's.
    of: String,
    name: String,
    /// What follows its name in SQL.
    definition: String,
    comment: Option<String>,
}

/// How a constraint came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Back {
    /// As it was.
    Whole,
    /// For new rows alone, because of what the server said.
    NotValid(String),
    /// Not at all, because of what the server said.
    Missing(String),
}

/// Takes away every one that there is, but for those of domains that could not come back as they were and aren't named in `refusal`, by which
/// the server refused rows. What was inherited goes, and comes back, with its parent's.
///
/// # Errors
/// When the server refuses.
pub fn take_away(psql: &Psql, refusal: &str) -> Result<Vec<Check>, PsqlError> {
    // In the database's character set there may be no other letters.
    let refusal = literal(&refusal.chars().filter(char::is_ascii).collect::<String>());
    let checks =
        format!("{CHECKS} AND (t.oid IS NOT NULL OR NOT {WITHIN_TYPES} OR strpos({refusal}, c.conname::text) > 0)");
    // Children first: a parent's can't be added as a valid one where a child's isn't valid.
    let taken = psql.rows(&format!(
        "SELECT o.kind, n.nspname::text AS schema, o.name::text AS of, c.conname::text AS name, pg_get_constraintdef(c.oid) AS definition,
            obj_description(c.oid, 'pg_constraint') AS comment
        {checks} AND (c.conislocal OR d.oid IS NOT NULL) ORDER BY c.coninhcount DESC, c.oid"
    ))?;
    // With a parent's constraint a child's own one of the same name stops being inherited, and can be dropped as well.
    psql.script(&format!(
        "DO $aside$DECLARE drops text; BEGIN
            LOOP
                SELECT string_agg(format('ALTER %s %I.%I DROP CONSTRAINT %I', o.kind, n.nspname, o.name, c.conname), ';') INTO drops
                {checks} AND c.coninhcount = 0;
                EXIT WHEN drops IS NULL;
                EXECUTE drops;
            END LOOP;
        END$aside$;\n"
    ))?;
    Ok(taken)
}

impl Check {
    /// Adds it again.
    ///
    /// # Errors
    /// When the server can't be asked. That it refuses is an answer.
    pub fn put_back(&self, psql: &Psql) -> Result<Back, PsqlError> {
        let Some(why) = psql.attempt(self.added("").as_bytes())? else { return Ok(Back::Whole) };
        if why.code == DUPLICATE_OBJECT {
            // A parent that an extension brought has kept it.
            return Ok(Back::Whole);
        }
        if !why.is_of_content() {
            return Err(PsqlError::Refused(why.words));
        }
        match psql.attempt(self.added(" NOT VALID").as_bytes())? {
            None => Ok(Back::NotValid(why.words)),
            Some(again) if again.is_of_content() => Ok(Back::Missing(why.words)),
            Some(again) => Err(PsqlError::Refused(again.words)),
        }
    }

    fn added(&self, validity: &str) -> String {
        let (of, name) = (format!("{}.{}", identifier(&self.schema), identifier(&self.of)), identifier(&self.name));
        let add = format!("ALTER {} {of} ADD CONSTRAINT {name} {}{validity};\n", self.kind, self.definition);
        let on = if self.kind == "DOMAIN" { "ON DOMAIN" } else { "ON" };
        let comment = self.comment.as_deref().map_or(String::new(), |comment| {
            format!("COMMENT ON CONSTRAINT {name} {on} {of} IS {};\n", literal(comment))
        });
        format!("BEGIN;\n{add}{comment}COMMIT;\n")
    }
}

impl std::fmt::Display for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CHECK {} of {} {}.{}", self.name, self.kind.to_lowercase(), self.schema, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_is_added_with_its_comment() {
        let check = |kind: &str, comment: Option<&str>| Check {
            kind: kind.to_owned(),
            schema: "s".to_owned(),
            of: "o\"f".to_owned(),
            name: "n".to_owned(),
            definition: "CHECK ((x > 0))".to_owned(),
            comment: comment.map(str::to_owned),
        };
        assert_eq!(
            check("TABLE", None).added(" NOT VALID"),
            "BEGIN;\nALTER TABLE \"s\".\"o\"\"f\" ADD CONSTRAINT \"n\" CHECK ((x > 0)) NOT VALID;\nCOMMIT;\n"
        );
        assert_eq!(
            check("DOMAIN", Some("it's")).added(""),
            "BEGIN;\nALTER DOMAIN \"s\".\"o\"\"f\" ADD CONSTRAINT \"n\" CHECK ((x > 0));\n\
             COMMENT ON CONSTRAINT \"n\" ON DOMAIN \"s\".\"o\"\"f\" IS 'it''s';\nCOMMIT;\n"
        );
        assert_eq!(check("TABLE", None).to_string(), "CHECK n of table s.o\"f");
    }
}
