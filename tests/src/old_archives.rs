//! Archives as pg_dump of other versions wrote them, by a writer of our own: those versions can't be installed any more.
//!
//! The facts are those of PostgreSQL's `pg_backup_archiver.h` and its history: which version wrote which format, and how.

use std::io::Write as _;

/// What pg_dump of one version did.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// As it says its version.
    pub version: &'static str,
    /// Minor version of the archive's format.
    minor: u8,
    /// Bytes of an offset: four on a system of 32 bits.
    offset_size: u8,
    /// Names are whole, and nothing is found by a path: since CVE-2018-1058.
    qualifies: bool,
    /// It made the language plpgsql itself, before that was an extension.
    has_plpgsql: bool,
    /// The database's entry is in every archive: since 11.
    describes_database: bool,
    /// Tables say whether they have OIDs, which 12 forgot.
    knows_oids: bool,
}

/// One release of each format, and of each habit.
pub const RELEASES: [Release; 12] = [
    Release {
        version: "9.0.23",
        minor: 12,
        offset_size: 4,
        qualifies: false,
        has_plpgsql: true,
        describes_database: false,
        knows_oids: true,
    },
    Release {
        version: "9.2.24",
        minor: 12,
        offset_size: 8,
        qualifies: false,
        has_plpgsql: false,
        describes_database: false,
        knows_oids: true,
    },
    Release {
        version: "9.4.15",
        minor: 12,
        offset_size: 8,
        qualifies: false,
        has_plpgsql: false,
        describes_database: false,
        knows_oids: true,
    },
    Release {
        version: "9.6.6",
        minor: 12,
        offset_size: 8,
        qualifies: false,
        has_plpgsql: false,
        describes_database: false,
        knows_oids: true,
    },
    Release {
        version: "9.6.24",
        minor: 13,
        offset_size: 8,
        qualifies: true,
        has_plpgsql: false,
        describes_database: false,
        knows_oids: true,
    },
    Release {
        version: "10.2",
        minor: 12,
        offset_size: 8,
        qualifies: false,
        has_plpgsql: false,
        describes_database: false,
        knows_oids: true,
    },
    Release {
        version: "10.23",
        minor: 13,
        offset_size: 8,
        qualifies: true,
        has_plpgsql: false,
        describes_database: false,
        knows_oids: true,
    },
    Release {
        version: "11.22",
        minor: 13,
        offset_size: 8,
        qualifies: true,
        has_plpgsql: false,
        describes_database: true,
        knows_oids: true,
    },
    Release {
        version: "12.22",
        minor: 14,
        offset_size: 8,
        qualifies: true,
        has_plpgsql: false,
        describes_database: true,
        knows_oids: false,
    },
    Release {
        version: "13.23",
        minor: 14,
        offset_size: 8,
        qualifies: true,
        has_plpgsql: false,
        describes_database: true,
        knows_oids: false,
    },
    Release {
        version: "14.20",
        minor: 14,
        offset_size: 8,
        qualifies: true,
        has_plpgsql: false,
        describes_database: true,
        knows_oids: false,
    },
    Release {
        version: "17.7",
        minor: 16,
        offset_size: 8,
        qualifies: true,
        has_plpgsql: false,
        describes_database: true,
        knows_oids: false,
    },
];

/// The rows of `orders`, as COPY has them.
pub const ROWS: &str = "1\tone\n2\t\\N\n3\tthree \\\\. dots\n";
/// What its one large object holds.
pub const LARGE_OBJECT: (u32, &[u8]) = (16390, b"a large object\n\\.\n");

/// What an archive has beside what all have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Relic {
    /// Nothing.
    #[default]
    None,
    /// `CREATE TABLE … WITH OIDS`.
    Oids,
    /// A column of this type.
    Column(&'static str),
    /// A function that returns what is no type any more.
    Opaque,
    /// An aggregate upon a function of arrays.
    Aggregate,
}

const OPAQUE: &str =
    "CREATE FUNCTION public.relic() RETURNS opaque\n    LANGUAGE plpgsql\n    AS $$begin return new; end$$;\n";
const AGGREGATE: &str = "CREATE AGGREGATE public.relic(anyelement) (\n    SFUNC = array_append,\n    STYPE = anyarray,\n    INITCOND = '{}'\n);\n";

struct Item {
    id: i32,
    tag: String,
    kind: &'static str,
    section: i32,
    sql: String,
    drop: String,
    copy: Option<String>,
    schema: Option<&'static str>,
    depends: Vec<i32>,
    oids: bool,
}

impl Release {
    /// The major version, as server and packages are called.
    pub fn major(&self) -> u32 {
        self.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default()
    }

    /// The format, as `pg_restore` calls it.
    pub fn format(&self) -> String {
        format!("1.{}", self.minor)
    }

    /// An archive of the database `database`.
    pub fn archive(&self, database: &str, relic: Relic) -> Vec<u8> {
        let items = self.items(database, relic);
        let mut out = self.header(database);
        self.int(&mut out, items.len() as i32);
        // Compressed blocks are as long as they are: where each begins is known once the contents' length is.
        let blocks: Vec<Vec<u8>> = items.iter().map(|item| self.block(item, relic)).collect();
        let mut contents = Vec::new();
        items.iter().for_each(|item| self.entry(&mut contents, item, 0));
        let mut at = (out.len() + contents.len()) as u64;
        for (item, block) in items.iter().zip(&blocks) {
            self.entry(&mut out, item, at);
            at += block.len() as u64;
        }
        out.extend(blocks.concat());
        out
    }

    fn header(&self, database: &str) -> Vec<u8> {
        let mut out = b"PGDMP\x01".to_vec();
        out.extend([self.minor, 0, 4, self.offset_size, 1]);
        match self.minor {
            15.. => out.push(1),
            _ => self.int(&mut out, -1),
        }
        for part in [33, 37, 19, 22, 10, 117, 0] {
            self.int(&mut out, part);
        }
        [database, self.version, self.version].into_iter().for_each(|text| self.text(&mut out, Some(text.as_bytes())));
        out
    }

    fn items(&self, database: &str, relic: Relic) -> Vec<Item> {
        let at = |name: &str| if self.qualifies { format!("public.{name}") } else { name.to_owned() };
        let oids = relic == Relic::Oids;
        let column = match relic {
            Relic::Column(kind) => format!(",\n    relic {kind}"),
            _ => String::new(),
        };
        let with_oids = if oids { " WITH OIDS" } else { "" };
        let (orders, sequence) = (at("orders"), at("orders_id_seq"));
        let mut items = vec![
            item(1, "ENCODING", "ENCODING", 2, "SET client_encoding = 'UTF8';\n"),
            item(2, "STDSTRINGS", "STDSTRINGS", 2, "SET standard_conforming_strings = 'on';\n"),
        ];
        if self.minor >= 13 {
            items.push(item(
                3,
                "SEARCHPATH",
                "SEARCHPATH",
                2,
                "SELECT pg_catalog.set_config('search_path', '', false);\n",
            ));
        }
        if self.describes_database {
            let sql = format!("CREATE DATABASE \"{database}\" WITH TEMPLATE = template0 ENCODING = 'UTF8';\n");
            items.push(Item {
                drop: format!("DROP DATABASE \"{database}\";\n"),
                ..item(4, database, "DATABASE", 2, &sql)
            });
        } else {
            items.push(Item {
                drop: "DROP SCHEMA public;\n".into(),
                ..item(5, "public", "SCHEMA", 2, "CREATE SCHEMA public;\n")
            });
            items.push(item(
                6,
                "SCHEMA public",
                "COMMENT",
                1,
                "COMMENT ON SCHEMA public IS 'standard public schema';\n",
            ));
        }
        if self.has_plpgsql {
            items.push(item(
                7,
                "plpgsql",
                "PROCEDURAL LANGUAGE",
                2,
                "CREATE OR REPLACE PROCEDURAL LANGUAGE plpgsql;\n",
            ));
        } else if !self.describes_database {
            items.push(item(
                7,
                "plpgsql",
                "EXTENSION",
                2,
                "CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;\n",
            ));
            items.push(item(
                8,
                "EXTENSION plpgsql",
                "COMMENT",
                1,
                "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language';\n",
            ));
        }
        match relic {
            Relic::Opaque => items.push(public(item(9, "relic()", "FUNCTION", 2, OPAQUE))),
            Relic::Aggregate => items.push(public(item(9, "relic(anyelement)", "AGGREGATE", 2, AGGREGATE))),
            _ => {}
        }
        items.push(public(item(10, "twice(integer)", "FUNCTION", 2, &format!("CREATE FUNCTION {}(n integer) RETURNS integer\n    LANGUAGE plpgsql\n    AS $$begin return 2 * n; end$$;\n", at("twice")))));
        items.push(public(Item {
            oids,
            ..item(
                11,
                "orders",
                "TABLE",
                2,
                &format!("CREATE TABLE {orders} (\n    id integer NOT NULL,\n    note text{column}\n);\n"),
            )
        }));
        items.push(public(item(12, "orders_id_seq", "SEQUENCE", 2, &format!("CREATE SEQUENCE {sequence}\n    START WITH 1\n    INCREMENT BY 1\n    NO MINVALUE\n    NO MAXVALUE\n    CACHE 1;\n"))));
        items.push(public(item(
            13,
            "orders_id_seq",
            "SEQUENCE OWNED BY",
            2,
            &format!("ALTER SEQUENCE {sequence} OWNED BY {orders}.id;\n"),
        )));
        items.push(public(item(
            14,
            "orders id",
            "DEFAULT",
            2,
            &format!("ALTER TABLE ONLY {orders} ALTER COLUMN id SET DEFAULT nextval('{sequence}'::regclass);\n"),
        )));
        let (oid, _) = LARGE_OBJECT;
        let rows = Item {
            copy: Some(format!("COPY {orders} (id, note){with_oids} FROM stdin;\n")),
            depends: vec![11],
            ..public(item(16, "orders", "TABLE DATA", 3, ""))
        };
        match self.minor {
            16 => items.extend([rows, item(15, &oid.to_string(), "BLOB METADATA", 3, &format!("{oid}\n"))]),
            _ => items.extend([
                item(15, &oid.to_string(), "BLOB", 2, &format!("SELECT pg_catalog.lo_create('{oid}');\n")),
                rows,
            ]),
        }
        items.push(public(item(
            17,
            "orders_id_seq",
            "SEQUENCE SET",
            3,
            &format!("SELECT pg_catalog.setval('{sequence}', 3, true);\n"),
        )));
        items.push(Item { depends: vec![15], ..item(18, "BLOBS", "BLOBS", 3, "") });
        items.push(public(Item {
            depends: vec![11],
            ..item(
                19,
                "orders orders_pkey",
                "CONSTRAINT",
                4,
                &format!("ALTER TABLE ONLY {orders}\n    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);\n"),
            )
        }));
        items.push(public(Item {
            depends: vec![11],
            ..item(
                20,
                "orders_twice",
                "INDEX",
                4,
                &format!("CREATE INDEX orders_twice ON {orders} USING btree (note);\n"),
            )
        }));
        items.push(public(Item {
            depends: vec![11],
            ..item(
                21,
                "TABLE orders",
                "ACL",
                1,
                &format!("REVOKE ALL ON TABLE {orders} FROM PUBLIC;\nGRANT SELECT ON TABLE {orders} TO PUBLIC;\n"),
            )
        }));
        items
    }

    fn entry(&self, out: &mut Vec<u8>, item: &Item, at: u64) {
        let has_data = has_data(item);
        self.int(out, item.id);
        self.int(out, i32::from(has_data));
        ["0", "0", &item.tag, item.kind].into_iter().for_each(|text| self.text(out, Some(text.as_bytes())));
        self.int(out, item.section);
        self.text(out, Some(item.sql.as_bytes()));
        self.text(out, Some(item.drop.as_bytes()));
        self.text(out, item.copy.as_deref().map(str::as_bytes));
        self.text(out, item.schema.map(str::as_bytes));
        self.text(out, (item.kind == "TABLE").then_some(b""));
        if self.minor >= 14 {
            self.text(out, (item.kind == "TABLE").then_some(b"heap"));
        }
        if self.minor >= 16 {
            self.int(out, if item.kind == "TABLE" { i32::from(b'r') } else { 0 });
        }
        self.text(out, Some(b"postgres"));
        self.text(out, Some(if item.oids && self.knows_oids { b"true" } else { b"false" }));
        item.depends.iter().for_each(|id| self.text(out, Some(id.to_string().as_bytes())));
        self.text(out, None);
        out.push(if has_data { 2 } else { 3 });
        let place = if has_data { at } else { 0 };
        out.extend((0..self.offset_size).map(|byte| (place >> (8 * byte)) as u8));
    }

    fn block(&self, item: &Item, relic: Relic) -> Vec<u8> {
        let mut out = Vec::new();
        match item.kind {
            "TABLE DATA" => {
                out.push(1);
                self.int(&mut out, item.id);
                let rows = if relic == Relic::Oids { with_oids(ROWS) } else { ROWS.to_owned() };
                self.stream(&mut out, format!("{rows}\\.\n\n\n").as_bytes());
            }
            "BLOBS" => {
                let (oid, content) = LARGE_OBJECT;
                out.push(3);
                self.int(&mut out, item.id);
                self.int(&mut out, oid.cast_signed());
                self.stream(&mut out, content);
                self.int(&mut out, 0);
            }
            _ => {}
        }
        out
    }

    /// As `-Z9` has it, in one chunk.
    fn stream(&self, out: &mut Vec<u8>, content: &[u8]) {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        zlib.write_all(content).unwrap();
        self.text(out, Some(&zlib.finish().unwrap()));
        self.int(out, 0);
    }

    fn int(&self, out: &mut Vec<u8>, value: i32) {
        out.push(u8::from(value < 0));
        out.extend(value.unsigned_abs().to_le_bytes());
    }

    fn text(&self, out: &mut Vec<u8>, text: Option<&[u8]>) {
        self.int(out, text.map_or(-1, |text| text.len() as i32));
        out.extend(text.unwrap_or_default());
    }
}

fn has_data(item: &Item) -> bool {
    ["TABLE DATA", "BLOBS"].contains(&item.kind)
}

fn with_oids(rows: &str) -> String {
    rows.lines().zip(16400..).map(|(row, oid)| format!("{oid}\t{row}\n")).collect()
}

fn item(id: i32, tag: &str, kind: &'static str, section: i32, sql: &str) -> Item {
    let (tag, sql) = (tag.to_owned(), sql.to_owned());
    Item {
        id,
        tag,
        kind,
        section,
        sql,
        drop: String::new(),
        copy: None,
        schema: None,
        depends: Vec::new(),
        oids: false,
    }
}

fn public(item: Item) -> Item {
    Item { schema: Some("public"), ..item }
}
