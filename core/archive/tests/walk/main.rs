//! The walk against real archives: of the installed PostgreSQL, of other versions (fixtures), and of a writer that makes
//! what no pg_dump would.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a panic here is the report, and PostgreSQL's own programs are run"
)]

mod against_postgres;
mod bombs;
mod crafted;
mod fixtures;
mod hostile;
mod server;
mod woven;
mod writer;

use archive::{Damage, Sha256Hex, TableCensus, Walk, Walked};
use sha2::{Digest, Sha256};

const TERMINATOR: &[u8] = b"\\.\n\n\n";

/// Walks an archive that is fed in pieces of this size.
fn walk_by(archive: &[u8], piece: usize) -> Result<Walked, Damage> {
    let mut walk = Walk::new();
    archive.chunks(piece).try_for_each(|piece| walk.feed(piece))?;
    walk.finish()
}

fn walk(archive: &[u8]) -> Result<Walked, Damage> {
    walk_by(archive, archive.len().max(1))
}

/// Walks an archive in pieces of this size, storing the walk's place as JSON between all of them where that can be done;
/// says how often it could.
fn walk_resuming(archive: &[u8], piece: usize) -> (Result<Walked, Damage>, usize) {
    let (mut walk, mut saves) = (Walk::new(), 0);
    for piece in archive.chunks(piece) {
        if let Err(damage) = walk.feed(piece) {
            return (Err(damage), saves);
        }
        if let Some(saved) = walk.save() {
            let json = serde_json::to_vec(&saved).unwrap();
            walk = Walk::resume(serde_json::from_slice(&json).unwrap());
            saves += 1;
        }
    }
    (walk.finish(), saves)
}

fn sha256(bytes: &[u8]) -> Sha256Hex {
    Sha256Hex(Sha256::digest(bytes).into())
}

/// What the census must say of a table with this COPY text.
fn copied(schema: &str, name: &str, text: &[u8]) -> TableCensus {
    let rows = Some(text.iter().filter(|&&byte| byte == b'\n').count() as u64);
    TableCensus {
        schema: schema.into(),
        name: name.into(),
        rows,
        bytes: text.len() as u64,
        sha256: sha256(text),
        called: None,
    }
}

/// The same for a table dumped as INSERTs.
fn inserted(schema: &str, name: &str, text: &[u8]) -> TableCensus {
    TableCensus { rows: None, ..copied(schema, name, text) }
}

/// The sum of large objects' digests, the slow way.
fn large_objects_sum(objects: &[(u32, &[u8])]) -> Sha256Hex {
    let mut sum = [0_u8; 32];
    for (oid, content) in objects {
        let mut carry = 0;
        let term = sha256(&[&oid.to_be_bytes()[..], content].concat()).0;
        for index in (0..32).rev() {
            let digit = u16::from(sum[index]) + u16::from(term[index]) + carry;
            sum[index] = (digit & 0xff) as u8;
            carry = digit >> 8;
        }
    }
    Sha256Hex(sum)
}
