//! Agents of an earlier release under today's policies: what they asked of S3 was recorded, and is asked again.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use e2e::bucket::wait;

use super::{Answer, Identity, answer};

const RECORDED: &str = include_str!("released-requests.txt");

#[test]
fn what_an_agent_of_an_earlier_release_asks_is_allowed() {
    let agent = Identity::new("earlier-agent", "AgentPolicyArn");
    let lines = RECORDED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let requests: Vec<String> = lines.map(|line| line.replace("DB", "earlier")).collect();
    assert!(requests.iter().filter(|request| request.starts_with("add ")).count() >= 4, "{requests:?}");
    for request in requests {
        let (action, key) = request.split_once(' ').unwrap();
        let answered = match action {
            "list" => agent.list(key),
            "add" => agent.add(key),
            "get" => agent.get(key),
            "upload-and-complete" => agent.upload(key, Some("*")),
            "uploads" => agent.list_uploads(key),
            "refused-for-its-digest" => agent.add_other_bytes_than_said(key),
            other => panic!("{other} is not known"),
        };
        assert_eq!(answered, Answer::Done, "{request}");
    }
}

impl Identity {
    fn list_uploads(&self, prefix: &str) -> Answer {
        answer(wait(self.client.list_multipart_uploads().bucket(&self.bucket).prefix(prefix).send()))
    }

    /// Done where the store refuses the bytes, and not the right.
    fn add_other_bytes_than_said(&self, key: &str) -> Answer {
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(ByteStream::from_static(b"{}"));
        match wait(put.if_none_match("*").content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send()) {
            Err(error) => match error.code() {
                Some("BadDigest" | "InvalidDigest") => Answer::Done,
                _ => answer::<(), _>(Err(error)),
            },
            Ok(_) => panic!("the store took other bytes than it was told"),
        }
    }
}
