//! The statements: those of the AWS stack's agent, each narrowed to the databases.

use catalog::encode_database;
use serde_json::{Value, json};

/// How the names of archives end.
const ARCHIVES: [&str; 4] = [".sql", ".sql.gz", ".sql.zst", ".age"];

/// Where the databases are backed up to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) partition: &'a str,
    /// Empty: any.
    pub(super) region: &'a str,
    pub(super) bucket: &'a str,
    pub(super) prefix: &'a str,
    /// The ARNs of the keys: the first encrypts, all decrypt.
    pub(super) keys: &'a [String],
}

/// The partition that a region is in.
pub(super) fn partition_of(region: &str) -> &'static str {
    let known = [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("eusc-", "aws-eusc")];
    known.into_iter().find(|(start, _)| region.starts_with(start)).map_or("aws", |(_, partition)| partition)
}

impl Scope<'_> {
    /// The policy for these databases.
    pub(super) fn policy(&self, databases: &[String]) -> Value {
        let names: Vec<String> = databases.iter().map(|database| encode_database(database)).collect();
        let of_each = |pattern: &dyn Fn(&str) -> Vec<String>| -> Vec<String> {
            names.iter().flat_map(|name| pattern(name)).map(|pattern| self.object(&pattern)).collect()
        };
        let archives = |name: &str| ARCHIVES.map(|ending| format!("????????/{name}_backup_*{ending}")).to_vec();
        let mark = |name: &str| format!("databases/{name}.json");
        let added = of_each(&|name| {
            let [manifest, shrunk] =
                ["manifest", "shrunk"].map(|record| format!("????????/{name}_backup_*.{record}.json"));
            let [index, links] = ["index", "links"].map(|beside| format!("????????/{name}_backup_*.{beside}.json.gz"));
            archives(name).into_iter().chain([manifest, index, links, mark(name), shrunk]).collect()
        });
        // What `backup --dry-run` has the store refuse.
        let tried = self.object(".lastgood-dry-run.sql");
        let added: Vec<String> = added.into_iter().chain([tried]).collect();
        let mut records = of_each(&|name| vec![format!("????????/{name}_backup_*.json"), mark(name)]);
        records.push(self.object("status/*.json"));
        // A name is read from its end: `shop_backup_old_backup_…` is of a database called `shop_backup_old`.
        let own = |name: &str| names.iter().any(|other| other.starts_with(&format!("{name}_backup_")));
        let others =
            of_each(&|name| Vec::from_iter((!own(name)).then(|| format!("????????/{name}_backup_*_backup_*"))));
        let unconditional =
            json!({"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}});
        let (bucket, prefix) = (self.arn(""), format!("{}*", self.root()));
        let mut statements = vec![
            json!({"Sid": "AddBackups", "Effect": "Allow", "Action": "s3:PutObject", "Resource": added}),
            json!({"Sid": "ReplaceNothing", "Effect": "Deny", "Action": "s3:PutObject", "Resource": self.object("*"), "Condition": unconditional}),
            json!({"Sid": "OwnUploads", "Effect": "Allow", "Action": ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], "Resource": of_each(&archives)}),
            json!({"Sid": "FindOwnUploads", "Effect": "Allow", "Action": "s3:ListBucketMultipartUploads", "Resource": bucket}),
            json!({"Sid": "ListBackups", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket, "Condition": {"StringLike": {"s3:prefix": prefix}}}),
            json!({"Sid": "ReadRecords", "Effect": "Allow", "Action": "s3:GetObject", "Resource": records}),
        ];
        if !others.is_empty() {
            statements.insert(
                1,
                json!({"Sid": "NotOfOthers", "Effect": "Deny", "Action": "s3:PutObject", "Resource": others}),
            );
        }
        if let Some(first) = self.keys.first() {
            statements.push(self.use_of("UseKey", "kms:GenerateDataKey", &json!(first)));
            statements.push(self.use_of("UseKeys", "kms:Decrypt", &json!(self.keys)));
        }
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    fn use_of(&self, sid: &str, action: &str, keys: &Value) -> Value {
        let region = if self.region.is_empty() { "*" } else { self.region };
        let domains = ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"];
        let through = domains.map(|domain| format!("s3.{region}.{domain}"));
        json!({"Sid": sid, "Effect": "Allow", "Action": action, "Resource": keys,
            "Condition": {"StringLike": {"kms:ViaService": through}}})
    }

    fn object(&self, pattern: &str) -> String {
        self.arn(&format!("/{}{pattern}", self.root()))
    }

    fn arn(&self, path: &str) -> String {
        format!("arn:{}:s3:::{}{path}", self.partition, self.bucket)
    }

    /// The prefix and its slash. IAM would read three characters in it as more than themselves; this is how they are written.
    fn root(&self) -> String {
        let literal = |c: char| match c {
            '*' | '?' | '$' => format!("${{{c}}}"),
            c => c.to_string(),
        };
        let prefix: String = self.prefix.chars().map(literal).collect();
        if prefix.is_empty() { prefix } else { prefix + "/" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCOPE: Scope<'_> =
        Scope { partition: "aws", region: "eu-central-1", bucket: "shop-backups", prefix: "backups", keys: &[] };

    #[test]
    fn a_policy_is_for_these_databases_alone() {
        let policy = SCOPE.policy(&["shop".to_owned(), "my app*".to_owned()]);
        insta::assert_snapshot!(serde_json::to_string_pretty(&policy).unwrap());
    }

    #[test]
    fn nothing_in_a_name_or_a_prefix_is_a_wildcard() {
        let policy = Scope { prefix: "a*b/c?/${aws:username}", ..SCOPE }.policy(&["${aws:username}?*".to_owned()]);
        let resources = policy["Statement"][0]["Resource"].as_array().unwrap();
        let name = ".24.7Baws.3Ausername.7D.3F.2A";
        let root = "arn:aws:s3:::shop-backups/a${*}b/c${?}/${$}{aws:username}/";
        assert_eq!(resources[0], format!("{root}????????/{name}_backup_*.sql"));
        assert_eq!(resources[7], format!("{root}databases/{name}.json"));
    }

    #[test]
    fn a_bucket_without_a_prefix_and_one_with_a_key() {
        let keys = ["new", "old"].map(|key| format!("arn:aws:kms:eu-central-1:1:key/{key}"));
        let policy = Scope { prefix: "", keys: &keys, ..SCOPE }.policy(&["shop".to_owned()]);
        let statements = policy["Statement"].as_array().unwrap();
        assert_eq!(statements[0]["Resource"][0], "arn:aws:s3:::shop-backups/????????/shop_backup_*.sql");
        assert_eq!(statements[5]["Condition"]["StringLike"]["s3:prefix"], "*");
        let [.., encrypt, decrypt] = &statements[..] else { unreachable!() };
        assert_eq!((&encrypt["Action"], &encrypt["Resource"]), (&json!("kms:GenerateDataKey"), &json!(keys[0])));
        assert_eq!((&decrypt["Action"], &decrypt["Resource"]), (&json!("kms:Decrypt"), &json!(keys)));
    }

    /// A database may be called as if it were a backup of another one; where a host has both, it may back up both.
    #[test]
    fn a_database_with_a_name_like_a_backups_is_another_ones_unless_it_is_named() {
        let denied = |databases: &[&str]| {
            let databases: Vec<String> = databases.iter().map(|name| (*name).to_owned()).collect();
            SCOPE.policy(&databases).to_string().contains("????????/shop_backup_*_backup_*")
        };
        assert!(denied(&["shop", "blog"]));
        assert!(!denied(&["shop", "shop_backup_old"]));
    }

    #[test]
    fn a_partition_is_that_of_the_region() {
        let regions = [("", "aws"), ("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")];
        for (region, partition) in regions {
            assert_eq!(partition_of(region), partition);
        }
    }
}
