//! The stack as a user deploys it: `infra/deploy.sh`, on the local AWS, with the functions that a test chooses.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::aws::{ask, ask_all, cli};
use crate::bucket::Access;
use crate::ministack::Ministack;
use crate::{process, tools};

const FUNCTIONS: [&str; 3] = ["verify", "retention", "freshness"];

/// A function that ends at once: enough for whoever tests what lies around the functions.
const NO_FUNCTION: &str = "#!/bin/sh\nexit 1\n";

/// A stack's name, and what its functions are.
pub struct Stack<'a> {
    ministack: &'a Ministack,
    name: String,
    functions: Option<PathBuf>,
    /// A folder whose `cargo` builds them first.
    builder: Option<PathBuf>,
    /// Variables over the account's.
    environment: Vec<(String, String)>,
    /// Another account than the tests' own.
    account: Option<String>,
}

/// What is deployed without a compiler.
pub struct Release {
    /// The script, the template and the zips.
    pub folder: PathBuf,
    _checkout: TempDir,
}

impl<'a> Stack<'a> {
    /// A stack to come, whose functions fail whatever they are asked.
    pub fn new(ministack: &'a Ministack, name: &str) -> Stack<'a> {
        let name = name.to_owned();
        Stack { ministack, name, functions: None, builder: None, environment: Vec::new(), account: None }
    }

    /// In this account, of twelve digits.
    pub fn in_account(self, account: &str) -> Stack<'a> {
        Stack { account: Some(account.to_owned()), ..self }
    }

    /// The root of its account.
    pub fn root(&self) -> Access {
        self.account.as_deref().map_or_else(|| self.ministack.root(), |account| self.ministack.root_of(account))
    }

    /// With the functions' real binaries, which lie in this folder under their names.
    pub fn functions(self, folder: impl Into<PathBuf>) -> Stack<'a> {
        Stack { functions: Some(folder.into()), ..self }
    }

    /// Built by the script first, with the `cargo` in this folder.
    pub fn built_by(self, folder: impl Into<PathBuf>) -> Stack<'a> {
        Stack { builder: Some(folder.into()), ..self }
    }

    /// The same stack, deployed with one variable more.
    pub fn environment(&self, name: &str, value: &str) -> Stack<'a> {
        let (functions, builder) = (self.functions.clone(), self.builder.clone());
        let environment = vec![(name.to_owned(), value.to_owned())];
        let (name, account) = (self.name.clone(), self.account.clone());
        Stack { ministack: self.ministack, name, functions, builder, environment, account }
    }

    /// Deploys it, or deploys it again, and returns what the user sees. Fails where the user would see an error.
    pub fn deploy(&self, parameters: &[&str]) -> String {
        let output = self.try_deploy(&[&["--yes"], parameters].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    /// Whatever comes of a deployment with these arguments beside the stack's name; it finds nobody to ask. Nobody has to
    /// listen, and the stack isn't looked over in the end: its functions are mostly none.
    pub fn try_deploy(&self, arguments: &[&str]) -> Output {
        self.script(&[&["--nobody-listens", "--no-check"], arguments].concat())
    }

    /// Whatever comes of the script with just these arguments and the stack's name.
    pub fn script(&self, arguments: &[&str]) -> Output {
        // The script works in the checkout that it lies in: a copy, so that this one's functions stay what they are.
        let checkout = self.checkout();
        let builder = self.builder.iter().map(|folder| format!("{}:", folder.display())).collect::<String>();
        let mut deploy = Command::new(checkout.path().join("infra/deploy.sh"));
        deploy.args(self.builder.is_none().then_some("--no-build")).arg(&self.name).args(arguments);
        self.run(&mut deploy, &format!("{builder}/usr/bin:/bin"))
    }

    /// What `make functions` makes of the functions: the archive lies beside the folder, under its name and `.tar.gz`.
    pub fn release(&self) -> Release {
        let checkout = self.checkout();
        let mut functions = Command::new(checkout.path().join("infra/functions.sh"));
        let output = self.run(functions.arg("--no-build"), "/usr/bin:/bin");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Release { folder: checkout.path().join("target/lastgood-functions"), _checkout: checkout }
    }

    /// A command of this stack's account that finds its programs here alone.
    pub fn run(&self, command: &mut Command, path: &str) -> Output {
        command.env_clear().env("PATH", path).env("HOME", std::env::temp_dir()).env("AWS_PAGER", "");
        let over = self.environment.iter().map(|(name, value)| (name, value));
        process::output(command.envs(self.root().environment()).envs(over))
    }

    /// Deletes it, its protection first, and waits for its end.
    pub fn delete(&self) {
        let which = json!({"StackName": self.name});
        let unprotected = json!({"StackName": self.name, "EnableTerminationProtection": false});
        ask_all(
            &self.root(),
            &[("cloudformation", "UpdateTerminationProtection", unprotected), ("cloudformation", "DeleteStack", which)],
        );
        let wait = ["cloudformation", "wait", "stack-delete-complete", "--stack-name", &self.name];
        assert!(process::output(self.ministack.aws().args(wait)).status.success());
    }

    /// One of the stack's outputs; fails if it has none of this name.
    pub fn output(&self, key: &str) -> String {
        let stacks = self.ask("cloudformation", "DescribeStacks", json!({"StackName": self.name}));
        let outputs = stacks["Stacks"][0]["Outputs"].as_array().unwrap();
        let output = outputs.iter().find(|output| output["OutputKey"] == key);
        output.unwrap_or_else(|| panic!("no output {key}: {outputs:#?}"))["OutputValue"].as_str().unwrap().to_owned()
    }

    /// What one of its parameters was deployed with.
    pub fn parameter(&self, key: &str) -> String {
        let stacks = self.ask("cloudformation", "DescribeStacks", json!({"StackName": self.name}));
        let parameters = stacks["Stacks"][0]["Parameters"].as_array().unwrap();
        let parameter = parameters.iter().find(|parameter| parameter["ParameterKey"] == key).unwrap();
        parameter["ParameterValue"].as_str().unwrap().to_owned()
    }

    /// What AWS calls a resource of the template.
    pub fn resource(&self, name: &str) -> String {
        let which = json!({"StackName": self.name, "LogicalResourceId": name});
        let resource = self.ask("cloudformation", "DescribeStackResource", which);
        resource["StackResourceDetail"]["PhysicalResourceId"].as_str().unwrap().to_owned()
    }

    /// A new user with one of the stack's policies, which an output names.
    pub fn user(&self, name: &str, policy: &str) -> Access {
        let root = self.root();
        let answers = ask_all(
            &root,
            &[
                ("iam", "CreateUser", json!({"UserName": name})),
                ("iam", "AttachUserPolicy", json!({"UserName": name, "PolicyArn": self.output(policy)})),
                ("iam", "CreateAccessKey", json!({"UserName": name})),
            ],
        );
        let text = |field: &str| answers[2]["AccessKey"][field].as_str().unwrap().to_owned();
        Access { key_id: text("AccessKeyId"), secret: text("SecretAccessKey"), ..root }
    }

    /// Has verdicts wake retention after so many seconds, and not after minutes.
    pub fn gather_verdicts_for(&self, seconds: u32) {
        let mapping = self.resource("JudgedStartsRetention");
        let window = json!({"UUID": mapping, "MaximumBatchingWindowInSeconds": seconds});
        self.ask("lambda", "UpdateEventSourceMapping", window);
    }

    /// What the policies and the metrics call the place where its backups lie.
    pub fn repository(&self) -> String {
        format!("s3://{}/backups", self.bucket())
    }

    /// Asks AWS as the account's root.
    pub fn ask(&self, service: &str, operation: &str, parameters: Value) -> Value {
        ask(&self.root(), service, operation, parameters)
    }

    /// The server it lives on.
    pub fn ministack(&self) -> &'a Ministack {
        self.ministack
    }

    /// The bucket that it makes when it is told no other.
    pub fn bucket(&self) -> String {
        let account = self.account.as_deref().unwrap_or("000000000000");
        format!("{}-{account}-{}", self.name, self.root().region)
    }

    fn checkout(&self) -> TempDir {
        let folder = tempfile::Builder::new().prefix("lastgood-stack-").tempdir().unwrap();
        self.lay_out(folder.path());
        folder
    }

    fn lay_out(&self, checkout: &Path) {
        for folder in ["infra", "infra/deploy"] {
            fs::create_dir(checkout.join(folder)).unwrap();
            for file in fs::read_dir(tools::root().join(folder)).unwrap().map(|file| file.unwrap().path()) {
                if file.is_file() {
                    fs::copy(&file, checkout.join(folder).join(file.file_name().unwrap())).unwrap();
                }
            }
        }
        fs::create_dir_all(checkout.join("target/python")).unwrap();
        symlink(cli::folder(), checkout.join("target/python/bin")).unwrap();
        for name in FUNCTIONS {
            let folder = checkout.join("target/functions").join(name);
            fs::create_dir_all(&folder).unwrap();
            let bootstrap = folder.join("bootstrap");
            match &self.functions {
                Some(functions) => drop(fs::copy(functions.join(name), &bootstrap).unwrap()),
                None => fs::write(&bootstrap, NO_FUNCTION).unwrap(),
            }
            fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
}
