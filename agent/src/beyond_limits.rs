//! What may be whole, and is beyond what this program reads: a failure and never damage, with the lines that help.

use std::path::Path;

use archive::{Damage, Kind, Wrapper};

use crate::answers::failure::{Exit, Failure};
use crate::folder;

/// The failure to read what `name` is.
pub(crate) fn failure(name: &str, limit: &Damage) -> Failure {
    let error = match limit {
        Damage::ForPsql { .. } | Damage::Wrapped { .. } | Damage::Followed { .. } => {
            format!("cannot read {name} as it is: {limit}")
        }
        _ => format!("{name} is beyond the limits of lastgood, and nothing is known of it: {limit}"),
    };
    let of_folder =
        folder::is_one(Path::new(name)).then(|| "restore it by hand: pg_restore -d DATABASE FOLDER".to_owned());
    Failure::new(Exit::Failed, error).hint(of_folder.unwrap_or_else(|| hint(limit)))
}

fn hint(limit: &Damage) -> String {
    match limit {
        Damage::UnsupportedVersion { .. } => {
            "upgrade lastgood, or restore it with the pg_restore of that version".to_owned()
        }
        // The role that restores it is there already, and its CREATE ROLE fails.
        Damage::ForPsql { server: true, layers, .. } => format!(
            "restore it with psql, into an empty server, where only the roles and databases that are there already may be refused: {}",
            piped(layers, "psql -X -d postgres", " -f FILE")
        ),
        Damage::ForPsql { layers, .. } => format!(
            "read what it does; where you trust it, restore it with psql into an empty database: {}",
            piped(layers, "psql -X -v ON_ERROR_STOP=1 -d NAME", " -f FILE")
        ),
        Damage::Packed { .. } => {
            "unpack it, and name the folder with the toc.dat: mkdir DIR && tar -xf FILE -C DIR".to_owned()
        }
        Damage::Wrapped { found, layers } => unwrap(*found, layers),
        Damage::Followed { offset, another, layers } => {
            let first = piped(layers, &format!("head -c {offset}"), " FILE");
            let rest = piped(layers, &format!("tail -c +{}", offset + 1), " FILE");
            match another {
                true => format!("take them apart: {first} > ONE.sql; {rest} > OTHER.sql"),
                false => format!("read what follows ({rest}); the dump alone: {first} > NEW.sql"),
            }
        }
        _ => "restore it by hand: zstd -dc --long=31 FILE | pg_restore -d DATABASE".to_owned(),
    }
}

/// The line that takes the dump out.
fn unwrap(found: Kind, layers: &[Kind]) -> String {
    let Some((line, why)) = (match found {
        Kind::Wrapped(wrapper) => Some(opener(wrapper)),
        _ => None,
    }) else {
        return format!("take off what is around it: {} > NEW", opened(layers).unwrap_or_default());
    };
    let line = match (line.split_once(" FILE"), opened(layers)) {
        // They take no pipe.
        (_, Some(opened)) if [Kind::Wrapped(Wrapper::Zip), Kind::Wrapped(Wrapper::SevenZip)].contains(&found) => {
            format!("{opened} > NEW")
        }
        (Some((program, rest)), Some(opened)) => format!("{opened} | {program}{rest} | gzip > NEW.gz"),
        _ => format!("{line} | gzip > NEW.gz"),
    };
    format!("{why}: {line}")
}

/// What takes this off, of `FILE`, and to what end.
fn opener(wrapper: Wrapper) -> (&'static str, &'static str) {
    const UNPACK: &str = "unpack it, and name what comes out";
    const DECRYPT: &str = "decrypt it, and name what comes out";
    match wrapper {
        Wrapper::Xz => ("xz -dc FILE", UNPACK),
        Wrapper::Bzip2 => ("bzip2 -dc FILE", UNPACK),
        Wrapper::Lz4 => ("lz4 -dc FILE", UNPACK),
        Wrapper::Zip => ("unzip -p FILE", UNPACK),
        Wrapper::SevenZip => ("7z x -so FILE", UNPACK),
        Wrapper::Lzip => ("lzip -dc FILE", UNPACK),
        Wrapper::Lzop => ("lzop -dc FILE", UNPACK),
        Wrapper::Compress => ("gzip -dc FILE", UNPACK),
        Wrapper::Gpg => ("gpg --decrypt FILE", DECRYPT),
        Wrapper::OpenSsl => {
            ("openssl enc -d -aes-256-cbc -pbkdf2 -in FILE", "decrypt it as it was encrypted, perhaps by")
        }
        Wrapper::Utf16 => ("iconv -f UTF-16 -t UTF-8 FILE", "make it UTF-8, and name what comes out"),
        Wrapper::Messages => (
            "perl -pe 's/pg_(dump|dumpall|restore): .*\\n//' FILE",
            "take the messages out, and name what comes out (rows that hold such text themselves lose it, too)",
        ),
    }
}

/// A program that reads `FILE`, or what comes out of what is around it.
fn piped(layers: &[Kind], program: &str, file: &str) -> String {
    opened(layers).map_or_else(|| format!("{program}{file}"), |opened| format!("{opened} | {program}"))
}

/// The line that takes these off `FILE`; `None`: nothing is around it.
fn opened(layers: &[Kind]) -> Option<String> {
    let program = |layer: &Kind| match layer {
        Kind::Age => Some("age -d -i KEY_FILE"),
        Kind::Zstd => Some("zstd -dc"),
        Kind::Gzip => Some("gunzip -c"),
        _ => None,
    };
    let programs: Vec<&str> = layers.iter().filter_map(program).collect();
    let (first, rest) = programs.split_first()?;
    Some(
        std::iter::once(format!("{first} FILE"))
            .chain(rest.iter().map(|&next| next.to_owned()))
            .collect::<Vec<_>>()
            .join(" | "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_fit_what_is_around() {
        let wrapped = |found, layers: &[Kind]| hint(&Damage::Wrapped { found, layers: Vec::new() }.inside(layers));
        let ends = |hint: String, line: &str| assert!(hint.ends_with(line), "{hint}");
        ends(wrapped(Kind::Wrapped(Wrapper::Xz), &[]), ": xz -dc FILE | gzip > NEW.gz");
        ends(wrapped(Kind::Wrapped(Wrapper::Xz), &[Kind::Gzip]), ": gunzip -c FILE | xz -dc | gzip > NEW.gz");
        ends(wrapped(Kind::Wrapped(Wrapper::Zip), &[Kind::Zstd]), ": zstd -dc FILE > NEW");
        ends(wrapped(Kind::Gzip, &[Kind::Gzip]), ": gunzip -c FILE > NEW");
        ends(wrapped(Kind::Gzip, &[Kind::Age, Kind::Gzip]), ": age -d -i KEY_FILE FILE | gunzip -c > NEW");
        let followed = |layers: &[Kind]| hint(&Damage::Followed { offset: 9, another: true, layers: layers.to_vec() });
        ends(followed(&[]), ": head -c 9 FILE > ONE.sql; tail -c +10 FILE > OTHER.sql");
        ends(followed(&[Kind::Gzip]), "; gunzip -c FILE | tail -c +10 > OTHER.sql");
    }
}
