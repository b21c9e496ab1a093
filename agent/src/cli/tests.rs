use clap::CommandFactory as _;

use super::*;

/// The help of one command, as a terminal 100 columns wide shows it.
fn help(path: &[&str]) -> String {
    let mut command = Cli::command().term_width(100);
    command.build();
    let command = path.iter().fold(&mut command, |command, name| command.find_subcommand_mut(name).unwrap());
    let text = command.render_long_help().to_string();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn help_reads_as_it_was_written() {
    insta::assert_snapshot!("lastgood", help(&[]));
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        insta::assert_snapshot!(name, help(&[name]));
    }
}

#[test]
fn every_help_ends_with_an_example() {
    for command in Cli::command().get_subcommands() {
        let end = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(end.contains("  lastgood "), "{}", command.get_name());
    }
}

/// Examples that don't parse would teach a mistake.
#[test]
fn every_example_is_a_command_line_that_parses() {
    let mut commands: Vec<clap::Command> = Cli::command().get_subcommands().cloned().collect();
    commands.push(Cli::command());
    let ends = commands.iter().filter_map(|command| command.get_after_help()).map(ToString::to_string);
    let lines: Vec<String> = ends.flat_map(|end| end.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut seen = 0;
    for line in lines.iter().filter_map(|line| Some(line.get(line.find("lastgood ")?..)?.to_owned())) {
        let end =
            line.find("   ").into_iter().chain(line.find(" | ")).chain(line.find(" > ")).chain(line.find(" || ")).min();
        let words = shlex::split(line.get(..end.unwrap_or(line.len())).unwrap()).unwrap();
        Cli::try_parse_from(&words).unwrap_or_else(|e| panic!("{line}: {e}"));
        seen += 1;
    }
    assert!(seen > 25, "{seen}");
}

#[test]
fn the_guides_restore_flags_are_understood() {
    let lines = [
        "restore --from-s3-latest",
        "restore --from-s3-latest --confirm",
        "restore --from-s3-latest --dry-run",
        "restore --list-s3",
        "restore --from-s3 s3://b/backups/20250128/astro_backup_20250128_143000.sql.gz --skip-backup --skip-services",
        "restore --backup-file /var/backups/astro-db/astro_backup_20250128_143000.sql.gz",
    ];
    for line in lines {
        let words = std::iter::once("lastgood").chain(line.split(' '));
        Cli::try_parse_from(words).unwrap_or_else(|e| panic!("{line}: {e}"));
    }
}

#[test]
fn a_restore_is_told_one_place_to_restore_from() {
    for line in ["lastgood restore", "lastgood restore a --from-s3-latest", "lastgood restore --list-s3 --drop-old"] {
        assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
    }
}

#[test]
fn one_database_is_retired_at_a_time() {
    assert!(Cli::try_parse_from(["lastgood", "retire", "shop", "--confirm"]).is_ok());
    assert!(Cli::try_parse_from(["lastgood", "retire", "shop", "--all-databases"]).is_err());
    for (age, hours) in [("2h", 2), ("36h", 36), ("8d", 192), ("3 days", 72), ("120m", 2), ("1h 60m", 2)] {
        let cli = Cli::try_parse_from(["lastgood", "expect", "shop", "--max-age", age]).unwrap();
        let Command::Expect(args) = cli.asked() else { panic!("another command") };
        assert_eq!(args.max_age, Some(hours), "{age}");
    }
    for age in ["", "0h", "26", "90m", "-2h", "d", "999999d", "soon"] {
        assert!(Cli::try_parse_from(["lastgood", "expect", "shop", "--max-age", age]).is_err(), "{age}");
    }
    assert!(Cli::try_parse_from(["lastgood", "expect", "shop", "--max-age", "2h", "--no-max-age"]).is_err());
}

/// The shims put their own `--env-file` before the user's.
#[test]
fn the_last_env_file_counts() {
    let cli = Cli::try_parse_from(["lastgood", "list", "--env-file", "a", "--env-file", "b"]).unwrap();
    assert_eq!(cli.given().env_file, Some(PathBuf::from("b")));
    let cli = Cli::try_parse_from(["lastgood", "--env-file", "a", "list"]).unwrap();
    assert_eq!(cli.given().env_file, Some(PathBuf::from("a")));
}
