//! The fields of a header that two forms of an archive spell differently.

use super::super::header::InnerCompression;
use super::super::values::Stop;
use super::super::writing;
use crate::damage::Damage;

/// Whether this reader follows an archive of this version, with numbers of this size.
pub(super) fn check(major: u8, minor: u8, int_size: u8, offset_size: u8) -> Result<(), Stop> {
    if major != 1 || !(12..=16).contains(&minor) {
        return Err(Stop::Found(Damage::UnsupportedVersion { major, minor }));
    }
    match (int_size, offset_size) {
        (4, 1..=8) => Ok(()),
        _ => Err(format!("it has integers of {int_size} bytes and offsets of {offset_size}").into()),
    }
}

/// As `read_compression` reads it.
pub(super) fn compression(head: &mut Vec<u8>, minor: u8, compression: InnerCompression) {
    let number = match compression {
        InnerCompression::None => 0,
        InnerCompression::Zlib => 1,
        InnerCompression::Lz4 => 2,
        InnerCompression::Zstd => 3,
    };
    match minor {
        15.. => head.push(number),
        _ => writing::int(head, i32::from(number)),
    }
}
