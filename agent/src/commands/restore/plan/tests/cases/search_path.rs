//! Names without their schemas, in what a restore evaluates.

use postgres::words::traps::{Trap, When};

use super::{Case, entry, into};

/// Each with its name.
pub(in super::super) fn cases() -> Vec<(String, Case)> {
    let trap = |evaluated_by: &str, when: When| Trap {
        function: "public.is_fine(integer)".to_owned(),
        name: "is_odd".to_owned(),
        evaluated_by: evaluated_by.to_owned(),
        when,
    };
    let filled = |name: &str| When::Filled { schema: "public".to_owned(), name: name.to_owned() };
    let of = |table: &str| trap(&format!("a CHECK of table public.{table}"), filled(table));
    let with = |traps: Vec<Trap>| Case::usual().with(|c| c.facts.traps.all = traps);
    let cases = [
        ("of a table with rows", with(vec![of("orders")])),
        ("of a table with rows, in place", with(vec![of("orders")]).in_place()),
        (
            "of a table without rows",
            with(vec![of("orders")]).with(|c| {
                let manifest = c.facts.backup.manifest.as_mut().unwrap();
                manifest.census.tables.iter_mut().for_each(|table| table.rows = Some(0));
            }),
        ),
        (
            "of a table whose rows the backup lacks",
            with(vec![of("orders")]).with(|c| c.facts.head.contents.retain(|e| e.dump_id != 3)),
        ),
        (
            "of a table that is left out by --table",
            with(vec![of("orders")]).gone().with(|c| {
                into(c);
                c.wish.tables = vec!["users".to_owned()];
            }),
        ),
        (
            "of a table whose partition has rows",
            with(vec![of("all_orders")]).with(|c| {
                let mut attached = entry(9, "TABLE ATTACH", "orders", false);
                attached.definition =
                    Some("ALTER TABLE ONLY public.all_orders ATTACH PARTITION public.orders DEFAULT;\n".to_owned());
                c.facts.head.contents.push(attached);
            }),
        ),
        ("of a materialized view that was not filled", with(vec![trap("materialized view public.m", filled("m"))])),
        (
            "of many, one whatever the rows are",
            with(vec![trap("index public.i", When::Always), of("users"), of("orders"), of("none")]),
        ),
        (
            "of a partition key, with the option",
            with(vec![of("orders"), trap("the partition key of table public.t", When::Defined)])
                .with(|c| c.wish.search_path_fix = true),
        ),
        ("with the option", with(vec![of("orders")]).with(|c| c.wish.search_path_fix = true)),
    ];
    cases.map(|(name, case)| (name.to_owned(), case)).into()
}
