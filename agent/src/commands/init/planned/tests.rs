use super::*;
use crate::commands::init::asked::Places;
use crate::commands::init::machine::User;
use crate::settings::of_env_file;

fn machine() -> Machine {
    let user =
        |name: &str, user| User { name: name.to_owned(), user, group: user, home: format!("/home/{name}").into() };
    Machine {
        own: user("root", 0),
        nightly: user("lastgood", 999),
        postgres: None,
        caller: None,
        has_units: true,
        runs_systemd: true,
    }
}

fn wish(database: &str, folder: &str, schedule: Schedule) -> Wish {
    let lines = vec![("DB_NAME".to_owned(), database.to_owned())];
    let database = Source { lines, from: "a\nfile".to_owned(), cluster: None };
    let place = Places { directory: Some(folder.into()), lines: Lines::new(), from: "typed".to_owned() };
    Wish { database, place, schedule, replaced: Vec::new(), disabled: Vec::new() }
}

fn plan(database: &str, folder: &str, schedule: Schedule) -> Result<Plan, Failure> {
    Plan::of(&wish(database, folder, schedule), &machine(), TARGET.into(), None, None)
}

#[test]
fn odd_names_are_read_back_as_they_were_given() {
    for odd in ["sh op", "it's \"5$\" \\ ${HOME} `id` %n # no", "größe☃", "two\nlines\r", " edges "] {
        let plan = plan(odd, "/srv/b c'd%e$f", Schedule::Cron).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &plan.text).unwrap();
        let read = of_env_file(file.path()).unwrap();
        let value = |name: &str| read.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("DB_NAME"), Some(odd));
        assert_eq!(value("BACKUP_DIR"), Some("/srv/b c'd%e$f"));
    }
    assert!(plan("a\0b", "/srv", Schedule::Cron).is_err());
}

#[test]
fn units_may_write_to_another_folder_and_are_told_of_none_that_they_cannot_see() {
    assert_eq!(plan("a", PACKAGED, Schedule::Systemd).unwrap().drop_ins, []);
    let drop_ins = plan("a", "/srv/b \"c\" 5%\\", Schedule::Systemd).unwrap().drop_ins;
    assert_eq!(drop_ins.len(), 2);
    assert!(drop_ins[0].1.ends_with("ReadWritePaths=\"/srv/b \\\"c\\\" 5%%\\\\\"\n"), "{}", drop_ins[0].1);
    for closed in ["/home/me/b", "/root", "/tmp/b", "/srv/a\nb"] {
        assert_eq!(plan("a", closed, Schedule::Systemd).err().unwrap().exit, Exit::Usage, "{closed}");
        assert!(plan("a", closed, Schedule::Cron).is_ok(), "{closed}");
    }
    assert!(plan("a", "/homes/b", Schedule::Systemd).is_ok());
}

#[test]
fn the_nights_lines_are_crons_own() {
    let target = Path::new("/srv/50% of it's.env");
    let line = CronLine::of("0 3 * * *", &["backup --quiet"], target).text(Some("lastgood"));
    assert!(line.starts_with("0 3 * * *\tlastgood /"), "{line}");
    assert!(line.ends_with("--env-file \"/srv/50\\% of it's.env\" backup --quiet"), "{line}");
    let own = CronLine::of("0 3 * * *", &["a", "b"], Path::new(TARGET)).text(None);
    assert!(own.contains(" a; ") && own.ends_with(" b") && !own.contains("env-file"), "{own}");
}

#[test]
fn the_stack_verifies_and_prunes_in_our_stead() {
    let mut wish = wish("a", PACKAGED, Schedule::Systemd);
    let of = |wish: &Wish, stack: Option<&Stack>| {
        Plan::of(wish, &machine(), TARGET.into(), None, stack).unwrap().timers.len()
    };
    assert_eq!(of(&wish, None), 2);
    wish.place.lines = vec![("BACKUP_S3_BUCKET".to_owned(), "shop-b".to_owned())];
    assert_eq!(of(&wish, None), 3);
    let drilling = Plan::of(&wish, &machine(), TARGET.into(), None, None).unwrap().with_drill();
    assert_eq!(drilling.timers.last(), Some(&"lastgood-drill.timer"));
    let stack = Stack { lines: wish.place.lines.clone(), policy: None };
    assert_eq!(of(&wish, Some(&stack)), 1);
}
