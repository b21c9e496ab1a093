//! The entries of an archive in UTF-8, so that those of two archives are compared by what they say, whatever their character sets are.

use crate::charset::Charset;
use crate::walk::Described;

/// Reads entries in their order, of which one says what the others are in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Recoder {
    charset: Charset,
}

impl Recoder {
    /// The character set, as far as entries have come.
    #[must_use]
    pub fn charset(self) -> Charset {
        self.charset
    }

    /// The next entry, in UTF-8.
    #[must_use]
    pub fn recoded(&mut self, mut entry: Described) -> Described {
        if entry.kind == "ENCODING" {
            self.charset = Charset::of_entry(&entry.definition);
        }
        if self.charset == Charset::Utf8 {
            return entry;
        }
        let charset = self.charset;
        let names = [&mut entry.schema, &mut entry.name, &mut entry.owner, &mut entry.tablespace];
        for name in names.into_iter().chain([&mut entry.copy_statement]) {
            *name = charset.name(name).into_bytes();
        }
        for text in [&mut entry.definition, &mut entry.drop_statement] {
            if !text.is_ascii() {
                *text = charset.text(text).into_owned().into_bytes();
            }
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_encoding_is_read_by_it() {
        let mut recoder = Recoder::default();
        let entry = |kind: &str, name: &[u8], definition: &[u8]| Described {
            kind: kind.to_owned(),
            name: name.to_vec(),
            definition: definition.to_vec(),
            ..Described::default()
        };
        let _ = recoder.recoded(entry("ENCODING", b"ENCODING", b"SET client_encoding = 'LATIN1';\n"));
        let table = recoder.recoded(entry("TABLE", b"gr\xf6", b"CREATE TABLE \"gr\xf6\" ();"));
        assert_eq!((table.name, table.definition), ("grö".into(), "CREATE TABLE \"grö\" ();".into()));
    }
}
