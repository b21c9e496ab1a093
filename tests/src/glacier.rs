//! Glacier in front of a real store. No store that runs here has archive storage classes: this answers as S3's documentation says
//! for the one object that lies there, and hands on everything else.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::bucket::Access;

/// Nothing that goes by takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// How far the object is on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nobody has asked for it.
    Frozen,
    /// It was asked for, and is back after so many looks.
    Thawing(u32),
    /// It can be read.
    Thawed,
}

/// What the store does.
#[derive(Clone, Debug)]
pub struct Acts {
    /// How far the object is.
    pub way: Way,
    /// `x-amz-storage-class`.
    pub class: &'static str,
    /// `x-amz-archive-status`.
    pub archive_status: Option<&'static str>,
    /// How many looks a retrieval takes.
    pub looks: u32,
    /// Instead of a retrieval: this status and code.
    pub refuses: Option<(u16, &'static str)>,
}

/// A retrieval that was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query, as sent.
    pub target: String,
    /// The request's XML.
    pub body: String,
}

struct State {
    server: SocketAddr,
    /// How the key of the object ends that lies in Glacier.
    key: String,
    acts: Mutex<Acts>,
    asked: Mutex<Vec<Asked>>,
}

/// A running store on a free port of 127.0.0.1. Its threads end with the tests.
pub struct Glacier {
    address: SocketAddr,
    state: Arc<State>,
}

/// A request or an answer: its first line and its headers, and its body.
struct Message {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Glacier {
    /// In front of a store, with the objects whose keys end so in Glacier Flexible Retrieval.
    pub fn start(server: &str, key: &str) -> Glacier {
        let server = server.trim_start_matches("http://").parse().expect("an address and a port");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let acts = Acts { way: Way::Frozen, class: "GLACIER", archive_status: None, looks: 2, refuses: None };
        let state = State { server, key: key.to_owned(), acts: Mutex::new(acts), asked: Mutex::default() };
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that goes away in the middle is no failure.
                std::thread::spawn(move || drop(state.serve(&client)));
            }
        });
        Glacier { address, state }
    }

    /// The same identity at the same server, reached through this.
    pub fn access(&self, access: &Access) -> Access {
        Access { endpoint: format!("http://{}", self.address), ..access.clone() }
    }

    /// What it does, to be changed.
    pub fn acts(&self) -> MutexGuard<'_, Acts> {
        self.state.acts.lock().unwrap()
    }

    /// The retrievals that were asked for, whatever was answered.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }
}

impl State {
    fn serve(&self, mut client: &TcpStream) -> std::io::Result<()> {
        client.set_read_timeout(Some(LIMIT))?;
        let mut from = BufReader::new(client);
        while let Some(request) = Message::read(&mut from)? {
            let answer = self.answer(request)?;
            client.write_all(&answer.bytes())?;
        }
        Ok(())
    }

    fn answer(&self, request: Message) -> std::io::Result<Message> {
        let line = request.head[0].clone();
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let is_cold = path.ends_with(&self.key);
        let is_retrieval = query.split('&').any(|field| field == "restore" || field == "restore=");
        match method {
            "POST" if is_cold && is_retrieval => Ok(self.retrieve(target, &request)),
            "GET" if is_cold && self.acts.lock().unwrap().way != Way::Thawed => Ok(refusal(403, "InvalidObjectState")),
            "HEAD" if is_cold => Ok(self.look(self.hand_on(request)?)),
            _ => Ok(self.listed(self.hand_on(request)?)),
        }
    }

    /// 202 when it begins, 200 when there is a copy already, 409 when somebody has asked before.
    fn retrieve(&self, target: &str, request: &Message) -> Message {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        self.asked.lock().unwrap().push(Asked { target: target.to_owned(), body });
        let mut acts = self.acts.lock().unwrap();
        match (acts.refuses, acts.way) {
            (Some((status, code)), _) => refusal(status, code),
            (None, Way::Frozen) => {
                acts.way = Way::Thawing(acts.looks);
                Message::new(202, "")
            }
            (None, Way::Thawing(_)) => refusal(409, "RestoreAlreadyInProgress"),
            (None, Way::Thawed) => Message::new(200, ""),
        }
    }

    /// What the store says of the object, and where it lies.
    fn look(&self, mut answer: Message) -> Message {
        let mut acts = self.acts.lock().unwrap();
        if let Way::Thawing(looks) = acts.way {
            acts.way = looks.checked_sub(1).map_or(Way::Thawed, Way::Thawing);
        }
        answer.head.push(format!("x-amz-storage-class: {}", acts.class));
        let back = acts.way == Way::Thawed;
        if let Some(status) = acts.archive_status.filter(|_| !back) {
            answer.head.push(format!("x-amz-archive-status: {status}"));
        }
        match acts.way {
            Way::Frozen => {}
            Way::Thawing(_) => answer.head.push("x-amz-restore: ongoing-request=\"true\"".to_owned()),
            Way::Thawed => answer.head.push(
                "x-amz-restore: ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2125 00:00:00 GMT\"".to_owned(),
            ),
        }
        answer
    }

    /// A listing names the class. It keeps its length: XML allows a blank at the end of an end tag.
    fn listed(&self, mut answer: Message) -> Message {
        if self.acts.lock().unwrap().class != "GLACIER" || !answer.body.starts_with(b"<?xml") {
            return answer;
        }
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let rows: Vec<String> = text
            .split("<Contents>")
            .map(|row| match row.contains(&format!("{}</Key>", self.key)) {
                true => row
                    .replace("<StorageClass>STANDARD</", "<StorageClass>GLACIER</")
                    .replace("GLACIER</StorageClass>", "GLACIER</StorageClass >"),
                false => row.to_owned(),
            })
            .collect();
        answer.body = rows.join("<Contents>").into_bytes();
        answer
    }

    /// The real store's answer. It ends its connection after it, so that the answer is what comes until then.
    fn hand_on(&self, mut request: Message) -> std::io::Result<Message> {
        let is_head = request.head[0].starts_with("HEAD ");
        request.head.retain(|header| !header.to_lowercase().starts_with("connection:"));
        request.head.push("Connection: close".to_owned());
        let mut server = TcpStream::connect(self.server)?;
        server.set_read_timeout(Some(LIMIT))?;
        server.write_all(&request.bytes())?;
        let mut from = BufReader::new(server);
        let mut answer = Message::read_head(&mut from)?.unwrap_or_else(|| refusal(500, "InternalError"));
        if !is_head {
            from.read_to_end(&mut answer.body)?;
        }
        answer.head.retain(|header| !header.to_lowercase().starts_with("connection:"));
        Ok(answer)
    }
}

impl Message {
    fn new(status: u16, body: &str) -> Message {
        let head = vec![format!("HTTP/1.1 {status} x"), format!("Content-Length: {}", body.len())];
        Message { head, body: body.as_bytes().to_vec() }
    }

    fn read_head(from: &mut impl std::io::BufRead) -> std::io::Result<Option<Message>> {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => return Ok(Some(Message { head, body: Vec::new() })),
                line => head.push(line.to_owned()),
            }
        }
    }

    /// A request, whose body is as long as it says.
    fn read(from: &mut impl std::io::BufRead) -> std::io::Result<Option<Message>> {
        let Some(mut message) = Message::read_head(from)? else { return Ok(None) };
        let length = message.head.iter().find_map(|header| {
            let (name, value) = header.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
        });
        message.body.resize(length.unwrap_or(0), 0);
        from.read_exact(&mut message.body)?;
        Ok(Some(message))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.join("\r\n").into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn refusal(status: u16, code: &str) -> Message {
    Message::new(
        status,
        &format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>as documented</Message></Error>"),
    )
}
