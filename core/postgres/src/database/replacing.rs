//! What makes room for a restore in place, and what is put back after it: psql's input, for the transaction of the restore.
//!
//! No name passes through us. Statements are put together by the server from OIDs, in its own character set, and psql's `\gexec`
//! runs them.

mod defaults;
mod input;

use std::fmt::Write as _;

pub use self::defaults::Defaults;

use crate::database::objects::ObjectId;
use crate::database::replacing::input::{PLAINLY, array};

/// What goes before an archive's script comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Objects that are dropped, with whatever hangs on them: the caller has seen that all of it is dropped anyway.
    pub dropped: Vec<ObjectId>,
    /// Tables of extensions, whose rows of the user's own go, in this order.
    pub emptied: Vec<u32>,
    /// Large objects.
    pub unlinked: Vec<u32>,
    /// Tables whose publications name them again after the restore, each with the publication.
    pub published: Vec<(u32, u32)>,
    /// The role's default privileges, which keep out of what the restore makes.
    pub defaults: Option<Defaults>,
}

/// Where the statements that name tables in their publications again wait: they are gone with the transaction.
const KEPT: &str = "lastgood.publications";

impl Removal {
    /// psql's input that removes it all. `server_version`: as a number, such as `150014`.
    #[must_use]
    pub fn script(&self, server_version: u32) -> String {
        let mut script = PLAINLY.to_owned();
        script += &self.remember(server_version);
        script += &self.defaults.as_ref().map_or_else(String::new, Defaults::script);
        if !self.dropped.is_empty() {
            let (classes, oids) = self.dropped.iter().map(|id| (id.class, id.oid)).unzip::<_, _, Vec<_>, Vec<_>>();
            let _ = writeln!(
                script,
                "{}\n\\gexec",
                DROP.replace("{classes}", &array(&classes)).replace("{oids}", &array(&oids))
            );
        }
        if !self.emptied.is_empty() {
            let _ = writeln!(script, "{}\n\\gexec", EMPTY.replace("{oids}", &array(&self.emptied)));
        }
        if !self.unlinked.is_empty() {
            let _ = writeln!(
                script,
                "SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata WHERE oid = ANY({});",
                array(&self.unlinked)
            );
        }
        script + "RESET client_encoding;\n"
    }

    fn remember(&self, server_version: u32) -> String {
        if self.published.is_empty() {
            return String::new();
        }
        let (tables, publications) = self.published.iter().copied().unzip::<_, _, Vec<_>, Vec<_>>();
        // Lists of columns and conditions came with version 15.
        let what = if server_version >= 150_000 { COLUMNS_AND_ROWS } else { "''" };
        let select = REMEMBER
            .replace("{setting}", KEPT)
            .replace("{what}", what)
            .replace("{tables}", &array(&tables))
            .replace("{publications}", &array(&publications));
        format!("{select};\n")
    }

    /// psql's input that puts back what the restore could not bring.
    #[must_use]
    pub fn put_back(&self) -> String {
        let mut script = self.defaults.as_ref().map_or_else(String::new, |_| Defaults::put_back());
        if !self.published.is_empty() {
            let _ = writeln!(
                script,
                "{PLAINLY}SELECT unnest(nullif(current_setting('{KEPT}', true), '')::text[])\n\\gexec"
            );
        }
        script
    }
}

/// One after the other: what an earlier one took along is gone when its own turn comes.
const DROP: &str = r"SELECT CASE o.class
        WHEN 'pg_user_mapping'::regclass THEN (SELECT format('DROP USER MAPPING IF EXISTS FOR %s SERVER %I',
            CASE m.umuser WHEN 0 THEN 'PUBLIC' ELSE quote_ident(m.usename) END, m.srvname) FROM pg_user_mappings m WHERE m.umid = o.oid)
        WHEN 'pg_transform'::regclass THEN (SELECT format('DROP TRANSFORM IF EXISTS FOR %s LANGUAGE %I CASCADE',
            format_type(r.trftype, NULL), l.lanname) FROM pg_transform r JOIN pg_language l ON l.oid = r.trflang WHERE r.oid = o.oid)
        WHEN 'pg_proc'::regclass THEN format('DROP ROUTINE IF EXISTS %s CASCADE', i.identity)
        ELSE format('DROP %s IF EXISTS %s CASCADE', upper(replace(i.type, '-', ' ')), i.identity) END
    FROM unnest({classes}, {oids}) WITH ORDINALITY o (class, oid, nr), pg_identify_object(o.class, o.oid, 0) i
    ORDER BY o.nr";

const EMPTY: &str = r"SELECT format('DELETE FROM %s %s', c.oid::regclass, t.condition)
    FROM pg_extension e, unnest(e.extconfig, e.extcondition) t (oid, condition) JOIN pg_class c ON c.oid = t.oid
        JOIN unnest({oids}) WITH ORDINALITY o (oid, nr) ON o.oid = c.oid
    ORDER BY o.nr";

const REMEMBER: &str = r"SELECT set_config('{setting}', array_agg(format('ALTER PUBLICATION %I ADD TABLE ONLY %I.%I%s',
        p.pubname, n.nspname, c.relname, {what}) ORDER BY r.oid)::text, true)
    FROM unnest({tables}, {publications}) o (tbl, publication)
        JOIN pg_publication_rel r ON r.prrelid = o.tbl AND r.prpubid = o.publication
        JOIN pg_publication p ON p.oid = r.prpubid
        JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace";

const COLUMNS_AND_ROWS: &str = r"coalesce((SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) || ')'
            FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)), '')
        || coalesce(' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')', '')";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_named_by_numbers_alone() {
        let removal = Removal {
            dropped: vec![ObjectId { class: 1259, oid: 16_400 }, ObjectId { class: 1255, oid: 16_401 }],
            emptied: vec![5],
            unlinked: vec![6, 7],
            published: vec![(16_400, 16_402)],
            defaults: Some(Defaults { archived: vec![(2200, 'r'), (0, 'f')], dropped: vec![8] }),
        };
        let script = removal.script(150_014);
        for part in [
            "unnest('{1259,1255}'::oid[], '{16400,16401}'::oid[])",
            "unnest('{5}'::oid[])",
            "oid = ANY('{6,7}'::oid[])",
            "unnest('{16400}'::oid[], '{16402}'::oid[])",
            "prqual",
            "unnest('{2200,0}'::oid[], '{r,f}'::text[])",
            "<> ALL('{8}'::oid[])",
        ] {
            assert!(script.contains(part), "{part}: {script}");
        }
        assert!(!removal.script(140_010).contains("prqual"));
        assert!(removal.put_back().contains("\\gexec"));
        assert_eq!(Removal::default().put_back(), "");
    }
}
