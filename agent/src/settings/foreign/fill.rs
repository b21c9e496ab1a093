//! What of other programs' names is used: only what Lastgood's own settings and libpq's leave open.

use super::groups;
use super::offer::{Offer, Refused};
use crate::settings::address::{Address, Claim, Claims, Origin};

/// The parts in the order in which they are filled: what follows depends on what comes before it.
const ORDER: [&str; 5] = ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"];
/// The settings that say where a database is, in the group of Laravel's `DB_CONNECTION`.
const OURS: [&str; 4] = ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER"];

/// What is known before other programs' names are looked at.
#[derive(Clone, Copy, Default)]
pub(in crate::settings) struct Known {
    /// The databases were named by a flag or by entries.
    pub(in crate::settings) is_named: bool,
    /// `DATABASE_URL` leads to a socket of this machine: where and as whom is said by it.
    pub(in crate::settings) is_local: bool,
    /// The guide's defaults hold: they are never replaced.
    pub(in crate::settings) is_guide: bool,
    /// A password file may know the password.
    pub(in crate::settings) has_password_file: bool,
}

/// What is to be said about other programs' names.
#[derive(Default)]
pub(in crate::settings) struct Findings {
    pub(in crate::settings) mistakes: Vec<String>,
    pub(in crate::settings) warnings: Vec<String>,
    /// For `-v`.
    pub(in crate::settings) remarks: Vec<String>,
}

/// Fills the address from every group, strongest first, and says what could not be used though it matters. `refused`: what
/// could not be read at all.
pub(in crate::settings) fn fill(
    address: &mut Address,
    offers: Vec<Offer>,
    mut refused: Vec<Refused>,
    known: Known,
) -> Findings {
    let mut findings = Findings::default();
    let mut others = Vec::new();
    for mut offer in offers {
        if offer.is_link && address.claim("PGHOST").is_some() {
            offer.claims.remove("PGHOST");
        }
        match offer.other_kind {
            Some(kind) => others.push(kind),
            None => {
                let before = address.claims().count();
                refused.extend(take(address, offer.claims, known));
                if address.claims().count() > before {
                    findings.warnings.extend(offer.doubts);
                    findings.remarks.extend(offer.remarks);
                }
                refused.extend(offer.refused);
            }
        }
    }
    for kind in others {
        judge_kind(address, &kind, known, &mut findings);
    }
    for refused in refused {
        let line = format!("{}: {}", refused.origin, refused.complaint);
        match weight(address, &refused, known) {
            Weight::Mistake => findings.mistakes.push(line),
            Weight::Warning => findings.warnings.push(line),
            Weight::Nothing => findings.remarks.push(line),
        }
    }
    findings
}

/// Takes what one group offers, where nobody has decided it. Returns the password that is left though nobody else has one.
fn take(address: &mut Address, mut claims: Claims, known: Known) -> Option<Refused> {
    let group = Standing::of(address, &claims);
    let mut left = None;
    let others: Vec<_> = claims.keys().copied().filter(|variable| !ORDER.contains(variable)).collect();
    for variable in ORDER.into_iter().chain(others) {
        let Some(claim) = claims.remove(variable) else { continue };
        if address.claim(variable).is_some() {
            // Who names a password alone may mean another role's, as the image `postgres` does.
            if address.differs(variable, &claim) && (variable != "PGPASSWORD" || group.is_same_role) {
                address.note(variable, &claim.origin);
            }
        } else if known.is_guide {
            left = left.or((variable == "PGPASSWORD").then(|| not_the_guides(&claim)));
        } else if group.may_fill(variable, known) {
            address.fill(variable, claim);
        }
    }
    left
}

/// How a group stands to what is decided already.
struct Standing {
    /// It leads to another server's database, and nothing of it fits.
    is_elsewhere: bool,
    is_same_host: bool,
    /// Nobody has said where the server is.
    is_host_open: bool,
    /// The host is `DATABASE_URL`'s, where a port that is missing is the usual one.
    is_urls_host: bool,
    names_role: bool,
    is_same_role: bool,
    is_other_role: bool,
}

impl Standing {
    fn of(address: &Address, claims: &Claims) -> Self {
        let differs = |variable: &str| claims.get(variable).is_some_and(|claim| address.differs(variable, claim));
        let host = address.claim("PGHOST").or_else(|| address.claim("PGHOSTADDR")).map(|claim| &claim.origin.name);
        let is_others_host = host.is_some_and(|name| groups::is_read(name));
        // DB_PASS belongs to DB_USER, which is one of ours.
        let is_ours = |password: &Claim| password.origin.name.starts_with("DB_");
        let names_role = claims.contains_key("PGUSER") || claims.get("PGPASSWORD").is_some_and(is_ours);
        Self {
            is_elsewhere: differs("PGHOST") && (differs("PGDATABASE") || is_others_host),
            is_same_host: !differs("PGHOST"),
            is_host_open: host.is_none(),
            is_urls_host: host.is_some_and(|name| name == "DATABASE_URL"),
            names_role,
            is_same_role: names_role && address.claim("PGUSER").is_some() && !differs("PGUSER"),
            is_other_role: differs("PGUSER"),
        }
    }

    fn may_fill(&self, variable: &str, known: Known) -> bool {
        if self.is_elsewhere {
            return false;
        }
        match variable {
            "PGDATABASE" => true,
            // libpq would let it win over all that was decided.
            "PGSERVICE" | "PGSERVICEFILE" => false,
            "PGHOST" | "PGHOSTADDR" => !known.is_local && self.is_host_open,
            "PGUSER" => !known.is_local,
            "PGPORT" => !known.is_local && self.is_same_host && !self.is_urls_host,
            "PGPASSWORD" => !known.is_local && !self.is_other_role && (self.names_role || !known.has_password_file),
            _ => self.is_same_host && !known.is_local,
        }
    }
}

fn not_the_guides(password: &Claim) -> Refused {
    let complaint = "not used: under the guide's defaults the password is DB_PASSWORD's alone".to_owned();
    Refused { origin: password.origin.clone(), variable: Some("PGPASSWORD"), complaint, is_own: false }
}

/// A database that is not PostgreSQL: a mistake where our own settings beside it lead to it, and worth a word where nobody names
/// a database.
fn judge_kind(address: &Address, kind: &Origin, known: Known, findings: &mut Findings) {
    let is_beside = |name: &&&str| {
        let beside = |origin: &Origin| origin.name == ***name && origin.distance == kind.distance;
        kind.name.starts_with("DB_") && address.claims().any(|(_, claim)| beside(&claim.origin))
    };
    if let Some(ours) = OURS.iter().find(is_beside) {
        findings.mistakes.push(format!(
            "{kind}: the database that {ours} beside it leads to is not PostgreSQL; set the address of the one to back up in \
             another file, and name that with --env-file"
        ));
    } else if address.claim("PGDATABASE").is_none() && !known.is_named {
        findings.warnings.push(format!("{kind} is the address of a database that is not PostgreSQL, and was left out"));
    }
}

/// How much a value matters that can't be used.
enum Weight {
    Mistake,
    Warning,
    Nothing,
}

/// A mistake where it decides which database is meant: going on would take another one. Nothing where others have decided.
fn weight(address: &Address, refused: &Refused, known: Known) -> Weight {
    let is_open = |variable: &str| address.claim(variable).is_none();
    let is_ours_to_say = refused.is_own || !(known.is_guide || known.is_local);
    let (is_needed, is_open) = match refused.variable {
        Some("PGPASSWORD") => (refused.is_own && !known.has_password_file, is_open("PGPASSWORD")),
        Some("PGSSLMODE") => (false, is_open("PGSSLMODE")),
        Some("PGDATABASE") => (true, !known.is_named && is_open("PGDATABASE")),
        Some(variable) => (true, is_open(variable)),
        None if known.is_named => (true, is_open("PGHOST")),
        None => (true, is_open("PGDATABASE")),
    };
    match (is_needed && is_ours_to_say, is_open) {
        (true, true) => Weight::Mistake,
        (false, true) => Weight::Warning,
        (_, false) => Weight::Nothing,
    }
}
