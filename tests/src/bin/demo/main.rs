//! `make demo`: all of it for real, on this machine alone. A web shop's database is backed up to a directory and to an S3
//! server, read back, restored with and without Lastgood, and compared. Then the cloud side is deployed: functions judge what
//! arrives, a stored bit is changed behind everyone's back, and people hear of it.

mod cloud;
mod story;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use e2e::agent::Agent;
use e2e::bucket::{Bucket, is_archive};
use e2e::postgres::{Database, Installation, Postgres};
use e2e::process::{output, output_given};
use e2e::seaweedfs::Seaweedfs;
use story::{Story, check};

const ORDERS: &str =
    "CREATE TABLE orders AS SELECT i AS id, 'customer ' || i % 977 AS customer, md5(i::text) AS reference,
    (i * 37 % 100000) / 100.0 AS amount FROM generate_series(1, 200000) AS i; ALTER TABLE orders ADD PRIMARY KEY (id);";

fn main() -> ExitCode {
    let began = Instant::now();
    let mut story = Story::new();
    let servers = tell(&mut story);
    story.end(began, &servers)
}

/// Says which processes served it; they have ended when this returns.
fn tell(story: &mut Story) -> Vec<u32> {
    story.title("Lastgood: you always know your last good backup");
    story.say("Starting a PostgreSQL and an S3 server, both real, both on this machine, both gone afterwards …");

    let postgres = Postgres::start(Installation::debian());
    let s3 = Seaweedfs::start();
    let (shop, copy) = (postgres.new_database_named("shop"), postgres.new_database_named("shop_by_hand"));
    let bucket = Bucket::new(&s3.admin());
    let folder = tempfile::tempdir().expect("a folder for local backups");
    story.say("The database `shop` has views, functions, types, policies and other objects of some thirty kinds, and 200,000 orders.");
    shop.fill_with_everything();
    shop.query(ORDERS);
    let agent = Agent::new().database(&shop).directory(folder.path()).bucket(bucket.name(), &s3.admin());

    back_up(story, &agent);
    verify(story, &agent);
    restore(story, &agent, &postgres, &shop);
    drill(story, &agent);
    restore_by_hand(story, folder.path(), &shop, &copy);
    one_row(story, &agent, &shop);
    erase(story, &agent);
    let aws = cloud::play(story, &postgres, &shop);
    vec![postgres.pid(), s3.pid(), aws]
}

fn back_up(story: &mut Story, agent: &Agent) {
    story.act("Back up, to a directory and to S3, in one pass");
    story.run(agent, &["config", "--set"]);
    story.run(agent, &["backup"]);
    story.say("The directory's copy was read back by the agent itself and is good. The bucket's is uploaded; it counts as good");
    story.say("only when somebody has read every byte of it back: a Lambda function, or `lastgood verify` from cron.");
}

fn verify(story: &mut Story, agent: &Agent) {
    story.act("Read back what S3 stored: MD5, every frame, every table to its last row");
    story.run(agent, &["verify", "latest"]);
    story.run(agent, &["list"]);
    story.run(agent, &["check"]);
    story
        .say("One backup is young and whole, and more than one there can't be yet. Once it is older than a day, `check` says so.");
}

fn restore(story: &mut Story, agent: &Agent, postgres: &Postgres, shop: &Database<'_>) {
    story.act("Restore the newest good backup into another database, and compare");
    story.run(agent, &["restore", "--from-s3-latest", "--into", "shop_restored", "--confirm"]);
    let restored = postgres.database("shop_restored");
    story.compare("pg_dump of shop and of shop_restored", shop, &restored);
}

fn one_row(story: &mut Story, agent: &Agent, shop: &Database<'_>) {
    story.act("Somebody deleted order 4711: fetch that one row out of the backup in S3, and put it back");
    let order = "SELECT row_to_json(o) FROM orders AS o WHERE id = 4711";
    let before = shop.query(order);
    shop.query("DELETE FROM orders WHERE id = 4711");
    let rows = ["rows", "latest", "--table", "orders", "--where", "id=4711", "--repository", "bucket"];
    story.run(agent, &rows);
    story.command("lastgood rows latest --table orders --where id=4711 --repository bucket --insert | psql shop");
    let script = agent.run(&[&rows[..], &["--insert"]].concat()).succeeds().stdout;
    let put = output_given(
        shop.client(&Installation::debian(), "psql").args(["-Xq", "-1", "-v", "ON_ERROR_STOP=1"]),
        script.as_bytes(),
    );
    check(put.status.success() && shop.query(order) == before, "order 4711 is back as it was");
}

fn drill(story: &mut Story, agent: &Agent) {
    story.act(
        "Prove it, as cron does every month: restore on a private server, dump again, compare everything, drop it",
    );
    story.run(agent, &["drill", "--temporary-server"]);
    story.say("Its report has the recovery time, and names what could not be compared. The server is gone.");
}

fn erase(story: &mut Story, agent: &Agent) {
    story.act("One customer asks to be forgotten: their orders leave the backup, and nothing else does");
    let orders = ["--table", "orders", "--where", "customer=customer 42"];
    story.run(agent, &[&["erase"], &orders[..], &["--all", "--repository", "directory", "--confirm"]].concat());
    story.say("The original is gone. What took its place was compared row by row; the certificate names what remains elsewhere.");
    story.run(agent, &["list", "--repository", "directory"]);
}

fn restore_by_hand(story: &mut Story, folder: &Path, shop: &Database<'_>, copy: &Database<'_>) {
    story.act("The same without Lastgood: gunzip and pg_restore are enough");
    let archive = std::fs::read_dir(folder)
        .expect("the folder of backups")
        .filter_map(|file| Some(file.ok()?.path()))
        .find(|path| path.file_name().and_then(OsStr::to_str).is_some_and(is_archive))
        .expect("an archive in it");
    story.command("gunzip -c FILE | pg_restore --dbname shop_by_hand");
    let gunzip = output(Command::new("gunzip").arg("-c").arg(&archive));
    check(gunzip.status.success(), "gunzip reads the archive");
    copy.restore(&gunzip.stdout);
    story.compare("pg_dump of shop and of shop_by_hand", shop, copy);
}
