//! What the archive has of older servers, and this one has no more.

use catalog::words;
use postgres::words::relics::Kind;

use crate::commands::restore::facts::Facts;

/// How many objects one line spells out.
const NAMED: usize = 5;
/// Tables have no OIDs since this version.
const WITHOUT_OIDS: u32 = 120_000;
const KINDS: [Kind; 4] = [Kind::Type, Kind::Opaque, Kind::ArrayAggregate, Kind::PostfixOperator];

/// What there is not, and what to do about it.
pub(super) struct Lack {
    pub(super) what: String,
    pub(super) remedy: String,
}

/// What the server would refuse half way.
pub(super) fn lacks(facts: &Facts) -> Vec<Option<Lack>> {
    let version = facts.target.role.version_number();
    let gone = KINDS.into_iter().filter(|kind| kind.is_gone_from(version)).map(|kind| {
        let relics = facts.head.needs.relics.iter().filter(|relic| relic.kind == kind);
        let objects: Vec<String> = relics.map(|relic| relic.object.clone()).collect();
        (!objects.is_empty()).then(|| Lack {
            what: format!("{} uses {}", words::first_of(&objects, NAMED, ", "), kind.words()),
            remedy: kind.remedy().to_owned(),
        })
    });
    gone.chain([tables_with_oids(facts, version)]).collect()
}

/// Their rows have a column more than the table will have.
fn tables_with_oids(facts: &Facts, version: u32) -> Option<Lack> {
    let tables = facts.head.entries("TABLE").filter(|entry| entry.with_oids && version >= WITHOUT_OIDS);
    let tables: Vec<String> = tables.map(|entry| format!("{}.{}", entry.schema, entry.name)).collect();
    let first = tables.first()?;
    Some(Lack {
        what: format!(
            "tables WITH OIDS, which PostgreSQL has no more since 12: {}",
            words::first_of(&tables, NAMED, ", ")
        ),
        remedy: format!("on the old server: ALTER TABLE {first} SET WITHOUT OIDS, for each, and dump again"),
    })
}
