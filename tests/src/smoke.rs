//! The whole life of a stack in one account, from outside: deployed, backed up to, judged, pruned, damaged, heard of, deleted.
//!
//! The same for a sandbox account and for the local AWS: nothing but the environment differs. It waits for outcomes, not for
//! the events that lead to them.

mod account;
mod removal;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub use self::account::Account;
use crate::agent::Agent;
use crate::bounds::LIMIT;
use crate::postgres::Database;
use crate::process;

/// A stack that lives as long as this value, and what was made around it.
struct Life<'a> {
    account: &'a Account,
    stack: String,
    bucket: String,
    /// The script of what `make functions` built.
    script: std::path::PathBuf,
    topic: String,
    queue: String,
    gone: bool,
}

/// Lives it through, and says each step as it is done. Fails where something doesn't come; what was made is removed all the
/// same, but for the artifacts bucket, which other stacks use.
pub fn run(account: &Account, release: &Path, database: &Database<'_>, say: &mut dyn FnMut(&str)) {
    let mut life = Life::deploy(account, release);
    say(&format!("deployed {}", life.stack));
    life.subscribe();
    say("subscribed a queue to its topic");
    let agent = life.agent(database);
    let first = life.back_up(&agent, "first");
    let second = life.back_up(&agent, "second");
    say("two backups arrived, and have their verdicts");
    life.check();
    say("deploy.sh --check: all is well");
    life.invoke("retention", r#"{"action":"prune"}"#);
    life.wait_for("the removal of the first backup", || !life.keys().contains(&first));
    assert!(life.keys().contains(&second), "retention removed the last good backup: {:#?}", life.keys());
    say("retention removed the first, as KeepLast=1 says");
    life.flip(&second);
    life.invoke("verify", r#"{"action":"sweep"}"#);
    life.wait_for("the verdict on the damaged backup", || life.has(".damaged.json"));
    life.wait_for("the message about the damaged backup", || life.heard("damaged"));
    say("a byte was flipped by hand: the sweep found it, and its message arrived");
    let left = life.remove();
    assert!(left.is_empty(), "left behind: {left:#?}");
    say("deleted the stack, its bucket, its user and the queue");
}

impl<'a> Life<'a> {
    fn deploy(account: &'a Account, release: &Path) -> Life<'a> {
        let stack = format!("lastgood-smoke-{}", std::process::id());
        let life = Life {
            account,
            bucket: format!("{stack}-{}-{}", account.number(), account.region()),
            script: release.join("deploy.sh"),
            stack,
            topic: String::new(),
            queue: String::new(),
            gone: false,
        };
        let template = std::fs::read_to_string(release.join("template.yaml")).unwrap();
        let admins = format!("AdminArns={}", account.administrator());
        let mut deploy = Command::new(&life.script);
        deploy.args([&life.stack, "--yes", "--nobody-listens", "--no-check"]);
        deploy.args([&admins, "MinimumGood=1", "KeepLast=1", "DeleteAfterDays=0"]);
        // Backups of some minutes' age would be too young to go.
        deploy.args(template.contains("  NeverYoungerThanDays:").then_some("NeverYoungerThanDays=0"));
        life.succeed(&mut deploy);
        life
    }

    /// A queue hears what a person would.
    fn subscribe(&mut self) {
        self.topic = self.output("AlertsTopicArn");
        let made = self.ask("sqs", "CreateQueue", json!({"QueueName": format!("{}-inbox", self.stack)}));
        self.queue = made["QueueUrl"].as_str().unwrap().to_owned();
        let which = json!({"QueueUrl": self.queue, "AttributeNames": ["QueueArn"]});
        let arn = self.ask("sqs", "GetQueueAttributes", which)["Attributes"]["QueueArn"].clone();
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage",
            "Principal": {"Service": "sns.amazonaws.com"}, "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.topic}}}]});
        let policy = json!({"QueueUrl": self.queue, "Attributes": {"Policy": policy.to_string()}});
        self.ask("sqs", "SetQueueAttributes", policy);
        self.ask("sns", "Subscribe", json!({"TopicArn": self.topic, "Protocol": "sqs", "Endpoint": arn}));
    }

    /// With the keys of a user that has the agent's policy and nothing else.
    fn agent(&self, database: &Database<'_>) -> Agent {
        let name = format!("{}-agent", self.stack);
        self.ask("iam", "CreateUser", json!({"UserName": name}));
        let policy = json!({"UserName": name, "PolicyArn": self.output("AgentPolicyArn")});
        self.ask("iam", "AttachUserPolicy", policy);
        let key = self.ask("iam", "CreateAccessKey", json!({"UserName": name}));
        let text = |field: &str| key["AccessKey"][field].as_str().unwrap().to_owned();
        let agent = Agent::new().database(database);
        let agent = self.account.place().into_iter().fold(agent, |agent, (name, value)| agent.setting(&name, value));
        let agent = agent.setting("BACKUP_S3_BUCKET", self.bucket.clone()).setting("BACKUP_VERIFY", "none");
        agent
            .setting("BACKUP_S3_PREFIX", "backups")
            .setting("BACKUP_AWS_ACCESS_KEY_ID", text("AccessKeyId"))
            .setting("BACKUP_AWS_SECRET_ACCESS_KEY", text("SecretAccessKey"))
    }

    /// The key of the new backup's archive, once the stack has judged it. AWS takes some seconds to know a new user's key.
    fn back_up(&self, agent: &Agent, name: &str) -> String {
        let mut said = String::new();
        self.wait_for("the first backup", || {
            let ended = process::output(&mut agent.command(&["backup", "--name", name]));
            said = String::from_utf8_lossy(&ended.stderr).into_owned();
            ended.status.success() || !(said.contains("InvalidAccessKeyId") || said.contains("AccessDenied"))
        });
        let ending = format!("{name}.sql.gz");
        let archive = self.keys().into_iter().find(|key| key.ends_with(&ending));
        let archive = archive.unwrap_or_else(|| panic!("no backup {name}: {said}"));
        self.wait_for("the verdict", || self.has(&format!("{name}.intact.json")));
        archive
    }

    /// As the admin may whom the stack names: gone, and there again with one byte changed.
    fn flip(&self, key: &str) {
        let script = r#"
import botocore.session, sys
bucket, key, account = sys.argv[1:]
s3 = botocore.session.get_session().create_client("s3")
place = {"Bucket": bucket, "Key": key, "ExpectedBucketOwner": account}
body = bytearray(s3.get_object(**place)["Body"].read())
body[len(body) // 2] ^= 1
s3.delete_object(**place)
s3.put_object(**place, Body=bytes(body), IfNoneMatch="*")
"#;
        let mut python = Command::new(crate::tools::python_command("python"));
        self.succeed(python.args(["-c", script, &self.bucket, key, self.account.number()]));
    }

    fn invoke(&self, function: &str, payload: &str) {
        let question = json!({"FunctionName": format!("{}-{function}", self.stack), "Payload": payload});
        let answer = self.ask("lambda", "Invoke", question);
        assert_eq!(answer["FunctionError"], Value::Null, "{function} failed: {answer}");
    }

    fn check(&self) {
        self.succeed(Command::new(&self.script).args(["--check", &self.stack]));
    }

    fn succeed(&self, command: &mut Command) {
        let output = process::output_within(LIMIT * 3, command.env_clear().envs(self.account.environment()), None);
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success(), "{}\n{}", said[0], said[1]);
    }

    fn output(&self, key: &str) -> String {
        let stacks = self.ask("cloudformation", "DescribeStacks", json!({"StackName": self.stack}));
        let outputs = stacks["Stacks"][0]["Outputs"].as_array().unwrap();
        let output = outputs.iter().find(|output| output["OutputKey"] == key).expect("an output of the template");
        output["OutputValue"].as_str().unwrap().to_owned()
    }

    fn keys(&self) -> Vec<String> {
        let listed = self.ask("s3", "ListObjectsV2", json!({"Bucket": self.bucket}));
        let objects = listed["Contents"].as_array().cloned().unwrap_or_default();
        objects.iter().map(|object| object["Key"].as_str().unwrap().to_owned()).collect()
    }

    fn has(&self, ending: &str) -> bool {
        self.keys().iter().any(|key| key.ends_with(ending))
    }

    fn heard(&self, word: &str) -> bool {
        let question = json!({"QueueUrl": self.queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1});
        let answer = self.ask("sqs", "ReceiveMessage", question);
        answer["Messages"].as_array().into_iter().flatten().any(|message| {
            let message: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
            message["Subject"].as_str().is_some_and(|subject| subject.contains(word) && !subject.contains("ALARM"))
        })
    }

    #[track_caller]
    fn wait_for(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + LIMIT;
        while !holds() {
            assert!(Instant::now() < deadline, "waited {LIMIT:?} in vain for {what}: {:#?}", self.keys());
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn ask(&self, service: &str, operation: &str, parameters: Value) -> Value {
        self.account
            .ask(service, operation, parameters)
            .unwrap_or_else(|error| panic!("{service} {operation}: {error}"))
    }
}
