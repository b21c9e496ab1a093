//! The beginning of a session: who we are, and that we are it.

use std::io;

use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{ErrorField, Message};
use postgres_protocol::message::frontend;

use crate::Secret;
use crate::wire::address::Address;
use crate::wire::inbox::Inbox;
use crate::wire::socket::Socket;

/// What a server answers that would go on encrypted.
const ENCRYPTED: u8 = b'S';

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoginError {
    /// The connection's fault, or what came is no message.
    #[error(transparent)]
    Connection(#[from] io::Error),
    /// The server's own words.
    #[error("{0}")]
    Refused(String),
    /// There is no password for this.
    #[error("the server asks for a password")]
    NoPassword,
    /// By tickets, certificates or what else libpq knows.
    #[error("the server asks for a login that is libpq's alone")]
    Unknown,
    /// It does, and the session isn't to be had without.
    #[error("the server encrypts the connection")]
    Encrypted,
}

/// Logs in. What comes behind the server's last word about it stays in the inbox.
pub(super) fn log_in(socket: &mut Socket, inbox: &mut Inbox, address: &Address) -> Result<(), LoginError> {
    if address.may_encrypt {
        refuse_encryption(socket)?;
    }
    let mut out = BytesMut::new();
    frontend::startup_message(address.startup(), &mut out)?;
    let mut scram = Scram::NotAsked;
    loop {
        socket.send(&out.split())?;
        match next(socket, inbox)? {
            Message::ReadyForQuery(_) => return Ok(()),
            Message::AuthenticationCleartextPassword => {
                frontend::password_message(password(address)?.as_bytes(), &mut out)?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(address.user.as_bytes(), password(address)?.as_bytes(), body.salt());
                frontend::password_message(hash.as_bytes(), &mut out)?;
            }
            Message::AuthenticationSasl(body) => {
                if !body.mechanisms().any(|mechanism| Ok(mechanism == SCRAM_SHA_256))? {
                    return Err(LoginError::Unknown);
                }
                let begun = ScramSha256::new(password(address)?.as_bytes(), ChannelBinding::unsupported());
                frontend::sasl_initial_response(SCRAM_SHA_256, begun.message(), &mut out)?;
                scram = Scram::Begun(begun);
            }
            Message::AuthenticationSaslContinue(body) => scram.go_on(body.data(), &mut out)?,
            Message::AuthenticationSaslFinal(body) => scram.finish(body.data())?,
            // A server that doesn't prove that it knows the password isn't the one that we want.
            Message::AuthenticationOk if !scram.is_over() => return Err(LoginError::Unknown),
            Message::AuthenticationOk
            | Message::BackendKeyData(_)
            | Message::NoticeResponse(_)
            | Message::ParameterStatus(_) => {}
            Message::ErrorResponse(error) => {
                let (_, lines) = words(error.fields());
                return Err(LoginError::Refused(lines.join(" ")));
            }
            _ => return Err(LoginError::Unknown),
        }
    }
}

/// How far a login by SCRAM-SHA-256 is (RFC 5802 and 7677).
enum Scram {
    NotAsked,
    Begun(ScramSha256),
    Over,
}

impl Scram {
    fn go_on(&mut self, data: &[u8], out: &mut BytesMut) -> Result<(), LoginError> {
        let Self::Begun(scram) = self else { return Err(LoginError::Unknown) };
        scram.update(data)?;
        Ok(frontend::sasl_response(scram.message(), out)?)
    }

    fn finish(&mut self, data: &[u8]) -> Result<(), LoginError> {
        let Self::Begun(scram) = self else { return Err(LoginError::Unknown) };
        scram.finish(data)?;
        *self = Self::Over;
        Ok(())
    }

    fn is_over(&self) -> bool {
        !matches!(self, Self::Begun(_))
    }
}

/// Asks as libpq does, which would go on encrypted where the server can.
fn refuse_encryption(socket: &mut Socket) -> Result<(), LoginError> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    socket.send(&request)?;
    let mut answer = [0];
    socket.receive(&mut answer)?;
    if answer == [ENCRYPTED] { Err(LoginError::Encrypted) } else { Ok(()) }
}

fn next(socket: &mut Socket, inbox: &mut Inbox) -> io::Result<Message> {
    let no_message = || io::Error::from(io::ErrorKind::InvalidData);
    // Nobody asked for rows yet.
    let mut message = inbox.next(socket, |_| Err(no_message()))?;
    Message::parse(&mut message)?.ok_or_else(no_message)
}

fn password(address: &Address) -> Result<&str, LoginError> {
    address.password.as_ref().map(Secret::expose).ok_or(LoginError::NoPassword)
}

/// An error's SQLSTATE, and what psql would show of it.
pub(super) fn words<'a>(
    mut fields: impl FallibleIterator<Item = ErrorField<'a>, Error = io::Error>,
) -> (String, Vec<String>) {
    let (mut state, mut severity, mut lines) = (String::new(), String::new(), Vec::new());
    while let Ok(Some(field)) = fields.next() {
        let value = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => state = value,
            b'S' => severity = value,
            b'M' => lines.push(format!("{severity}:  {value}")),
            b'D' => lines.push(format!("DETAIL:  {value}")),
            b'H' => lines.push(format!("HINT:  {value}")),
            _ => {}
        }
    }
    (state, lines)
}
