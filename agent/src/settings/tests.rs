use std::path::PathBuf;

use super::*;

/// What a test says instead of a machine.
#[derive(Default)]
struct Machine {
    given: Given,
    env_file: String,
    toml: String,
}

impl Machine {
    fn environment(mut self, values: &[(&str, &str)]) -> Self {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        self.given.environment.extend(values);
        self
    }

    fn env_file(mut self, text: &str) -> Self {
        self.env_file = text.to_owned();
        self
    }

    fn toml(mut self, text: &str) -> Self {
        self.toml = text.to_owned();
        self
    }

    fn flag(mut self, name: &'static str, flag: &'static str, value: &str) -> Self {
        self.given.flags.push((name, flag, value.to_owned()));
        self
    }

    fn databases(mut self, names: &[&str]) -> Self {
        self.given.databases = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// The files are called `.env` and `lastgood.toml` in what is said about them.
    fn load(mut self) -> Result<Settings, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        self.given.env_file = write(".env", &self.env_file);
        self.given.config = write("lastgood.toml", &self.toml);
        let place = format!("{}/", folder.path().display());
        Settings::load(&self.given, Report::default())
            .map_err(|failure| Failure { error: failure.error.replace(&place, ""), ..failure })
    }

    fn settings(self) -> Settings {
        self.load().unwrap()
    }

    fn mistakes(self) -> String {
        self.load().unwrap_err().error
    }
}

fn machine() -> Machine {
    Machine::default()
}

#[test]
fn the_nearer_place_wins() {
    let toml = "backup_name = \"toml\"";
    let cases = [
        (machine().toml(toml), "toml"),
        (machine().toml(toml).env_file("BACKUP_NAME=file"), "file"),
        (
            machine().toml(toml).env_file("BACKUP_NAME=file").environment(&[("BACKUP_NAME", "environment")]),
            "environment",
        ),
        (machine().environment(&[("BACKUP_NAME", "environment")]).flag("BACKUP_NAME", "--name", "flag"), "flag"),
        (machine().toml(toml).env_file("BACKUP_NAME=\n").environment(&[("BACKUP_NAME", "")]), "toml"),
    ];
    for (machine, expected) in cases {
        assert_eq!(machine.settings().name.as_deref(), Some(expected));
    }
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_places() {
    let mistakes = machine()
        .environment(&[("BACKUP_KEEP_LAST", "many"), ("BACKUP_COMPRESSION", "lzma"), ("BACKUP_S3_BUKET", "b")])
        .env_file("# ours\nDB_PORT=99999\nDATABASE_URL=mysql://u:hush@h/d\nBACKUP_VERIFY='auto\n")
        .toml("max_backup_age_hours = 0\nBackup_Name = \"x\"\nbackup_keep_dialy = 3\nbackup_lock_timeout = 1.5\n[[database]]\nbackup_dir = \"/b\"\n")
        .mistakes();
    insta::assert_snapshot!(mistakes);
    assert!(!mistakes.contains("hush"));
}

#[test]
fn a_value_that_is_no_text_is_a_mistake() {
    use std::os::unix::ffi::OsStringExt as _;
    let mut machine = machine();
    let value = std::ffi::OsString::from_vec(vec![b'a', 0xff]);
    machine.given.environment.insert("DB_PASSWORD".into(), value);
    assert_eq!(machine.mistakes(), "DB_PASSWORD (environment): its value is not valid UTF-8");
}

#[test]
fn one_mistake_stands_on_the_errors_own_line() {
    let failure = machine().env_file("\nMIN_BACKUP_SIZE=12 bananas").load().unwrap_err();
    let expected = "MIN_BACKUP_SIZE=12 bananas (.env:2): expected one of the units KiB, MiB, GiB, TiB, KB, MB, GB, TB";
    assert_eq!((failure.exit, failure.error.as_str()), (Exit::Usage, expected));
}

#[test]
fn a_file_that_was_named_must_exist() {
    let given =
        Given { env_file: Some("/nowhere/.env".into()), config: Some("/nowhere.toml".into()), ..Given::default() };
    let error = Settings::load(&given, Report::default()).unwrap_err().error;
    assert!(error.contains("--env-file /nowhere/.env") && error.contains("--config /nowhere.toml"), "{error}");
}

#[test]
fn each_part_of_the_address_is_found_by_itself() {
    let url = ("DATABASE_URL", "postgresql+asyncpg://me:pw@db1:6000/shop?sslmode=require");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "the role's own database on this machine"),
        (&[("PGUSER", "me")], "database me on this machine as me"),
        (&[("PGHOST", "/run/postgresql"), ("PGDATABASE", "shop")], "database shop on /run/postgresql"),
        (&[url], "database shop on db1:6000 as me"),
        (&[url, ("DB_NAME", "blog"), ("PGHOST", "other")], "database blog on db1:6000 as me"),
        (
            &[("DB_NAME", "blog"), ("PGUSER", "root"), ("PGPORT", "5433")],
            "database blog on this machine, port 5433 as root",
        ),
        (&[("LASTGOOD_DEFAULTS", "guide")], "database astro on localhost:5432 as astro_user"),
        (&[("LASTGOOD_DEFAULTS", "guide"), url], "database shop on db1:6000 as me"),
        (
            &[("LASTGOOD_DEFAULTS", "guide"), ("DB_NAME", "x"), ("PGPORT", "1")],
            "database x on localhost:1 as astro_user",
        ),
    ];
    for (environment, expected) in cases {
        let settings = machine().environment(environment).settings();
        assert_eq!(settings.databases[0].connection.place(), *expected, "{environment:?}");
    }
}

#[test]
fn children_get_the_address_in_their_environment_and_none_of_our_secrets() {
    let environment = [
        ("DATABASE_URL", "postgresql://me:p%40ss@db1/shop?sslmode=verify-full"),
        ("PGHOSTADDR", "10.0.0.1"),
        ("BACKUP_AWS_ACCESS_KEY_ID", "AKIA"),
        ("BACKUP_AWS_SECRET_ACCESS_KEY", "hush"),
    ];
    let settings = machine().environment(&environment).settings();
    let command = settings.databases[0].connection.command("psql");
    let text = |value: &std::ffi::OsStr| value.to_str().unwrap().to_owned();
    let (set, removed): (Vec<_>, Vec<_>) = command.get_envs().partition(|(_, value)| value.is_some());
    let set: Vec<_> = set.into_iter().map(|(name, value)| format!("{}={}", text(name), text(value.unwrap()))).collect();
    let expected = [
        "PGAPPNAME=lastgood",
        "PGDATABASE=shop",
        "PGHOST=db1",
        "PGPASSWORD=p@ss",
        "PGSSLMODE=verify-full",
        "PGUSER=me",
    ];
    assert_eq!(set, expected);
    let removed: Vec<_> = removed.into_iter().map(|(name, _)| text(name)).collect();
    for name in ["PGHOSTADDR", "PGSERVICE", "DATABASE_URL", "BACKUP_AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"] {
        assert!(removed.contains(&name.to_owned()), "{name}");
    }
    assert_eq!(command.get_args().count(), 0);
}

#[test]
fn a_service_is_weaker_than_what_was_said_and_stronger_than_pg_variables() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".pg_service.conf"), "[prod]\nhost=db1\ndbname=shop\nuser=me\npassword=pw\n")
        .unwrap();
    let mut machine = machine().environment(&[("PGSERVICE", "prod"), ("PGHOST", "other"), ("DB_NAME", "blog")]);
    machine.given.home = Some(home.path().to_owned());
    let connection = machine.settings().databases[0].connection.clone();
    assert_eq!(connection.place(), "database blog on db1 as me");
    assert_eq!((connection.get("PGPASSWORD"), connection.get("PGSERVICE")), (Some("pw"), None));
}

#[test]
fn a_service_that_only_libpq_can_find_is_left_to_it() {
    let environment = [("PGSERVICE", "ldap"), ("PGSERVICEFILE", "/nowhere"), ("PGSYSCONFDIR", "/nowhere")];
    let settings = machine().environment(&environment).settings();
    assert_eq!(settings.databases[0].connection.get("PGSERVICE"), Some("ldap"));
}

#[test]
fn entries_are_backed_up_each_with_its_own_settings() {
    let toml = "db_host = \"db1\"\nbackup_keep_last = 2\n[[database]]\ndb_name = \"shop\"\nbackup_keep_last = 5\n\
                [[database]]\ndatabase_url = \"postgresql://me@db2/blog\"\n";
    let machine = || machine().toml(toml).environment(&[("DB_NAME", "general"), ("BACKUP_KEEP_LAST", "3")]);
    let shown = |settings: &Settings| -> Vec<String> {
        let databases = settings.databases.iter();
        databases.map(|d| format!("{} keep {}", d.connection.place(), d.policy.keep_last)).collect()
    };
    let (shop, blog) = ("database shop on db1 keep 5", "database blog on db2 as me keep 3");
    assert_eq!(shown(&machine().settings()), [shop, blog]);
    let chosen = machine().databases(&["blog", "other"]).settings();
    assert_eq!(shown(&chosen), [blog, "database other on db1 keep 3"]);
    assert_eq!(chosen.database("shop").policy.keep_last, 5);
}

#[test]
fn a_list_of_checks_is_parted_by_semicolons_and_not_quoted_as_words() {
    let toml = "restore_checks = ['SELECT 1 = 1']\n[[database]]\ndb_name = \"shop\"\n\
                restore_checks = [\"SELECT 'it''s; one' = x FROM t -- first\", 'SELECT true;']\n[[database]]\ndb_name = \"blog\"\n";
    let settings = machine().toml(toml).settings();
    let queries = |at: usize| settings.databases[at].checks.as_ref().unwrap().queries().unwrap();
    assert_eq!(queries(0), ["SELECT 'it''s; one' = x FROM t -- first", "SELECT true"]);
    assert_eq!(queries(1), ["SELECT 1 = 1"]);
}

#[test]
fn an_entry_names_its_database_and_none_stands_twice() {
    let toml = "[[database]]\ndb_host = \"h\"\n[[database]]\ndb_name = \"a\"\n[[database]]\ndb_name = \"a\"\n";
    let expected = "2 settings are wrong:\n  [[database]] (lastgood.toml:1): db_name is missing\n  \
                    [[database]] (lastgood.toml:5): a is listed twice";
    assert_eq!(machine().toml(toml).mistakes(), expected);
}

#[test]
fn backups_go_where_the_guide_says() {
    let bucket = ("BACKUP_S3_BUCKET", "my-backups");
    let guide = ("LASTGOOD_DEFAULTS", "guide");
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>, Option<&'a str>);
    let cases: &[Case<'_>] = &[
        (&[], Some("/var/backups/lastgood"), None),
        (&[bucket], None, Some("my-backups/backups")),
        (&[bucket, ("BACKUP_DIR", "/b"), ("BACKUP_S3_PREFIX", "/a/b/")], Some("/b"), Some("my-backups/a/b")),
        (&[guide], Some("/var/backups/astro-db"), None),
        (&[guide, bucket], Some("/var/backups/astro-db"), Some("my-backups/backups")),
    ];
    for (environment, directory, bucket) in cases {
        let settings = machine().environment(environment).settings();
        let place = settings.buckets.first().map(|b| format!("{}/{}", b.bucket, b.prefix));
        assert_eq!((settings.directory, place.as_deref()), (directory.map(PathBuf::from), *bucket), "{environment:?}");
    }
}

#[test]
fn dev_mode_of_the_guide_asks_aws_nothing() {
    let settings =
        machine().env_file("BACKUP_S3_BUCKET=  # Leave empty\nAWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=b").settings();
    assert!(settings.buckets.is_empty());
}

#[test]
fn the_identity_is_the_one_this_run_was_told() {
    let ours = "BACKUP_AWS_ACCESS_KEY_ID=ours\nBACKUP_AWS_SECRET_ACCESS_KEY=s\n";
    let shared = "AWS_ACCESS_KEY_ID=shared\nAWS_SECRET_ACCESS_KEY=s\nAWS_SESSION_TOKEN=t\n";
    let profile = [("AWS_PROFILE", "operator")];
    let cases = [
        (machine(), "chain"),
        (machine().env_file(shared), "keys shared with a token"),
        (machine().env_file(&format!("{shared}{ours}")), "keys ours"),
        (machine().env_file(&format!("{ours}AWS_PROFILE=p")), "keys ours"),
        (machine().env_file("AWS_PROFILE=p"), "profile p"),
        (machine().env_file(&format!("{shared}{ours}")).environment(&profile), "profile operator"),
        (machine().env_file(ours).flag("AWS_PROFILE", "--aws-profile", "flag"), "profile flag"),
        (
            machine().env_file(ours).environment(&[("AWS_ACCESS_KEY_ID", "near"), ("AWS_SECRET_ACCESS_KEY", "s")]),
            "keys ours",
        ),
    ];
    for (machine, expected) in cases {
        let bucket = machine.environment(&[("BACKUP_S3_BUCKET", "my-backups")]).settings().buckets.remove(0);
        let shown = match (bucket.keys, bucket.profile) {
            (Some(keys), None) => {
                format!("keys {}{}", keys.id, if keys.token.is_some() { " with a token" } else { "" })
            }
            (None, Some(profile)) => format!("profile {profile}"),
            (None, None) => "chain".to_owned(),
            both => panic!("{both:?}"),
        };
        assert_eq!(shown, expected);
    }
}

#[test]
fn half_a_pair_of_keys_is_a_mistake() {
    let mistakes = machine().env_file("BACKUP_S3_BUCKET=my-backups\nBACKUP_AWS_SECRET_ACCESS_KEY=hush").mistakes();
    assert_eq!(mistakes, "BACKUP_AWS_SECRET_ACCESS_KEY (.env:2): BACKUP_AWS_ACCESS_KEY_ID is missing");
}

#[test]
fn the_stronger_of_two_names_counts() {
    let cases =
        [("BACKUP_S3_RETENTION_DAYS=5", 5), ("BACKUP_S3_RETENTION_DAYS=5\nBACKUP_RETENTION_DAYS=7", 7), ("", 30)];
    for (text, days) in cases {
        assert_eq!(machine().env_file(text).settings().databases[0].local_days, days, "{text}");
    }
}

#[test]
fn every_default_is_a_value_of_its_setting() {
    for definition in ALL {
        for default in definition.default.iter().chain(&definition.guide) {
            assert_eq!((definition.check)(default), Ok(()), "{}", definition.name);
        }
    }
}

#[test]
fn no_name_is_given_twice() {
    let mut names: Vec<_> = names::known().collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn a_log_file_that_was_set_is_told_from_a_default() {
    for environment in [&[][..], &[("LASTGOOD_DEFAULTS", "guide")]] {
        assert!(!machine().environment(environment).settings().logs.backup.is_set, "{environment:?}");
    }
    assert!(machine().environment(&[("BACKUP_LOG_FILE", "/var/log/lastgood.log")]).settings().logs.backup.is_set);
}

#[test]
fn settings_that_decide_over_a_backup_are_checked() {
    let age = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
    let right = [
        ("BACKUP_PG_DUMP_OPTIONS", "--exclude-table-data='my logs' -n public"),
        ("BACKUP_AGE_RECIPIENTS", age),
        ("BACKUP_S3_PART_SIZE", "64MiB"),
        ("BACKUP_LOCK_TIMEOUT", "0s"),
        ("BACKUP_S3_SSE", "aws:kms"),
    ];
    for (name, value) in right {
        machine().environment(&[(name, value)]).settings();
    }
    let wrong = [
        ("BACKUP_PG_DUMP_OPTIONS", "--format=plain"),
        ("BACKUP_PG_DUMP_OPTIONS", "-Fp"),
        ("BACKUP_PG_DUMP_OPTIONS", "-j4"),
        ("BACKUP_PG_DUMP_OPTIONS", "'open"),
        ("BACKUP_AGE_RECIPIENTS", "age1nonsense"),
        ("BACKUP_AGE_RECIPIENTS_FILE", "/nowhere"),
        ("BACKUP_S3_PART_SIZE", "1MiB"),
        ("BACKUP_S3_BUCKET", "s3://my-backups"),
        ("BACKUP_LOCK_TIMEOUT", "30"),
        ("BACKUP_LOCK_TIMEOUT", "-3s"),
        ("BACKUP_S3_STORAGE_CLASS", "GLACIER"),
        ("BACKUP_HEALTHCHECK_URL", "hc-ping.com/x"),
        ("BACKUP_NAME", "a b"),
        ("BACKUP_RETENTION_DAYS", "-1"),
    ];
    for (name, value) in wrong {
        let error = machine().environment(&[(name, value)]).mistakes();
        assert!(error.starts_with(name) && error.contains(" (environment): "), "{name}={value}: {error}");
    }
}

#[test]
fn a_readable_file_with_a_secret_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".env");
    let warnings = |text: &str, mode: u32| {
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let given = Given { env_file: Some(file.clone()), config: Some("/dev/null".into()), ..Given::default() };
        Settings::load(&given, Report::default()).unwrap().warnings.len()
    };
    assert_eq!(
        (warnings("DB_PASSWORD=x", 0o644), warnings("DB_PASSWORD=x", 0o600), warnings("DB_NAME=x", 0o644)),
        (1, 0, 0)
    );
}

/// No secret, from any place, appears in anything that people or programs are shown.
#[test]
fn secrets_show_nowhere() {
    const HUSH: &str = "hush5ecret";
    for definition in ALL.iter().filter(|definition| definition.secret) {
        let value = match definition.name {
            "DATABASE_URL" | "BACKUP_DRILL_SERVER" => format!("postgresql://me:{HUSH}@h/d?pool_size=3"),
            "BACKUP_HEALTHCHECK_URL"
            | "BACKUP_HEALTHCHECK_FAIL_URL"
            | "BACKUP_DRILL_HEALTHCHECK_URL"
            | "BACKUP_NOTIFY_URL" => format!("https://hc-ping.com/{HUSH}"),
            _ => HUSH.to_owned(),
        };
        let ids = [("BACKUP_S3_BUCKET", "my-backups"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", HUSH)];
        let ours = [("BACKUP_AWS_ACCESS_KEY_ID", "b"), ("BACKUP_AWS_SECRET_ACCESS_KEY", HUSH)];
        let machine = machine().environment(&ids).environment(&ours).environment(&[(definition.name, &value)]);
        let settings = machine.settings();
        let shown = format!("{settings:?} {settings:#?} {:?}", settings.databases);
        assert!(!shown.contains(HUSH), "{}: {shown}", definition.name);
    }
}

#[test]
fn a_file_that_hides_another_is_said_and_where_backups_go_then() {
    let folder = |name: &str| -> tempfile::TempDir { tempfile::Builder::new().prefix(name).tempdir().unwrap() };
    let (application, machine) = (folder("application"), folder("etc"));
    let write = |file: PathBuf, text: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(machine.path().join("lastgood.env"), "DB_NAME=shop\nBACKUP_DIR=/b\n");
    let given = Given { folder: application.path().into(), machine: Some(machine.path().into()), ..Given::default() };
    let load = |given: &Given| Settings::load(given, Report::default()).unwrap();
    let alone = load(&given);
    assert_eq!((alone.directory, alone.warnings), (Some("/b".into()), vec![]));
    let (own, others) = (application.path().join(".env"), machine.path().join("lastgood.env"));
    let (own_name, others_name) = (own.display().to_string(), others.display().to_string());
    write(own.clone(), "DATABASE_URL=postgresql://me:hush@h/d\n");
    let hidden = load(&given);
    assert_eq!(hidden.directory, Some(DIRECTORY.into()));
    let nowhere = "; BACKUP_DIR and BACKUP_S3_BUCKET are not set, so backups go to /var/backups/lastgood";
    let said = |place: &str| {
        format!(
            "settings are read from {own_name}, and {others_name} is ignored{place}: --env-file {others_name} chooses it"
        )
    };
    assert_eq!(hidden.warnings, [said(nowhere)]);
    write(own, "BACKUP_S3_BUCKET=my-backups\n");
    assert_eq!(load(&given).warnings, [said("")]);
    let chosen = load(&Given { env_file: Some(others), ..given });
    assert_eq!((chosen.directory, chosen.warnings), (Some("/b".into()), vec![]));
}

#[test]
fn an_entry_of_the_toml_file_takes_a_password_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hush\n").unwrap();
    let toml = format!("[[database]]\ndb_name = \"shop\"\ndb_password_file = \"{}\"\n", secret.display());
    let settings = machine().toml(&toml).settings();
    assert_eq!(settings.databases[0].connection.get("PGPASSWORD"), Some("hush"));
}

#[test]
fn entries_are_named_and_other_programs_names_fill_the_rest() {
    let toml = "[[database]]\ndb_name = \"shop\"\n[[database]]\ndatabase_url = \"postgresql://me@db2/blog\"\n";
    let env_file = "POSTGRES_HOST=db1\nPOSTGRES_DB=other\nPOSTGRES_USER=app\nPOSTGRES_PASSWORD=hush\n";
    let settings = machine().toml(toml).env_file(env_file).settings();
    let places: Vec<_> = settings.databases.iter().map(|database| database.connection.place()).collect();
    assert_eq!(places, ["database shop on db1 as app", "database blog on db2 as me"]);
    assert_eq!(settings.databases[1].connection.get("PGPASSWORD"), None, "it is another role's");
    let warnings: Vec<_> = settings.warnings.iter().filter(|line| line.contains("names another")).collect();
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn no_program_of_another_inherits_a_password() {
    let names = ["POSTGRES_PASSWORD", "DB_PASS", "SPRING_DATASOURCE_URL", "RDS_PASSWORD"];
    let command = machine().settings().databases[0].connection.command("psql");
    for name in names {
        assert!(command.get_envs().any(|(known, value)| known == name && value.is_none()), "{name}");
    }
}

#[test]
fn a_name_belongs_to_one_program() {
    let mut names: Vec<_> = names::known().chain(foreign::names()).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// Each bucket in words: its name, store, region and identity, and what is peculiar to stores.
fn buckets(settings: &Settings) -> Vec<String> {
    let shown = |bucket: &BucketSettings| {
        let identity = match (&bucket.keys, &bucket.profile) {
            (Some(keys), None) => format!("keys {}", keys.id),
            (None, Some(profile)) => format!("profile {profile}"),
            _ => "chain".to_owned(),
        };
        let region = bucket.region.as_deref().unwrap_or("-");
        let equal = if bucket.equal_parts { ", equal parts" } else { "" };
        format!("{}/{} at {} in {region}, {identity}{equal}", bucket.bucket, bucket.prefix, store(bucket))
    };
    settings.buckets.iter().map(shown).collect()
}

const FIRST: &str = "BACKUP_S3_BUCKET=one\nBACKUP_S3_PREFIX=team\nAWS_REGION=eu-central-1\nBACKUP_AWS_ACCESS_KEY_ID=A1\n\
                     BACKUP_AWS_SECRET_ACCESS_KEY=hush\n";

#[test]
fn a_bucket_at_the_same_store_shares_its_identity_and_one_at_another_store_nothing() {
    let another =
        "BACKUP_S3_ENDPOINT_2=https://r2.example/\nBACKUP_AWS_ACCESS_KEY_ID_2=A2\nBACKUP_AWS_SECRET_ACCESS_KEY_2=s\n";
    let cases = [
        ("BACKUP_S3_BUCKET_2=two", "two/backups at AWS in eu-central-1, keys A1"),
        (
            "BACKUP_S3_BUCKET_2=two\nAWS_REGION_2=us-west-2\nAWS_PROFILE_2=p",
            "two/backups at AWS in us-west-2, profile p",
        ),
        (
            "BACKUP_S3_BUCKET_2=two\nBACKUP_S3_ENDPOINT_2=https://s3.us-west-2.amazonaws.com\nBACKUP_S3_PREFIX_2=x",
            "two/x at AWS in eu-central-1, keys A1",
        ),
        (&format!("{another}BACKUP_S3_BUCKET_2=two"), "two/backups at https://r2.example:443 in -, keys A2"),
        (
            &format!("{another}BACKUP_S3_BUCKET_2=two\nBACKUP_S3_EQUAL_PARTS_2=true\nAWS_REGION_2=auto"),
            "two/backups at https://r2.example:443 in auto, keys A2, equal parts",
        ),
    ];
    for (second, expected) in cases {
        let settings = machine().env_file(&format!("{FIRST}{second}")).settings();
        assert_eq!(buckets(&settings), ["one/team at AWS in eu-central-1, keys A1", expected], "{second}");
        assert!(settings.buckets[1].beside && !settings.buckets[0].beside);
    }
    // AWS's own name for an endpoint is for every bucket, and Lastgood's for the first.
    let endpoint =
        machine().env_file(&format!("{FIRST}BACKUP_S3_BUCKET_2=two\nAWS_ENDPOINT_URL=http://minio:9000")).settings();
    assert!(buckets(&endpoint).iter().all(|bucket| bucket.contains("http://minio:9000")), "{:?}", buckets(&endpoint));
    let own = format!("{FIRST}BACKUP_S3_BUCKET_2=two\nBACKUP_S3_ENDPOINT=http://minio:9000");
    assert!(machine().env_file(&own).mistakes().contains("whose credentials do not go there"));
    // A nearer place's profile wins over keys, as it does for the first.
    let near =
        machine().env_file(&format!("{FIRST}{another}BACKUP_S3_BUCKET_2=two")).environment(&[("AWS_PROFILE_2", "op")]);
    assert!(buckets(&near.settings())[1].ends_with("profile op"));
}

#[test]
fn numbers_have_no_gap_and_no_place_comes_twice() {
    let cases = [
        (
            "BACKUP_S3_BUCKET_3=three",
            "BACKUP_S3_BUCKET_3 (.env:6): BACKUP_S3_BUCKET_2 is not set; number the buckets without a gap",
        ),
        (
            "BACKUP_S3_PREFIX_2=two",
            "BACKUP_S3_PREFIX_2 (.env:6): BACKUP_S3_BUCKET_2 is not set, so there is no such bucket",
        ),
        (
            "BACKUP_S3_BUCKET_5=five",
            "BACKUP_S3_BUCKET_5 (.env:6): there are four buckets at most: BACKUP_S3_BUCKET, and BACKUP_S3_BUCKET_2 to BACKUP_S3_BUCKET_4",
        ),
        ("BACKUP_S3_BUCKET_1=one", "BACKUP_S3_BUCKET_1 (.env:6): the first bucket's has no number: BACKUP_S3_BUCKET"),
        (
            "BACKUP_S3_BUCKET_2=one\nBACKUP_S3_PREFIX_2=/team/",
            "BACKUP_S3_BUCKET_2 (.env:6): it is the same place as that of BACKUP_S3_BUCKET",
        ),
        (
            "BACKUP_S3_BUCKET_2=two\nBACKUP_AWS_ACCESS_KEY_ID_2=A",
            "BACKUP_AWS_ACCESS_KEY_ID_2 (.env:7): BACKUP_AWS_SECRET_ACCESS_KEY_2 is missing",
        ),
        (
            "BACKUP_S3_BUCKET_2=two\nBACKUP_S3_CHECKSUM_2=sha1",
            "BACKUP_S3_CHECKSUM_2=sha1 (.env:7): expected one of crc64nvme, md5, none",
        ),
    ];
    for (second, expected) in cases {
        assert_eq!(machine().env_file(&format!("{FIRST}{second}")).mistakes(), expected, "{second}");
    }
    let without = machine().env_file("BACKUP_S3_BUCKET=\nBACKUP_S3_BUCKET_2=two").mistakes();
    assert!(without.contains("BACKUP_S3_BUCKET is not set; number the buckets without a gap"), "{without}");
    // Another program's names in the environment are nobody's mistake.
    let others =
        machine().env_file(FIRST).environment(&[("AWS_REGION_2", "x"), ("AWS_PROFILE_3", "y"), ("AWS_REGION_9", "z")]);
    assert_eq!(others.settings().buckets.len(), 1);
    let same_name = format!("{FIRST}BACKUP_S3_BUCKET_2=one\nBACKUP_S3_BUCKET_3=one\nBACKUP_S3_PREFIX_3=three");
    assert_eq!(machine().env_file(&same_name).settings().buckets.len(), 3);
}

#[test]
fn a_toml_file_may_list_its_buckets() {
    let entries =
        "[[bucket]]\nbackup_s3_bucket = \"two\"\n[[bucket]]\nbackup_s3_bucket = \"three\"\naws_region = \"x\"\n";
    let beside = machine().toml(&format!("backup_s3_bucket = \"one\"\n{entries}")).settings();
    assert_eq!(buckets(&beside).len(), 3);
    assert!(buckets(&beside)[2].starts_with("three/backups at AWS in x"));
    let alone = machine().toml(entries).settings();
    assert_eq!(buckets(&alone).len(), 2);
    assert!(buckets(&alone)[0].starts_with("two/backups"));
    let mistakes = [
        (
            "[[bucket]]\nbackup_nice = 3",
            "backup_nice (lastgood.toml:2): cannot differ between buckets; move it above the first entry",
        ),
        (
            "[[bucket]]\nbackup_s3_bukket = 3",
            "backup_s3_bukket (lastgood.toml:2): not a setting; did you mean backup_s3_bucket?",
        ),
        ("[bucket]\nbackup_s3_bucket = \"x\"", "bucket (lastgood.toml:1): expected `[[bucket]]`, with two brackets"),
        (
            "backup_s3_bucket = \"one\"\nbackup_s3_bucket_2 = \"two\"\n[[bucket]]\nbackup_s3_bucket = \"x\"",
            "backup_s3_bucket (lastgood.toml:4): it is set outside of the entry as well, as backup_s3_bucket_2",
        ),
    ];
    for (toml, expected) in mistakes {
        assert_eq!(machine().toml(toml).mistakes(), expected, "{toml}");
    }
    let five = (1..=5).map(|n| format!("[[bucket]]\nbackup_s3_bucket = \"bucket-{n}\"\n")).collect::<String>();
    assert!(machine().toml(&five).mistakes().contains("there are four buckets at most"));
}
