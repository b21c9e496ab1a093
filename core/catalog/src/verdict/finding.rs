//! What is wrong with stored bytes: a code for programs, a sentence for people.

use std::borrow::Cow;
use std::fmt;

use archive::Damage;
use serde::{Deserialize, Serialize};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable, for programs.
    pub code: Code,
    /// In plain words, for people; it may change from version to version.
    pub text: String,
}

/// A finding's code. Damage within an archive has the `kind` of [`archive::Damage`]: `truncated`, `not_an_archive`,
/// `bad_frame`, `bad_block`, `missing_blocks`, `trailing_bytes` …
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(Cow<'static, str>);

impl Code {
    /// The bytes' MD5 or CRC64NVME isn't what the manifest, or a guest's uploader, said.
    pub const DIGEST: Self = Self(Cow::Borrowed("digest"));
    /// The bytes' number isn't what the store or the manifest says.
    pub const SIZE: Self = Self(Cow::Borrowed("size"));
    /// The bytes' checksum isn't the one the store took when it received them.
    pub const CHECKSUM: Self = Self(Cow::Borrowed("checksum"));
    /// There isn't a single byte.
    pub const EMPTY: Self = Self(Cow::Borrowed("empty"));
    /// The tables hold something else than the manifest says.
    pub const CENSUS: Self = Self(Cow::Borrowed("census"));
    /// The manifest is about another backup.
    pub const STEM: Self = Self(Cow::Borrowed("stem"));
    /// The manifest can't be read.
    pub const MANIFEST: Self = Self(Cow::Borrowed("manifest"));
    /// The archive isn't there.
    pub const MISSING: Self = Self(Cow::Borrowed("missing"));
    /// It couldn't be read to its end.
    pub const UNFINISHED: Self = Self(Cow::Borrowed("unfinished"));
    /// It is an archive of ours whose manifest never came.
    pub const UNCOMMITTED: Self = Self(Cow::Borrowed("uncommitted"));
    /// It is encrypted though it shouldn't be, or nothing says what its encrypted bytes should be.
    pub const UNPROVEN: Self = Self(Cow::Borrowed("unproven"));
    /// They are something else than an archive: the `kind` of [`Damage::NotAnArchive`].
    pub const NOT_AN_ARCHIVE: Self = Self(Cow::Borrowed("not_an_archive"));
    /// Damage of a kind that has no code.
    const BROKEN: Self = Self(Cow::Borrowed("broken"));

    /// The code as it stands in JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Finding {
    pub(super) fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    pub(super) fn of(damage: &Damage) -> Self {
        let kind = serde_json::to_value(damage).ok().and_then(|json| Some(json.get("kind")?.as_str()?.to_owned()));
        Self::new(kind.map_or(Code::BROKEN, |kind| Code(Cow::Owned(kind))), damage.to_string())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
