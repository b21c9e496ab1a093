//! How settings say where a database is: each part from the strongest place that names it.

use std::sync::LazyLock;

use postgres::libpq::{self, Variables};
use postgres::{Connection, Secret};

use super::layers::Layers;
use super::table;

/// The names of every setting that is secret: no child process inherits them.
static SECRETS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    table::ALL.iter().filter(|definition| definition.secret).flat_map(|definition| definition.names()).collect()
});

/// The settings that say the same as one of libpq's variables.
const OWN: [(&str, &str); 5] = [
    ("DB_HOST", "PGHOST"),
    ("DB_PORT", "PGPORT"),
    ("DB_NAME", "PGDATABASE"),
    ("DB_USER", "PGUSER"),
    ("DB_PASSWORD", "PGPASSWORD"),
];

/// Decides each part by itself: the entry's own `DB_*` and `DATABASE_URL`, then those of all, the service, `PG*`, and the
/// guide's defaults where they hold.
pub(super) fn resolve(
    entry: Option<&Layers>,
    all: &Layers,
    service: &dyn Fn(&str, Option<&str>) -> Option<Variables>,
) -> Connection {
    let mut variables = Variables::new();
    for layers in entry.into_iter().chain([all]) {
        add(&mut variables, own(layers));
        add(&mut variables, layers.get(&table::DATABASE_URL).map(|url| url.variables).unwrap_or_default());
    }
    let named = |variable: &str| all.set(variable).map(|found| found.text);
    let chosen = variables.get("PGSERVICE").map(|s: &Secret| s.expose().to_owned()).or_else(|| named("PGSERVICE"));
    let file = variables.get("PGSERVICEFILE").map(|s| s.expose().to_owned()).or_else(|| named("PGSERVICEFILE"));
    let resolved = chosen.and_then(|name| service(&name, file.as_deref()));
    let is_resolved = resolved.is_some();
    add(&mut variables, resolved.unwrap_or_default());
    let libpqs = libpq::PARAMETERS.iter().filter_map(|(_, name)| Some((*name, Secret::new(all.set(name)?.text))));
    add(&mut variables, libpqs.collect());
    if is_resolved {
        // libpq would let the service win over all that was decided here. One that we can't find is left to libpq.
        variables.remove("PGSERVICE");
    }
    add(&mut variables, guides(all));
    variables.entry("PGAPPNAME").or_insert_with(|| Secret::new("lastgood"));
    Connection::new(variables, &SECRETS)
}

/// What a weaker place says about parts that no stronger one named.
fn add(variables: &mut Variables, weaker: Variables) {
    // A host that was named must not be reached at the address of another.
    let host_is_known = variables.contains_key("PGHOST");
    for (variable, value) in weaker {
        if variable != "PGHOSTADDR" || !host_is_known {
            variables.entry(variable).or_insert(value);
        }
    }
}

fn own(layers: &Layers) -> Variables {
    OWN.iter().filter_map(|(name, variable)| Some((*variable, Secret::new(layers.set(name)?.text)))).collect()
}

fn guides(layers: &Layers) -> Variables {
    let default = |name: &str| layers.find(table::ALL.iter().find(|definition| definition.name == name)?);
    OWN.iter().filter_map(|(name, variable)| Some((*variable, Secret::new(default(name)?.text)))).collect()
}

/// The database that these places name by themselves.
pub(super) fn own_database(layers: &Layers) -> Option<String> {
    let url = || layers.get(&table::DATABASE_URL)?.variables.get("PGDATABASE").map(|name| name.expose().to_owned());
    layers.set("DB_NAME").map(|found| found.text).or_else(url)
}
