//! Only the parts of an archive are read that hold the rows.

use e2e::bucket::Bucket;
use e2e::proxy::{Direction, Proxy};
use e2e::seaweedfs::Seaweedfs;

use super::{Scene, age_key, documents};

/// Twenty-four MiB that hardly compress, in the order of their keys, and a small table on either side.
const FILL: &str = "CREATE TABLE a_small (id integer PRIMARY KEY, t text); INSERT INTO a_small SELECT i, 'a' FROM generate_series(1, 10) AS i;
    CREATE TABLE large (id bigint PRIMARY KEY, t text); INSERT INTO large SELECT i, (SELECT string_agg(md5((i * 100 + j)::text), '') FROM generate_series(1, 16) AS j)
    FROM generate_series(1, 48000) AS i;
    CREATE TABLE z_small (id integer PRIMARY KEY, t text); INSERT INTO z_small SELECT i, 'z' FROM generate_series(1, 10) AS i";

#[test]
fn one_row_of_a_large_table_takes_few_requests_and_few_bytes() {
    let scene = Scene::new("rows_parts");
    scene.database.query(FILL);
    let (identity, recipient) = age_key(&scene.agent);
    let living = |id: u32| scene.answer(&format!("SELECT row_to_json(r) FROM large AS r WHERE id = {id}"));
    for (compression, recipients) in [("gzip", ""), ("gzip", recipient.as_str()), ("zstd", ""), ("none", "")] {
        let bucket = Bucket::new(&Seaweedfs::shared().admin());
        let proxy = Proxy::start(&bucket.access().endpoint);
        let agent = e2e::agent::Agent::new()
            .database(&scene.database)
            .bucket(bucket.name(), &bucket.access().through(&proxy))
            .setting("BACKUP_COMPRESSION", compression)
            .setting("BACKUP_AGE_RECIPIENTS", recipients)
            .setting("BACKUP_VERIFY", "read-back")
            .setting("BACKUP_AGE_IDENTITY_FILE", &identity);
        agent.run(&["backup"]).succeeds();
        let what = format!("{compression} {recipients}");
        for id in [1, 30_000, 48_000] {
            proxy.clear_requests();
            let before = proxy.bytes(Direction::Down);
            let run =
                agent.run(&["rows", "latest", "--table", "large", "--where", &format!("id={id}"), "--json"]).succeeds();
            let read = proxy.bytes(Direction::Down) - before;
            assert_eq!(documents(&run.stdout), [living(id).trim_end()], "{what}");
            run.mentions("only parts of");
            assert!(read < 5 << 20, "{what}: {read} bytes for one row");
        }
        proxy.clear_requests();
        let run = agent.run(&["rows", "latest", "--table", "z_small"]).succeeds();
        assert_eq!(run.stdout.lines().count(), 11, "{what}");
        run.mentions("all rows of the table were read");
        let archives =
            proxy.requests().into_iter().filter(|request| request.method == "GET" && is_archive(&request.target));
        let limit = if recipients.is_empty() { 2 } else { 4 };
        assert!(archives.count() <= limit, "{what}: the head and the rows: {:?}", proxy.requests());
        assert_eq!(agent.run(&["rows", "--table", "large", "--where", "id=48001"]).succeeds().stdout, "id,t\n");
        assert_eq!(agent.run(&["rows", "--table", "large"]).succeeds().stdout.lines().count(), 48_001, "{what}");
    }
}

fn is_archive(target: &str) -> bool {
    e2e::bucket::is_archive(target)
}

#[test]
fn without_an_index_or_with_a_wrong_one_the_archive_is_read_from_its_front() {
    let scene = Scene::new("rows_front").with("BACKUP_INDEX", "off");
    scene.database.query("CREATE TABLE t (id integer PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 1000) AS i");
    scene.agent.run(&["backup"]).succeeds();
    let index = || {
        let files = std::fs::read_dir(scene.folder.path()).unwrap().map(|row| row.unwrap().path());
        files.filter(|path| path.to_str().unwrap().contains(".index.")).collect::<Vec<_>>()
    };
    assert_eq!(index(), Vec::<std::path::PathBuf>::new());
    assert_eq!(scene.printed(&["--table", "t", "--where", "id=500"]), "id,v\n500,v500\n");
    let scene = Scene { agent: scene.agent.setting("BACKUP_INDEX", "on"), ..scene };
    scene.database.query("UPDATE t SET v = 'new' WHERE id = 500");
    scene.agent.run(&["backup", "--name", "later"]).succeeds();
    assert_eq!(scene.printed(&["latest", "--table", "t", "--where", "id=500"]), "id,v\n500,new\n");
    assert_eq!(scene.printed(&["latest~1", "--table", "t", "--where", "id=500"]), "id,v\n500,v500\n");
    scene.agent.run(&["rows", "latest~2", "--table", "t"]).exits(5).mentions("`latest~2` is not there");
    let files = std::fs::read_dir(scene.folder.path()).unwrap().map(|row| row.unwrap().path());
    let found: Vec<_> = files.filter(|path| path.to_str().unwrap().contains(".index.")).collect();
    let [index] = &found[..] else { panic!("{found:?}") };
    let mut bytes = std::fs::read(index).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(index, bytes).unwrap();
    let run = scene.agent.run(&["rows", "latest", "--table", "t", "--where", "v=new"]).succeeds();
    assert_eq!(run.stdout, "id,v\n500,new\n");
    run.mentions("can't be used, so its archive is read from the front: it is not what the backup's manifest says");
    std::fs::remove_file(index).unwrap();
    scene.agent.run(&["rows", "latest", "--table", "t", "--limit", "1"]).succeeds().mentions("is not there");
}

/// Whatever it is compressed or encrypted by, and though its index is whole.
#[test]
fn an_archive_that_is_damaged_is_told_so_whatever_it_is_in() {
    let scene = Scene::new("rows_damaged");
    scene.database.query("CREATE TABLE a (id integer PRIMARY KEY, v text); INSERT INTO a SELECT i, md5(i::text) FROM generate_series(1, 3000) AS i");
    let (identity, recipient) = age_key(&scene.agent);
    let mut scene = scene.with("BACKUP_AGE_IDENTITY_FILE", &identity);
    for (compression, recipients) in [("gzip", ""), ("zstd", ""), ("none", ""), ("gzip", recipient.as_str())] {
        scene = scene.with("BACKUP_COMPRESSION", compression).with("BACKUP_AGE_RECIPIENTS", recipients);
        let name = format!("damaged_{compression}{}", recipients.len());
        scene.agent.run(&["backup", "--name", &name]).succeeds();
        let mut files = std::fs::read_dir(scene.folder.path()).unwrap().map(|row| row.unwrap().path());
        let archive = files.find(|path| {
            let path = path.to_str().unwrap();
            path.contains(&name) && is_archive(path)
        });
        let archive = archive.unwrap();
        let whole = std::fs::read(&archive).unwrap();
        let rows = ["rows", name.as_str(), "--table", "a"];
        std::fs::write(&archive, &whole[..whole.len() - 100]).unwrap();
        scene.agent.run(&rows).exits(4).mentions("is damaged").mentions("hint: ");
        let mut broken = whole.clone();
        let middle = broken.len() / 2;
        broken[middle] ^= 0x55;
        std::fs::write(&archive, &broken).unwrap();
        scene.agent.run(&rows).exits(4).mentions("is damaged");
        std::fs::write(&archive, &whole).unwrap();
        assert_eq!(scene.agent.run(&rows).succeeds().stdout.lines().count(), 3_001, "{name}");
        // Without a key the key is missing; of the index beside it nothing is said.
        if !recipients.is_empty() {
            scene = scene.with("BACKUP_AGE_IDENTITY_FILE", "");
            let run = scene.agent.run(&rows).exits(1);
            run.mentions("BACKUP_AGE_IDENTITY_FILE").keeps_silent_about("the index of");
        }
    }
}

#[test]
fn an_index_goes_with_its_backup_and_tells_nobody_else_its_keys() {
    let scene = Scene::new("rows_index");
    scene.database.query("CREATE TABLE t (id text PRIMARY KEY); INSERT INTO t VALUES ('ann@example.com')");
    let (identity, recipient) = age_key(&scene.agent);
    let scene = scene.with("BACKUP_AGE_RECIPIENTS", &recipient).with("BACKUP_AGE_IDENTITY_FILE", &identity);
    let said = scene.agent.run(&["-vv", "backup"]).succeeds();
    said.keeps_silent_about("ann@example.com");
    let names = || {
        let mut names: Vec<String> = std::fs::read_dir(scene.folder.path())
            .unwrap()
            .map(|row| row.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert!(names().iter().any(|name| name.ends_with(".index.json.gz.age")), "{:?}", names());
    let list = scene.agent.run(&["list", "--json"]).succeeds().json();
    assert_eq!(list["databases"][0]["total"], 1, "an index is no guest: {list}");
    scene.agent.run(&["rows", "--table", "t", "--where", "id=ann@example.com"]).succeeds().mentions("ann@example.com");
    let blind = Scene { agent: scene.agent.setting("BACKUP_AGE_IDENTITY_FILE", ""), ..scene };
    blind.agent.run(&["rows", "--table", "t"]).exits(1).mentions("BACKUP_AGE_IDENTITY_FILE");
}
