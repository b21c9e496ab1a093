//! A queue between a test and a function, and its messages as Lambda hands them over.

use serde_json::{Value, json};

use crate::aws::{ask, ask_all};
use crate::bucket::Access;

/// A queue on the local AWS.
pub struct Queue {
    access: Access,
    url: String,
}

impl Queue {
    /// A new queue of this name.
    pub fn new(access: &Access, name: &str) -> Queue {
        let made = ask(access, "sqs", "CreateQueue", json!({"QueueName": name}));
        Queue { access: access.clone(), url: made["QueueUrl"].as_str().unwrap().to_owned() }
    }

    /// What programs call it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Puts messages into it.
    pub fn send(&self, bodies: &[String]) {
        let send = |body: &String| ("sqs", "SendMessage", json!({"QueueUrl": self.url, "MessageBody": body}));
        ask_all(&self.access, &bodies.iter().map(send).collect::<Vec<_>>());
    }

    /// Takes up to ten messages, as the event of a function.
    pub fn receive(&self) -> Value {
        let question = json!({"QueueUrl": self.url, "MaxNumberOfMessages": 10});
        let answer = ask(&self.access, "sqs", "ReceiveMessage", question);
        let record = |message: &Value| {
            json!({"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
                "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {}, "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:arrived", "awsRegion": "us-east-1"})
        };
        let records: Vec<Value> = answer["Messages"].as_array().into_iter().flatten().map(record).collect();
        json!({"Records": records})
    }
}
