//! Settings as frameworks write them, tried on a real server: the files lead to the database that they name.

use std::os::unix::fs::PermissionsExt as _;

use e2e::agent::Agent;
use e2e::postgres::Postgres;

/// A role whose password needs no escapes in any of the files.
const ROLE: &str = "framework";

/// A run's home with this `.env`.
fn agent(env_file: &str) -> Agent {
    let agent = Agent::new().programs_of(Postgres::shared().installation());
    let file = agent.home().join(".env");
    std::fs::write(&file, env_file).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let home = agent.home().display().to_string();
    let log = agent.home().join("log").display().to_string();
    agent.setting("BACKUP_DIR", home).setting("BACKUP_LOG_FILE", log)
}

#[test]
fn files_of_frameworks_lead_to_their_database() {
    let server = Postgres::shared();
    server.query(&format!("CREATE ROLE {ROLE} LOGIN PASSWORD 'hush'"));
    let database = server.new_database("framework");
    let (name, port) = (database.name(), server.port());
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "hush\n").unwrap();
    let files = [
        format!(
            "DB_CONNECTION=pgsql\nDB_HOST=127.0.0.1\nDB_PORT={port}\nDB_DATABASE={name}\nDB_USERNAME={ROLE}\nDB_PASSWORD=hush\nDB_POOL=5\n"
        ),
        format!("DATABASE_URL=\"postgresql://{ROLE}:hush@127.0.0.1:{port}/{name}?schema=public&connection_limit=5\"\n"),
        format!("DATABASE_URL=postgresql+asyncpg://{ROLE}:hush@127.0.0.1:{port}/{name}?ssl=prefer\n"),
        format!(
            "SPRING_DATASOURCE_URL=jdbc:postgresql://127.0.0.1:{port}/{name}?currentSchema=app\nSPRING_DATASOURCE_USERNAME={ROLE}\nSPRING_DATASOURCE_PASSWORD=hush\n"
        ),
        format!(
            "POSTGRES_HOST=localhost\nPOSTGRES_PORT={port}\nPOSTGRES_DB={name}\nPOSTGRES_USER={ROLE}\nPOSTGRES_PASSWORD_FILE={}\n",
            secret.path().display()
        ),
        format!("DATABASE_URL=postgis://${{DB_LOGIN:-{ROLE}}}:${{DB_SECRET-hush}}@127.0.0.1:{port}/{name}\n"),
    ];
    for file in files {
        let run = agent(&file).run(&["backup", "--dry-run", "--quiet"]).succeeds().keeps_silent_about("hush");
        assert_eq!(run.stderr, "", "{file}");
        agent(&file).run(&["config", "--set"]).succeeds().mentions(&format!("database {name} on "));
    }
    drop(database);
    server.query(&format!("DROP ROLE {ROLE}"));
}

/// The file says where another database is: the one that would be taken without it must not be.
#[test]
fn a_broken_file_never_leads_to_another_database() {
    for line in ["DB_NAME shop", "DB_NAME='shop", "POSTGRES_URL=postgresql://me:hush/x@db/shop", "DB_HOST=db:5432"] {
        agent(&format!("{line}\n")).run(&["backup", "--dry-run"]).exits(2).keeps_silent_about("hush");
    }
}
