//! `pg_restore`'s script on its way into a session of ours, without the BEGIN and COMMIT that it brings: those are ours to say.
//!
//! Both are recognised by their place: BEGIN among the first lines, COMMIT among the last. A function's body or a row that
//! reads the same is content.

use std::io;

/// BEGIN stands within so many bytes from the beginning.
const HEAD: usize = 16 << 10;
/// COMMIT stands within so many bytes before the end.
const TAIL: usize = 4 << 10;
const BEGIN: &[u8] = b"\nBEGIN;\n";
const COMMIT: &[u8] = b"\nCOMMIT;\n";

/// Holds back the bytes at both ends.
#[derive(Debug, Default)]
pub(crate) struct Trimmed {
    begun: bool,
    held: Vec<u8>,
}

impl Trimmed {
    /// Takes the script's next bytes and answers with those that can go on.
    ///
    /// # Errors
    /// When no BEGIN is where it has to be: this isn't the script that was asked for.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.held.extend_from_slice(bytes);
        if !self.begun {
            if find(&self.held, BEGIN).is_none() && self.held.len() < HEAD {
                return Ok(Vec::new());
            }
            self.cut_begin()?;
        }
        let ready = self.held.len().saturating_sub(TAIL);
        Ok(self.held.drain(..ready).collect())
    }

    /// The script's end.
    ///
    /// # Errors
    /// When no COMMIT is where it has to be: the script isn't whole.
    pub(crate) fn finish(mut self) -> io::Result<Vec<u8>> {
        if !self.begun {
            self.cut_begin()?;
        }
        let at = rfind(&self.held, COMMIT).ok_or_else(|| odd("COMMIT"))?;
        self.held.drain(at..at + COMMIT.len() - 1);
        Ok(self.held)
    }

    fn cut_begin(&mut self) -> io::Result<()> {
        let at = find(&self.held, BEGIN).ok_or_else(|| odd("BEGIN"))?;
        self.held.drain(at..at + BEGIN.len() - 1);
        self.begun = true;
        Ok(())
    }
}

fn odd(word: &str) -> io::Error {
    io::Error::other(format!("pg_restore's script has no {word} where it should be"))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn rfind(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|window| window == what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trim(script: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut trimmed = Trimmed::default();
        let mut out = Vec::new();
        for bytes in script.chunks(piece) {
            out.extend(trimmed.push(bytes)?);
        }
        out.extend(trimmed.finish()?);
        Ok(out)
    }

    #[test]
    fn begin_and_commit_go_and_content_that_reads_the_same_stays() {
        let content = "x\nBEGIN;\nCOMMIT;\n".repeat(2000);
        let script = format!("--\n-- dump\n--\n\nBEGIN;\n\nSET a;\n{content}\nCOMMIT;\n\n-- complete\n\n\\unrestrict x\n");
        let expected = format!("--\n-- dump\n--\n\n\nSET a;\n{content}\n\n-- complete\n\n\\unrestrict x\n");
        for piece in [1, 7, 4096, 1 << 20] {
            assert_eq!(String::from_utf8(trim(script.as_bytes(), piece).unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn a_script_that_ends_early_is_refused() {
        let script = format!("--\n\nBEGIN;\n\n{}", "INSERT;\n".repeat(10_000));
        assert!(trim(script.as_bytes(), 1000).is_err());
        assert!(trim(b"SELECT 1;\n\nCOMMIT;\n", 1000).is_err());
    }

    proptest! {
        #[test]
        fn nothing_else_is_ever_lost(content in prop::collection::vec(any::<u8>(), 0..20_000), piece in 1_usize..5000) {
            let mut script = b"-- head\n\nBEGIN;\n".to_vec();
            script.extend(&content);
            script.extend(b"\nCOMMIT;\n\n-- tail\n");
            let mut expected = b"-- head\n\n".to_vec();
            expected.extend(&content);
            expected.extend(b"\n\n-- tail\n");
            prop_assert_eq!(trim(&script, piece).unwrap(), expected);
        }
    }
}
