//! The acts in the cloud: the template deployed on a local AWS as a user would, an agent that may only add backups, functions
//! that nobody runs, and what people hear from them.

use std::time::{Duration, Instant};

use aws_sdk_s3::error::ProvideErrorMetadata;
use e2e::agent::Agent;
use e2e::alerts::{Inbox, look_at, metric, state};
use e2e::bucket::{Access, Bucket, wait};
use e2e::functions;
use e2e::ministack::{Ministack, Rights};
use e2e::postgres::{Database, Postgres};
use e2e::stack::Stack;
use serde_json::json;

use crate::story::{Story, check};

const STACK: &str = "lastgood";

/// What the acts share.
struct Cloud<'a> {
    stack: &'a Stack<'a>,
    bucket: Bucket,
    inbox: Inbox,
    /// May add backups and nothing else.
    agent: Agent,
    /// Its keys.
    user: Access,
    /// May restore them.
    operator: Agent,
}

/// Says which process was AWS.
pub(crate) fn play(story: &mut Story, postgres: &Postgres, shop: &Database<'_>) -> u32 {
    let ministack = Ministack::start(Rights::Enforced);
    let stack = Stack::new(&ministack, STACK).functions(functions::folder());
    let cloud = deploy(story, &stack, shop);
    back_up(story, &cloud);
    damage(story, &cloud);
    restore(story, &cloud, postgres, shop);
    stay_silent(story, &cloud);
    ministack.pid()
}

fn deploy<'a>(story: &mut Story, stack: &'a Stack<'a>, shop: &Database<'_>) -> Cloud<'a> {
    story.act("The cloud side: the template deployed with one command, on a local AWS with signatures and IAM on");
    story.say("The functions are built already, as the tests build them: --no-build.");
    story.command("infra/deploy.sh --no-build --nobody-listens lastgood --yes MinimumGood=1");
    let said = stack.deploy(&["MinimumGood=1"]);
    // Five minutes of the template's are too long for a demo.
    stack.gather_verdicts_for(1);
    let added = said.lines().filter(|line| line.contains(" Add ")).count();
    story.print(&format!("What {STACK} would change: {added} resources to add, among them"));
    for kind in ["AWS::S3::Bucket ", "AWS::Lambda::Function", "AWS::Scheduler::Schedule ", "AWS::CloudWatch::Alarm"] {
        let count = said.lines().filter(|line| line.contains(kind)).count();
        story.print(&format!("  {count:>2} × {}", kind.trim_end()));
    }
    let outputs = said.split_once("Deployed ").map_or("", |(_, outputs)| outputs);
    let first = outputs.split("\n\n").take(3).collect::<Vec<_>>().join("\n\n");
    story.print(&format!("Deployed {first}\n\n…"));

    let user = stack.user("backup-agent", "AgentPolicyArn");
    let operator = stack.user("operator", "OperatorPolicyArn");
    story.say("Two users were made: `backup-agent` with AgentPolicyArn alone, as cron has it, and `operator`, who may restore.");
    Cloud {
        stack,
        bucket: Bucket::existing(&stack.ministack().root(), &stack.bucket()),
        inbox: Inbox::new(&stack.ministack().root(), "mailbox", &stack.output("AlertsTopicArn")),
        agent: Agent::new().database(shop).bucket(&stack.bucket(), &user),
        user,
        operator: Agent::new().database(shop).bucket(&stack.bucket(), &operator),
    }
}

fn back_up(story: &mut Story, cloud: &Cloud<'_>) {
    story.act("A backup arrives, and is read back by a function that nobody runs");
    story.run(&cloud.agent, &["backup"]);
    let took = cloud.wait_for("a verdict", || cloud.verdicts(".intact.json") == 1);
    story.say(&format!("{took:.1} s later the verdict lies beside it. The agent, which may read verdicts, sees it:\n"));
    story.run(&cloud.agent, &["list"]);
    story.say("It may not read archives, though. Whoever steals its keys can't either:\n");
    story.run_expecting(&cloud.agent, &["verify", "latest"], (1, "s3:GetObject"));
    story.say("Nor may it delete one, or write over it:\n");
    cloud.show_refusals(story);
    cloud.wait_for("retention's metrics", || cloud.metric("GoodMissing").is_some());
    cloud.measure("");
    cloud.show_metrics(story);
    cloud.show_alarms(story);
    check(cloud.states() == ["OK"; 3], "all is well, and an alarm says otherwise");
}

fn damage(story: &mut Story, cloud: &Cloud<'_>) {
    story.act("One bit of a newer backup is changed behind everyone's back");
    story.run(&cloud.agent, &["backup", "--name", "before-release"]);
    cloud.wait_for("its verdict", || cloud.verdicts(".intact.json") == 2);
    cloud.inbox.messages();
    let key = cloud.bucket.key_ending_in("before-release.sql.gz");
    let middle = cloud.bucket.get(&key).len() / 2;
    cloud.bucket.flip_bit(&key, middle);
    story.say(&format!("It was good. Then root flips a bit in byte {middle} of s3://…/{key}."));
    story.say("Nobody is told, and no event names it. The daily sweep comes by:\n");
    story.command(r#"aws lambda invoke --function-name lastgood-verify --payload '{"action":"sweep"}' answer.json"#);
    let sweep = json!({"FunctionName": cloud.stack.resource("Verify"), "Payload": r#"{"action":"sweep"}"#});
    cloud.stack.ask("lambda", "Invoke", sweep);
    cloud.wait_for("the finding", || cloud.verdicts(".damaged.json") == 1);
    story.say("\nAnd within a quarter of an hour the freshness function comes by:\n");
    story.command(
        r#"aws lambda invoke --function-name lastgood-freshness --payload '{"action":"measure"}' answer.json"#,
    );
    cloud.measure("");
    cloud.show_alarms(story);
    check(cloud.states()[0] == "ALARM", "a damaged backup rings no alarm");
    story.say("And in the mailbox:\n");
    cloud.show_message(story, "is damaged");
}

fn restore(story: &mut Story, cloud: &Cloud<'_>, postgres: &Postgres, shop: &Database<'_>) {
    story.act("Restore: the damaged one is newer, the last good one is chosen");
    story.run(&cloud.operator, &["list"]);
    story.run(&cloud.operator, &["restore", "--from-s3-latest", "--into", "shop_rescued", "--confirm"]);
    story.compare("pg_dump of shop and of shop_rescued", shop, &postgres.database("shop_rescued"));
}

fn stay_silent(story: &mut Story, cloud: &Cloud<'_>) {
    story.act("An agent that never gets through, and Monday's mail");
    story.say(
        "Another host was to back up `blog`. Its agent marked the database two days ago, and no backup ever came.",
    );
    let since = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(48);
    let mark = json!({"version": 1, "database": "blog", "since": since, "retired": null});
    cloud.bucket.put("backups/databases/blog.json", mark.to_string().as_bytes());
    cloud.inbox.messages();
    story.command(
        r#"aws lambda invoke --function-name lastgood-freshness --payload '{"action":"measure"}' answer.json"#,
    );
    cloud.measure("");
    cloud.wait_for("the stale alarm", || cloud.states()[1] == "ALARM");
    cloud.show_alarms(story);
    cloud.show_message(story, "no fresh good backup of blog");
    story.say("On AWS the same alarm rings when nothing at all is measured any more: missing data is breaching. And because an alarm");
    story.say("that is on tells nobody again, one mail each morning does; on Mondays also when all is well. Here is next Monday's:\n");
    cloud.measure(&format!(r#","scheduled":"{}""#, next_monday()));
    cloud.show_message(story, "in s3://");
}

/// The hour of Monday's mail.
fn next_monday() -> jiff::Timestamp {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let monday = today.nth_weekday(1, jiff::civil::Weekday::Monday).expect("weeks have Mondays");
    monday.at(7, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).expect("UTC has every hour").timestamp()
}

impl Cloud<'_> {
    /// Waits until something holds, and says how many seconds it took.
    fn wait_for(&self, what: &str, holds: impl Fn() -> bool) -> f64 {
        let began = Instant::now();
        while !holds() {
            let late = began.elapsed() > Duration::from_secs(60);
            check(!late, &format!("waited a minute for {what}: {:#?}", self.bucket.keys()));
            std::thread::sleep(Duration::from_millis(100));
        }
        began.elapsed().as_secs_f64()
    }

    /// What the agent's keys are refused, tried with AWS's own SDK.
    fn show_refusals(&self, story: &Story) {
        let key = self.bucket.key_ending_in(".sql.gz");
        let client = self.user.client();
        let delete = wait(client.delete_object().bucket(self.bucket.name()).key(&key).send());
        let put = wait(client.put_object().bucket(self.bucket.name()).key(&key).send());
        let codes = [
            ("delete", delete.err().and_then(|error| error.code().map(str::to_owned))),
            ("overwrite", put.err().and_then(|error| error.code().map(str::to_owned))),
        ];
        for (act, code) in codes {
            check(code.as_deref() == Some("AccessDenied"), &format!("the agent may {act} an archive: {code:?}"));
            story.print(&format!("{act:<9} s3://…/{key}: AccessDenied"));
        }
        println!();
    }

    /// Has the freshness function look, as its schedule does, with this more in its event.
    fn measure(&self, more: &str) {
        let payload = format!(r#"{{"action":"measure"{more}}}"#);
        let function = json!({"FunctionName": self.stack.resource("Freshness"), "Payload": payload});
        let answer = self.stack.ask("lambda", "Invoke", function);
        check(answer["FunctionError"].is_null(), &format!("freshness failed: {answer}"));
    }

    fn verdicts(&self, ending: &str) -> usize {
        self.bucket.keys().iter().filter(|key| key.ends_with(ending)).count()
    }

    fn metric(&self, name: &str) -> Option<f64> {
        metric(self.bucket.access(), &self.stack.repository(), None, name)
    }

    fn show_metrics(&self, story: &Story) {
        story.say("What CloudWatch has of it:\n");
        let units = [
            ("AgeOfNewestGood", "s"),
            ("Staleness", "of what it may be"),
            ("BackupSize", "bytes"),
            ("DamagedSinceGood", ""),
            ("GoodMissing", ""),
        ];
        for (name, unit) in units {
            // Whole numbers as such, and the others to their thousandths.
            let value = self.metric(name).map(|value| (value * 1000.0).round() / 1000.0);
            let value = value.map_or_else(|| "none yet".to_owned(), |value| value.to_string());
            story.print(&format!("{name:<16} {value:>9} {unit}"));
        }
    }

    /// Of damaged, stale and too few.
    fn states(&self) -> Vec<String> {
        let questions = ALARMS.map(|alarm| look_at(&format!("{STACK}-{alarm}")));
        let answers = e2e::aws::ask_all(self.bucket.access(), &questions);
        answers.iter().map(|answer| state(answer).to_owned()).collect()
    }

    fn show_alarms(&self, story: &Story) {
        println!();
        for (alarm, state) in ALARMS.iter().zip(self.states()) {
            story.print(&format!("alarm {alarm:<11} {state}"));
        }
        println!();
    }

    fn show_message(&self, story: &Story, about: &str) {
        let messages = self.inbox.messages();
        let message = messages.iter().find(|message| message.subject.contains(about));
        let message = message.unwrap_or_else(|| panic!("nobody was told that it {about}: {messages:?}"));
        // An alarm's own text is JSON, for programs.
        let text = if message.text.starts_with('{') { "" } else { &message.text };
        story.print(&format!("Subject: {}\n\n{text}", message.subject));
        println!();
    }
}

const ALARMS: [&str; 3] = ["damaged", "stale", "too-few"];
