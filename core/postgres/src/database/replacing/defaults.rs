//! Default privileges, out of the way of a restore in place: what it makes has the privileges that the archive says, and no others.
//!
//! Objects are made by the restoring role and given away afterwards, so only that role's own default privileges meet them. They are
//! as if they had never been altered while the archive's script runs, and come back after it.

use std::fmt::Write as _;

use crate::database::replacing::input::{PLAINLY, array};

/// What is known of default privileges before a restore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Those that the archive brings itself, and so don't come back: the schema's OID, 0 for all schemas, and `defaclobjtype`.
    pub archived: Vec<(u32, char)>,
    /// Schemas that go, with the default privileges in them.
    pub dropped: Vec<u32>,
}

/// Where the statements wait that bring them back: they are gone with the transaction.
const KEPT: &str = "lastgood.defaults";

impl Defaults {
    /// psql's input that remembers them and takes them away.
    pub(super) fn script(&self) -> String {
        let (schemas, kinds) = self.archived.iter().copied().unzip::<_, _, Vec<_>, Vec<_>>();
        let kinds: Vec<String> = kinds.iter().map(char::to_string).collect();
        let own = OWN.replace("{dropped}", &array(&self.dropped));
        let archived = format!("unnest({}, '{{{}}}'::text[])", array(&schemas), kinds.join(","));
        let mut script = String::new();
        let _ = writeln!(
            script,
            "{};",
            REMEMBER.replace("{own}", &own).replace("{archived}", &archived).replace("{setting}", KEPT)
        );
        let _ = writeln!(script, "{}\n\\gexec", TAKE_AWAY.replace("{own}", &own));
        script
    }

    /// psql's input that brings them back.
    pub(super) fn put_back() -> String {
        format!("{PLAINLY}SELECT unnest(nullif(current_setting('{KEPT}', true), '')::text[])\n\\gexec\n")
    }
}

/// The role's own, in schemas that stay. For all schemas (`space` 0) the privileges stand in the place of PostgreSQL's own, which are
/// `usual`; in a schema they come in addition, so that none is usual.
const OWN: &str = r#"own AS MATERIALIZED (SELECT a.defaclnamespace AS space, a.defaclobjtype::text AS kind, a.defaclacl AS acl,
            CASE a.defaclnamespace WHEN 0 THEN acldefault(CASE a.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE a.defaclobjtype END, a.defaclrole)
                END AS usual,
            format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s ', current_user, ' IN SCHEMA ' || quote_ident(n.nspname)) AS alter,
            CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
                WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END AS what
        FROM pg_default_acl a JOIN pg_roles r ON r.oid = a.defaclrole LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
        WHERE r.rolname = current_user AND a.defaclnamespace <> ALL({dropped})),
    item AS (SELECT o.space, o.kind, o.alter, o.what, i.is_usual, i.privilege_type, i.is_grantable,
            CASE i.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(i.grantee)) END AS grantee
        FROM own o, LATERAL (SELECT false AS is_usual, a.* FROM aclexplode(o.acl) a UNION ALL SELECT true, a.* FROM aclexplode(o.usual) a) i),
    revoke AS (SELECT space, kind, is_usual, format('%sREVOKE ALL ON %s FROM %s', alter, what, string_agg(DISTINCT grantee, ', ')) AS statement
        FROM item GROUP BY space, kind, is_usual, alter, what),
    grants AS (SELECT space, kind, is_usual, format('%sGRANT %s ON %s TO %s%s', alter, string_agg(privilege_type, ', '), what, grantee,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS statement
        FROM item GROUP BY space, kind, is_usual, alter, what, grantee, is_grantable)"#;

const REMEMBER: &str = r"WITH {own}
    SELECT set_config('{setting}', coalesce(array_agg(s.statement ORDER BY s.nr)::text, '{}'), true)
    FROM (SELECT 1 AS nr, * FROM revoke WHERE is_usual UNION ALL SELECT 2, * FROM grants WHERE NOT is_usual) s
    WHERE NOT EXISTS (SELECT FROM {archived} b (space, kind) WHERE b.space = s.space AND b.kind = s.kind)";

const TAKE_AWAY: &str = r"WITH {own}
    SELECT s.statement FROM (SELECT 1 AS nr, * FROM revoke WHERE NOT is_usual UNION ALL SELECT 2, * FROM grants WHERE is_usual) s
    ORDER BY s.nr";
