//! `lastgood policy`: the IAM policy for a host that backs up these databases and no others. The AWS stack's agent may add backups of
//! any database under its prefix, so whoever takes its keys could plant the next `latest` of another host's.

mod statements;

use repository::Encryption;

use crate::answers::failure::{Exit, Failure};
use crate::answers::report::print;
use crate::cli::{PolicyArgs, Which};
use crate::commands::policy::statements::Scope;
use crate::places::Spot;
use crate::settings::Settings;

/// What IAM takes for a managed policy, in characters without white space.
const LONGEST: usize = 6_144;

/// Prints the policy. It is JSON in any case.
///
/// # Errors
/// Exit 2 when no bucket is set.
pub(crate) fn run(args: &PolicyArgs, settings: &Settings) -> Result<Exit, Failure> {
    let asked = args.place.repository.clone().unwrap_or(Which::Bucket);
    let spot = Spot::asked(Some(&asked), settings)?;
    let Some(bucket) = spot.bucket(settings) else {
        return Err(Failure::new(Exit::Usage, "a directory has no policy").hint("choose a bucket with --repository"));
    };
    for other in Spot::all(settings).into_iter().filter(|other| matches!(other, Spot::Bucket(_)) && *other != spot) {
        if args.place.repository.is_none() {
            let (address, label) = (other.address(settings), other.label(settings));
            tracing::warn!(
                "this is the policy for {} alone; that for {address}: add --repository {label}",
                spot.address(settings)
            );
        }
    }
    let region = bucket.region.as_deref().unwrap_or_default();
    let partition = args.partition.clone().unwrap_or_else(|| statements::partition_of(region).to_owned());
    let keys = match &bucket.encryption {
        _ if !args.kms_key.is_empty() => args.kms_key.clone(),
        Encryption::Kms { key_id: Some(key) } if key.starts_with("arn:") => vec![key.clone()],
        Encryption::Kms { .. } => {
            tracing::warn!("the policy has no right to the bucket's key: name its ARN with --kms-key");
            Vec::new()
        }
        Encryption::BucketDefault | Encryption::S3 => Vec::new(),
    };
    let scope = Scope { partition: &partition, region, bucket: &bucket.bucket, prefix: &bucket.prefix, keys: &keys };
    let policy = scope.policy(&args.databases);
    let length = policy.to_string().chars().count();
    if length > LONGEST {
        tracing::warn!(
            "the policy has {length} characters, and a managed policy {LONGEST} at most: make one for each of some databases"
        );
    }
    let text = serde_json::to_string_pretty(&policy)
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot write the policy as JSON: {e}")))?;
    print(&text)?;
    Ok(Exit::Done)
}
