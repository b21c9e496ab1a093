//! `make cloud-smoke`: the whole life of a stack in the account that the environment names. For a sandbox, before a release.

use std::path::PathBuf;
use std::process::ExitCode;

use e2e::postgres::{Installation, Postgres};
use e2e::smoke::{Account, run};

fn main() -> ExitCode {
    let Some(release) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: cloud-smoke RELEASE\n\nRELEASE is the folder that make functions built.");
        return ExitCode::from(2);
    };
    let account = match Account::of_process() {
        Ok(account) => account,
        Err(error) => {
            eprintln!(
                "error: {error}\nhint: export AWS_REGION and the credentials of a sandbox account's administrator"
            );
            return ExitCode::FAILURE;
        }
    };
    println!("In account {} and {}:", account.number(), account.region());
    let postgres = Postgres::start(Installation::debian());
    let database = postgres.new_database("smoke");
    database.fill_with_everything();
    run(&account, &release, &database, &mut |step| println!("  {step}"));
    println!("All went as it should.");
    ExitCode::SUCCESS
}
