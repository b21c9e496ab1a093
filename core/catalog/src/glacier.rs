//! What lies in an archive storage class, and how long it takes to bring it back. The hours are those of AWS's documentation:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html>

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::words;

/// A storage class, or a tier of one, whose bytes cannot be read before they are brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ColdClass {
    /// `GLACIER`.
    FlexibleRetrieval,
    /// `DEEP_ARCHIVE`.
    DeepArchive,
    /// `INTELLIGENT_TIERING`, in its tier `ARCHIVE_ACCESS`.
    ArchiveAccess,
    /// `INTELLIGENT_TIERING`, in its tier `DEEP_ARCHIVE_ACCESS`.
    DeepArchiveAccess,
}

/// How fast bytes are brought back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Retrieval {
    /// Hours.
    #[default]
    Standard,
    /// A night, or two days; the cheapest.
    Bulk,
    /// Minutes; the dearest.
    Expedited,
}

/// How far an object is on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thaw {
    /// Nobody has asked for it.
    Frozen,
    /// It was asked for, and cannot be read yet. S3 doesn't say since when.
    Thawing,
    /// It can be read.
    Thawed {
        /// Until then; without an end where it has moved back for good.
        until: Option<Timestamp>,
    },
}

/// An object of an archive storage class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cold {
    /// Where it lies.
    pub class: ColdClass,
    /// How far it is on its way back.
    pub thaw: Thaw,
}

/// How long a retrieval takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takes {
    /// As AWS says it: `3 to 5 hours`.
    pub words: &'static str,
    /// The end of that span.
    pub at_most: SignedDuration,
}

impl Cold {
    /// What S3's headers `x-amz-storage-class`, `x-amz-archive-status` and `x-amz-restore` say of an object; `None` of one that
    /// can always be read. Glacier's instant retrieval is such a one.
    #[must_use]
    pub fn of(class: Option<&str>, archive_status: Option<&str>, restore: Option<&str>) -> Option<Self> {
        let class = match (class, archive_status) {
            (Some("GLACIER"), _) => ColdClass::FlexibleRetrieval,
            (Some("DEEP_ARCHIVE"), _) => ColdClass::DeepArchive,
            (_, Some("ARCHIVE_ACCESS")) => ColdClass::ArchiveAccess,
            (_, Some("DEEP_ARCHIVE_ACCESS")) => ColdClass::DeepArchiveAccess,
            _ => return None,
        };
        Some(Self { class, thaw: Thaw::of(restore) })
    }

    /// Whether its bytes can be read now.
    #[must_use]
    pub fn is_readable(self) -> bool {
        matches!(self.thaw, Thaw::Thawed { .. })
    }
}

impl fmt::Display for Cold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { class, thaw } = self;
        match thaw {
            Thaw::Frozen => {
                let takes = class.takes(Retrieval::Standard).map_or("", |takes| takes.words);
                write!(f, "in {class}: it has to be brought back before it can be read ({takes})")
            }
            Thaw::Thawing => write!(f, "in {class}: it is being brought back, and cannot be read yet"),
            Thaw::Thawed { until: None } => write!(f, "in {class}: it was brought back, and can be read"),
            Thaw::Thawed { until: Some(until) } => {
                write!(f, "in {class}: it was brought back, and can be read until {}", words::minute(*until))
            }
        }
    }
}

impl Thaw {
    /// `frozen`, `thawing` or `thawed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Thawing => "thawing",
            Self::Thawed { .. } => "thawed",
        }
    }

    /// Until when it can be read, where that has an end.
    #[must_use]
    pub fn until(self) -> Option<Timestamp> {
        if let Self::Thawed { until } = self { until } else { None }
    }

    /// `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`, or without the date.
    fn of(restore: Option<&str>) -> Self {
        let field = |name: &str| {
            let (_, rest) = restore?.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        match field("ongoing-request") {
            Some("true") => Self::Thawing,
            Some("false") => Self::Thawed { until: field("expiry-date").and_then(moment) },
            _ => Self::Frozen,
        }
    }
}

/// A moment as HTTP writes it.
fn moment(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp())
}

impl ColdClass {
    /// How long such a retrieval takes from here; `None` where there is none of this kind.
    #[must_use]
    pub fn takes(self, retrieval: Retrieval) -> Option<Takes> {
        let is_deep = matches!(self, Self::DeepArchive | Self::DeepArchiveAccess);
        let (words, minutes) = match (retrieval, is_deep) {
            (Retrieval::Expedited, true) => return None,
            (Retrieval::Expedited, false) => ("1 to 5 minutes", 5),
            (Retrieval::Standard, false) => ("3 to 5 hours", 5 * 60),
            (Retrieval::Standard, true) => ("up to 12 hours", 12 * 60),
            (Retrieval::Bulk, false) => ("5 to 12 hours", 12 * 60),
            (Retrieval::Bulk, true) => ("up to 48 hours", 48 * 60),
        };
        Some(Takes { words, at_most: SignedDuration::from_mins(minutes) })
    }

    /// The longest that any retrieval takes from here: for one that somebody else may have asked for.
    #[must_use]
    pub fn longest(self) -> SignedDuration {
        self.takes(Retrieval::Bulk).map_or(SignedDuration::ZERO, |takes| takes.at_most)
    }

    /// Whether what is brought back is a copy that goes after some days. Intelligent-Tiering moves the object itself.
    #[must_use]
    pub fn makes_a_copy(self) -> bool {
        matches!(self, Self::FlexibleRetrieval | Self::DeepArchive)
    }
}

impl Retrieval {
    /// Every one there is.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Bulk, Self::Expedited];

    /// As `--retrieval` takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Bulk => "bulk",
            Self::Expedited => "expedited",
        }
    }
}

impl FromStr for Retrieval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|retrieval| retrieval.name() == text);
        found.ok_or_else(|| format!("`{text}` is not standard, bulk or expedited"))
    }
}

impl fmt::Display for Retrieval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for ColdClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FlexibleRetrieval => "Glacier Flexible Retrieval",
            Self::DeepArchive => "Glacier Deep Archive",
            Self::ArchiveAccess => "the Archive Access tier of Intelligent-Tiering",
            Self::DeepArchiveAccess => "the Deep Archive Access tier of Intelligent-Tiering",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thaw(restore: &str) -> Thaw {
        Cold::of(Some("GLACIER"), None, Some(restore)).unwrap().thaw
    }

    #[test]
    fn the_header_says_how_far_it_is() {
        assert_eq!(thaw("ongoing-request=\"true\""), Thaw::Thawing);
        assert_eq!(thaw("ongoing-request=\"false\""), Thaw::Thawed { until: None });
        let until = "2012-12-21T00:00:00Z".parse().ok();
        let dated = "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\"";
        assert_eq!(thaw(dated), Thaw::Thawed { until });
        // The date only says for how long.
        assert_eq!(thaw("ongoing-request=\"false\", expiry-date=\"soon\""), Thaw::Thawed { until: None });
        assert_eq!(thaw("something new"), Thaw::Frozen);
        assert_eq!(Cold::of(Some("DEEP_ARCHIVE"), None, None).unwrap().thaw, Thaw::Frozen);
    }

    #[test]
    fn what_was_brought_back_can_be_read_and_all_else_says_what_it_waits_for() {
        let rows = [None, Some("ongoing-request=\"true\""), Some("ongoing-request=\"false\"")].map(|restore| {
            let cold = Cold::of(Some("DEEP_ARCHIVE"), None, restore).unwrap();
            format!("{} {} {cold}", cold.thaw.name(), cold.is_readable())
        });
        insta::assert_snapshot!(rows.join("\n"), @"
        frozen false in Glacier Deep Archive: it has to be brought back before it can be read (up to 12 hours)
        thawing false in Glacier Deep Archive: it is being brought back, and cannot be read yet
        thawed true in Glacier Deep Archive: it was brought back, and can be read
        ");
        let until = "2012-12-21T00:00:00Z".parse().ok();
        assert_eq!((Thaw::Thawed { until }.until(), Thaw::Thawing.until()), (until, None));
        let tiers = ["ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"]
            .map(|tier| Cold::of(Some("INTELLIGENT_TIERING"), Some(tier), None).unwrap().class.to_string());
        assert_eq!(
            tiers,
            ["Archive Access", "Deep Archive Access"].map(|of| format!("the {of} tier of Intelligent-Tiering"))
        );
    }

    #[test]
    fn what_can_always_be_read_is_not_cold() {
        for class in
            [None, Some("STANDARD_IA"), Some("GLACIER_IR"), Some("INTELLIGENT_TIERING"), Some("REDUCED_REDUNDANCY")]
        {
            assert_eq!(Cold::of(class, None, None), None, "{class:?}");
        }
        // A copy of a GLACIER object that was put back elsewhere keeps its header.
        assert_eq!(Cold::of(Some("STANDARD"), None, Some("ongoing-request=\"false\"")), None);
    }

    #[test]
    fn intelligent_tiering_is_cold_in_its_archive_tiers() {
        let class = |status| Cold::of(Some("INTELLIGENT_TIERING"), Some(status), None).unwrap().class;
        assert_eq!(class("ARCHIVE_ACCESS"), ColdClass::ArchiveAccess);
        assert_eq!(class("DEEP_ARCHIVE_ACCESS"), ColdClass::DeepArchiveAccess);
        assert!(!class("ARCHIVE_ACCESS").makes_a_copy() && ColdClass::DeepArchive.makes_a_copy());
    }

    #[test]
    fn deep_archives_take_longer_and_know_no_haste() {
        for deep in [ColdClass::DeepArchive, ColdClass::DeepArchiveAccess] {
            assert_eq!(deep.takes(Retrieval::Expedited), None);
            assert_eq!(deep.takes(Retrieval::Standard).unwrap().words, "up to 12 hours");
            assert_eq!(deep.longest(), SignedDuration::from_hours(48));
        }
        assert_eq!(ColdClass::FlexibleRetrieval.takes(Retrieval::Standard).unwrap().words, "3 to 5 hours");
        assert_eq!(ColdClass::ArchiveAccess.longest(), SignedDuration::from_hours(12));
        let hours = |class: ColdClass, retrieval| class.takes(retrieval).unwrap().at_most.as_hours();
        assert_eq!(hours(ColdClass::FlexibleRetrieval, Retrieval::Standard), 5);
        assert_eq!(hours(ColdClass::DeepArchive, Retrieval::Standard), 12);
        for retrieval in Retrieval::ALL {
            assert_eq!(retrieval.to_string(), retrieval.name());
            assert_eq!(retrieval.name().parse(), Ok(retrieval));
        }
    }
}
