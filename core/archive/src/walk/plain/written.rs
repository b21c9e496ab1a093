//! The statements that pg_dump writes into a script, told by their first words.
//!
//! A script is somebody's text, and a restore runs it with the rights of whoever restores. What pg_dump never writes for an object of
//! that kind doesn't belong to a backup: it is left to psql, and to whoever trusts it.

use crate::names::identifier;

/// Kinds of objects, as headings have them, and as CREATE and ALTER name them. Roles, tablespaces and the server's settings are none.
const OBJECTS: [&str; 36] = [
    "ACCESS METHOD",
    "AGGREGATE",
    "CAST",
    "COLLATION",
    "CONVERSION",
    "DOMAIN",
    "EVENT TRIGGER",
    "EXTENSION",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "FUNCTION",
    "INDEX",
    "LANGUAGE",
    "MATERIALIZED VIEW",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "OPERATOR",
    "POLICY",
    "PROCEDURAL LANGUAGE",
    "PROCEDURE",
    "PUBLICATION",
    "RULE",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "TABLE",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "TRANSFORM",
    "TRIGGER",
    "TYPE",
    "VIEW",
];
/// What may stand between CREATE and the object's kind.
const QUALIFIERS: [&str; 7] =
    ["OR REPLACE ", "UNLOGGED ", "UNIQUE ", "CONSTRAINT ", "DEFAULT ", "TRUSTED ", "PROCEDURAL "];
/// Queries, which all call a function.
const QUERIES: [&str; 8] = [
    "SELECT CASE WHEN EXISTS(SELECT 1 FROM pg_catalog.pg_largeobject_metadata WHERE oid = '",
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_largeobject_metadata WHERE oid = '",
    "SELECT * FROM pg_catalog.pg_restore_",
    "SELECT pg_catalog.pg_restore_",
    "SELECT lo_create(",
    "SELECT pg_catalog.lo_create(",
    "SELECT pg_catalog.lo_unlink(",
    "SELECT pg_catalog.setval(",
];

/// Whether pg_dump writes such a statement below a heading of this kind, or below none. Those that hold for the whole session aren't
/// asked for.
pub(super) fn is_written(kind: &str, statement: &[u8]) -> bool {
    let text = String::from_utf8_lossy(statement.trim_ascii());
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
    let rest = rest.trim_start();
    let is_headless = kind.is_empty();
    match word {
        "CREATE" => creates(kind, rest),
        "ALTER" => alters(kind, rest),
        "DROP" => is_headless && !is_of_the_server(rest),
        "SELECT" => QUERIES.iter().any(|start| text.starts_with(start)),
        "INSERT" => (is_headless || kind == "TABLE DATA") && is_insert(statement),
        "GRANT" | "REVOKE" => (is_headless || kind.ends_with("ACL")) && text.contains(" ON "),
        "COMMENT" => rest.starts_with("ON "),
        "SECURITY" => rest.starts_with("LABEL "),
        "REFRESH" => rest.starts_with("MATERIALIZED VIEW "),
        "UPDATE" => (is_headless || kind.starts_with("DATABASE")) && rest.starts_with("pg_catalog.pg_database SET "),
        "SET" | "RESET" => rest.starts_with("SESSION AUTHORIZATION"),
        _ => false,
    }
}

fn creates(kind: &str, rest: &str) -> bool {
    let mut object = rest;
    while let Some(more) = QUALIFIERS.iter().find_map(|qualifier| object.strip_prefix(qualifier)) {
        object = more;
    }
    let is = |name: &str| object.strip_prefix(name).is_some_and(|behind| behind.starts_with(char::is_whitespace));
    match kind {
        "" => OBJECTS.iter().any(|name| is(name)) || is("USER MAPPING"),
        "PROCEDURAL LANGUAGE" => is("LANGUAGE"),
        "SHELL TYPE" => is("TYPE"),
        // A view may be made in two steps.
        "RULE" | "VIEW" => is("RULE") || is("VIEW"),
        "CONSTRAINT" => is("INDEX"),
        kind => is(kind),
    }
}

fn alters(kind: &str, rest: &str) -> bool {
    let is = |name: &str| rest.strip_prefix(name).is_some_and(|behind| behind.starts_with(char::is_whitespace));
    match kind {
        "DATABASE PROPERTIES" if is("ROLE") || is("USER") => rest.contains(" IN DATABASE "),
        _ if is("DATABASE") => kind.is_empty() || kind.starts_with("DATABASE"),
        _ => OBJECTS.iter().any(|name| is(name)) || is("LARGE OBJECT") || is("DEFAULT PRIVILEGES"),
    }
}

fn is_of_the_server(rest: &str) -> bool {
    ["ROLE ", "USER ", "GROUP ", "TABLESPACE ", "OWNED "].iter().any(|start| rest.starts_with(start))
        && !rest.starts_with("USER MAPPING ")
}

/// `COPY table (columns) FROM stdin;`, and nothing else.
pub(super) fn is_copy(statement: &[u8]) -> bool {
    let text = String::from_utf8_lossy(statement.trim_ascii());
    let Some(rest) = text.strip_prefix("COPY ").and_then(behind_table) else { return false };
    let rest = behind_columns(rest).trim_start();
    let rest = rest.strip_prefix("WITH OIDS ").unwrap_or(rest);
    rest.eq_ignore_ascii_case("FROM stdin;")
}

/// `INSERT INTO table (columns) VALUES …`, of which this is at least the beginning.
pub(super) fn is_insert(statement: &[u8]) -> bool {
    let text = String::from_utf8_lossy(statement.trim_ascii());
    let Some(rest) = text.strip_prefix("INSERT INTO ").and_then(behind_table) else { return false };
    let rest = behind_columns(rest).trim_start();
    let rest = ["OVERRIDING SYSTEM VALUE ", "OVERRIDING USER VALUE "]
        .iter()
        .find_map(|start| rest.strip_prefix(start))
        .unwrap_or(rest);
    rest.starts_with("VALUES") || rest.starts_with("DEFAULT VALUES")
}

/// What follows a table's name, which may have its schema before it.
fn behind_table(text: &str) -> Option<&str> {
    let (_, rest) = identifier(text)?;
    match rest.strip_prefix('.') {
        Some(rest) => identifier(rest).map(|(_, rest)| rest),
        None => Some(rest),
    }
}

/// What follows a list of columns, where there is one.
fn behind_columns(text: &str) -> &str {
    let Some(list) = text.trim_start().strip_prefix('(') else { return text };
    let mut is_quoted = false;
    let end = list.char_indices().find(|(_, letter)| {
        is_quoted ^= *letter == '"';
        !is_quoted && *letter == ')'
    });
    end.and_then(|(at, _)| list.get(at + 1..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pg_dump_writes_is_known() {
        let written = [
            ("TABLE", "CREATE UNLOGGED TABLE a (b integer);"),
            ("TABLE", "ALTER TABLE ONLY a ALTER COLUMN b SET STATISTICS 5;"),
            ("FOREIGN TABLE", "CREATE FOREIGN TABLE a (\n b integer\n)\nSERVER x;"),
            ("INDEX", "CREATE UNIQUE INDEX a ON b USING btree (c);"),
            ("INDEX", "ALTER TABLE a CLUSTER ON b;"),
            ("CONSTRAINT", "ALTER TABLE ONLY a\n    ADD CONSTRAINT b PRIMARY KEY (c);"),
            ("CHECK CONSTRAINT", "ALTER DOMAIN a ADD CONSTRAINT b CHECK (VALUE > 0) NOT VALID;"),
            ("PROCEDURAL LANGUAGE", "CREATE OR REPLACE PROCEDURAL LANGUAGE plperl;"),
            ("CONVERSION", "CREATE DEFAULT CONVERSION a FOR 'LATIN1' TO 'UTF8' FROM b;"),
            ("SHELL TYPE", "CREATE TYPE a;"),
            ("VIEW", "CREATE OR REPLACE VIEW a AS SELECT 1;"),
            ("RULE", "CREATE RULE a AS ON INSERT TO b DO INSTEAD NOTHING;"),
            ("TRIGGER", "CREATE CONSTRAINT TRIGGER a AFTER INSERT ON b EXECUTE FUNCTION c();"),
            ("TRIGGER", "ALTER TABLE a DISABLE TRIGGER b;"),
            ("SEQUENCE", "ALTER TABLE a ALTER COLUMN b ADD GENERATED ALWAYS AS IDENTITY (\n);"),
            ("SEQUENCE SET", "SELECT pg_catalog.setval('a', 1, false);"),
            ("BLOB", "SELECT pg_catalog.lo_create('1');"),
            ("BLOB", "ALTER LARGE OBJECT 1 OWNER TO a;"),
            ("ACL", "GRANT SELECT(\"a b\") ON TABLE c TO d;"),
            ("DEFAULT ACL", "ALTER DEFAULT PRIVILEGES FOR ROLE a GRANT ALL ON TABLES TO b;"),
            ("DATABASE PROPERTIES", "ALTER ROLE a IN DATABASE b SET work_mem TO '1MB';"),
            ("DATABASE", "CREATE DATABASE a WITH TEMPLATE = template0;"),
            ("USER MAPPING", "CREATE USER MAPPING FOR a SERVER b;"),
            ("MATERIALIZED VIEW DATA", "REFRESH MATERIALIZED VIEW a;"),
            ("", "DROP DATABASE IF EXISTS a;"),
            ("", "ALTER TABLE IF EXISTS ONLY a DROP CONSTRAINT b;"),
            ("TABLE DATA", "INSERT INTO \"a b\".\"c)\" (d, \"e)\") OVERRIDING SYSTEM VALUE VALUES (1);"),
            ("TABLE DATA", "INSERT INTO a DEFAULT VALUES;"),
            ("STATISTICS DATA", "SELECT * FROM pg_catalog.pg_restore_relation_stats('version', 1);"),
        ];
        for (kind, statement) in written {
            assert!(is_written(kind, statement.as_bytes()), "{kind}: {statement}");
        }
        for copy in ["COPY a FROM stdin;", "COPY a.\"b c\" (d, \"e)\") FROM stdin;", "COPY a (b) WITH OIDS FROM stdin;"]
        {
            assert!(is_copy(copy.as_bytes()), "{copy}");
        }
    }

    #[test]
    fn what_pg_dump_does_not_write_is_told() {
        let others = [
            ("TABLE", "COPY a FROM PROGRAM 'touch b';"),
            ("TABLE DATA", "COPY a TO PROGRAM 'cat';"),
            ("TABLE DATA", "COPY (SELECT 1) TO '/tmp/x';"),
            ("TABLE", "CREATE USER a SUPERUSER;"),
            ("", "CREATE ROLE a;"),
            ("", "CREATE TABLESPACE a LOCATION '/';"),
            ("TABLE", "CREATE DATABASE a;"),
            ("TABLE", "CREATE FUNCTION a() RETURNS integer LANGUAGE sql AS '';"),
            ("", "ALTER ROLE a SUPERUSER;"),
            ("DATABASE PROPERTIES", "ALTER ROLE a SUPERUSER;"),
            ("TABLE", "ALTER DATABASE a RENAME TO b;"),
            ("", "ALTER SYSTEM SET work_mem = 1;"),
            ("TABLE", "DROP DATABASE a;"),
            ("TABLE", "DROP TABLE a;"),
            ("", "DROP ROLE a;"),
            ("TABLE DATA", "INSERT INTO a SELECT * FROM b;"),
            ("TABLE DATA", "INSERT INTO a (b) TABLE c;"),
            ("TABLE", "INSERT INTO a VALUES (1);"),
            ("TABLE DATA", "UPDATE a SET b = 1;"),
            ("TABLE DATA", "DELETE FROM a;"),
            ("TABLE DATA", "TRUNCATE a;"),
            ("TABLE", "DO $$ BEGIN END $$;"),
            ("TABLE", "COMMIT;"),
            ("TABLE", "SET ROLE a;"),
            ("TABLE", "SELECT pg_catalog.set_config('role', 'a', false);"),
            ("ACL", "GRANT a TO b;"),
            ("TABLE", "WITH x AS (DELETE FROM a) SELECT 1;"),
        ];
        for (kind, statement) in others {
            assert!(!is_written(kind, statement.as_bytes()), "{kind}: {statement}");
        }
        for copy in
            ["COPY a FROM PROGRAM 'x FROM stdin ;';", "COPY a FROM stdin WITH (FORMAT csv);", "COPY a TO stdout;"]
        {
            assert!(!is_copy(copy.as_bytes()), "{copy}");
        }
    }
}
