//! A tar as `pg_dump --format=tar` writes it, as its bytes come in: the contents first, then each file in their order.
//!
//! A tar that somebody made of a directory has them in any order. Read forward only, that can't be restored, nor be judged: it has to
//! be unpacked.

use serde::{Deserialize, Serialize};

use super::blocks::{content, ends, large_object_begins, large_objects_begin, listed_objects, table_begins};
use super::contents::{PackedContents, PackedFile};
use crate::damage::Damage;
use crate::sniff::Kind;

const BLOCK: usize = 512;
/// Most bytes of what is kept of a member: the contents, or a list of large objects.
const MOST_KEPT: usize = 256 << 20;

/// Takes what of a custom archive has come.
pub(super) type Out<'a> = dyn FnMut(&[u8]) -> Result<(), Damage> + 'a;

/// Tar in, custom archive out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TarReader {
    position: u64,
    header: Vec<u8>,
    member: Option<Member>,
    /// Once the contents have been read.
    files: Option<Vec<PackedFile>>,
    next: usize,
    /// The numbers of the large objects of the block that is being read.
    objects: Option<Vec<u32>>,
    /// A size that a record before the member says.
    size: Option<u64>,
    ended: bool,
    /// Another program than pg_dump made it: nothing is known of its order.
    foreign: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Member {
    name: String,
    left: u64,
    padding: u64,
    role: Role,
    kept: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Role {
    Contents,
    Rows,
    LargeObject,
    LargeObjects,
    /// A record of the tar's own about the member that follows.
    Record,
    Nothing,
}

impl TarReader {
    /// Before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the tar's next bytes, and gives `out` what of the archive they make.
    ///
    /// # Errors
    /// The first thing that is wrong, or what `out` finds.
    pub fn feed(&mut self, mut bytes: &[u8], out: &mut Out<'_>) -> Result<(), Damage> {
        while !bytes.is_empty() {
            let taken = match self.member.take() {
                Some(member) => self.read_member(member, bytes, out)?,
                None => self.read_header(bytes)?,
            };
            self.position += taken as u64;
            bytes = bytes.split_at(taken).1;
        }
        Ok(())
    }

    /// The tar ends here.
    ///
    /// # Errors
    /// It may not end here.
    pub fn finish(&self) -> Result<(), Damage> {
        let offset = self.position;
        let cut = |within: String| Err(Damage::Truncated { offset, within });
        match (&self.member, &self.files) {
            (Some(member), _) => cut(format!("the tar's file {}", member.name)),
            (None, None) => cut("the tar's table of contents, toc.dat".into()),
            (None, Some(files)) => match files.get(self.next) {
                Some(file) if !self.ended || self.objects.is_some() => {
                    cut(format!("the tar, where the file {} belongs", file.name))
                }
                None if !self.ended => cut("the tar's end".into()),
                _ => Ok(()),
            },
        }
    }

    fn read_header(&mut self, bytes: &[u8]) -> Result<usize, Damage> {
        let taken = bytes.len().min(BLOCK - self.header.len());
        self.header.extend(bytes.iter().take(taken));
        if self.header.len() < BLOCK {
            return Ok(taken);
        }
        let header = std::mem::take(&mut self.header);
        let offset = self.position + taken as u64 - BLOCK as u64;
        if header.iter().all(|&byte| byte == 0) {
            self.ended = true;
            return Ok(taken);
        }
        if self.ended {
            return Err(Damage::TrailingBytes { offset });
        }
        let broken =
            |reason: &str| Damage::BadHeader { offset, reason: format!("the tar's header of a file: {reason}") };
        if checksum(&header) != number(header.get(148..156).unwrap_or_default()) {
            let is_first = offset == 0;
            return Err(if is_first {
                Damage::NotAnArchive { found: Kind::Tar }
            } else {
                broken("its checksum is wrong")
            });
        }
        let size = number(header.get(124..136).unwrap_or_default()).ok_or_else(|| broken("it has no size"))?;
        let name = text(header.get(..100).unwrap_or_default());
        if self.files.is_none() {
            self.foreign = header.get(257..265) != Some(b"ustar\x0000") || name.contains('/');
        }
        let base = name.rsplit('/').next().unwrap_or_default().to_owned();
        let role = match header.get(156) {
            Some(b'x' | b'g' | b'L' | b'K') => Role::Record,
            Some(b'0' | 0 | b'7') => self.role(&base, offset)?,
            _ => Role::Nothing,
        };
        let size = if role == Role::Record { size } else { self.size.take().unwrap_or(size) };
        self.member = Some(Member {
            name: base,
            left: size,
            padding: (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64,
            role,
            kept: Vec::new(),
        });
        Ok(taken)
    }

    fn role(&self, name: &str, offset: u64) -> Result<Role, Damage> {
        let reordered = || Damage::Packed { offset, file: name.to_owned() };
        let Some(files) = &self.files else {
            return if name == "toc.dat" { Ok(Role::Contents) } else { Err(reordered()) };
        };
        let awaited = files.get(self.next);
        match awaited {
            Some(file) if file.large_objects && large_object(name).is_some() => Ok(Role::LargeObject),
            Some(file) if file.name == name => Ok(if file.large_objects { Role::LargeObjects } else { Role::Rows }),
            _ if name == "restore.sql" => Ok(Role::Nothing),
            _ if files.iter().take(self.next).any(|file| file.name == name) || name == "toc.dat" => {
                Err(Damage::DuplicateBlock { offset, object: format!("the tar's file {name}") })
            }
            Some(expected) if files.iter().any(|file| file.name == name) || large_object(name).is_some() => {
                if self.foreign {
                    return Err(reordered());
                }
                let (object, expected) = (format!("the tar's file {name}"), expected.name.clone());
                Err(Damage::MisplacedBlock { offset, object, expected })
            }
            Some(_) if name.ends_with(".gz") => Err(reordered()),
            _ => Ok(Role::Nothing),
        }
    }

    /// Takes a part of the member, or its padding.
    fn read_member(&mut self, mut member: Member, bytes: &[u8], out: &mut Out<'_>) -> Result<usize, Damage> {
        let first = member.left == 0 && member.padding == 0;
        if member.left > 0 || first {
            let taken = usize::try_from(member.left).unwrap_or(usize::MAX).min(bytes.len());
            let part = bytes.split_at(taken).0;
            self.take(&mut member, part, out)?;
            member.left -= taken as u64;
            if member.left == 0 {
                self.end(&mut member, out)?;
            }
            if member.left > 0 || member.padding > 0 {
                self.member = Some(member);
            }
            return Ok(taken);
        }
        let taken = usize::try_from(member.padding).unwrap_or(usize::MAX).min(bytes.len());
        member.padding -= taken as u64;
        if member.padding > 0 {
            self.member = Some(member);
        }
        Ok(taken)
    }

    fn take(&mut self, member: &mut Member, part: &[u8], out: &mut Out<'_>) -> Result<(), Damage> {
        match member.role {
            Role::Rows | Role::LargeObject => {
                if !std::mem::replace(&mut member.kept, vec![1]).is_empty() {
                    return out(&content(part));
                }
                self.begin(member, out)?;
                out(&content(part))
            }
            Role::Contents | Role::LargeObjects | Role::Record => {
                if member.kept.len() + part.len() > MOST_KEPT {
                    let reason = format!("{} takes more than {} MiB of memory", member.name, MOST_KEPT >> 20);
                    return Err(Damage::BeyondLimits { offset: self.position, reason });
                }
                member.kept.extend(part);
                Ok(())
            }
            Role::Nothing => Ok(()),
        }
    }

    fn awaited(&self) -> Option<&PackedFile> {
        self.files.as_ref().and_then(|files| files.get(self.next))
    }

    /// Begins what the member holds.
    fn begin(&mut self, member: &Member, out: &mut Out<'_>) -> Result<(), Damage> {
        let Some(file) = self.awaited().cloned() else { return Ok(()) };
        if member.role == Role::Rows {
            return out(&table_begins(&file));
        }
        self.begin_large_objects(out)?;
        let oid = large_object(&member.name).unwrap_or_default();
        self.objects.get_or_insert_default().push(oid);
        out(&large_object_begins(oid))
    }

    fn begin_large_objects(&mut self, out: &mut Out<'_>) -> Result<(), Damage> {
        match (self.awaited().cloned(), &self.objects) {
            (Some(file), None) => {
                self.objects = Some(Vec::new());
                out(&large_objects_begin(&file))
            }
            _ => Ok(()),
        }
    }

    /// The member has been read to its end.
    fn end(&mut self, member: &mut Member, out: &mut Out<'_>) -> Result<(), Damage> {
        match member.role {
            Role::Rows | Role::LargeObject => {
                if member.kept.is_empty() {
                    self.begin(member, out)?;
                }
                self.next += usize::from(member.role == Role::Rows);
                out(&ends())
            }
            Role::LargeObjects => {
                self.begin_large_objects(out)?;
                let seen = self.objects.take().unwrap_or_default();
                let list = std::mem::take(&mut member.kept);
                if numbers(&list) != Some(seen) {
                    let reason = "the tar doesn't have the large objects that it lists".to_owned();
                    return Err(Damage::BadBlock { offset: self.position, object: member.name.clone(), reason });
                }
                self.next += 1;
                out(&ends())
            }
            Role::Contents => {
                let contents = PackedContents::read(&std::mem::take(&mut member.kept))?;
                self.files = Some(contents.files);
                out(&contents.head)
            }
            Role::Record => {
                self.size = recorded_size(&member.kept).or(self.size);
                Ok(())
            }
            Role::Nothing => Ok(()),
        }
    }
}

/// The number of the large object that a file of this name holds.
fn large_object(name: &str) -> Option<u32> {
    name.strip_prefix("blob_")?.strip_suffix(".dat")?.parse().ok()
}

/// The numbers of the large objects that are listed.
fn numbers(list: &[u8]) -> Option<Vec<u32>> {
    Some(listed_objects(list)?.into_iter().map(|(oid, _)| oid).collect())
}

/// The size in a pax record: `20 size=8589934592`.
fn recorded_size(record: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(record);
    text.lines().find_map(|line| line.split_once(" size=")?.1.parse().ok())
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field.split(|&byte| byte == 0).next().unwrap_or_default()).into_owned()
}

/// Octal digits; or, where the highest bit is set, a number of the bytes themselves.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((&first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        return rest
            .iter()
            .try_fold(u64::from(first & 0x7f), |number, &byte| Some(number.checked_mul(256)? + u64::from(byte)));
    }
    let digits = text(field);
    u64::from_str_radix(digits.trim(), 8).ok()
}

/// The sum of a header's bytes, its own field being spaces.
fn checksum(header: &[u8]) -> Option<u64> {
    let sum =
        header.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u64::from(byte) }).sum();
    Some(sum)
}
