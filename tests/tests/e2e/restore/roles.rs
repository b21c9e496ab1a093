//! Roles that the archive names and the server lacks.

use e2e::postgres::{Database, Installation, PASSWORD, Postgres};

use super::{Scene, losing_the_answer};

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
            .mentions("1 of 2 objects will belong to postgres")
            .mentions("some privileges are left out");
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

/// The server makes them, and the answer is lost with the connection.
#[test]
fn roles_whose_making_was_not_answered_are_made() {
    let scene = Scene::new("unanswered");
    let role = format!("{}_role", scene.database.name());
    scene.database.query(&format!(
        "CREATE ROLE {role}; CREATE TABLE t (id integer); INSERT INTO t VALUES (1); ALTER TABLE t OWNER TO {role}"
    ));
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let programs = tempfile::tempdir().unwrap();
    losing_the_answer(&scene, programs.path(), "COMMIT");
    let scene = Scene { agent: scene.agent.programs_in(programs.path()), ..scene };
    scene.agent.run(&["restore", "latest", "--confirm", "--create-roles"]).succeeds();
    assert_eq!(scene.database.query("SELECT tableowner FROM pg_tables WHERE tablename = 't'"), role);
}

/// A role that is no superuser: what most people restore with.
struct Login<'a> {
    scene: Scene<'a>,
    name: String,
}

impl Login<'_> {
    /// The scene's database belongs to it, and the agent connects as it.
    fn owning(name: &str, attributes: &str) -> Login<'static> {
        Login::on(Postgres::shared(), name, attributes)
    }

    fn on<'a>(server: &'a Postgres, name: &str, attributes: &str) -> Login<'a> {
        let scene = Scene::on(server, name);
        let (database, role) = (scene.database.name().to_owned(), format!("{}_login", scene.database.name()));
        let server = scene.database.server();
        server.query(&format!("CREATE ROLE {role} LOGIN {attributes} PASSWORD '{}'", PASSWORD.replace('\'', "''")));
        server.query(&format!("ALTER DATABASE {database} OWNER TO {role}"));
        let scene = scene.with("DB_USER", &role);
        scene.database.query(&format!("SET ROLE {role}; CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (2)"));
        Login { scene, name: role }
    }
}

/// Who owns the table, and how many rows it has.
fn owner_and_rows(database: &Database<'_>) -> String {
    database.query("SELECT tableowner || ' ' || (SELECT count(*) FROM t) FROM pg_tables WHERE tablename = 't'")
}

#[test]
fn an_owner_that_may_create_databases_restores_by_every_way() {
    let login = Login::owning("creator", "CREATEDB");
    let (scene, role) = (&login.scene, &login.name);
    let whole = format!("{role} 2");
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t");
    scene.agent.run(&["restore", "latest", "--dry-run"]).succeeds().mentions("by swap");
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().mentions("the old database stays as");
    assert_eq!(owner_and_rows(&scene.database), whole);
    let server = scene.database.server();
    let (new, empty) = (format!("{}_new", scene.database.name()), format!("{}_empty", scene.database.name()));
    server.query(&format!("CREATE DATABASE {empty} OWNER {role}"));
    for copy in [new, empty] {
        scene.agent.run(&["restore", "latest", "--into", &copy, "--confirm"]).succeeds();
        assert_eq!(owner_and_rows(&server.database(&copy)), whole);
    }
    scene.agent.run(&["restore", "--drop-old", "--confirm"]).succeeds();
    assert_eq!(scene.beside(), Vec::<String>::new());
}

#[test]
fn an_administrator_who_is_a_member_of_the_owner_restores_by_swap() {
    for installation in [Installation::debian(), Installation::sixteen()] {
        let server = Postgres::start(installation);
        let login = Login::on(&server, "managed", "");
        let (owner, boss) = (&login.name, format!("{}_boss", login.name));
        let password = PASSWORD.replace('\'', "''");
        server.query(&format!("CREATE ROLE {boss} LOGIN CREATEDB PASSWORD '{password}'; GRANT {owner} TO {boss}"));
        let scene = login.scene.with("DB_USER", &boss);
        scene.database.query("CREATE ROLE reader; GRANT SELECT ON t TO reader");
        scene.agent.run(&["backup"]).succeeds();
        let before = scene.database.as_sql();
        scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().keeps_silent_about("left out");
        assert_eq!(scene.database.as_sql(), before);
        // The new database is the owner's from the beginning, and so is its schema public.
        let copy = server.database("managed_copy");
        let run = scene.agent.run(&["restore", "latest", "--into", "managed_copy", "--confirm"]).succeeds();
        run.keeps_silent_about("left out");
        assert_eq!(owner_and_rows(&copy), format!("{owner} 2"));
        assert_eq!(copy.query("SELECT has_table_privilege('reader', 't', 'SELECT')"), "t");
    }
}

#[test]
fn a_member_that_may_not_give_to_its_role_is_told_so_before_anything_starts() {
    let server = Postgres::start(Installation::sixteen());
    for (how, may) in [("SET FALSE", "may not create a database that belongs to"), ("INHERIT FALSE", "may not rename")]
    {
        let login = Login::on(&server, "member", "");
        let (owner, boss) = (&login.name, format!("{}_boss", login.name));
        let password = PASSWORD.replace('\'', "''");
        server.query(&format!("CREATE ROLE {boss} LOGIN CREATEDB PASSWORD '{password}'"));
        server.query(&format!("GRANT {owner} TO {boss} WITH {how}"));
        login.scene.agent.run(&["backup"]).succeeds();
        let scene = login.scene.with("DB_USER", &boss);
        scene.agent.run(&["restore", "latest", "--dry-run"]).mentions(may);
        let copy = server.database(&format!("{}_copy", scene.database.name()));
        let run = scene.agent.run(&["restore", "latest", "--into", copy.name(), "--confirm"]).succeeds();
        run.mentions(&format!("{boss} may not give anything to {owner}"));
        assert_eq!(owner_and_rows(&copy), format!("{boss} 2"));
        drop(copy);
        assert_eq!(scene.beside(), Vec::<String>::new());
    }
}

#[test]
fn every_privilege_stays_where_only_the_database_itself_belongs_to_another_role() {
    let login = Login::owning("leased", "");
    let (scene, role) = (&login.scene, &login.name);
    let (name, reader) = (scene.database.name(), format!("{role}_reader"));
    scene.database.query(&format!("ALTER DATABASE {name} OWNER TO postgres; GRANT CREATE ON SCHEMA public TO {role}"));
    scene.database.query(&format!("CREATE ROLE {reader}; GRANT SELECT ON t TO {reader}"));
    scene.agent.run(&["backup"]).succeeds();
    let before = scene.database.as_sql();
    scene.database.query("DELETE FROM t");
    // Of the schema, which isn't the role's own, they stay as they are; and so does what it gave of its own.
    let run = scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    run.mentions("brings: SCHEMA public").keeps_silent_about("TABLE t");
    assert_eq!(scene.database.as_sql(), before);
}

#[test]
fn a_role_that_may_connect_to_its_own_database_alone_restores_it_in_place() {
    let server = Postgres::start(Installation::debian());
    server.query("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC");
    let login = Login::on(&server, "alone", "CREATEDB");
    let scene = &login.scene;
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t");
    let run = scene.agent.run(&["restore", "latest", "--dry-run"]).succeeds();
    run.mentions("in place, because the role").mentions("may connect to no other database");
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds();
    assert_eq!(owner_and_rows(&scene.database), format!("{} 2", login.name));
}

#[test]
fn a_role_that_may_have_two_connections_restores_with_them() {
    let scene = Scene::new("few");
    let (role, name) = (format!("{}_few", scene.database.name()), scene.database.name().to_owned());
    let password = PASSWORD.replace('\'', "''");
    scene.database.query(&format!(
        "CREATE ROLE {role} LOGIN CREATEDB CONNECTION LIMIT 2 PASSWORD '{password}'; ALTER DATABASE {name} OWNER TO {role};
         ALTER DATABASE {name} CONNECTION LIMIT 2; CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1);
         ALTER TABLE t OWNER TO {role}"
    ));
    scene.agent.run(&["backup"]).succeeds();
    let scene = scene.with("DB_USER", &role);
    scene.agent.run(&["restore", "latest", "--confirm", "--jobs", "2"]).succeeds().mentions("1 job instead of 2");
    assert_eq!(scene.rows(), "1");
}
