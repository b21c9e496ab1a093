//! A psql whose session stays open: it is told SQL, and what that prints is read up to a mark.
//!
//! The mark is a line that begins with `\.`, which is what ends rows: COPY writes no such line.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::thread::sleep;

use archive::weave::Abandoned;

use crate::programs::pipe::{GATHERING, WidePipe};
use crate::programs::program::{Ended, Manner, PATIENCE, Program, ProgramError, Stderr, Stopper};
use crate::psql::CONNECT_TIMEOUT;
use crate::weave::said::{PIECE, Said, TalkError};
use crate::{DumpError, Psql};

/// When less is there than this, some is let gather.
const GATHERED: usize = 224 << 10;
/// psql writes so many bytes at once; fewer are the end of what a statement prints, and the mark follows at once.
const WRITTEN: usize = 4096;
/// Said behind every script. psql fills in how its last statement ended, and how many rows the server said that it was.
const MARK: &[u8] = b"\n\\echo '\\\\.' :ERROR :SQLSTATE :ROW_COUNT\n";
/// Longer than any mark.
const LONGEST_MARK: usize = 64;

/// A session.
pub(super) struct Script {
    program: Program,
    stdin: ChildStdin,
    stdout: WidePipe<ChildStdout>,
    /// What was printed and hasn't been handed on.
    block: Vec<u8>,
}

impl Script {
    /// Starts psql, which connects.
    pub(super) fn start(psql: &Psql) -> Result<Self, ProgramError> {
        let mut command = psql.connection().command(psql.program());
        let timeout = psql.connection().get("PGCONNECT_TIMEOUT").unwrap_or(CONNECT_TIMEOUT);
        command.env("LC_ALL", "C").env("PGCONNECT_TIMEOUT", timeout).args(["-X", "-q", "-A", "-t", "-w", "-f", "-"]);
        // Ctrl-C at a terminal is ours to pass on.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let manner = Manner { patience: PATIENCE, stderr: Stderr::Kept };
        let (program, pipes) = Program::start_as(manner, "psql", &mut command, psql.stop())?;
        let (Some(stdin), Some(stdout)) = (pipes.stdin, pipes.stdout) else {
            return Err(ProgramError::Run { name: "psql", cause: "its pipes are missing".to_owned() });
        };
        Ok(Self { program, stdin, stdout: WidePipe::new(stdout), block: Vec::new() })
    }

    /// What can end it from another thread.
    pub(super) fn stopper(&self) -> Stopper {
        self.program.stopper()
    }

    /// Runs a script, and hands on what it prints in pieces of at most [`PIECE`] bytes, never an empty one. `take` takes the piece
    /// out, and may leave another's memory.
    pub(super) fn read(
        &mut self,
        script: &[u8],
        mut take: impl FnMut(&mut Vec<u8>) -> Result<(), Abandoned>,
    ) -> Result<Said, TalkError> {
        let Self { stdin, stdout, block, .. } = self;
        stdin.write_all(script).and_then(|()| stdin.write_all(MARK)).map_err(|_| TalkError::Ended)?;
        let mut begins_line = true;
        block.clear();
        loop {
            block.reserve_exact(PIECE.saturating_sub(block.len()));
            let read = stdout.read_some(block, PIECE).map_err(|_| TalkError::Ended)?;
            if let Some((length, said)) = mark(block, begins_line) {
                block.truncate(length);
                if !block.is_empty() {
                    take(block)?;
                }
                return Ok(said);
            }
            if read == 0 {
                return Err(TalkError::Ended);
            }
            if block.len() == PIECE {
                // What may be the beginning of a mark waits for its rest.
                let held = block.split_off(block.len() - mark_begun(block));
                begins_line = !held.is_empty() || block.ends_with(b"\n");
                take(block)?;
                block.clear();
                block.extend_from_slice(&held);
            } else if read < GATHERED && read % WRITTEN == 0 && stdout.is_wide() {
                sleep(GATHERING);
            }
        }
    }

    /// Runs scripts one after the other without waiting, and shows what each prints, and how it ended. Little enough to be held.
    pub(super) fn read_each(
        &mut self,
        scripts: impl Iterator<Item = Vec<u8>>,
        mut each: impl FnMut(usize, &[u8], Said),
    ) -> Result<(), TalkError> {
        let Self { stdin, stdout, block, .. } = self;
        let (mut all, mut count) = (Vec::new(), 0);
        for script in scripts {
            all.extend(script);
            all.extend_from_slice(MARK);
            count += 1;
        }
        std::thread::scope(|scope| {
            // psql may print more than a pipe holds before it has read all of this.
            scope.spawn(|| stdin.write_all(&all));
            block.clear();
            let (mut seen, mut begin) = (0, 0);
            for number in 0..count {
                let (end, next, said) = loop {
                    if let Some(found) = next_mark(block, begin, seen) {
                        break found;
                    }
                    // The last line may not have come whole.
                    seen =
                        block.iter().rposition(|&byte| byte == b'\n').map_or(begin, |newline| newline + 1).max(begin);
                    let room = block.len() + PIECE;
                    if !stdout.read_some(block, room).is_ok_and(|read| read > 0) {
                        return Err(TalkError::Ended);
                    }
                };
                each(number, block.get(begin..end).unwrap_or_default(), said);
                (begin, seen) = (next, next);
            }
            Ok(())
        })
    }

    /// Runs a script, and answers with what it prints.
    pub(super) fn ask(&mut self, script: &str) -> Result<(String, Said), TalkError> {
        let mut answer = Vec::new();
        let said = self.read(script.as_bytes(), |piece| {
            answer.append(piece);
            Ok(())
        })?;
        Ok((String::from_utf8_lossy(&answer).into_owned(), said))
    }

    /// How it ended, for a talk that failed: what psql and the server said.
    pub(super) fn why(self) -> DumpError {
        let Self { program, stdin, stdout, .. } = self;
        drop((stdin, stdout));
        match program.finish() {
            Ok(Ended { lines, .. }) => DumpError::Session { lines },
            Err(error) => error.into(),
        }
    }
}

/// How long what comes before the mark is, and what the mark says, if `block` ends with one.
fn mark(block: &[u8], begins_line: bool) -> Option<(usize, Said)> {
    let body = block.strip_suffix(b"\n")?;
    let begin = match body.iter().rposition(|&byte| byte == b'\n') {
        Some(newline) => newline + 1,
        None if begins_line => 0,
        None => return None,
    };
    let line = std::str::from_utf8(body.get(begin..)?.strip_prefix(b"\\. ")?).ok()?;
    let mut words = line.split(' ');
    let (failed, state, rows) = (words.next()?, words.next()?, words.next()?);
    let refused = (failed != "false").then(|| state.to_owned());
    // A psql that doesn't know these variables shows their names: nothing is known then.
    Some((begin, Said { refused, rows: rows.parse().unwrap_or(u64::MAX) }))
}

/// Where the next mark begins and what follows it, behind a place where a line begins, from where no mark has been seen.
fn next_mark(block: &[u8], begin: usize, seen: usize) -> Option<(usize, usize, Said)> {
    let mut at = seen.max(begin);
    loop {
        let line = block.get(at..)?;
        let end = at + memchr::memchr(b'\n', line)? + 1;
        if line.starts_with(b"\\. ")
            && let Some((_, said)) = mark(block.get(at..end)?, true)
        {
            return Some((at, end, said));
        }
        at = end;
    }
}

/// How many bytes at the end of a full block may belong to a mark.
fn mark_begun(block: &[u8]) -> usize {
    let (_, end) = block.split_at(block.len().saturating_sub(LONGEST_MARK));
    let Some(newline) = end.iter().rposition(|&byte| byte == b'\n') else { return 0 };
    let line = end.split_at(newline + 1).1;
    if line == b"\\" || line.starts_with(b"\\.") { line.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_the_line_that_no_row_can_be() {
        let said = |refused: Option<&str>, rows| Said { refused: refused.map(str::to_owned), rows };
        assert_eq!(mark(b"1\ta\n\\. false 00000 1\n", true), Some((4, said(None, 1))));
        assert_eq!(mark(b"\\. true 55P03 0\n", true), Some((0, said(Some("55P03"), 0))));
        assert_eq!(mark(b"\\. :ERROR :SQLSTATE :ROW_COUNT\n", true), Some((0, said(Some(":SQLSTATE"), u64::MAX))));
        for rows in ["\\. false 00000 1", "\\\\. false 00000 1\n", "x\\. false 00000 1\n", "", "\n", "1\n"] {
            assert_eq!(mark(rows.as_bytes(), true), None, "{rows:?}");
        }
        assert_eq!(mark(b"\\. false 00000 1\n", false), None, "the end of a row");
    }

    #[test]
    fn marks_are_found_one_after_the_other() {
        let block = b"1\n\\\\. x\n\\. false 00000 2\n\\. true 42P01 0\n3\n\\. fal";
        let (end, next, said) = next_mark(block, 0, 0).unwrap();
        assert_eq!((&block[..end], said.rows), (&b"1\n\\\\. x\n"[..], 2));
        let (end, after, said) = next_mark(block, next, next).unwrap();
        assert_eq!((end, said.refused.as_deref()), (next, Some("42P01")));
        assert_eq!(next_mark(block, after, after), None);
    }

    #[test]
    fn a_mark_that_is_cut_waits() {
        for (block, held) in [("1\n\\", 1), ("1\n\\. fal", 6), ("1\n", 0), ("1\n\\N\t", 0), ("1\n\\\\.", 0), ("\\.", 0)]
        {
            assert_eq!(mark_begun(block.as_bytes()), held, "{block:?}");
        }
    }
}
