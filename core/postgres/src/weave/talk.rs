//! A session that stays open: psql's, or one by the protocol itself.

use archive::weave::Abandoned;

use crate::DumpError;
use crate::programs::program::Stopper;
use crate::weave::said::{PIECE, Said, TalkError};
use crate::weave::script::Script;
use crate::wire::{Brought, SocketStopper, Wire, WireError};

/// A session.
pub(super) enum Talk {
    /// By psql, which knows all of libpq's ways to connect.
    Script(Box<Script>),
    /// By the protocol, which takes half as much of a processor.
    Wire(Box<Wire>, Vec<u8>),
}

/// Ends a session, or a program that reads for one, from another thread.
#[derive(Clone, Debug)]
pub(super) enum TalkStopper {
    Program(Stopper),
    Socket(SocketStopper),
}

impl TalkStopper {
    /// Tells it to end. Returns at once.
    pub(super) fn stop(&self) {
        match self {
            Self::Program(stopper) => stopper.stop(),
            Self::Socket(stopper) => stopper.stop(),
        }
    }
}

impl Talk {
    /// What can end it from another thread.
    pub(super) fn stopper(&self) -> TalkStopper {
        match self {
            Self::Script(script) => TalkStopper::Program(script.stopper()),
            Self::Wire(wire, _) => TalkStopper::Socket(wire.stopper()),
        }
    }

    /// Runs statements, and answers with what they print.
    pub(super) fn ask(&mut self, statements: &str) -> Result<(String, Said), TalkError> {
        match self {
            Self::Script(script) => script.ask(statements),
            Self::Wire(wire, _) => {
                let mut answer = Vec::new();
                let said = run(wire, statements.as_bytes(), |brought| {
                    if let Brought::Row(line) = brought {
                        answer.extend(line);
                    }
                    Ok(())
                })?;
                Ok((String::from_utf8_lossy(&answer).into_owned(), said))
            }
        }
    }

    /// Runs statements that print nothing.
    pub(super) fn run(&mut self, statements: &[u8]) -> Result<Said, TalkError> {
        match self {
            Self::Script(script) => script.read(&[statements, b"\n"].concat(), |_| Ok(())),
            Self::Wire(wire, _) => run(wire, statements, |_| Ok(())),
        }
    }

    /// Runs statements, the last of which copies rows, and hands these on in pieces of at most [`PIECE`] bytes, never an empty one. `take`
    /// takes the piece out, and may leave another's memory.
    pub(super) fn copy(
        &mut self,
        statements: &[Vec<u8>],
        mut take: impl FnMut(&mut Vec<u8>) -> Result<(), Abandoned>,
    ) -> Result<Said, TalkError> {
        match self {
            Self::Script(script) => script.read(&copying(&statements.join(&b"\\; "[..])), take),
            Self::Wire(wire, block) => {
                block.clear();
                let said = run(wire, &statements.join(&b"; "[..]), |brought| match brought {
                    Brought::Text(text) => fill(block, text, &mut take),
                    _ => Ok(()),
                })?;
                if !block.is_empty() {
                    take(block)?;
                }
                Ok(said)
            }
        }
    }

    /// Runs statements and then copies, one after the other, and shows what each of these prints, and how it ended. Little enough to be held.
    /// The first that is refused ends it.
    pub(super) fn copy_each(
        &mut self,
        before: &[Vec<u8>],
        copies: &[Vec<u8>],
        mut each: impl FnMut(usize, &[u8], u64),
    ) -> Result<Said, TalkError> {
        match self {
            Self::Script(script) => {
                let begin = [b"SELECT WHERE false\\; ", before.join(&b"\\; "[..]).as_slice(), b";\n"].concat();
                let scripts = [begin].into_iter().chain(copies.iter().map(|copy| copying(copy)));
                let mut all = Said::default();
                script.read_each(scripts, |number, text, said| {
                    if said.refused.is_some() {
                        all.refused = all.refused.take().or(said.refused);
                    } else if let Some(number) = number.checked_sub(1) {
                        each(number, text, said.rows);
                    }
                })?;
                Ok(all)
            }
            Self::Wire(wire, block) => {
                block.clear();
                let (mut number, first) = (0_usize, before.len());
                let all = [before, copies].concat().join(&b"; "[..]);
                run(wire, &all, |brought| {
                    match brought {
                        Brought::Text(text) => block.extend_from_slice(text),
                        Brought::Done(rows) => {
                            if let Some(number) = number.checked_sub(first) {
                                each(number, block, rows);
                            }
                            block.clear();
                            number += 1;
                        }
                        Brought::Row(_) | Brought::Refused(_) => {}
                    }
                    Ok(())
                })
            }
        }
    }

    /// How it ended, for a talk that failed: what the server said.
    pub(super) fn why(self) -> DumpError {
        match self {
            Self::Script(script) => script.why(),
            Self::Wire(wire, _) => DumpError::Session { lines: wire.complaints() },
        }
    }
}

/// Rows go where everything goes, but by a way of their own: psql forgets the command tag of what it writes to its stdout.
fn copying(statement: &[u8]) -> Vec<u8> {
    [statement, b" \\g /dev/fd/1\n"].concat()
}

fn run(
    wire: &mut Wire,
    statements: &[u8],
    mut show: impl FnMut(Brought<'_>) -> Result<(), Abandoned>,
) -> Result<Said, TalkError> {
    let mut said = Said::default();
    let ran = wire.run(statements, |brought| {
        match &brought {
            Brought::Done(rows) => said.rows = *rows,
            Brought::Refused(state) => said.refused = Some(state.clone()),
            Brought::Text(_) | Brought::Row(_) => {}
        }
        show(brought)
    });
    match ran {
        Ok(()) => Ok(said),
        Err(WireError::Gone) => Err(TalkError::Ended),
        Err(WireError::Unwanted(abandoned)) => Err(abandoned.into()),
    }
}

/// Puts `text` behind what is there, and hands on each piece that is full.
fn fill(
    block: &mut Vec<u8>,
    mut text: &[u8],
    take: &mut impl FnMut(&mut Vec<u8>) -> Result<(), Abandoned>,
) -> Result<(), Abandoned> {
    loop {
        let (now, later) = text.split_at(text.len().min(PIECE.saturating_sub(block.len())));
        block.extend_from_slice(now);
        if later.is_empty() {
            return Ok(());
        }
        take(block)?;
        block.clear();
        block.reserve_exact(PIECE);
        text = later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_full_and_none_is_empty() {
        let (mut block, mut pieces) = (Vec::new(), Vec::new());
        for length in [1, PIECE - 1, 0, 3 * PIECE, 5] {
            fill(&mut block, &vec![b'x'; length], &mut |block| {
                pieces.push(std::mem::take(block).len());
                Ok(())
            })
            .unwrap();
        }
        assert_eq!((pieces, block.len()), (vec![PIECE; 4], 5));
    }
}
