//! Questions to AWS in AWS's own words, many in one process: the `aws` command takes half a second to start for each.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::bucket::Access;
use crate::tools;

const ASK: &str = r#"
import json, sys, botocore.session
session = botocore.session.get_session()
clients, answers = {}, []
for service, operation, parameters in json.load(sys.stdin):
    if service not in clients:
        clients[service] = session.create_client(service)
    answer = clients[service]._make_api_call(operation, parameters)
    answers.append({name: value for name, value in answer.items() if name != "ResponseMetadata"})
json.dump(answers, sys.stdout, default=str)
"#;

/// A service, its operation and the parameters, as the API reference spells them.
pub type Question<'a> = (&'a str, &'a str, Value);

/// The answers to all of them, asked in order. Fails with AWS's words at the first that is refused.
pub fn ask_all(access: &Access, questions: &[Question<'_>]) -> Vec<Value> {
    let mut python = Command::new(tools::python_command("python"));
    python.args(["-c", ASK]).env_clear().envs(access.environment());
    let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(json!(questions).to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{questions:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The answer to one.
pub fn ask(access: &Access, service: &str, operation: &str, parameters: Value) -> Value {
    ask_all(access, &[(service, operation, parameters)]).remove(0)
}
