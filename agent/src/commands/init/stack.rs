//! What a deployed AWS stack says of itself: where backups go, and which policy lets them.
//!
//! One signed request. CloudFormation's whole SDK would be another crate of a hundred operations, to compile and to ship, for this one.

use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;

use super::offer::Lines;
use crate::answers::failure::{Exit, Failure};
use crate::cli::InitArgs;
use crate::settings::Given;

/// What the service is called where requests are signed.
const SERVICE: &str = "cloudformation";
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const TIMEOUT: Duration = Duration::from_secs(15);
/// The settings that the stack may give.
const NAMES: [&str; 5] =
    ["BACKUP_S3_BUCKET", "BACKUP_S3_PREFIX", "BACKUP_S3_BUCKET_OWNER", "BACKUP_S3_VERDICTS_OF", "AWS_REGION"];

/// A stack's outputs, as far as they matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stack {
    /// The settings for who backs up.
    pub(super) lines: Lines,
    /// The ARN of the policy to attach.
    pub(super) policy: Option<String>,
}

impl Stack {
    /// Asks CloudFormation, as who runs this.
    ///
    /// # Errors
    /// When it cannot be asked; exit 2 when there is no such stack, or it is another program's.
    pub(super) async fn ask(name: &str, args: &InitArgs, given: &Given) -> Result<Self, Failure> {
        let failed = |why: String| {
            Failure::new(Exit::Failed, format!("cannot ask CloudFormation for the stack {name}: {why}"))
                .hint("it takes cloudformation:DescribeStacks: set credentials or --aws-profile, and --region; or name the bucket with --bucket")
        };
        let config = config(args, given).await;
        let xml = request(name, &config, given).await.map_err(failed)?;
        let no_output = format!("the stack {name} has no output AgentSettings");
        Self::of(&xml).ok_or_else(|| {
            Failure::new(Exit::Usage, no_output)
                .hint("name the stack that deploy.sh made; aws cloudformation list-stacks shows them")
        })
    }

    fn of(xml: &str) -> Option<Self> {
        let settings = output(xml, "AgentSettings")?;
        let lines = settings.lines().filter_map(|line| line.split_once('='));
        let lines: Lines = lines
            .filter(|(name, value)| NAMES.contains(name) && !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let has_bucket = lines.iter().any(|(name, _)| name == "BACKUP_S3_BUCKET");
        has_bucket.then(|| Self { lines, policy: output(xml, "AgentPolicyArn") })
    }
}

/// Whose credentials, and which region.
async fn config(args: &InitArgs, given: &Given) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
    if let Some(region) = &args.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some((_, _, profile)) = given.flags.iter().find(|(setting, _, _)| *setting == "AWS_PROFILE") {
        loader = loader.profile_name(profile);
    }
    loader.load().await
}

/// The answer to `DescribeStacks`.
async fn request(name: &str, config: &SdkConfig, given: &Given) -> Result<String, String> {
    let region = config.region().map_or("us-east-1", |region| region.as_ref());
    let own = given.environment.get("AWS_ENDPOINT_URL_CLOUDFORMATION").and_then(|value| value.to_str());
    let usual = || {
        let end = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://{SERVICE}.{region}.amazonaws.com{end}")
    };
    let endpoint = own.or(config.endpoint_url()).map_or_else(usual, str::to_owned);
    let url = url::Url::parse(&endpoint).map_err(|error| format!("{endpoint}: {error}"))?;
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("Action", "DescribeStacks"), ("Version", "2010-05-15"), ("StackName", name)])
        .finish();
    let provider = config.credentials_provider().ok_or("there are no credentials")?;
    let credentials = provider.provide_credentials().await.map_err(|error| in_words(&error))?;
    let headers = signed(&url, &body, region, credentials)?;
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(|error| in_words(&error))?;
    let mut request = client.post(url).header("content-type", FORM);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await.map_err(|error| in_words(&error))?;
    let status = answer.status();
    let xml = answer.text().await.map_err(|error| in_words(&error))?;
    if status.is_success() {
        return Ok(xml);
    }
    Err(element(&xml, "Message").map_or_else(|| format!("HTTP {status}"), unescaped))
}

/// The headers that sign a request.
fn signed(
    url: &url::Url,
    body: &str,
    region: &str,
    credentials: aws_credential_types::Credentials,
) -> Result<Vec<(String, String)>, String> {
    let identity = credentials.into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?;
    let headers = [("content-type", FORM)].into_iter();
    let signable = SignableRequest::new("POST", url.as_str(), headers, SignableBody::Bytes(body.as_bytes()));
    let signable = signable.map_err(|error| error.to_string())?;
    let (instructions, _) = sign(signable, &params.into()).map_err(|error| error.to_string())?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// The value of an output.
fn output(xml: &str, key: &str) -> Option<String> {
    let named = format!("<OutputKey>{key}</OutputKey>");
    let members = xml.split("<member>").filter(|member| member.contains(&named));
    members.filter_map(|member| element(member, "OutputValue")).next().map(unescaped)
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

/// XML's own escapes, of which a bucket's name and an ARN have none but these.
fn unescaped(text: &str) -> String {
    let escapes = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#10;", "\n"),
        ("&amp;", "&"),
    ];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

/// An error and its causes, which say more than it does.
fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        words = format!("{words}: {deeper}");
        cause = deeper.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><Outputs>\
        <member><OutputKey>AgentSettings</OutputKey><OutputValue>BACKUP_S3_BUCKET=shop-b\nBACKUP_S3_PREFIX=a&amp;b\n\
        BACKUP_S3_BUCKET_OWNER=123456789012\nAWS_REGION=eu-west-1\nPATH=/evil</OutputValue></member>\
        <member><OutputKey>AgentPolicyArn</OutputKey><OutputValue>arn:aws:iam::1:policy/x</OutputValue></member>\
        </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>";

    #[test]
    fn outputs_become_settings_and_nothing_else_does() {
        let stack = Stack::of(ANSWER).unwrap();
        let lines: Vec<_> = stack.lines.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "BACKUP_S3_BUCKET=shop-b",
            "BACKUP_S3_PREFIX=a&b",
            "BACKUP_S3_BUCKET_OWNER=123456789012",
            "AWS_REGION=eu-west-1",
        ];
        assert_eq!(lines, expected);
        assert_eq!(stack.policy.as_deref(), Some("arn:aws:iam::1:policy/x"));
        assert_eq!(Stack::of("<DescribeStacksResponse/>"), None);
    }
}
