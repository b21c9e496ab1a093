//! Roles that the archive names and the server lacks.

use super::Scene;

#[test]
fn owners_and_privileges_are_kept_where_the_roles_are_there() {
    let scene = Scene::new("owned");
    let role = format!("{}_role", scene.database.name());
    scene.database.query(&format!(
        "CREATE ROLE {role}; CREATE TABLE t (id integer); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {role};
         CREATE TABLE u (id integer); GRANT SELECT ON u TO {role}; CREATE POLICY p ON t TO {role} USING (true)"
    ));
    scene.agent.run(&["backup"]).succeeds();
    let before = scene.database.as_sql();
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().keeps_silent_about("left out");
    assert_eq!(scene.database.as_sql(), before);
}

#[test]
fn missing_roles_are_named_and_owners_left_out() {
    let scene = Scene::new("orphan");
    let (owner, reader) = (format!("{}_owner", scene.database.name()), format!("{}_reader", scene.database.name()));
    scene.database.query(&format!(
        "CREATE ROLE {owner}; CREATE ROLE {reader}; CREATE TABLE t (id integer); INSERT INTO t VALUES (1);
         ALTER TABLE t OWNER TO {owner}; CREATE TABLE u (id integer); GRANT SELECT ON u TO {reader}"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query(&format!("DROP OWNED BY {owner}, {reader}; DROP ROLE {owner}, {reader}"));
    for way in [&["restore", "latest", "--confirm"][..], &["restore", "latest", "--confirm", "--in-place"]] {
        scene
            .agent
            .run(way)
            .succeeds()
            .mentions(&owner)
            .mentions(&reader)
            .mentions("owners and privileges are left out");
        assert_eq!(scene.rows(), "1");
        assert_eq!(scene.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'"), "postgres");
    }
}

#[test]
fn a_missing_role_that_nothing_can_leave_out_is_refused_with_what_makes_it() {
    let scene = Scene::new("policy");
    let role = format!("{}_role", scene.database.name());
    scene.database.query(&format!(
        "CREATE ROLE {role}; CREATE TABLE t (id integer); CREATE POLICY p ON t TO {role} USING (true)"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query(&format!("DROP POLICY p ON t; DROP ROLE {role}"));
    scene.agent.run(&["restore", "latest", "--confirm"]).exits(1).mentions(&format!("CREATE ROLE \"{role}\""));
}
