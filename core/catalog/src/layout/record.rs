//! The kinds of documents, and what their keys end in.

/// The documents about the cloud side itself, one of each in a repository, written over by each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusRecord {
    /// The last sweep that looked at everything.
    Sweep,
    /// The last run of retention that looked at everything.
    Prune,
    /// What freshness found.
    Freshness,
    /// What retention has removed today.
    Removals,
    /// The page for people.
    Page,
    /// What is on that page, for programs.
    Report,
}

impl StatusRecord {
    pub(super) const ALL: [Self; 6] =
        [Self::Sweep, Self::Prune, Self::Freshness, Self::Removals, Self::Page, Self::Report];

    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Sweep => "sweep.json",
            Self::Prune => "prune.json",
            Self::Freshness => "freshness.json",
            Self::Removals => "removals.json",
            Self::Page => "report.html",
            Self::Report => "report.json",
        }
    }
}

/// What lies beside an archive: small documents, the globals, and the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Record {
    /// Written last: its presence makes the backup exist.
    Manifest,
    /// The verdict that the stored bytes are whole.
    Intact,
    /// The verdict that they aren't.
    Damaged,
    /// The verifier's saved place.
    Verifying,
    /// Proof of the last drill.
    Drill,
    /// The server's roles and tablespaces: SQL in gzip.
    Globals,
    /// The same, encrypted as its archive is.
    SealedGlobals,
    /// What it has lost since the backup before it.
    Shrunk,
    /// A person says that this is right.
    Accepted,
    /// Where the archive has what: JSON in gzip.
    Index,
    /// The same, encrypted as its archive is.
    SealedIndex,
    /// Places from which its archive can be verified in parts: JSON in gzip.
    Links,
    /// In a vault: when its verifier first saw that something of it hasn't come yet.
    Awaited,
}

impl Record {
    /// What a verifier writes beside an archive. In a vault others write the same, and their documents come along.
    pub(super) const OF_VERIFIERS: [Self; 4] = [Self::Intact, Self::Damaged, Self::Verifying, Self::Awaited];

    pub(super) const ALL: [Self; 13] = [
        Self::Manifest,
        Self::Intact,
        Self::Damaged,
        Self::Verifying,
        Self::Drill,
        Self::Globals,
        Self::SealedGlobals,
        Self::Shrunk,
        Self::Accepted,
        Self::Index,
        Self::SealedIndex,
        Self::Links,
        Self::Awaited,
    ];

    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Manifest => ".manifest.json",
            Self::Intact => ".intact.json",
            Self::Damaged => ".damaged.json",
            Self::Verifying => ".verifying.json",
            Self::Drill => ".drill.json",
            Self::Globals => ".globals.sql.gz",
            Self::SealedGlobals => ".globals.sql.gz.age",
            Self::Shrunk => ".shrunk.json",
            Self::Accepted => ".accepted.json",
            Self::Index => ".index.json.gz",
            Self::SealedIndex => ".index.json.gz.age",
            Self::Links => ".links.json.gz",
            Self::Awaited => ".awaited.json",
        }
    }
}
