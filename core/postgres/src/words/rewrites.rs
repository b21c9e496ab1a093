//! What PostgreSQL says in other words once it has read its own: each such rewriting by name. A drill that finds a definition changed takes it
//! for the same only if it is one of these, *and* the server makes the same of the original words a second time.

mod chains;
mod columns;
mod links;
mod lists;
mod names;
mod numbers;

use crate::words::tokens::{Token, tokens};

/// One way in which PostgreSQL changes its own words.
#[derive(Debug)]
pub struct Rewriting {
    /// Its name, as a report says it.
    pub name: &'static str,
    /// What it changes them into, as a report says it.
    pub becomes: &'static str,
    /// Why PostgreSQL does it.
    pub reason: &'static str,
    /// The words as they are once they were restored, where the copy has the ones given.
    restored: fn(&[Token], &[Token]) -> Option<Vec<Token>>,
}

const OTHER_WORDS: &str = "PostgreSQL's other words";

/// All that are known.
pub const ALL: [Rewriting; 8] = [
    Rewriting {
        name: "lists of values",
        becomes: OTHER_WORDS,
        reason: "`x IN ('a', 'b')` of a varchar is an array that is converted as a whole; read again from there, each value is converted by itself",
        restored: lists::converted_one_by_one,
    },
    Rewriting {
        name: "nested conditions",
        becomes: OTHER_WORDS,
        reason: "`x BETWEEN 1 AND 2 AND y` is a condition within a condition; read again from there, all three stand side by side",
        restored: chains::flattened,
    },
    Rewriting {
        name: "negative numbers",
        becomes: OTHER_WORDS,
        reason: "`-1::int` is an operator and a number; read again from there, it is one number",
        restored: numbers::as_constants,
    },
    Rewriting {
        name: "links between operators",
        becomes: OTHER_WORDS,
        reason: "an operator that names another as its commutator or negator is entered with that one as well",
        restored: links::filled_in,
    },
    Rewriting {
        name: "names of values in subqueries",
        becomes: OTHER_WORDS,
        reason: "`IN (SELECT 'a')` selects a value without a name; read again with the type that was found for it, it has the type's name",
        restored: names::of_values,
    },
    Rewriting {
        name: CHILDREN,
        becomes: "the order of the parents",
        reason: "a table put below another by ALTER TABLE … INHERIT keeps its order; it is made again with its parents' columns first",
        restored: columns::of_a_child,
    },
    Rewriting {
        name: "columns of statistics",
        becomes: "the order of the parents",
        reason: "statistics name their columns in the table's order, which a child has from its parents once it is made again",
        restored: columns::of_statistics,
    },
    Rewriting {
        name: "columns of publications",
        becomes: "the order of the parents",
        reason: "a publication names a table's columns in the table's order, which a child has from its parents once it is made again",
        restored: columns::of_a_publication,
    },
];

/// The name of the one that puts a table's columns into its parents' order.
pub const CHILDREN: &str = "columns of child tables";

/// Which rewritings, one after the other, make `copy` of `original`; none where they don't. What is in quotes, as the body of a function,
/// is never rewritten.
#[must_use]
pub fn known(original: &str, copy: &str) -> Vec<&'static Rewriting> {
    let (mut words, copy) = (tokens(original), tokens(copy));
    let mut used = Vec::new();
    for rewriting in &ALL {
        if let Some(restored) = (rewriting.restored)(&words, &copy) {
            words = restored;
            used.push(rewriting);
        }
    }
    if words == copy { used } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str =
        "CHECK (((status)::text = ANY ((ARRAY['new'::character varying, 'a,b'::character varying])::text[])))";
    const AFTER: &str =
        "CHECK (((status)::text = ANY (ARRAY[('new'::character varying)::text, ('a,b'::character varying)::text])))";

    fn names(original: &str, copy: &str) -> Vec<&'static str> {
        known(original, copy).into_iter().map(|rewriting| rewriting.name).collect()
    }

    #[test]
    fn a_list_of_values_is_known_in_both_its_forms() {
        assert_eq!(names(BEFORE, AFTER), ["lists of values"]);
        let nested = |list: &str| format!("CASE WHEN (x = ANY ({list})) THEN 1 END");
        let (a, b) = (
            "(ARRAY[f(1, 2), NULL::character varying(3)])::public.\"T\"[]",
            "ARRAY[(f(1, 2))::public.\"T\", (NULL::character varying(3))::public.\"T\"]",
        );
        assert_eq!(names(&nested(a), &nested(b)), ["lists of values"]);
        assert_eq!(
            names(
                "ON n, (a::text = ANY (ARRAY['x'::character varying, a || b]::text[]))",
                "ON n, (a::text = ANY (ARRAY['x'::character varying::text, (a || b)::text]))"
            ),
            ["lists of values"]
        );
    }

    #[test]
    fn the_leftmost_of_conditions_loses_its_parentheses_and_no_other() {
        let one = ["nested conditions"];
        for (a, b) in [
            (
                "CHECK ((((a >= 1) AND (a <= 5)) AND ((b >= 2) AND (b <= 3))))",
                "CHECK (((a >= 1) AND (a <= 5) AND ((b >= 2) AND (b <= 3))))",
            ),
            (
                "WHERE (((k.a < 1) OR (k.a > 3)) OR (k.st = 'x'::text));",
                "WHERE ((k.a < 1) OR (k.a > 3) OR (k.st = 'x'::text));",
            ),
            (
                "WHERE ((((a AND b) AND c) AND d) AND (NOT ((e OR f) OR g)))",
                "WHERE (a AND b AND c AND d AND (NOT (e OR f OR g)))",
            ),
            ("((((a = 1) AND b) OR (c AND d)) OR e)", "(((a = 1) AND b) OR (c AND d) OR e)"),
        ] {
            assert_eq!(names(a, b), one, "{a}");
        }
        for (a, b) in [
            ("(a AND (b AND c))", "(a AND b AND c)"),
            ("((a OR b) AND c)", "(a OR b AND c)"),
            ("((a AND b) OR c)", "(a AND b OR c)"),
            ("(a AND b AND c)", "((a AND b) AND c)"),
            ("((a AND b) AND c)", "(a AND b AND d)"),
            ("f() AS $$((a AND b) AND c)$$", "f() AS $$(a AND b AND c)$$"),
        ] {
            assert!(known(a, b).is_empty(), "{a} → {b}");
        }
    }

    #[test]
    fn a_definition_may_have_several() {
        let a = format!(
            "CREATE FUNCTION f(x boolean DEFAULT {BEFORE}, y integer DEFAULT (((a AND b) AND (c > (- 1)))))\n    AS $$x$$;"
        );
        let b = format!(
            "CREATE FUNCTION f(x boolean DEFAULT {AFTER}, y integer DEFAULT ((a AND b AND (c > '-1'::integer))))\n    AS $$x$$;"
        );
        assert_eq!(names(&a, &b), ["lists of values", "nested conditions", "negative numbers"]);
        assert_eq!(names("(- 1.50) || (- x)", "'-1.50'::numeric || (- x)"), ["negative numbers"]);
    }

    #[test]
    fn a_link_to_another_operator_may_be_new_and_none_may_change() {
        let operator = |rest: &str| {
            format!(
                "CREATE OPERATOR public.=== (\n    FUNCTION = public.f,\n    LEFTARG = integer,\n    RIGHTARG = integer{rest}\n);\n"
            )
        };
        let link = ",\n    NEGATOR = OPERATOR(public.!==)";
        assert_eq!(names(&operator(""), &operator(link)), ["links between operators"]);
        assert_eq!(
            names(&operator(",\n    HASHES"), &operator(&format!("{link},\n    HASHES"))),
            ["links between operators"]
        );
        assert!(known(&operator(link), &operator("")).is_empty());
        assert!(known(&operator(link), &operator(&link.replace("!", "?"))).is_empty());
        assert!(known(&operator(""), &operator(",\n    HASHES")).is_empty());
    }

    #[test]
    fn a_value_in_a_subquery_may_get_its_types_name_and_no_other() {
        let a = "SELECT (x IN ( SELECT 'a'::text, 1, 'b'::character varying(3) FROM t)) AS y;";
        let b = "SELECT (x IN ( SELECT 'a'::text AS text, 1, 'b'::character varying(3) AS \"varchar\" FROM t)) AS y;";
        assert_eq!(names(a, b), ["names of values in subqueries"]);
        for (a, b) in [
            (b.to_owned(), a.to_owned()),
            (a.to_owned(), b.replace("'a'", "'z'")),
            (a.to_owned(), b.replace(", 1", ", 1 AS one")),
            ("SELECT 'a'::text;".to_owned(), "SELECT 'a'::text AS text;".to_owned()),
            (a.to_owned(), b.replace("AS text,", "AS text LIMIT 1,")),
        ] {
            assert!(known(&a, &b).is_empty(), "{a} → {b}");
        }
    }

    #[test]
    fn columns_of_a_child_may_come_in_another_order_and_none_may_change() {
        let child = |columns: &str, rest: &str| {
            format!("CREATE TABLE public.chi (\n    {columns}\n)\nINHERITS (public.par){rest};\n")
        };
        let (a, b) =
            ("b text DEFAULT 'x, y'::text,\n    a numeric(5,2)", "a numeric(5,2),\n    b text DEFAULT 'x, y'::text");
        let set = |column: &str| format!("ALTER TABLE ONLY public.chi ALTER COLUMN {column} SET STATISTICS 5;\n");
        assert_eq!(names(&child(a, ""), &child(b, "")), [CHILDREN]);
        let in_order = |columns: &str, sets: [&str; 2]| child(columns, "") + &sets.map(set).concat();
        assert_eq!(names(&in_order(a, ["b", "a"]), &in_order(b, ["a", "b"])), [CHILDREN]);
        assert_eq!(
            names(
                &child(&format!("{a},\n    CONSTRAINT c {BEFORE}"), ""),
                &child(&format!("CONSTRAINT c {AFTER},\n    {b}"), "")
            ),
            ["lists of values", CHILDREN]
        );
        for (one, other) in [
            (child(a, ""), child(&b.replace("5,2", "5,3"), "")),
            (child(a, ""), child("a numeric(5,2)", "")),
            (child(a, ""), child(b, "\nWITH (fillfactor='70')")),
            (child(a, ""), child(b, "").replace("public.par", "public.other")),
            (
                child(a, "").replace("(public.par)", "(public.p, public.q)"),
                child(b, "").replace("(public.par)", "(public.q, public.p)"),
            ),
            (child(a, "").replace("\nINHERITS (public.par)", ""), child(b, "").replace("\nINHERITS (public.par)", "")),
            (in_order(a, ["b", "a"]), in_order(b, ["a", "a"])),
            (child(a, "") + "DROP TABLE x;\n", child(b, "") + "DROP TABLE x;\n"),
        ] {
            assert!(known(&one, &other).is_empty(), "{one} → {other}");
        }
    }

    #[test]
    fn statistics_and_publications_name_columns_in_the_tables_order() {
        let statistics = |list: &str| format!("CREATE STATISTICS public.s (mcv) ON {list} FROM public.chi;\n");
        let added = |rest: &str| format!("ALTER PUBLICATION p ADD TABLE ONLY public.chi {rest};\n");
        let filter = "WHERE (((a > 1) AND (b = 'x'::text)))";
        assert_eq!(names(&statistics("c, a, (f(a, b))"), &statistics("a, c, (f(a, b))")), ["columns of statistics"]);
        assert_eq!(names(&added("(b, a)"), &added("(a, b)")), ["columns of publications"]);
        assert_eq!(
            names(&added(&format!("(b, a) {filter}")), &added(&format!("(a, b) {filter}"))),
            ["columns of publications"]
        );
        for (one, other) in [
            (statistics("c, a"), statistics("a, b")),
            (statistics("c, a"), statistics("a, c, b")),
            (statistics("c, a"), statistics("a, c").replace("mcv", "ndistinct")),
            (statistics("a, (f(a, b))"), statistics("a, (f(b, a))")),
            (added("(b, a)"), added("(b, c)")),
            (added("(b, a)"), added("(a)")),
            (added(&format!("(b, a) {filter}")), added("(a, b)")),
            (added("WHERE (f(a, b))"), added("WHERE (f(b, a))")),
        ] {
            assert!(known(&one, &other).is_empty(), "{one} → {other}");
        }
    }

    #[test]
    fn nothing_else_is() {
        for (a, b) in [
            (AFTER, BEFORE),
            (BEFORE, BEFORE),
            (BEFORE, &AFTER.replace("new", "old")),
            (BEFORE, &AFTER.replace("ANY", "ALL")),
            (BEFORE, &AFTER.replace(")::text]", ")::name]")),
            (&format!("CREATE FUNCTION f()\n    AS $${BEFORE}$$"), &format!("CREATE FUNCTION f()\n    AS $${AFTER}$$")),
            ("CHECK ((a > 1))", "CHECK (a > 1)"),
        ] {
            assert!(known(a, b).is_empty(), "{a} → {b}");
        }
    }
}
