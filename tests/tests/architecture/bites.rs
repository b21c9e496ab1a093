//! Each check bites: it finds what is wrong in a small workspace made for it, and lets be what only looks wrong.

use std::fs;

use tempfile::TempDir;

use crate::crates::Workspace;
use crate::style::Longer;
use crate::{circles, pages, rules, style};

/// A file of a workspace: its path and its text.
type File<'a> = (&'a str, &'a str);

/// A workspace of these files. A folder with sources gets a `Cargo.toml` that depends on nothing, unless it is given.
fn workspace(files: &[File]) -> (TempDir, Workspace) {
    let folder = TempDir::new().unwrap();
    let mut members = Vec::new();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        let member = file.split("/src/").next().unwrap().trim_end_matches("/Cargo.toml");
        if !members.contains(&member) {
            members.push(member);
        }
    }
    for member in &members {
        let manifest = folder.path().join(member).join("Cargo.toml");
        if !manifest.exists() {
            fs::write(manifest, self::manifest(member.rsplit('/').next().unwrap(), "")).unwrap();
        }
    }
    let members: Vec<_> = members.iter().map(|member| format!("{member:?}")).collect();
    let root = format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", members.join(", "));
    fs::write(folder.path().join("Cargo.toml"), root).unwrap();
    let read = Workspace::read(folder.path()).unwrap();
    (folder, read)
}

fn manifest(name: &str, dependencies: &str) -> String {
    format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n{dependencies}\n")
}

/// The circles in a crate `shop` with these sources.
fn circles_in(sources: &[File]) -> Vec<String> {
    let (_folder, workspace) = workspace(sources);
    workspace.imports().unwrap().iter().flat_map(circles::told).collect()
}

const HINT: &str = "hint: move what both sides need into a file below both, or let the caller hand it in";

#[test]
fn a_circle_of_two_through_use() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod cart; mod price;"),
        ("shop/src/cart.rs", "use crate::price::{Price, Tax as Rate}; pub struct Cart(Price, Rate);"),
        ("shop/src/price.rs", "use super::cart::Cart; pub struct Price; pub struct Tax; fn of(_: &Cart) {}"),
    ]);
    let told = "error: shop: 2 files import each other in a circle\n  \
                shop/src/cart.rs takes price::Price, price::Tax from shop/src/price.rs\n  \
                shop/src/price.rs takes cart::Cart from shop/src/cart.rs\n";
    assert_eq!(found, [format!("{told}{HINT}")]);
}

#[test]
fn a_circle_through_a_path_in_the_code() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod cart; mod price;"),
        ("shop/src/cart.rs", "use crate::price; pub fn total() -> u32 { price::of() } pub fn fee() -> u32 { 1 }"),
        ("shop/src/price.rs", "pub fn of() -> u32 { crate::cart::fee() }"),
    ]);
    let told = "error: shop: 2 files import each other in a circle\n  \
                shop/src/cart.rs takes price::of from shop/src/price.rs\n  \
                shop/src/price.rs takes cart::fee from shop/src/cart.rs\n";
    assert_eq!(found, [format!("{told}{HINT}")]);
}

#[test]
fn a_circle_through_what_macros_and_attributes_name() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod cart; mod price; mod words;"),
        (
            "shop/src/cart.rs",
            "#[command(after_help = crate::price::HELP)] pub struct Cart; impl Cart { pub const FEE: u32 = 1; }",
        ),
        ("shop/src/price.rs", "pub const HELP: &str = \"\"; fn say() { println!(\"{}\", super::words::fee()); }"),
        ("shop/src/words.rs", "#[serde(with = \"crate::cart::Cart\")] pub struct Words; pub fn fee() {}"),
    ]);
    let told = "error: shop: 3 files import each other in a circle\n  \
                shop/src/cart.rs takes price::HELP from shop/src/price.rs\n  \
                shop/src/price.rs takes words::fee from shop/src/words.rs\n  \
                shop/src/words.rs takes cart::Cart from shop/src/cart.rs\n";
    assert_eq!(found, [format!("{told}{HINT}")]);
}

#[test]
fn a_circle_through_a_re_export() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod cart; mod price; pub use price::Price;"),
        ("shop/src/cart.rs", "use crate::Price; pub struct Cart(Price);"),
        ("shop/src/price.rs", "mod list; pub use list::Price;"),
        ("shop/src/price/list.rs", "pub struct Price; impl Price { fn of(_: crate::cart::Cart) {} }"),
    ]);
    let told = "error: shop: 2 files import each other in a circle\n  \
                shop/src/cart.rs takes list::Price from shop/src/price/list.rs\n  \
                shop/src/price/list.rs takes cart::Cart from shop/src/cart.rs\n";
    assert_eq!(found, [format!("{told}{HINT}")]);
}

#[test]
fn a_circle_through_a_glob() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod cart; pub mod price;"),
        ("shop/src/cart.rs", "use crate::price::*; pub struct Cart(Price);"),
        ("shop/src/price.rs", "pub struct Price; impl Price { fn of(_: crate::cart::Cart) {} }"),
    ]);
    let told = "error: shop: 2 files import each other in a circle\n  \
                shop/src/cart.rs takes price::Price from shop/src/price.rs\n  \
                shop/src/price.rs takes cart::Cart from shop/src/cart.rs\n";
    assert_eq!(found, [format!("{told}{HINT}")]);
}

#[test]
fn a_parent_and_its_child_are_a_circle_when_each_takes_from_the_other() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod cart; pub use cart::Cart; pub struct Price; pub fn of(_: Cart) {}"),
        ("shop/src/cart.rs", "pub struct Cart(crate::Price);"),
    ]);
    let told = "error: shop: 2 files import each other in a circle\n  \
                shop/src/cart.rs takes crate::Price from shop/src/lib.rs\n  \
                shop/src/lib.rs takes cart::Cart from shop/src/cart.rs\n";
    assert_eq!(found, [format!("{told}{HINT}")]);
}

#[test]
fn of_a_large_circle_the_shortest_way_round_is_told() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod a; mod b; mod c;"),
        ("shop/src/a.rs", "pub struct A(crate::b::B);"),
        ("shop/src/b.rs", "pub struct B(crate::c::C, crate::a::A);"),
        ("shop/src/c.rs", "pub struct C(crate::a::A);"),
    ]);
    let told = "error: shop: 3 files import each other in a circle\n  \
                they are shop/src/a.rs, shop/src/b.rs, shop/src/c.rs\n  \
                the shortest way round:\n  \
                shop/src/a.rs takes b::B from shop/src/b.rs\n  \
                shop/src/b.rs takes a::A from shop/src/a.rs\n";
    assert_eq!(found, [format!("{told}{HINT}")]);
}

#[test]
fn a_siblings_name_through_the_parent_is_no_circle() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod cart; mod price; pub use cart::Cart; pub use price::*;"),
        ("shop/src/cart.rs", "pub struct Cart(super::Price); fn total() { let _ = crate::price::Price; }"),
        ("shop/src/price.rs", "pub struct Price;"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_parent_that_only_shows_what_its_child_makes_of_it_is_no_circle() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod cart; mod words; pub use cart::Cart; pub use words::*; pub struct Price;"),
        ("shop/src/cart.rs", "pub struct Cart(crate::Price);"),
        ("shop/src/words.rs", "pub fn say(_: crate::Price) {}"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_tests_take_and_who_may_see_is_no_circle() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "pub mod cart; pub mod price;"),
        ("shop/src/cart.rs", "use crate::price::Price; pub struct Cart(Price);"),
        (
            "shop/src/price.rs",
            "pub(in crate::price) struct Tax; pub struct Price; #[cfg(test)] mod tests { use crate::cart::Cart; }",
        ),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_function_of_a_modules_name_is_no_circle() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "mod price; mod cart; mod words; pub use cart::price; pub use price::Price;"),
        ("shop/src/cart.rs", "use crate::words::Words; pub fn price(_: Words) {}"),
        ("shop/src/price.rs", "pub struct Price;"),
        ("shop/src/words.rs", "pub struct Words(crate::Price);"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn another_crate_of_a_modules_name_is_no_circle() {
    let found = circles_in(&[
        ("shop/src/lib.rs", "pub mod cart; pub mod price;"),
        ("shop/src/cart.rs", "use catalog::price::Cart; pub struct Basket(crate::price::Price);"),
        ("shop/src/price.rs", "use ::cart::Basket; use std::fmt; pub struct Price; fn of(_: fmt::Error) {}"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_catalog_that_reaches_upwards() {
    let upwards = manifest("catalog", "[dev-dependencies]\nrepository = { path = \"../repository\" }");
    let (_folder, workspace) = workspace(&[
        ("core/catalog/Cargo.toml", &upwards),
        ("core/catalog/src/lib.rs", ""),
        ("core/repository/src/lib.rs", ""),
    ]);
    let told = "error: catalog takes repository and may take archive, because the rules decide from values alone: \
                they know no store, no server and no program\n\
                hint: take repository out of core/catalog/Cargo.toml, and move down what both need";
    assert_eq!(rules::crates(&workspace, rules::CRATES), [told]);
}

#[test]
fn an_archive_that_takes_anything() {
    let upwards = manifest("archive", "[dependencies]\ncatalog = { path = \"../catalog\" }");
    let (_folder, workspace) = workspace(&[
        ("core/archive/Cargo.toml", &upwards),
        ("core/archive/src/lib.rs", ""),
        ("core/catalog/src/lib.rs", ""),
    ]);
    let told = "error: archive takes catalog and may take no other crate, because it knows bytes alone, and all else is \
                built on it\nhint: take catalog out of core/archive/Cargo.toml, and move down what both need";
    assert_eq!(rules::crates(&workspace, rules::CRATES), [told]);
}

#[test]
fn the_agent_and_the_functions_in_each_other() {
    let agent = manifest("lastgood", "[dependencies]\nlambdas = { path = \"../lambdas\", optional = true }");
    let tests = manifest("e2e", "[dependencies]\nlastgood = { path = \"../agent\" }");
    let (_folder, workspace) = workspace(&[
        ("agent/Cargo.toml", &agent),
        ("agent/src/main.rs", "fn main() {}"),
        ("lambdas/src/lib.rs", ""),
        ("tests/Cargo.toml", &tests),
        ("tests/src/lib.rs", ""),
    ]);
    let told = "error: lastgood takes lambdas and may take postgres, report, repository, catalog, archive, because the command \
                shares with the functions what lies below both, and nothing else\n\
                hint: take lambdas out of agent/Cargo.toml, and move down what both need";
    assert_eq!(rules::crates(&workspace, rules::CRATES), [told]);
}

#[test]
fn a_crate_that_no_rule_knows() {
    let (_folder, workspace) = workspace(&[("core/cost/src/lib.rs", "")]);
    let told = "error: the crate cost has no row in the table of crates\n\
                hint: say in tests/tests/architecture/rules.rs what it may take, and why";
    assert_eq!(rules::crates(&workspace, rules::CRATES), [told]);
}

#[test]
fn an_agent_whose_folders_reach_into_the_commands() {
    let agent = manifest("lastgood", "");
    let (_folder, workspace) = workspace(&[
        ("agent/Cargo.toml", &agent),
        ("agent/src/lib.rs", "mod cli; mod commands; mod places; pub fn main() { commands::restore::run() }"),
        ("agent/src/cli.rs", "pub fn run() { crate::commands::backup::run() }"),
        ("agent/src/places.rs", "use crate::commands::restore::plan::Plan; pub struct Places(Plan);"),
        ("agent/src/commands.rs", "pub mod backup; pub mod prune; pub mod restore;"),
        ("agent/src/commands/backup.rs", "pub fn run() { super::prune::run() }"),
        ("agent/src/commands/prune.rs", "pub fn run() {}"),
        (
            "agent/src/commands/restore.rs",
            "pub mod plan; pub fn run() { crate::commands::backup::run(); plan::decide() }",
        ),
        ("agent/src/commands/restore/plan.rs", "pub struct Plan; pub fn decide() {}"),
    ]);
    let hint = "hint: move it out of agent/src/commands, or hand it in";
    let outside = "lib.rs starts the commands, and everything else serves them without knowing any";
    let parts = "a command is read without reading another; restore alone takes the backup that it makes first, a drill restores, an erasure does all three, `status` shows what `check` finds, `verify` notes it, and `report` shows what `cost` counts";
    assert_eq!(
        rules::folders(&workspace.imports().unwrap(), rules::FOLDERS),
        [
            format!(
                "error: agent/src/cli.rs takes backup::run from agent/src/commands/backup.rs, but {outside}\n{hint}"
            ),
            format!(
                "error: agent/src/commands/backup.rs takes prune::run from agent/src/commands/prune.rs, but {parts}\n{hint}"
            ),
            format!(
                "error: agent/src/places.rs takes plan::Plan from agent/src/commands/restore/plan.rs, but {outside}\n{hint}"
            ),
        ]
    );
}

#[test]
fn a_module_in_the_other_style() {
    let (_folder, workspace) = workspace(&[
        ("shop/src/lib.rs", "mod cart;"),
        ("shop/src/cart/mod.rs", "mod price;"),
        ("shop/src/cart/price.rs", ""),
    ]);
    let told = "error: shop/src/cart/mod.rs is a module in the other style\n\
                hint: git mv shop/src/cart/mod.rs shop/src/cart.rs";
    assert_eq!(style::mod_files(&workspace), [told]);
}

#[test]
fn what_is_too_long() {
    let long = format!(
        "pub struct S;\nimpl S {{\n    fn six(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {{}}\n    fn five(&self, a: u8, b: u8, c: u8, d: u8, e: u8) {{}}\n}}\n\
         fn sixty_one() {{\n{}}}\nfn sixty() {{\n{}}}\n{}",
        "    ();\n".repeat(59),
        "    ();\n".repeat(58),
        "// more\n".repeat(300)
    );
    let tests = format!("#[cfg(test)]\nmod tests {{\n    fn long() {{\n{}    }}\n}}\n", "        ();\n".repeat(500));
    let text = format!("{long}{tests}");
    let files = [("shop/src/lib.rs", text.as_str())];
    let (_folder, workspace) = workspace(&files);
    let parameters = "error: shop/src/lib.rs:3: the function six has 6 parameters, and may have 5\n\
                      hint: make those that travel together one value";
    let lines = "error: shop/src/lib.rs:6: the function sixty_one has 61 lines, and may have 60\n\
                 hint: give its steps functions of their own, so that it reads as their table of contents";
    let file = "error: shop/src/lib.rs has 426 lines, and may have 400\n\
                hint: move one of its thoughts into a file of its own";
    assert_eq!(style::sizes(&workspace, &[]).unwrap(), [parameters, lines, file]);

    let allowed = |function| Longer { file: "shop/src/lib.rs", function, reason: "it is a table" };
    let longer = [allowed(None), allowed(Some("six")), allowed(Some("sixty_one")), allowed(Some("sixty"))];
    let told = "error: sixty in shop/src/lib.rs may be longer (it is a table), and no longer is\n\
                hint: remove its row in style.rs";
    assert_eq!(style::sizes(&workspace, &longer).unwrap(), [told]);
}

#[test]
fn a_test_that_a_page_names_and_nobody_wrote() {
    let proof = "#[test]\nfn nothing_is_lost() {}\nfn helper() {}";
    let (folder, _) = workspace(&[("shop/src/lib.rs", ""), ("shop/src/cart/tests.rs", proof)]);
    let page = "`cart::tests::nothing_is_lost` `cart::tests::helper` `cart::nothing_is_lost` and `no test`";
    fs::write(folder.path().join("page.md"), page).unwrap();
    let sources = [folder.path().join("shop/src/cart/tests.rs")];
    let found = pages::missing_tests(folder.path(), "page.md", &sources);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("cart::tests::helper") && found[1].contains("cart::nothing_is_lost"), "{found:?}");
}
