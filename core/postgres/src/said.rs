//! What a program said on stderr, as one line.

/// What a program said on stderr, as one line: the first line that names an error, without psql's own prefix.
pub(crate) fn in_one_line(stderr: &str) -> String {
    let lines = || stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let line =
        lines().find(|l| ["ERROR:", "FATAL:", "error:"].iter().any(|w| l.contains(w))).or_else(|| lines().next_back());
    let line = line.unwrap_or("it said nothing");
    let text = line.split_once("psql: error: ").map_or(line, |(_, text)| text);
    match text.strip_prefix("psql:<stdin>:").and_then(|rest| rest.split_once(": ")) {
        Some((_, rest)) => rest.to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_picked_out_of_what_psql_says() {
        let said = "psql: error: connection to server at \"h\" (127.0.0.1), port 1 failed: Connection refused\n\tIs it running?\n";
        assert_eq!(in_one_line(said), "connection to server at \"h\" (127.0.0.1), port 1 failed: Connection refused");
        assert_eq!(
            in_one_line("psql:<stdin>:1: ERROR:  relation \"x\" does not exist\nLINE 1: x\n"),
            "ERROR:  relation \"x\" does not exist"
        );
        assert_eq!(in_one_line(""), "it said nothing");
    }
}
