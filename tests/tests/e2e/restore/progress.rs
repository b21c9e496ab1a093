//! How far a restore is, for whoever watches it.

use super::Scene;
use crate::signals::AtTerminal;

#[test]
fn a_terminal_is_shown_the_table_its_bytes_and_the_time_left() {
    // Without it a terminal is taken for one that can draw nothing.
    let scene = Scene::new("progress").with("TERM", "xterm");
    scene.database.fill_with_megabytes(12);
    scene.agent.run(&["backup"]).succeeds();
    let table = scene.database.query(
        "SELECT n.nspname || '.' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r'
            AND nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY pg_relation_size(c.oid) DESC LIMIT 1",
    );
    let mut run = AtTerminal::start(&scene.agent, &["restore", "latest", "--confirm", "--jobs", "1"]);
    run.wait_for(&table);
    let (_, code, shown) = run.end_by(b"");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("B/s, ") && shown.contains(" left"), "{shown}");
}
