//! Against a server that says what it is told to.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::thread;

use proptest::prelude::*;

use super::*;

/// A session, and its server's end.
fn session(stop: &Stop) -> (Wire, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let socket = Socket::over(ours.into(), stop, None).unwrap();
    (Wire { socket, inbox: Inbox::default(), complaints: Vec::new() }, theirs)
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[tag], (body.len() as u32 + 4).to_be_bytes().as_slice(), body].concat()
}

/// What is shown of an answer whose bytes come in pieces of these lengths; `None`: the session is of no use any more.
fn answered(answer: Vec<u8>, pieces: &[usize]) -> (Option<Vec<String>>, Vec<u8>, Vec<String>) {
    let (mut wire, mut server) = session(&Stop::never());
    let pieces = pieces.to_vec();
    let server = thread::spawn(move || {
        let mut question = [0; 8];
        server.read_exact(&mut question).unwrap();
        let (mut rest, mut pieces) = (answer.as_slice(), pieces.into_iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at(pieces.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            if server.write_all(now).is_err() {
                return;
            }
            rest = later;
        }
    });
    let (mut shown, mut text) = (Vec::new(), Vec::new());
    let ran = wire.run(b"ask", |brought| {
        match brought {
            Brought::Text(some) => text.extend_from_slice(some),
            Brought::Row(line) => shown.push(String::from_utf8(line).unwrap()),
            Brought::Done(rows) => shown.push(format!("done {rows}")),
            Brought::Refused(state) => shown.push(format!("refused {state}")),
        }
        Ok::<_, Infallible>(())
    });
    let complaints = wire.complaints();
    server.join().unwrap();
    (ran.is_ok().then_some(shown), text, complaints)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn rows_come_whole_wherever_they_are_cut(
        rows in prop::collection::vec(prop_oneof![4 => 0..80_usize, 1 => 0..600_000_usize], 0..20),
        pieces in prop::collection::vec(prop_oneof![1..20_usize, 1..100_000_usize], 1..10),
    ) {
        // Bytes that look like messages themselves.
        let rows: Vec<Vec<u8>> = rows.into_iter().map(|length| b"d\0\0\0\x05Z\0\0\0\x05I".iter().copied().cycle().take(length).collect()).collect();
        let mut answer = message(b'H', &[0, 0, 0]);
        rows.iter().for_each(|row| answer.extend(message(b'd', row)));
        answer.extend([message(b'c', b""), message(b'C', format!("COPY {}\0", rows.len()).as_bytes()), message(b'Z', b"T")].concat());
        let (shown, text, _) = answered(answer, &pieces);
        prop_assert_eq!(shown, Some(vec![format!("done {}", rows.len())]));
        prop_assert!(text == rows.concat());
    }
}

#[test]
fn a_refusal_is_told_with_its_words() {
    let error = message(b'E', b"SERROR\0C55P03\0Mno lock\0Hwait\0\0");
    let answer = [message(b'C', b"ROLLBACK\0"), message(b'N', b"SNOTICE\0Mx\0\0"), error, message(b'Z', b"E")].concat();
    let (shown, _, complaints) = answered(answer, &[3]);
    assert_eq!(shown.unwrap(), ["done 0", "refused 55P03"]);
    assert_eq!(complaints, ["ERROR:  no lock", "HINT:  wait"]);
}

#[test]
fn rows_of_a_query_are_lines() {
    let row = message(b'D', b"\0\x03\0\0\0\x01a\xff\xff\xff\xff\0\0\0\x02bc");
    let answer = [message(b'T', b"\0\0"), row, message(b'C', b"SELECT 1\0"), message(b'Z', b"T")].concat();
    assert_eq!(answered(answer, &[1]).0.unwrap(), ["a||bc\n", "done 1"]);
}

#[test]
fn what_is_no_message_ends_the_session() {
    for bad in [
        message(b'?', b"x"),
        b"d\0\0\0\x03".to_vec(),
        b"C\xff\xff\xff\xffx".to_vec(),
        b"C\x7f\xff\xff\xffx".to_vec(),
        message(b'D', b"\0\x02\0\0\0\x09a"),
        message(b'C', b"COPY 1\0")[..8].to_vec(),
        Vec::new(),
    ] {
        let (shown, _, complaints) = answered(bad.clone(), &[2]);
        assert_eq!(shown, None, "{bad:?}");
        assert_eq!(complaints, ["the connection to the server was lost"]);
    }
}

#[test]
fn a_wait_ends_when_the_run_is_to_stop_or_the_session_is_stopped() {
    let stop = Stop::new().unwrap();
    for ends in 0..2 {
        let (mut wire, _server) = session(&stop);
        let (stopper, word) = (wire.stopper(), stop.clone());
        let ender = thread::spawn(move || if ends == 0 { stopper.stop() } else { word.set("SIGTERM") });
        let ran = wire.run(b"ask", |_| Ok::<_, Infallible>(()));
        assert!(matches!(ran, Err(WireError::Gone)));
        ender.join().unwrap();
    }
}
