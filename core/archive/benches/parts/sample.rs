//! The fixed input of the benchmarks: an uncompressed archive (format 1.14) as `pg_dump -Fc -Z0` pipes it, one chunk a
//! row, of the four kinds of rows that `tests/sql/sized.sql` fills a database with. The same bytes on every machine.

use std::io::{self, Write};

/// Dump ids of the tables, in their order.
const FIRST_DUMP_ID: i64 = 100;
const TERMINATOR: &[u8] = b"\\.\n\n\n";
/// Bytes of a table's rows before they are repeated.
const REPEATED: u64 = 8 << 20;
/// Makes one row's COPY text from its number.
type MakeRow = fn(u64, &mut Random) -> String;

/// A quarter of the archive each.
const TABLES: [(&str, MakeRow); 4] = [("users", user), ("charts", chart), ("messages", message), ("files", file)];

/// Writes an archive of about `size` bytes that says which database it is of; however many bytes that are, in little
/// memory: from some length on a table's rows are repeated, which no compressor sees over so wide a distance.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(database: &str, size: u64, out: &mut impl Write) -> io::Result<()> {
    out.write_all(&head(database))?;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let share = size / TABLES.len() as u64;
    for (number, (_, row)) in TABLES.iter().enumerate() {
        let mut rows = Vec::new();
        for id in 1.. {
            chunk(&mut rows, row(id, &mut random).as_bytes());
            if rows.len() as u64 >= share.min(REPEATED) {
                break;
            }
        }
        let mut block = vec![1];
        int(&mut block, FIRST_DUMP_ID + number as i64);
        out.write_all(&block)?;
        for _ in 0..share.div_ceil(rows.len() as u64).max(1) {
            out.write_all(&rows)?;
        }
        block.clear();
        chunk(&mut block, TERMINATOR);
        int(&mut block, 0);
        out.write_all(&block)?;
    }
    Ok(())
}

fn head(database: &str) -> Vec<u8> {
    // Version 1.14.0, integers of 4 bytes, offsets of 8, custom format, no compression.
    let mut out = b"PGDMP\x01\x0e\x00\x04\x08\x01".to_vec();
    for number in [0, 33, 37, 19, 22, 10, 126, 0] {
        int(&mut out, number);
    }
    for name in [database, "15.8", "15.8"] {
        text(&mut out, Some(name));
    }
    contents(&mut out);
    out
}

fn contents(out: &mut Vec<u8>) {
    int(out, TABLES.len() as i64);
    for (number, (name, _)) in TABLES.iter().enumerate() {
        int(out, FIRST_DUMP_ID + number as i64);
        int(out, 1);
        text(out, Some("1259"));
        text(out, Some("16384"));
        text(out, Some(name));
        text(out, Some("TABLE DATA"));
        int(out, 3);
        text(out, Some(""));
        text(out, None);
        text(out, Some(&format!("COPY public.{name} FROM stdin;\n")));
        text(out, Some("public"));
        text(out, None);
        for field in [Some("heap"), Some("owner"), Some("false"), None] {
            text(out, field);
        }
        // The data's offset isn't set.
        out.push(1);
        out.extend([0; 8]);
    }
}

fn int(out: &mut Vec<u8>, value: i64) {
    out.push(u8::from(value < 0));
    out.extend((value.unsigned_abs() as u32).to_le_bytes());
}

fn text(out: &mut Vec<u8>, text: Option<&str>) {
    int(out, text.map_or(-1, |text| text.len() as i64));
    out.extend(text.unwrap_or_default().as_bytes());
}

fn chunk(out: &mut Vec<u8>, bytes: &[u8]) {
    int(out, bytes.len() as i64);
    out.extend(bytes);
}

fn user(id: u64, random: &mut Random) -> String {
    let (key, day) = (random.next(), random.below(28));
    let (latitude, longitude) = (random.below(180_000) as f64 / 1e3 - 90.0, random.below(360_000) as f64 / 1e3 - 180.0);
    format!(
        "{id}\tuser{id}@{key:012x}.example.org\tName {key:x}\t1980-01-{:02} 00:00:00+00\t{latitude}\t{longitude}\n",
        day + 1
    )
}

fn chart(id: u64, random: &mut Random) -> String {
    const SIGNS: [&str; 6] = ["aries", "taurus", "gemini", "cancer", "leo", "virgo"];
    let body = |name: &str, random: &mut Random| {
        let sign = SIGNS[random.below(6) as usize];
        format!(r#""{name}": {{"sign": "{sign}", "degree": {}}}"#, random.below(360_000) as f64 / 1e3)
    };
    let bodies = ["sun", "moon", "mars", "venus", "saturn", "jupiter"].map(|name| body(name, random)).join(", ");
    format!("{id}\t{}\t{{{bodies}}}\t2020-01-01 00:00:00+00\n", random.below(2_500))
}

fn message(id: u64, random: &mut Random) -> String {
    const WORDS: [&str; 12] =
        ["the", "moon", "is", "in", "your", "seventh", "house", "and\\tJupiter", "aligns", "with", "Mars\\n", "then"];
    let words: Vec<&str> = (0..180).map(|_| WORDS[random.below(12) as usize]).collect();
    format!("{id}\t{}\t{}\n", random.below(2_500), words.join(" "))
}

fn file(id: u64, random: &mut Random) -> String {
    let content: String = (0..1024).map(|_| format!("{:016x}", random.next())).collect();
    format!("{id}\t{}\t\\\\x{content}\n", random.below(2_500))
}

/// Marsaglia's xorshift64: what isn't seeded elsewhere must be seeded here.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}
