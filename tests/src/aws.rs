//! Questions to AWS in AWS's own words, many in one process.

pub mod cli;

use std::ffi::OsStr;
use std::process::Command;

use serde_json::{Value, json};

use crate::bucket::Access;
use crate::process;

/// A service, its operation and the parameters, as the API reference spells them.
pub type Question<'a> = (&'a str, &'a str, Value);

/// The answers to all of them, asked in order. Fails with AWS's words at the first that is refused.
pub fn ask_all(access: &Access, questions: &[Question<'_>]) -> Vec<Value> {
    try_ask_all(access.environment(), questions).unwrap_or_else(|error| panic!("{questions:?}: {error}"))
}

/// The same with the identity of such variables; an error is what AWS said.
pub(crate) fn try_ask_all<N: AsRef<OsStr>, V: AsRef<OsStr>>(
    environment: impl IntoIterator<Item = (N, V)>,
    questions: &[Question<'_>],
) -> Result<Vec<Value>, String> {
    let mut ask = Command::new(cli::folder().join("ask"));
    let output = process::output_given(ask.env_clear().envs(environment), json!(questions).to_string().as_bytes());
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The answer to one.
pub fn ask(access: &Access, service: &str, operation: &str, parameters: Value) -> Value {
    ask_all(access, &[(service, operation, parameters)]).remove(0)
}
