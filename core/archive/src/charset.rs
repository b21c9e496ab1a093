//! The character set of an archive's texts: its texts in UTF-8, and names that are told apart whatever their bytes are.

use std::borrow::Cow;

use encoding_rs as sets;
use encoding_rs::Encoding;

/// How bytes of an archive become text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    #[default]
    Utf8,
    /// ISO 8859-1, each byte a letter.
    Latin1,
    /// ISO 8859-9, the same but for six letters.
    Latin5,
    /// One of the others that are known.
    Set(&'static Encoding),
    /// Nothing here makes text of it but for ASCII, and for what happens to be UTF-8; it is handed on as it is.
    Other,
}

/// A character set in which a byte of ASCII may be part of another letter, so that neither rows nor quotes can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its texts are in a character set that no PostgreSQL database has")]
pub struct UnknownCharset;

/// Sets that clients alone may use, and pg_dump with `--encoding`; in letters and digits alone.
const CLIENTS_ALONE: [&str; 14] = [
    "big5",
    "win950",
    "windows950",
    "gb18030",
    "gbk",
    "win936",
    "windows936",
    "johab",
    "sjis",
    "mskanji",
    "shiftjis",
    "shiftjis2004",
    "uhc",
    "win949",
];

/// In which six letters ISO 8859-9 differs from ISO 8859-1.
const OF_LATIN5: [(u8, char); 6] = [(0xd0, 'Ğ'), (0xdd, 'İ'), (0xde, 'Ş'), (0xf0, 'ğ'), (0xfd, 'ı'), (0xfe, 'ş')];

impl Charset {
    /// The one that PostgreSQL calls by this name.
    ///
    /// # Errors
    /// [`UnknownCharset`].
    pub fn of(encoding: &str) -> Result<Self, UnknownCharset> {
        let letters = encoding.chars().filter(char::is_ascii_alphanumeric);
        let name: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
        match name.as_str() {
            "utf8" | "unicode" => Ok(Self::Utf8),
            "latin1" | "iso88591" => Ok(Self::Latin1),
            "latin5" | "iso88599" => Ok(Self::Latin5),
            name if CLIENTS_ALONE.contains(&name) => Err(UnknownCharset),
            name => Ok(known(name).map_or(Self::Other, Self::Set)),
        }
    }

    /// The one that the ENCODING entry of a table of contents names: `SET client_encoding = 'LATIN1';`
    #[must_use]
    pub fn of_entry(definition: &[u8]) -> Self {
        let text = String::from_utf8_lossy(definition);
        text.split('\'').nth(1).map_or(Self::Utf8, |name| Self::of(name).unwrap_or(Self::Other))
    }

    /// Bytes as text. A byte that is no letter of the set shows as `\xe9`; in UTF-8 as U+FFFD.
    #[must_use]
    pub fn text(self, bytes: &[u8]) -> Cow<'_, str> {
        self.decoded(bytes).unwrap_or_else(|| Cow::Owned(self.escaped(bytes, false)))
    }

    /// A name as text: as [`Charset::text`], but no two names look the same, whatever their bytes are. Where a byte may show as `\xe9`, a
    /// backslash before such digits shows as `\x5c`.
    #[must_use]
    pub fn name(self, bytes: &[u8]) -> String {
        let is_ambiguous = matches!(self, Self::Set(_) | Self::Other) && holds_escape(bytes);
        match self.decoded(bytes).filter(|_| !is_ambiguous) {
            Some(text) => text.into_owned(),
            None => self.escaped(bytes, true),
        }
    }

    /// The name, where it isn't what a census has: bytes that are taken for UTF-8.
    pub(crate) fn other_name(self, bytes: &[u8], as_utf8: &str) -> Option<String> {
        // What a script was read with is lost by now.
        let is_lost = as_utf8.contains(char::REPLACEMENT_CHARACTER) && as_utf8.as_bytes() == bytes;
        (self != Self::Utf8 && !is_lost).then(|| self.name(bytes)).filter(|name| name != as_utf8)
    }

    /// Text as the archive has it; `None` where it can't say it.
    #[must_use]
    pub fn bytes(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Latin1 => text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect(),
            Self::Latin5 => text.chars().map(latin5_byte).collect(),
            Self::Set(set) => {
                let (bytes, _, is_replaced) = set.encode(text);
                (!is_replaced).then(|| bytes.into_owned())
            }
            Self::Utf8 | Self::Other => Some(text.as_bytes().to_vec()),
        }
    }

    /// Bytes in UTF-8, or as they are where nothing here knows better.
    #[must_use]
    pub fn recoded(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        if self == Self::Utf8 || bytes.is_ascii() {
            return Cow::Borrowed(bytes);
        }
        match self.decoded(bytes) {
            Some(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
            _ => Cow::Borrowed(bytes),
        }
    }

    /// `None`: some of the bytes are no letters of it.
    fn decoded(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        if bytes.is_ascii() {
            return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
        }
        match self {
            Self::Utf8 => Some(String::from_utf8_lossy(bytes)),
            Self::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Self::Latin5 => Some(bytes.iter().map(|byte| latin5_letter(*byte)).collect()),
            Self::Set(set) => set.decode_without_bom_handling_and_without_replacement(bytes),
            Self::Other => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        }
    }

    fn escaped(self, bytes: &[u8], is_name: bool) -> String {
        let mut shown = String::with_capacity(bytes.len() + 8);
        for chunk in bytes.utf8_chunks() {
            // Of a set that is known, what happens to be UTF-8 is none.
            for letter in chunk.valid().chars() {
                match letter {
                    letter if letter.is_ascii() || self == Self::Other => shown.push(letter),
                    letter => letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| escape(byte, &mut shown)),
                }
            }
            chunk.invalid().iter().for_each(|byte| escape(*byte, &mut shown));
        }
        if !is_name || !holds_escape(bytes) {
            return shown;
        }
        self.escaped_name(bytes)
    }

    /// With its own backslashes told apart from ours.
    fn escaped_name(self, bytes: &[u8]) -> String {
        let mut shown = String::with_capacity(bytes.len() + 8);
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            let (before, behind) = rest.split_at(at);
            shown.push_str(&self.text(before));
            match is_escape(behind) {
                true => escape(b'\\', &mut shown),
                false => shown.push('\\'),
            }
            rest = behind.split_first().map_or(&[], |(_, rest)| rest);
        }
        shown.push_str(&self.text(rest));
        shown
    }
}

fn escape(byte: u8, shown: &mut String) {
    shown.push_str(&format!("\\x{byte:02x}"));
}

/// Whether a text begins as a byte is shown: `\x`, and two digits.
fn is_escape(text: &[u8]) -> bool {
    matches!(text, [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

fn holds_escape(text: &[u8]) -> bool {
    text.windows(4).any(is_escape)
}

fn latin5_letter(byte: u8) -> char {
    OF_LATIN5.iter().find(|(own, _)| *own == byte).map_or(char::from(byte), |(_, letter)| *letter)
}

fn latin5_byte(letter: char) -> Option<u8> {
    let own = OF_LATIN5.iter().find(|(_, own)| *own == letter).map(|(byte, _)| *byte);
    own.or_else(|| u8::try_from(u32::from(letter)).ok().filter(|byte| OF_LATIN5.iter().all(|(other, _)| other != byte)))
}

/// PostgreSQL's names in letters and digits alone. EUC_TW, EUC_JIS_2004 and MULE_INTERNAL are known to nobody here.
fn known(name: &str) -> Option<&'static Encoding> {
    Some(match name {
        "latin2" | "iso88592" => sets::ISO_8859_2,
        "latin3" | "iso88593" => sets::ISO_8859_3,
        "latin4" | "iso88594" => sets::ISO_8859_4,
        "latin6" | "iso885910" => sets::ISO_8859_10,
        "latin7" | "iso885913" => sets::ISO_8859_13,
        "latin8" | "iso885914" => sets::ISO_8859_14,
        "latin9" | "iso885915" => sets::ISO_8859_15,
        "latin10" | "iso885916" => sets::ISO_8859_16,
        "iso88595" => sets::ISO_8859_5,
        "iso88596" => sets::ISO_8859_6,
        "iso88597" => sets::ISO_8859_7,
        "iso88598" => sets::ISO_8859_8,
        "koi8r" | "koi8" => sets::KOI8_R,
        "koi8u" => sets::KOI8_U,
        "win866" | "windows866" | "alt" => sets::IBM866,
        "win874" | "windows874" => sets::WINDOWS_874,
        "win1250" | "windows1250" => sets::WINDOWS_1250,
        "win1251" | "windows1251" | "win" => sets::WINDOWS_1251,
        "win1252" | "windows1252" => sets::WINDOWS_1252,
        "win1253" | "windows1253" => sets::WINDOWS_1253,
        "win1254" | "windows1254" => sets::WINDOWS_1254,
        "win1255" | "windows1255" => sets::WINDOWS_1255,
        "win1256" | "windows1256" => sets::WINDOWS_1256,
        "win1257" | "windows1257" => sets::WINDOWS_1257,
        "win1258" | "windows1258" | "abc" | "tcvn" | "tcvn5712" | "vscii" => sets::WINDOWS_1258,
        "eucjp" => sets::EUC_JP,
        "euckr" => sets::EUC_KR,
        // Of which it is a part.
        "euccn" => sets::GBK,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_character_sets_are_postgresqls() {
        assert_eq!(Charset::of("UTF8"), Ok(Charset::Utf8));
        assert_eq!(Charset::of("SQL_ASCII"), Ok(Charset::Other));
        for client in ["sjis", "SHIFT_JIS_2004", "GBK", "WIN950"] {
            assert_eq!(Charset::of(client), Err(UnknownCharset));
        }
        assert_eq!(Charset::of_entry(b"SET client_encoding = 'LATIN1';\n"), Charset::Latin1);
        assert_eq!(Charset::of_entry(b"SET client_encoding = 'SJIS';\n"), Charset::Other);
    }

    #[test]
    fn every_set_of_a_database_gives_text_and_takes_it_back() {
        for (name, bytes, text) in [
            ("UTF8", &b"gr\xc3\xbcn"[..], "grün"),
            ("LATIN1", b"gr\xfcn", "grün"),
            ("LATIN2", b"\xb1\x80", "ą\u{80}"),
            ("LATIN5", b"\xfe\xdc\x80", "şÜ\u{80}"),
            ("LATIN9", b"\xa4", "€"),
            ("ISO_8859_5", b"\xb6", "Ж"),
            ("ISO_8859_7", b"\xe1", "α"),
            ("KOI8R", b"\xf6", "Ж"),
            ("KOI8U", b"\xa7", "ї"),
            ("WIN866", b"\x86", "Ж"),
            ("WIN874", b"\xa1", "ก"),
            ("WIN1250", b"\xb9", "ą"),
            ("WIN1251", b"\xc6", "Ж"),
            ("WIN1252", b"\x80", "€"),
            ("WIN1253", b"\xe1", "α"),
            ("WIN1257", b"\xe0", "ą"),
            ("WIN1258", b"\xf0", "đ"),
            ("EUC_JP", b"\xa4\xa2", "あ"),
            ("EUC_KR", b"\xb0\xa1", "가"),
            ("EUC_CN", b"\xb0\xa1", "啊"),
        ] {
            let charset = Charset::of(name).unwrap();
            assert_eq!(charset.text(bytes), text, "{name}");
            assert_eq!(charset.name(bytes), text, "{name}");
            assert_eq!(charset.bytes(text).as_deref(), Some(bytes), "{name}");
            assert_eq!(charset.recoded(bytes), text.as_bytes(), "{name}");
        }
        assert_eq!(Charset::Latin1.bytes("☃"), None);
        assert_eq!(Charset::Latin5.bytes("ð"), None);
        assert_eq!(Charset::of("EUC_JP").unwrap().bytes("ü☃"), None);
    }

    #[test]
    fn what_is_no_text_is_escaped_and_no_two_names_look_the_same() {
        let (none, japanese) = (Charset::Other, Charset::of("EUC_JP").unwrap());
        assert_eq!(none.text(b"stra\xdfe gr\xc3\xbcn"), "stra\\xdfe grün");
        assert_eq!(none.recoded(b"stra\xdfe"), &b"stra\xdfe"[..]);
        assert_eq!(japanese.text(b"a\xa4"), "a\\xa4");
        for charset in [none, japanese] {
            let names = [&b"a\xdf"[..], b"a\\xdf", b"a\\x5cxdf", b"a\\\xdf", b"a\\xdf\xdf", b"\\", b"\\x", b"\\xd"];
            let shown: std::collections::BTreeSet<String> = names.iter().map(|name| charset.name(name)).collect();
            assert_eq!(shown.len(), names.len(), "{shown:?}");
        }
        assert_eq!(none.text(b"\\xdeadbeef"), "\\xdeadbeef", "a bytea is no name");
    }

    #[test]
    fn a_name_that_a_census_has_already_is_no_other() {
        assert_eq!(Charset::Utf8.other_name(b"gr\xc3\xb6", "grö"), None);
        assert_eq!(Charset::Latin1.other_name(b"plain", "plain"), None);
        assert_eq!(Charset::Latin1.other_name(b"gr\xf6", "gr\u{fffd}").as_deref(), Some("grö"));
        assert_eq!(Charset::Latin1.other_name(b"\xc3\xa4", "ä").as_deref(), Some("Ã¤"));
        assert_eq!(Charset::Latin1.other_name("gr\u{fffd}".as_bytes(), "gr\u{fffd}"), None, "from a script");
    }
}
