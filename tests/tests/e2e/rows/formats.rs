//! JSON, CSV and SQL.

use e2e::postgres::Installation;
use e2e::process;

use super::{Scene, documents, sorted};

#[test]
fn every_row_of_every_kind_of_table_is_json_as_psql_shows_it() {
    let scene = Scene::new("rows_all");
    scene.database.fill_with_everything();
    scene.agent.run(&["backup"]).succeeds();
    let tables = scene.tables();
    let mut compared = 0;
    for (table, name, columns) in &tables {
        let living = scene
            .answer(&format!("SELECT row_to_json(\"the row\") FROM (SELECT {columns} FROM {name}) AS \"the row\""));
        let living = sorted(living.lines());
        let run = scene.agent.run(&["rows", "--table", table, "--json"]);
        if living.is_empty() && run.stderr.contains("has no rows of table") {
            continue;
        }
        assert_eq!(documents(&run.succeeds().stdout), living, "{table}");
        compared += living.len();
    }
    assert!(tables.len() > 25 && compared > 1_000, "{} tables, {compared} rows", tables.len());
}

/// Values of many types at random, those of PostgreSQL's own COPY: as CSV, as JSON, and put back as SQL.
#[test]
fn random_values_come_out_of_a_backup_as_copy_and_psql_have_them() {
    let scene = Scene::new("rows_random");
    scene.database.query(
        r#"CREATE TYPE pair AS (a text, b integer[]);
        CREATE TABLE "odd, ""T""" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text, b bytea, j jsonb, n numeric, f float8,
            z timestamptz, a text[], p pair, "c,d" boolean, twice text GENERATED ALWAYS AS (t || t) STORED);
        SELECT setseed(0.5);
        INSERT INTO "odd, ""T""" (t, b, j, n, f, z, a, p, "c,d") SELECT s, convert_to(s, 'UTF8'), to_jsonb(s), (random() * 1e9)::numeric / 7,
            random() / 3, 'epoch'::timestamptz + random() * interval '80 years', ARRAY[s, NULL, '', s || '"\{,'], (s, ARRAY[1, NULL])::pair,
            random() < 0.5
        FROM (SELECT (SELECT string_agg(CASE WHEN x < 0.5 THEN chr((random() * 60 + 1)::int) WHEN x < 0.8 THEN substr(E'\\\t\n\r",''{}()NULL \u00e4\u2603', (random() * 18 + 1)::int, 1)
            ELSE chr((random() * 5000 + 160)::int) END, '') FROM (SELECT random() AS x, i FROM generate_series(1, 1 + i % 30)) AS letters) AS s
            FROM generate_series(1, 2000) AS i) AS texts;
        UPDATE "odd, ""T""" SET t = NULL, b = NULL, a = NULL, p = NULL, j = NULL WHERE id % 7 = 0;
        CLUSTER "odd, ""T""" USING "odd, ""T""_pkey""#,
    );
    scene.agent.run(&["backup"]).succeeds();
    let (table, sql) = ("odd, \"T\"", "\"odd, \"\"T\"\"\"");
    let columns = "id, t, b, j, n, f, z, a, p, \"c,d\"";
    let living = scene.answer(&format!("SELECT row_to_json(r) FROM (SELECT {columns} FROM {sql} ORDER BY id) AS r"));
    assert_eq!(documents(&scene.printed(&["--table", table, "--json"])), sorted(living.lines()));
    let copy = scene.answer(&format!("COPY (SELECT {columns} FROM {sql} ORDER BY id) TO STDOUT (FORMAT csv, HEADER)"));
    assert_eq!(scene.printed(&["--table", table]), copy);
    let digest = format!("SELECT md5(string_agg(r::text, '' ORDER BY id)) FROM {sql} AS r");
    let before = scene.answer(&digest);
    let script = scene.printed(&["latest", "--table", table, "--insert"]);
    assert_eq!(script.lines().count(), 2_001, "a row a line");
    scene.database.query(&format!("DELETE FROM {sql}"));
    let mut psql = scene.database.client(&Installation::debian(), "psql");
    let put_back = process::output_given(psql.args(["-Xq", "-1", "-v", "ON_ERROR_STOP=1"]), script.as_bytes());
    assert!(put_back.status.success(), "{}", String::from_utf8_lossy(&put_back.stderr));
    assert_eq!(scene.answer(&digest), before);
}
