//! How settings say where a database is: each part from the strongest place that names it.

use std::path::Path;
use std::sync::LazyLock;

use postgres::libpq::{self, Variables};
use postgres::{Connection, Secret};

use super::address::{Address, Claim, Claims, Origin};
use super::database_url::DatabaseUrl;
use super::foreign::{self, Findings, Known, Refused};
use super::form::link;
use super::layers::{Layers, Source};
use super::table;
use super::twins::Unread;

/// The names of every setting that is secret: no child process inherits them.
pub(super) static SECRETS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let secret = || table::ALL.iter().filter(|definition| definition.secret);
    let own = secret().flat_map(|definition| definition.names());
    let further = secret().flat_map(|definition| definition.further().map(|(_, name)| name));
    own.chain(further).chain(foreign::SECRETS.iter().copied()).collect()
});

/// The settings that say the same as one of libpq's variables.
const OWN: [(&str, &str); 5] = [
    ("DB_HOST", "PGHOST"),
    ("DB_PORT", "PGPORT"),
    ("DB_NAME", "PGDATABASE"),
    ("DB_USER", "PGUSER"),
    ("DB_PASSWORD", "PGPASSWORD"),
];

/// Finds what a service says: its name, and the file that was named for it.
pub(super) type Service<'a> = &'a dyn Fn(&str, Option<&str>) -> Option<Variables>;

/// The places of an address.
#[derive(Clone, Copy)]
pub(super) struct Places<'a> {
    /// A `[[database]]` entry's own settings.
    pub(super) entry: Option<&'a Layers>,
    /// Those of all databases.
    pub(super) all: &'a Layers,
    pub(super) home: Option<&'a Path>,
    pub(super) service: Service<'a>,
    /// Values that could not be read.
    pub(super) unread: &'a [Unread],
    /// Whether the database is chosen by a flag or by entries.
    pub(super) is_named: bool,
}

/// The connection, and what is to be said of its places.
pub(super) struct Resolved {
    pub(super) connection: Connection,
    pub(super) findings: Findings,
}

/// Decides each part by itself: the entry's own `DB_*` and `DATABASE_URL`, then those of all, the service, `PG*`, the
/// guide's defaults where they hold, and what other programs' names say.
pub(super) fn resolve(places: Places<'_>) -> Resolved {
    let all = places.all;
    let mut address = Address::default();
    for layers in places.entry.into_iter().chain([all]) {
        address.add(own(layers));
        address.add(url(layers));
    }
    let named = |variable: &str| all.set(variable).map(|found| found.text);
    let chosen = address.get("PGSERVICE").map(str::to_owned).or_else(|| named("PGSERVICE"));
    let file = address.get("PGSERVICEFILE").map(str::to_owned).or_else(|| named("PGSERVICEFILE"));
    let resolved = chosen.as_deref().and_then(|name| (places.service)(name, file.as_deref()));
    let is_resolved = resolved.is_some();
    for (variable, value) in resolved.unwrap_or_default() {
        // A service is chosen by its name: what else it could have said is no surprise.
        let origin = Origin { name: "PGSERVICE".to_owned(), source: Source::Default, distance: usize::MAX };
        address.add(Claims::from([(variable, Claim { value, origin })]));
    }
    address.add(libpqs(all));
    if is_resolved {
        // libpq would let the service win over all that was decided here. One that we can't find is left to libpq.
        address.remove("PGSERVICE");
    }
    address.add(guides(all));
    fill_link(&mut address, all);
    let known = known(&places, &address);
    let offers = if chosen.is_some() { Vec::new() } else { foreign::offers(all) };
    let refused = places.unread.iter().filter_map(refused).collect();
    let mut findings = foreign::fill(&mut address, offers, refused, known);
    remark(all, &mut findings);
    findings.mistakes.extend(mistakes(&address));
    findings.warnings.splice(0..0, address.warnings(places.is_named));
    let mut variables = address.into_variables();
    variables.entry("PGAPPNAME").or_insert_with(|| Secret::new("lastgood"));
    Resolved { connection: Connection::new(variables, &SECRETS), findings }
}

/// What says who one is, wherever one connects to.
const LOGIN: [&str; 5] = ["PGPASSWORD", "PGPASSFILE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"];

/// A server that this URL alone names. Of libpq's own variables those hold that say who one is; the password of the database that is backed
/// up goes nowhere else.
pub(super) fn another(layers: &Layers, url: DatabaseUrl) -> Connection {
    let mut variables = url.variables;
    for name in LOGIN {
        if let Some(found) = layers.set(name) {
            variables.entry(name).or_insert_with(|| Secret::new(found.text));
        }
    }
    variables.entry("PGAPPNAME").or_insert_with(|| Secret::new("lastgood"));
    Connection::new(variables, &SECRETS)
}

fn known(places: &Places<'_>, address: &Address) -> Known {
    let urls = places.entry.into_iter().chain([places.all]).find_map(|layers| layers.get(&table::DATABASE_URL));
    let is_host_elsewhere = address.claim("PGHOST").is_some_and(|claim| claim.origin.name != "DATABASE_URL");
    let own_file = places.home.map(|home| home.join(".pgpass"));
    Known {
        is_named: places.is_named,
        is_local: urls.is_some_and(|url| url.is_local()) && !is_host_elsewhere,
        is_guide: places.all.guide(),
        has_password_file: address.get("PGPASSFILE").is_some() || own_file.is_some_and(|file| file.is_file()),
    }
}

/// A part of the address that could not be read.
fn refused(unread: &Unread) -> Option<Refused> {
    let Unread { name, base, source, complaint } = unread;
    let origin = Origin { name: name.clone(), source: source.clone(), distance: 0 };
    let own = OWN.iter().find(|(own, _)| own == base).map(|(_, variable)| Some(*variable));
    match own.or_else(|| (base == table::DATABASE_URL.definition.name).then_some(None)) {
        Some(variable) => Some(Refused { origin, variable, complaint: complaint.clone(), is_own: true }),
        None => foreign::refused(base, origin, complaint.clone()),
    }
}

/// What of `DATABASE_URL` is left out.
fn remark(all: &Layers, findings: &mut Findings) {
    let found = all.find(&table::DATABASE_URL.definition).as_ref().map(Origin::of);
    let Some((origin, url)) = found.zip(all.get(&table::DATABASE_URL)) else { return };
    findings.warnings.extend(url.doubts.iter().map(|doubt| format!("{origin}: {doubt}")));
    findings.remarks.extend(foreign::ignored(&origin, &url.ignored));
}

/// What of libpq's own variables libpq could not use. Our settings' values are judged by their forms.
fn mistakes(address: &Address) -> Vec<String> {
    let libpqs = address.claims().filter(|(variable, claim)| *variable == claim.origin.name);
    let wrong = libpqs.filter_map(|(variable, claim)| {
        let complaint = libpq::check(variable, claim.value.expose()).err()?;
        Some(format!("{}: {complaint}", claim.origin))
    });
    wrong.collect()
}

fn own(layers: &Layers) -> Claims {
    let claim = |name: &str| {
        let mut found = layers.set(name)?;
        if let Some((_, port)) = link(&found.text).filter(|_| name == "DB_PORT") {
            found.text = port.to_owned();
        }
        Some(Claim::of(&found))
    };
    OWN.iter().filter_map(|(name, variable)| Some((*variable, claim(name)?))).collect()
}

/// The host of a `DB_PORT` that Kubernetes or Docker has set, where nobody names one.
fn fill_link(address: &mut Address, all: &Layers) {
    let Some(mut found) = all.set("DB_PORT") else { return };
    if let Some((host, _)) = link(&found.text).filter(|_| address.claim("PGHOSTADDR").is_none()) {
        found.text = host.to_owned();
        address.fill("PGHOST", Claim::of(&found));
    }
}

fn url(layers: &Layers) -> Claims {
    let definition = &table::DATABASE_URL.definition;
    let Some((found, url)) = layers.find(definition).zip(layers.get(&table::DATABASE_URL)) else {
        return Claims::new();
    };
    let claim = |value| Claim { value, origin: Origin::of(&found) };
    url.variables.into_iter().map(|(variable, value)| (variable, claim(value))).collect()
}

/// libpq's variables. Those of the environment are a shell's, and weaker than what is set for Lastgood: no surprise.
fn libpqs(layers: &Layers) -> Claims {
    let found = libpq::PARAMETERS.iter().filter_map(|(_, name)| Some((*name, layers.set(name)?)));
    let claims = found.map(|(name, mut found)| {
        if name == "PGSSLMODE" {
            // node-postgres has words of its own.
            found.text = libpq::ssl_mode(&found.text).map_or(found.text, str::to_owned);
        }
        let mut claim = Claim::of(&found);
        if found.source == Source::Environment {
            claim.origin.distance = usize::MAX;
        }
        (name, claim)
    });
    claims.collect()
}

fn guides(layers: &Layers) -> Claims {
    let find = |name: &str| layers.find(table::ALL.iter().find(|definition| definition.name == name)?);
    let default = |name: &str| find(name).filter(|found| found.source == Source::Guide);
    OWN.iter().filter_map(|(name, variable)| Some((*variable, Claim::of(&default(name)?)))).collect()
}

/// Whether a setting is a part of the address.
pub(super) fn is_part(name: &str) -> bool {
    OWN.iter().any(|(own, _)| *own == name) || name == table::DATABASE_URL.definition.name
}

/// The database that these places name by themselves.
pub(super) fn own_database(layers: &Layers) -> Option<String> {
    let url = || layers.get(&table::DATABASE_URL)?.variables.get("PGDATABASE").map(|name| name.expose().to_owned());
    layers.set("DB_NAME").map(|found| found.text).or_else(url)
}
