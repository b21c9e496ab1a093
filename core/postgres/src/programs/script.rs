//! `pg_restore`'s script on its way into a session of ours, without the lines that must not get there.
//!
//! BEGIN and COMMIT are ours to say, and a server older than 17 refuses `transaction_timeout`, which newer versions of
//! pg_restore set for any server. They are recognised by their place: among the first lines, or the last. A function's body or
//! a row that reads the same is content.

use std::io;

/// What a script begins with, before the first object, is shorter.
const HEAD: usize = 16 << 10;
/// COMMIT comes within this many bytes before the end.
const TAIL: usize = 4 << 10;
const BEGIN: &[u8] = b"\nBEGIN;\n";
const COMMIT: &[u8] = b"\nCOMMIT;\n";
const TIMEOUT: &[u8] = b"\nSET transaction_timeout = 0;\n";

/// What a script is, and which server it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Made with `--single-transaction`: it has to have a BEGIN and a COMMIT.
    pub transaction: bool,
    /// The server knows `transaction_timeout`.
    pub knows_timeout: bool,
}

/// A script without those lines. It holds back the bytes at both ends until they have been looked at.
#[derive(Debug)]
pub struct Trimmed {
    kind: Kind,
    begun: bool,
    held: Vec<u8>,
}

impl Trimmed {
    /// A script that is about to come.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, begun: false, held: Vec::new() }
    }

    /// Takes the script's next bytes and answers with those that can go on.
    ///
    /// # Errors
    /// When no BEGIN is where it has to be: this isn't the script that was asked for.
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        self.held.extend_from_slice(bytes);
        if !self.begun {
            if self.held.len() < HEAD {
                return Ok(Vec::new());
            }
            self.cut_head()?;
        }
        let kept = if self.kind.transaction { TAIL } else { 0 };
        let ready = self.held.len().saturating_sub(kept);
        Ok(self.held.drain(..ready).collect())
    }

    /// The script's end.
    ///
    /// # Errors
    /// When no COMMIT is where it has to be: the script isn't whole.
    pub fn finish(mut self) -> io::Result<Vec<u8>> {
        if !self.begun {
            self.cut_head()?;
        }
        if self.kind.transaction {
            let at = rfind(&self.held, COMMIT).ok_or_else(|| odd("COMMIT"))?;
            self.cut(at, COMMIT);
        }
        Ok(self.held)
    }

    fn cut_head(&mut self) -> io::Result<()> {
        self.begun = true;
        if self.kind.transaction {
            let at = find(&self.held, BEGIN).ok_or_else(|| odd("BEGIN"))?;
            self.cut(at, BEGIN);
        }
        if !self.kind.knows_timeout
            && let Some(at) = find(&self.held, TIMEOUT)
        {
            self.cut(at, TIMEOUT);
        }
        Ok(())
    }

    /// Cuts a line, and leaves the end of the one before it.
    fn cut(&mut self, at: usize, line: &[u8]) {
        self.held.drain(at..at + line.len() - 1);
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

    const TRANSACTION: Kind = Kind { transaction: true, knows_timeout: true };

    fn trim(script: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        trim_as(TRANSACTION, script, piece)
    }

    fn trim_as(kind: Kind, script: &[u8], piece: usize) -> io::Result<Vec<u8>> {
        let mut trimmed = Trimmed::new(kind);
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
        let script =
            format!("--\n-- dump\n--\n\nBEGIN;\n\nSET a;\n{content}\nCOMMIT;\n\n-- complete\n\n\\unrestrict x\n");
        let expected = format!("--\n-- dump\n--\n\n\nSET a;\n{content}\n\n-- complete\n\n\\unrestrict x\n");
        for piece in [1, 7, 4096, 1 << 20] {
            assert_eq!(String::from_utf8(trim(script.as_bytes(), piece).unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn a_setting_that_the_server_does_not_know_goes_and_nothing_else() {
        let script = format!(
            "--\n\nSET a = 0;\nSET transaction_timeout = 0;\nSET b = 0;\n{}",
            "SET transaction_timeout = 0;\n".repeat(2000)
        );
        let expected = script.replacen("SET transaction_timeout = 0;\n", "", 1);
        let kind = Kind { transaction: false, knows_timeout: false };
        assert_eq!(trim_as(kind, script.as_bytes(), 777).unwrap(), expected.as_bytes());
        let kind = Kind { transaction: false, knows_timeout: true };
        assert_eq!(trim_as(kind, script.as_bytes(), 777).unwrap(), script.as_bytes());
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
