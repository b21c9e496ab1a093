//! Scripts as `pg_restore` makes them, and what would fail in them.

use super::{Known, TrapFinder, When};

/// Functions, each `NAME ARGUMENTS | LANGUAGE | BODY`, before other entries, each `KIND | NAME | SQL`.
fn found(functions: &[(&str, &str, &str)], others: &[(&str, &str, &str)]) -> Vec<String> {
    found_among(&["count", "exists", "lower", "max", "int", "text"], functions, others)
}

fn found_among(system: &[&str], functions: &[(&str, &str, &str)], others: &[(&str, &str, &str)]) -> Vec<String> {
    let mut finder = TrapFinder::default();
    let mut entry = |kind: &str, name: &str, sql: &str| {
        let comment = format!("-- Name: {name}; Type: {kind}; Schema: public; Owner: me");
        ["--", &comment, "--", ""].into_iter().chain(sql.lines()).chain([""]).for_each(|line| finder.line(line));
    };
    for (name, head, body) in functions {
        let sql = format!("CREATE FUNCTION public.{name} RETURNS boolean\n    LANGUAGE {head}\n    AS $_${body}$_$;");
        entry("FUNCTION", name, &sql);
    }
    others.iter().for_each(|(kind, name, sql)| entry(kind, name, sql));
    let known = Known {
        without_path: system.iter().map(|&name| name.to_owned()).collect(),
        of_extensions: ["unaccent".to_owned()].into(),
    };
    let traps = finder.finish().traps(&known).into_iter();
    let when = |when: &When| match when {
        When::Always => "always".to_owned(),
        When::Defined => "when it is defined".to_owned(),
        When::Filled { schema, name } => format!("if {schema}.{name} is filled"),
    };
    traps
        .map(|trap| format!("{} → {} → {}, {}", trap.evaluated_by, trap.function, trap.name, when(&trap.when)))
        .collect()
}

const IS_ODD: (&str, &str, &str) = ("is_odd(integer)", "sql IMMUTABLE", "SELECT $1 % 2 = 1");
const CHECKED: (&str, &str, &str) =
    ("TABLE", "t", "CREATE TABLE public.t (\n    id integer,\n    CONSTRAINT c CHECK (public.is_fine(id))\n);");
const INDEXED: (&str, &str, &str) = ("INDEX", "i", "CREATE INDEX i ON public.t USING btree (public.is_fine(id));");

fn is_fine<'a>(head: &'a str, body: &'a str) -> (&'a str, &'a str, &'a str) {
    ("is_fine(integer)", head, body)
}

#[test]
fn a_function_without_its_schema_fails_where_it_is_evaluated() {
    let fine = is_fine("plpgsql IMMUTABLE", "BEGIN RETURN is_odd($1); END");
    let trap = "→ public.is_fine(integer) → is_odd, if public.t is filled";
    assert_eq!(found(&[IS_ODD, fine], &[CHECKED]), [format!("a CHECK of table public.t {trap}")]);
    assert_eq!(found(&[IS_ODD, fine], &[INDEXED]), [format!("index public.i {trap}")]);
    // Whoever inlines it finds out without a row.
    let inlined = is_fine("sql IMMUTABLE", "SELECT is_odd($1)");
    assert_eq!(found(&[IS_ODD, inlined], &[INDEXED]), ["index public.i → public.is_fine(integer) → is_odd, always"]);
    assert_eq!(found(&[IS_ODD, fine], &[]), Vec::<String>::new());
}

#[test]
fn a_partition_key_is_planned_when_it_is_defined() {
    let table = ("TABLE", "t", "CREATE TABLE public.t (\n    id integer\n)\nPARTITION BY RANGE (public.is_fine(id));");
    for (fine, when) in [
        (is_fine("sql IMMUTABLE", "SELECT is_odd($1)"), "when it is defined"),
        (is_fine("plpgsql IMMUTABLE", "BEGIN RETURN is_odd($1); END"), "if public.t is filled"),
    ] {
        let expected = format!("the partition key of table public.t → public.is_fine(integer) → is_odd, {when}");
        assert_eq!(found(&[IS_ODD, fine], &[table]), [expected]);
    }
}

#[test]
fn what_is_in_the_way_of_a_trap() {
    for (head, body) in [
        ("plpgsql\n    SET search_path TO 'public'", "BEGIN RETURN is_odd($1); END"),
        ("plpgsql", "BEGIN RETURN public.is_odd($1); END"),
        ("plpgsql", "BEGIN RETURN lower($1) = 'is_odd(1)'; -- is_odd(1)\nEND"),
        ("plpgsql", "BEGIN RETURN is_odd($1); EXCEPTION WHEN OTHERS THEN RETURN true; END"),
        ("sql", "WITH t AS (SELECT 1) SELECT EXISTS (SELECT FROM t)"),
        ("sql", "SELECT unknown_to_the_archive($1)"),
        ("plperl", "return is_odd($_[0]);"),
    ] {
        assert_eq!(found(&[IS_ODD, is_fine(head, body)], &[CHECKED, INDEXED]), Vec::<String>::new(), "{body}");
    }
    let fine = is_fine("sql", "SELECT is_odd($1)");
    assert_eq!(found_among(&["is_odd"], &[IS_ODD, fine], &[CHECKED]), Vec::<String>::new(), "pg_catalog has one");
    let with_path = ("is_fine(integer)", "sql\n    SET search_path TO 'public'", "SELECT public.deep($1)");
    let deep = ("deep(integer)", "sql", "SELECT is_odd($1)");
    assert_eq!(found(&[IS_ODD, deep, with_path], &[CHECKED]), Vec::<String>::new(), "the caller's path holds");
}

#[test]
fn what_leads_to_a_trap() {
    let functions = [
        IS_ODD,
        ("deep(integer)", "plpgsql", "BEGIN RETURN is_odd($1); END"),
        is_fine("sql", "SELECT public.deep($1)"),
        ("plain(text)", "sql", "SELECT unaccent($1)"),
        ("of_table()", "sql", "SELECT EXISTS (SELECT FROM t)"),
    ];
    let others = [
        CHECKED,
        (
            "DOMAIN",
            "odd",
            "CREATE DOMAIN public.odd AS integer DEFAULT public.of_table()\n\tCONSTRAINT c CHECK (public.deep(VALUE));",
        ),
        ("TYPE", "pair", "CREATE TYPE public.pair AS (\n\ta public.odd,\n\tb integer\n);"),
        ("TABLE", "u", "CREATE TABLE public.u (\n    p public.pair[],\n    d text DEFAULT public.plain('x'::text)\n);"),
        ("VIEW", "v", "CREATE VIEW public.v AS\n SELECT public.of_table() AS x;"),
        (
            "MATERIALIZED VIEW",
            "m",
            "CREATE MATERIALIZED VIEW public.m AS\n SELECT v.x\n   FROM public.v\n  WITH NO DATA;",
        ),
        (
            "AGGREGATE",
            "a(integer)",
            "CREATE AGGREGATE public.a(integer) (\n    SFUNC = public.deep,\n    STYPE = integer\n);",
        ),
        ("MATERIALIZED VIEW", "n", "CREATE MATERIALIZED VIEW public.n AS\n SELECT public.a(1) AS a\n  WITH NO DATA;"),
        ("OPERATOR", "===", "CREATE OPERATOR public.=== (\n    FUNCTION = public.deep,\n    RIGHTARG = integer\n);"),
        ("INDEX", "j", "CREATE INDEX j ON public.t USING btree ((OPERATOR(public.===) id));"),
        (
            "CONSTRAINT",
            "t x",
            "ALTER TABLE ONLY public.t\n    ADD CONSTRAINT x EXCLUDE USING gist (public.plain(w) WITH =);",
        ),
        ("TRIGGER", "t g", "CREATE TRIGGER g BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.deep();"),
        ("DEFAULT", "t id", "ALTER TABLE ONLY public.t ALTER COLUMN id SET DEFAULT public.deep(1);"),
        ("STATISTICS", "s", "CREATE STATISTICS public.s ON public.deep(id) FROM public.t;"),
    ];
    let expected = [
        "a CHECK of table public.t → public.deep(integer) → is_odd, if public.t is filled",
        "a column's type of table public.u → public.deep(integer) → is_odd, if public.u is filled",
        "materialized view public.m → public.of_table() → t, if public.m is filled",
        "materialized view public.n → public.deep(integer) → is_odd, if public.n is filled",
        "index public.j → public.deep(integer) → is_odd, if public.t is filled",
        "a constraint of table public.t → public.plain(text) → unaccent, always",
    ];
    assert_eq!(found(&functions, &others), expected);
}

#[test]
fn a_functions_text_that_looks_like_an_entry_is_none() {
    let fine = is_fine("plpgsql", "BEGIN\n-- Name: i; Type: INDEX; Schema: public; Owner: me\nRETURN is_odd($1); END");
    assert_eq!(found(&[IS_ODD, fine], &[CHECKED]).len(), 1);
}
