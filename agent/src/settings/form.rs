//! The forms in which values are written. A complaint says what is wrong with a text and never repeats it.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use postgres::{Secret, libpq};
use serde::Serialize;

pub(crate) use super::checks::CHECKS;
pub(crate) use super::database_url::{DATABASE_URL, DRILL_SERVER};
use super::definition::Form;

/// How archives are compressed.
pub(crate) use archive::Compression;
pub(crate) use repository::Checksum;

/// What `backup` reads back after storing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verify {
    /// A directory at once; a bucket is left to the AWS stack, or to `lastgood verify`.
    Auto,
    /// Everything that was stored, at once, from where it was stored.
    ReadBack,
    /// Nothing; `lastgood verify` does it.
    None,
}

/// How a bucket encrypts what is put into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerSideEncryption {
    Aes256,
    Kms,
}

/// What people are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotifyOn {
    /// A failure, and the first success after it.
    Failure,
    /// Every run.
    Always,
}

/// Which defaults apply: Lastgood's or the guide's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defaults {
    Lastgood,
    Guide,
}

pub(crate) const TEXT: Form<String> = Form { words: "text", parse: |text| Ok(text.to_owned()) };
pub(crate) const HOST: Form<String> =
    Form { words: "text", parse: |text| libpq::check("PGHOST", text).map(|()| text.to_owned()) };
pub(crate) const SECRET: Form<Secret> = Form { words: "text", parse: |text| Ok(Secret::new(text)) };
pub(crate) const PATH: Form<PathBuf> = Form { words: "path", parse: |text| Ok(PathBuf::from(text)) };
/// Host and port of `tcp://ADDRESS:PORT`, which Kubernetes and Docker set under the names of a service's port.
pub(super) fn link(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("tcp://")?.rsplit_once(':')
}

/// A million of anything counted here is more than enough, and leaves room for arithmetic.
const MANY: u32 = 1_000_000;
pub(crate) const COUNT: Form<u32> = Form { words: "whole number", parse: |text| number(text, 0, MANY) };
pub(crate) const POSITIVE: Form<u32> = Form { words: "whole number from 1", parse: |text| number(text, 1, MANY) };
pub(crate) const PERCENT: Form<u32> = Form { words: "percentage", parse: |text| number(text, 0, 100) };
pub(crate) const TABLES: Form<Vec<String>> =
    Form { words: "tables, `NAME` or `SCHEMA.NAME`, separated by commas; `*` stands for anything", parse: tables };
/// A hundred years are enough, and leave room for arithmetic on dates.
pub(crate) const DAYS: Form<u32> = Form { words: "days", parse: |text| number(text, 0, 36_525) };
pub(crate) const PORT: Form<u16> =
    Form { words: "port", parse: |text| number(link(text).map_or(text, |(_, port)| port), 1, u16::MAX) };
/// zstd's and libdeflate's levels; which of them fits is decided with the compression.
pub(crate) const NICE: Form<u32> = Form { words: "whole number from 0 to 19", parse: |text| number(text, 0, 19) };
pub(crate) const LEVEL: Form<i32> = Form { words: "whole number from 1 to 22", parse: |text| number(text, 1, 22) };
pub(crate) const SIZE: Form<u64> = Form { words: "bytes, or with a unit: `5MiB`, `1.5GB`", parse: size };
/// S3's own limits of a part.
pub(crate) const PART_SIZE: Form<u64> = Form {
    words: "size from 5MiB to 5GiB",
    parse: |text| match size(text)? {
        bytes @ 0x50_0000..=0x1_4000_0000 => Ok(bytes),
        _ => Err("expected a size from 5 MiB to 5 GiB".into()),
    },
};
pub(crate) const DURATION: Form<Duration> = Form { words: "duration: `500ms`, `30s`, `5min`", parse: duration };
/// In hours.
pub(crate) const AGE: Form<u32> = Form { words: "whole hours or days: `2h`, `35d`", parse: age };
pub(crate) const SWITCH: Form<bool> = Form {
    words: "`true` or `false`",
    parse: |text| match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("expected true or false".into()),
    },
};
pub(crate) const COMPRESSION: Form<Compression> = Form {
    words: "`gzip`, `zstd` or `none`",
    parse: |text| Compression::from_str(text).map_err(|_| "expected one of gzip, zstd, none".into()),
};
pub(crate) const CHECKSUM: Form<Checksum> = Form {
    words: "`crc64nvme`, `md5` or `none`",
    parse: |text| one_of(text, &[("crc64nvme", Checksum::Crc64Nvme), ("md5", Checksum::Md5), ("none", Checksum::None)]),
};
pub(crate) const VERIFY: Form<Verify> = Form {
    words: "`auto`, `read-back` or `none`",
    parse: |text| one_of(text, &[("auto", Verify::Auto), ("read-back", Verify::ReadBack), ("none", Verify::None)]),
};
pub(crate) const SSE: Form<ServerSideEncryption> = Form {
    words: "`AES256` or `aws:kms`",
    parse: |text| one_of(text, &[("AES256", ServerSideEncryption::Aes256), ("aws:kms", ServerSideEncryption::Kms)]),
};
pub(crate) const NOTIFY_ON: Form<NotifyOn> = Form {
    words: "`failure` or `always`",
    parse: |text| one_of(text, &[("failure", NotifyOn::Failure), ("always", NotifyOn::Always)]),
};
pub(crate) const DEFAULTS: Form<Defaults> = Form {
    words: "`lastgood` or `guide`",
    parse: |text| one_of(text, &[("lastgood", Defaults::Lastgood), ("guide", Defaults::Guide)]),
};
pub(crate) const STORAGE_CLASS: Form<String> = Form {
    words: "storage class",
    parse: |text| match text {
        "GLACIER" | "DEEP_ARCHIVE" => Err(
            "archives in this class cannot be read back and verified; use a lifecycle rule that moves them there later"
                .into(),
        ),
        _ if text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_') => Ok(text.to_owned()),
        _ => Err("expected capital letters, as in STANDARD_IA".into()),
    },
};
pub(crate) const BUCKET: Form<String> = Form { words: "bucket name", parse: bucket };
pub(crate) const PREFIX: Form<String> = Form { words: "folder in the bucket", parse: prefix };
pub(crate) const ACCOUNT: Form<String> = Form {
    words: "twelve digits",
    parse: |text| match text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => Err("expected the twelve digits of an AWS account".into()),
    },
};
pub(crate) const LABEL: Form<String> = Form { words: "letters, digits, `_` and `-`", parse: label };
pub(crate) const HTTP_URL: Form<String> =
    Form { words: "http or https URL", parse: |text| http_url(text).map(|()| text.to_owned()) };
pub(crate) const PING_URL: Form<Secret> =
    Form { words: "http or https URL", parse: |text| http_url(text).map(|()| Secret::new(text)) };
pub(crate) const RECIPIENTS: Form<Vec<age::x25519::Recipient>> =
    Form { words: "age public keys (`age1…`), separated by commas or spaces", parse: recipients };
pub(crate) const DUMP_OPTIONS: Form<Vec<String>> = Form { words: "options, quoted as in a shell", parse: dump_options };

fn number<T: FromStr + PartialOrd + std::fmt::Display>(text: &str, least: T, most: T) -> Result<T, String> {
    match text.parse::<T>() {
        Ok(number) if number >= least && number <= most => Ok(number),
        _ => Err(format!("expected a whole number from {least} to {most}")),
    }
}

fn tables(text: &str) -> Result<Vec<String>, String> {
    let names = text.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
    Ok(names.map(str::to_owned).collect())
}

fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let scale: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err("expected one of the units KiB, MiB, GiB, TiB, KB, MB, GB, TB".into()),
    };
    let whole = number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    whole.or_else(|| fraction(number, scale)).ok_or_else(|| "expected a size such as 102400 or 5MiB".into())
}

/// The bytes of a size such as 1.5GB, rounded down to whole bytes.
fn fraction(number: &str, scale: u64) -> Option<u64> {
    // Beyond this a double no longer holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: f64 = (number.contains('.') && scale > 1).then(|| number.parse().ok())??;
    let bytes = number * scale as f64;
    (bytes <= EXACT).then_some(bytes as u64)
}

fn duration(text: &str) -> Result<Duration, String> {
    let span = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    span.ok_or_else(|| "expected a duration with its unit, such as 30s or 5min".into())
}

/// Whole hours: a limit below would ring between two backups of the same hour.
fn age(text: &str) -> Result<u32, String> {
    let days = text.strip_suffix("d").or_else(|| text.strip_suffix("days"));
    let hours = match days {
        Some(days) => days.trim().parse::<u32>().ok().and_then(|days| days.checked_mul(24)),
        None => duration(text)
            .ok()
            .map(|span| span.as_secs())
            .filter(|seconds| seconds % 3_600 == 0)
            .and_then(|seconds| u32::try_from(seconds / 3_600).ok()),
    };
    hours
        .filter(|hours| (1..=MANY).contains(hours))
        .ok_or_else(|| "expected whole hours or days, such as 2h or 8d".to_owned())
}

fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let names = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let chosen = choices.iter().find(|(name, _)| *name == text);
    chosen.map(|(_, value)| *value).ok_or_else(|| format!("expected one of {}", names()))
}

/// S3's rules for new names, loose enough for old buckets and other stores.
fn bucket(text: &str) -> Result<String, String> {
    if text.starts_with("s3://") {
        return Err("expected the bucket's name alone, without s3://; put the rest into BACKUP_S3_PREFIX".into());
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) && (3..=255).contains(&text.len()) {
        return Ok(text.to_owned());
    }
    Err("not a valid bucket name".into())
}

/// Slashes at either end are dropped: the guide's users wrote `backups/` as well as `backups`.
fn prefix(text: &str) -> Result<String, String> {
    let trimmed = text.trim_matches('/');
    if trimmed.contains("//") || trimmed.chars().any(char::is_control) {
        return Err("expected a folder such as backups or team/backups".into());
    }
    Ok(trimmed.to_owned())
}

fn label(text: &str) -> Result<String, String> {
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Err("expected only letters, digits, _ and -".into());
    }
    Ok(text.to_owned())
}

fn http_url(text: &str) -> Result<(), String> {
    match url::Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => Ok(()),
        _ => Err("expected a URL that begins with https:// or http://".into()),
    }
}

fn recipients(text: &str) -> Result<Vec<age::x25519::Recipient>, String> {
    let keys = text.split([',', ' ', '\t', '\n']).filter(|key| !key.is_empty());
    keys.enumerate()
        .map(|(at, key)| key.parse().map_err(|e| format!("key {} is not an age public key: {e}", at + 1)))
        .collect()
}

/// Refuses options that would change the archive's format, its source or its destination.
fn dump_options(text: &str) -> Result<Vec<String>, String> {
    const OURS: [&str; 16] = [
        "-f",
        "--file",
        "-F",
        "--format",
        "-Z",
        "--compress",
        "-j",
        "--jobs",
        "-d",
        "--dbname",
        "-h",
        "--host",
        "-p",
        "--port",
        "-U",
        "--username",
    ];
    let options = shlex::split(text).ok_or("a quote is not closed")?;
    let ours = |option: &str| {
        let name = option.split('=').next().unwrap_or(option);
        OURS.into_iter().find(|own| {
            if own.starts_with("--") { name == *own } else { option.starts_with(own) && !option.starts_with("--") }
        })
    };
    match options.iter().find_map(|option| ours(option)) {
        Some(own) => Err(format!("{own} is set by Lastgood and cannot be given here")),
        None => Ok(options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_twelve_digits() {
        assert_eq!((ACCOUNT.parse)("012345678901").as_deref(), Ok("012345678901"));
        for text in ["", "12345678901", "1234567890123", "1234-5678-9012", "arn:aws:iam::", "١٢٣٤٥٦"] {
            assert!((ACCOUNT.parse)(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_whole_bytes_with_or_without_a_unit() {
        let right =
            [("102400", 102_400), ("50MB", 50_000_000), ("5 MiB", 5 << 20), ("1.5GB", 1_500_000_000), ("0.5kib", 512)];
        for (text, bytes) in right {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", ".", "1.5", "1.2.3MB", "-1MB", "1e3MB", "99999999TB", "99999999.5TB", "5 apples"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
