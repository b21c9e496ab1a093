//! Archives that Lastgood didn't make, and dumps without COPY.

use super::{Scene, documents, sorted};

#[test]
fn the_rows_of_every_form_of_a_dump_are_the_same() {
    let scene = Scene::new("rows_guests");
    scene.database.query(
        "CREATE TABLE other (id integer); INSERT INTO other VALUES (7);
        CREATE TABLE t (id integer PRIMARY KEY, v text, a integer[]); INSERT INTO t SELECT i, E'v\\t' || i, ARRAY[i] FROM generate_series(1, 5000) AS i;
        CREATE TABLE zz (id integer); INSERT INTO zz VALUES (8)",
    );
    let living = scene.answer("SELECT row_to_json(t) FROM t");
    let file = scene.folder.path().join("guest");
    let path = file.to_str().unwrap();
    for form in [&["-Fc"][..], &["-Fc", "-Z0"], &["-Ft"], &["-Fp"]] {
        std::fs::write(&file, scene.database.dump(form)).unwrap();
        let json = scene.printed(&["--backup-file", path, "--table", "t", "--json"]);
        assert_eq!(documents(&json), sorted(living.lines()), "{form:?}");
        assert_eq!(
            scene.printed(&["--backup-file", path, "--table", "t", "--where", "id=4999", "--columns", "v"]),
            "v\nv\t4999\n"
        );
    }
    std::fs::write(&file, scene.database.dump(&["-Fc", "--inserts"])).unwrap();
    scene
        .agent
        .run(&["rows", "--backup-file", path, "--table", "t"])
        .exits(1)
        .mentions("dumped as INSERT statements")
        .mentions("lastgood restore");
    let whole = scene.database.dump(&["-Fc", "-Z0"]);
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    scene.agent.run(&["rows", "--backup-file", path, "--table", "zz"]).exits(4).mentions("is damaged");
}
