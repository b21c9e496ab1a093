//! What a stack tells people: the newest of a metric, an alarm's state, and the messages of its topic.

use serde_json::{Value, json};

use crate::aws::{ask, ask_all};
use crate::bucket::Access;

/// A queue that hears a topic, in place of a person's mailbox.
pub struct Inbox {
    access: Access,
    queue: Value,
}

/// What a person would get by e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its one line.
    pub subject: String,
    /// Its text.
    pub text: String,
}

impl Inbox {
    /// A new queue of this name, subscribed to the topic.
    pub fn new(access: &Access, name: &str, topic: &str) -> Inbox {
        let arn = format!("arn:aws:sqs:{}:000000000000:{name}", access.region);
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage",
            "Principal": {"Service": "sns.amazonaws.com"}, "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}]});
        let queue = json!({"QueueName": name, "Attributes": {"Policy": policy.to_string()}});
        let subscription = json!({"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn});
        let made = ask_all(access, &[("sqs", "CreateQueue", queue), ("sns", "Subscribe", subscription)]);
        Inbox { access: access.clone(), queue: made[0]["QueueUrl"].clone() }
    }

    /// The messages that have come since the last look.
    pub fn messages(&self) -> Vec<Message> {
        let question = json!({"QueueUrl": self.queue, "MaxNumberOfMessages": 10});
        let answer = ask(&self.access, "sqs", "ReceiveMessage", question);
        let received = answer["Messages"].as_array().cloned().unwrap_or_default();
        let done = |message: &Value| json!({"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"]});
        let done: Vec<_> = received.iter().map(|message| ("sqs", "DeleteMessage", done(message))).collect();
        ask_all(&self.access, &done);
        received.iter().map(read).collect()
    }
}

/// As SNS wraps it.
fn read(message: &Value) -> Message {
    let message: Value = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
    let text = |name: &str| message[name].as_str().unwrap().to_owned();
    Message { subject: text("Subject"), text: text("Message") }
}

/// The largest value of a metric over a repository (`s3://bucket/prefix`), or one database of it; none when it was never
/// published.
pub fn metric(access: &Access, repository: &str, database: Option<&str>, name: &str) -> Option<f64> {
    let mut dimensions = vec![json!({"Name": "Repository", "Value": repository})];
    dimensions.extend(database.map(|database| json!({"Name": "Database", "Value": database})));
    let question = json!({"Namespace": "Lastgood", "MetricName": name, "Dimensions": dimensions, "Period": 86400,
        "StartTime": "2020-01-01T00:00:00Z", "EndTime": "2100-01-01T00:00:00Z", "Statistics": ["Maximum"]});
    let answer = ask(access, "cloudwatch", "GetMetricStatistics", question);
    let values = answer["Datapoints"].as_array().unwrap().iter().map(|point| point["Maximum"].as_f64().unwrap());
    values.reduce(f64::max)
}

/// The question after an alarm, for [`ask_all`]; [`state`] reads the answer.
pub fn look_at(alarm: &str) -> (&'static str, &'static str, Value) {
    ("cloudwatch", "DescribeAlarms", json!({"AlarmNames": [alarm]}))
}

/// `OK`, `ALARM` or `INSUFFICIENT_DATA`; fails when there is no such alarm.
pub fn state(answer: &Value) -> &str {
    answer["MetricAlarms"][0]["StateValue"].as_str().unwrap_or_else(|| panic!("no alarm: {answer}"))
}

/// The publication of a repository-wide value, for [`ask_all`].
pub fn publish(repository: &str, metric: &str, value: f64) -> (&'static str, &'static str, Value) {
    let dimensions = json!([{"Name": "Repository", "Value": repository}]);
    let data = json!([{"MetricName": metric, "Value": value, "Dimensions": dimensions}]);
    ("cloudwatch", "PutMetricData", json!({"Namespace": "Lastgood", "MetricData": data}))
}
