//! The templates as the checks read them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use e2e::process::output;
use e2e::tools;
use serde_json::{Value, json};

/// Reads CloudFormation's YAML as cfn-lint does: `!Sub` becomes `Fn::Sub`, `!GetAtt A.B` a list of two.
const LOAD: &str =
    "import json, sys; from cfnlint.decode import cfn_yaml; json.dump(cfn_yaml.load(sys.argv[1]), sys.stdout)";

/// The template as it is for a stack that is no vault's.
pub(super) fn template() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| chosen(&load(&path()), false))
}

/// The same for one that is.
pub(super) fn vaults() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| chosen(&load(&path()), true))
}

/// What has the vault's bucket.
pub(super) fn bucket() -> &'static Value {
    static TEMPLATE: OnceLock<Value> = OnceLock::new();
    TEMPLATE.get_or_init(|| load(&vault_path()))
}

pub(super) fn vault_path() -> PathBuf {
    tools::root().join("infra/vault.yaml")
}

/// The template with each choice made that depends on whether it is a vault's.
fn chosen(template: &Value, is_vault: bool) -> Value {
    let nothing = json!({"Ref": "AWS::NoValue"});
    match template {
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| chosen(element, is_vault));
            elements.filter(|element| *element != nothing).collect()
        }
        Value::Object(fields) => match fields.get("Fn::If").and_then(Value::as_array).map(Vec::as_slice) {
            Some([condition, yes, no]) if condition == "InVault" => chosen(if is_vault { yes } else { no }, is_vault),
            // What stays a choice keeps both of its sides.
            Some([condition, yes, no]) => {
                json!({"Fn::If": [condition, chosen(yes, is_vault), chosen(no, is_vault)]})
            }
            _ => fields.iter().map(|(name, value)| (name.clone(), chosen(value, is_vault))).collect(),
        },
        other => other.clone(),
    }
}

fn load(path: &Path) -> Value {
    let loaded = output(Command::new(tools::python_command("python")).args(["-c", LOAD]).arg(path));
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    serde_json::from_slice(&loaded.stdout).unwrap()
}

pub(super) fn path() -> PathBuf {
    tools::root().join("infra/template.yaml")
}

/// Removes a property that must be there.
pub(super) fn remove(template: &mut Value, parent: &str, name: &str) {
    let parent = template.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    parent.remove(name).unwrap();
}

pub(super) fn set(template: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match template.pointer_mut(parent).unwrap() {
        Value::Array(elements) => elements[name.parse::<usize>().unwrap()] = value,
        parent => parent[name] = value,
    }
}

pub(super) fn push(template: &mut Value, pointer: &str, value: Value) {
    template.pointer_mut(pointer).and_then(Value::as_array_mut).unwrap().push(value);
}
