use super::*;

fn entry(kind: &str, definition: &str) -> Described {
    Described {
        dump_id: 7,
        kind: kind.to_owned(),
        schema: b"public".to_vec(),
        name: b"t".to_vec(),
        definition: definition.as_bytes().to_vec(),
        ..Described::default()
    }
}

fn steps(entries: &[Described]) -> Vec<Step> {
    let mut finder = StepFinder::default();
    entries.iter().for_each(|entry| finder.entry(entry));
    finder.finish()
}

/// Of one entry, in a word or two.
fn of(kind: &str, definition: &str) -> String {
    let steps = steps(&[entry(kind, definition)]);
    let Some(step) = steps.first() else { return "late".to_owned() };
    let to = step.refers_to.as_ref().map_or(String::new(), |(schema, name)| format!(" to {schema}.{name}"));
    let kind = if step.is_key { " key" } else { "" };
    format!("{}.{}{kind}{}{to}", step.table.0, step.table.1, if step.shares { " shared" } else { "" })
}

#[test]
fn what_evaluates_nothing_of_the_users_may_come_early() {
    let cases = [
        ("CREATE INDEX i ON public.t USING btree (a, b DESC NULLS LAST);\n", "public.t shared"),
        (
            "CREATE UNIQUE INDEX i ON \"S s\".\"t.\"\"ü\" USING btree (a) INCLUDE (b) WITH (fillfactor='70');",
            "S s.t.\"ü key shared",
        ),
        ("CREATE INDEX i ON t USING gin (a public.gin_trgm_ops);", "public.t shared"),
        ("CREATE INDEX i ON public.t USING btree (a COLLATE public.\"de\");", "public.t shared"),
        ("CREATE INDEX i ON public.t USING btree (lower((mail)::text)) WHERE (gone IS NULL);", "public.t shared"),
        ("CREATE INDEX i ON public.t USING btree (public.f(a));", "late"),
        ("CREATE INDEX i ON public.t USING btree (a) WHERE public.f(a);", "late"),
        ("CREATE INDEX i ON public.t USING btree (((a)::public.d));", "late"),
        ("CREATE INDEX i ON public.t USING btree (((a OPERATOR(public.+) 1)));", "late"),
        ("CREATE INDEX i ON ONLY public.t USING btree (a);", "late"),
        (
            "CREATE UNIQUE INDEX i ON public.t USING btree (a);\n\nALTER TABLE ONLY public.t REPLICA IDENTITY USING INDEX i;\n",
            "public.t key",
        ),
        ("CREATE SOMETHING", "late"),
    ];
    for (definition, expected) in cases {
        assert_eq!(of("INDEX", definition), expected, "{definition}");
    }
}

#[test]
fn keys_of_one_table_may_come_early() {
    let cases = [
        ("ALTER TABLE ONLY public.t\n    ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n", "public.t key"),
        ("ALTER TABLE ONLY t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (id) DEFERRABLE;", "public.t key"),
        ("ALTER TABLE ONLY public.t ADD CONSTRAINT k EXCLUDE USING gist (room WITH =);", "late"),
        ("ALTER TABLE public.t ADD CONSTRAINT k PRIMARY KEY (id);", "late"),
    ];
    for (definition, expected) in cases {
        assert_eq!(of("CONSTRAINT", definition), expected, "{definition}");
    }
    let foreign = "ALTER TABLE ONLY a.t ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES b.\"User\"(id) ON DELETE CASCADE;";
    assert_eq!(of("FK CONSTRAINT", foreign), "a.t to b.User");
    assert_eq!(of("FK CONSTRAINT", &foreign.replace("ONLY ", "")), "late", "of a partitioned table");
}

#[test]
fn a_foreign_key_that_is_checked_can_be_made_in_two() {
    let in_two = |definition: &str| steps(&[entry("FK CONSTRAINT", definition)]).pop().unwrap().in_two;
    let expected = InTwo {
        unchecked: "ALTER TABLE ONLY \"T t\" ADD CONSTRAINT \"k\"\"ü\" FOREIGN KEY (x) REFERENCES o(id) DEFERRABLE INITIALLY DEFERRED NOT VALID;\n".to_owned(),
        check: "ALTER TABLE ONLY \"public\".\"T t\" VALIDATE CONSTRAINT \"k\"\"ü\";\n".to_owned(),
    };
    let definition = expected.unchecked.replace(" NOT VALID", "");
    assert_eq!(in_two(&definition), Some(expected.clone()));
    assert_eq!(in_two(&expected.unchecked), None, "it never was checked");
    assert_eq!(in_two(&definition.replace(';', " NOT ENFORCED;")), None);
    assert_eq!(in_two(&format!("{definition}SELECT 1;")), None);
}

const FOREIGN: &str = "ALTER TABLE ONLY public.t ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES public.o(id);";
const INDEX: &str = "CREATE INDEX i ON public.t USING btree (a);";

#[test]
fn a_foreign_key_waits_with_the_keys_that_it_may_refer_to() {
    let late = entry("INDEX", "CREATE UNIQUE INDEX i ON public.o USING btree (public.f(a));");
    assert_eq!(steps(&[entry("FK CONSTRAINT", FOREIGN)]).len(), 1);
    assert_eq!(steps(&[late, entry("FK CONSTRAINT", FOREIGN)]), []);
}

#[test]
fn nothing_is_early_where_a_plain_column_may_call_a_function_or_rows_go_elsewhere() {
    let copied = |copy: &str| Described { copy_statement: copy.into(), ..entry("TABLE DATA", "") };
    let hindering = [
        entry("CAST", "CREATE CAST (public.a AS text) WITH FUNCTION public.f(public.a) AS IMPLICIT;"),
        entry("OPERATOR CLASS", ""),
        entry("TYPE", "CREATE TYPE public.r AS RANGE (\n    subtype = integer,\n    subtype_diff = public.f\n);"),
        entry("TABLE DATA", "-- load via partition root public.p"),
        copied("COPY public.p (id) FROM stdin;\n"),
        Described { definition: b"CREATE INDEX i ON public.\xff USING btree (a);".to_vec(), ..entry("INDEX", "") },
        Described { is_cut: true, ..entry("INDEX", INDEX) },
    ];
    for hindering in hindering {
        assert_eq!(steps(&[hindering.clone(), entry("INDEX", INDEX)]), [], "{hindering:?}");
    }
    assert_eq!(steps(&[copied("COPY public.t (id) FROM stdin;\n"), entry("INDEX", INDEX)]).len(), 1);
    let parent = entry("TABLE", "CREATE TABLE public.c (\n)\nINHERITS (public.t);\n");
    assert_eq!(steps(&[parent, entry("INDEX", INDEX)]), [], "a table with children");
}
