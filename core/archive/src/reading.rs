//! Reading from readers that others wrote.

use std::io::{self, Read};

/// Reads once, again where a signal came in between, and gives the bytes that were read; none at the end.
///
/// # Errors
/// What the reader says; also when it says that it read more than there was room for.
pub(crate) fn read_some<'a>(reader: &mut impl Read, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let length = loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    let room = buffer.len();
    buffer.get(..length).ok_or_else(|| {
        io::Error::other(format!("a reader says that it read {length} bytes, and was given room for {room}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Liar;

    impl Read for Liar {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            Ok(buffer.len() + 1)
        }
    }

    #[test]
    fn a_reader_that_lies_about_its_length_is_an_error_and_not_fewer_bytes() {
        assert_eq!(read_some(&mut &b"abc"[..], &mut [0; 2]).unwrap(), b"ab");
        let error = read_some(&mut Liar, &mut [0; 2]).unwrap_err();
        assert_eq!(error.to_string(), "a reader says that it read 3 bytes, and was given room for 2");
    }
}
