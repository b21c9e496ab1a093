//! The comments of a script: of pg_dump about the whole, and about each object.

use serde::{Deserialize, Serialize};

/// What a comment says, if it is one of pg_dump's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Comment {
    /// A dump of a database begins, or of a whole server.
    Begins {
        cluster: bool,
    },
    /// And this is its end.
    Complete {
        cluster: bool,
    },
    ServerVersion(String),
    ToolVersion(String),
    Heading(Heading),
}

/// What stands above every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heading {
    pub(super) name: String,
    pub(super) kind: String,
    /// Empty for what lies in none.
    pub(super) schema: String,
    /// Empty for none.
    pub(super) owner: String,
    pub(super) tablespace: Option<String>,
}

pub(super) fn comment(text: &str) -> Option<Comment> {
    match text {
        "PostgreSQL database dump" => return Some(Comment::Begins { cluster: false }),
        "PostgreSQL database cluster dump" => return Some(Comment::Begins { cluster: true }),
        "PostgreSQL database dump complete" => return Some(Comment::Complete { cluster: false }),
        "PostgreSQL database cluster dump complete" => return Some(Comment::Complete { cluster: true }),
        _ => {}
    }
    if let Some(version) = text.strip_prefix("Dumped from database version ") {
        return Some(Comment::ServerVersion(version.to_owned()));
    }
    if let Some(version) = text.strip_prefix("Dumped by pg_dump version ") {
        return Some(Comment::ToolVersion(version.to_owned()));
    }
    let headed =
        ["Name: ", "Data for Name: ", "Statistics for Name: "].iter().find_map(|start| text.strip_prefix(start));
    headed.and_then(heading).map(Comment::Heading)
}

/// A name as a heading has it, which is one line.
pub(super) fn on_one_line(name: &str) -> String {
    name.replace(['\n', '\r'], " ")
}

/// Names may hold whatever they like: what follows them is looked for from behind.
fn heading(text: &str) -> Option<Heading> {
    let (rest, owner) =
        text.rsplit_once("; Owner: ").or_else(|| text.strip_suffix("; Owner:").map(|rest| (rest, "")))?;
    let (owner, tablespace) = match owner.split_once("; Tablespace: ") {
        Some((owner, tablespace)) => (owner, Some(tablespace.to_owned())),
        None => (owner, None),
    };
    let (rest, schema) = rest.rsplit_once("; Schema: ")?;
    let (name, kind) = rest.rsplit_once("; Type: ")?;
    let dashed = |text: &str| if text == "-" { String::new() } else { text.to_owned() };
    Some(Heading {
        name: name.to_owned(),
        kind: kind.to_owned(),
        schema: dashed(schema),
        owner: dashed(owner),
        tablespace,
    })
}
