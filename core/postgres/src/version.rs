//! A PostgreSQL version, as its programs print it and as `server_version_num` counts it.

use std::fmt;

/// A PostgreSQL version. From 10 on the major is one number; before, two (`9.6`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// `server_version_num`: 150018 is 15.18, 90624 is 9.6.24.
    number: u32,
}

impl Version {
    /// From `server_version_num`.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self { number }
    }

    /// From what `pg_dump --version` prints, or a manifest holds: the first word that begins with a digit.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()))?;
        // Development versions read `19devel`, `18beta2`, `17rc1`: the digits before the word are the version.
        let mut parts =
            word.split('.').map(|p| p.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>());
        let first = parts.next()?.ok()?;
        let second = parts.next().and_then(Result::ok).unwrap_or(0);
        let third = parts.next().and_then(Result::ok).unwrap_or(0);
        let number = if first >= 10 {
            first.checked_mul(10_000)?.checked_add(second)?
        } else {
            first * 10_000 + second.checked_mul(100)?.checked_add(third)?
        };
        Some(Self { number })
    }

    /// What must be equal for two versions to be of one major release: 15 of 15.18, 906 of 9.6.24.
    #[must_use]
    pub fn major(self) -> u32 {
        if self.number >= 100_000 { self.number / 10_000 } else { self.number / 100 }
    }

    /// The first version of its major release, as a number: 150000 of 15.18, 90600 of 9.6.24. Of a later release it is larger.
    #[must_use]
    pub fn release(self) -> u32 {
        let digits = if self.number >= 100_000 { 10_000 } else { 100 };
        self.number / digits * digits
    }

    /// The major as people and Debian's packages write it: `15`, `9.6`.
    #[must_use]
    pub fn major_name(self) -> String {
        let major = self.major();
        if major >= 100 { format!("{}.{}", major / 100, major % 100) } else { major.to_string() }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.number >= 100_000 {
            write!(f, "{}.{}", self.number / 10_000, self.number % 10_000)
        } else {
            write!(f, "{}.{}.{}", self.number / 10_000, self.number / 100 % 100, self.number % 100)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_parse_as_the_programs_print_them() {
        for (text, shown, major) in [
            ("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18", "15"),
            ("pg_dump (PostgreSQL) 9.6.24", "9.6.24", "9.6"),
            ("psql (PostgreSQL) 18beta2", "18.0", "18"),
            ("16.14", "16.14", "16"),
        ] {
            let version = Version::parse(text).unwrap();
            assert_eq!((version.to_string().as_str(), version.major_name().as_str()), (shown, major), "{text}");
        }
        assert_eq!(Version::from_number(150_018), Version::parse("15.18").unwrap());
        assert_eq!(Version::from_number(90_624), Version::parse("9.6.24").unwrap());
        assert_eq!(Version::parse("pg_dump"), None);
        assert!(Version::parse("9.6.24").unwrap() < Version::parse("10.1").unwrap());
        assert!(Version::parse("9.6.24").unwrap().release() < Version::parse("10.1").unwrap().release());
    }
}
