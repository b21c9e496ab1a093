//! Encrypted archives are restored with the key, and never without.

use std::process::Command;

use e2e::process::output;

use super::Scene;

#[test]
fn an_encrypted_backup_is_restored_with_its_key_alone() {
    let scene = Scene::new("sealed");
    let identity = scene.agent.home().join("key.txt");
    let made = output(Command::new("age-keygen").arg("-o").arg(&identity));
    assert!(made.status.success());
    let key = std::fs::read_to_string(&identity).unwrap();
    let recipient = key.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned();
    scene.database.query("CREATE TABLE t (id integer); INSERT INTO t SELECT generate_series(1, 100)");
    let scene = scene.with("BACKUP_AGE_RECIPIENTS", &recipient);
    scene.agent.run(&["backup"]).succeeds();
    scene.database.query("DELETE FROM t WHERE id > 10");
    scene.agent.run(&["restore", "latest", "--confirm"]).exits(1).mentions("BACKUP_AGE_IDENTITY_FILE");
    assert_eq!(scene.rows(), "10");
    let scene = scene.with("BACKUP_AGE_IDENTITY_FILE", identity.to_str().unwrap());
    scene.agent.run(&["restore", "latest", "--confirm"]).succeeds().keeps_silent_about("AGE-SECRET-KEY");
    assert_eq!(scene.rows(), "100");
}
