//! `lastgood`: you always know your last good backup. All of it is in the library, where tests and `make fuzz` find it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    lastgood::main()
}
