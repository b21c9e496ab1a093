//! What was made goes again, whatever went before.

use std::process::Command;

use serde_json::{Value, json};

use super::Life;
use crate::aws::cli;
use crate::process;

impl Life<'_> {
    /// Removes all, and says what could not be removed.
    pub(super) fn remove(&mut self) -> Vec<String> {
        self.gone = true;
        [self.remove_user(), self.remove_stack(), self.remove_bucket(), self.remove_queue()]
            .into_iter()
            .flatten()
            .collect()
    }

    fn remove_user(&self) -> Vec<String> {
        let user = format!("{}-agent", self.stack);
        let which = json!({"UserName": user});
        let Ok(keys) = self.account.ask("iam", "ListAccessKeys", which.clone()) else { return Vec::new() };
        let policies = self.account.ask("iam", "ListAttachedUserPolicies", which.clone()).unwrap_or_default();
        let mut left = Vec::new();
        for policy in policies["AttachedPolicies"].as_array().into_iter().flatten() {
            left.extend(self.try_to(
                "iam",
                "DetachUserPolicy",
                json!({"UserName": user, "PolicyArn": policy["PolicyArn"]}),
            ));
        }
        for key in keys["AccessKeyMetadata"].as_array().into_iter().flatten() {
            left.extend(self.try_to(
                "iam",
                "DeleteAccessKey",
                json!({"UserName": user, "AccessKeyId": key["AccessKeyId"]}),
            ));
        }
        left.extend(self.try_to("iam", "DeleteUser", which));
        left
    }

    fn remove_stack(&self) -> Vec<String> {
        let unprotected = json!({"StackName": self.stack, "EnableTerminationProtection": false});
        let mut left = self.try_to("cloudformation", "UpdateTerminationProtection", unprotected);
        left.extend(self.try_to("cloudformation", "DeleteStack", json!({"StackName": self.stack})));
        let mut wait = Command::new(cli::program());
        wait.args(["cloudformation", "wait", "stack-delete-complete", "--stack-name", &self.stack]);
        if !process::output(wait.env_clear().envs(self.account.environment())).status.success() {
            left.push(format!("the stack {} wasn't deleted", self.stack));
        }
        left
    }

    /// It outlives its stack on purpose, and so does its policy.
    fn remove_bucket(&self) -> Vec<String> {
        let which = json!({"Bucket": self.bucket});
        let mut left = self.try_to("s3", "DeleteBucketPolicy", which.clone());
        let versions = self.account.ask("s3", "ListObjectVersions", which.clone()).unwrap_or_default();
        let listed =
            ["Versions", "DeleteMarkers"].iter().flat_map(|kind| versions[kind].as_array().into_iter().flatten());
        let objects: Vec<Value> =
            listed.map(|version| json!({"Key": version["Key"], "VersionId": version["VersionId"]})).collect();
        if !objects.is_empty() {
            let deletion = json!({"Bucket": self.bucket, "Delete": {"Objects": objects}});
            left.extend(self.try_to("s3", "DeleteObjects", deletion));
        }
        left.extend(self.try_to("s3", "DeleteBucket", which));
        left
    }

    fn remove_queue(&self) -> Vec<String> {
        match self.queue.is_empty() {
            true => Vec::new(),
            false => self.try_to("sqs", "DeleteQueue", json!({"QueueUrl": self.queue})),
        }
    }

    fn try_to(&self, service: &str, operation: &str, parameters: Value) -> Vec<String> {
        let problem = |error| format!("{service} {operation} {parameters}: {error}");
        self.account.ask(service, operation, parameters.clone()).err().map(problem).into_iter().collect()
    }
}

impl Drop for Life<'_> {
    /// After a failure too: a sandbox account costs somebody money.
    fn drop(&mut self) {
        if !self.gone {
            for left in self.remove() {
                eprintln!("left behind: {left}");
            }
        }
    }
}
