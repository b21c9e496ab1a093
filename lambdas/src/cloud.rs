//! The services that the functions use: the repository, CloudWatch and SNS.

use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use catalog::DocumentError;
use catalog::encode_database;
use repository::{BucketSettings, Repository, Retry};

use crate::findings::Listeners;
use crate::message::Message;
use crate::metric::Measure;
use crate::{Failure, Settings};

const NAMESPACE: &str = "Lastgood";
/// How many metrics `PutMetricData` takes at once.
const BATCH: usize = 1_000;
/// How long CloudWatch, SNS and SQS may take for an answer: a silent one must not take the time of what else is to be done.
const ANSWER: Duration = Duration::from_secs(10);
/// How long SNS may take to say who listens: that isn't worth the time of telling them.
const ASKING: Duration = Duration::from_secs(5);

/// The repository, and where metrics and messages go.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The bucket with the backups.
    pub repository: Repository,
    settings: Settings,
    sdk: aws_config::SdkConfig,
    cloudwatch: aws_sdk_cloudwatch::Client,
    sns: aws_sdk_sns::Client,
}

impl Cloud {
    /// Sets the clients up; nothing is sent yet.
    ///
    /// # Errors
    /// When the SDK refuses the settings.
    pub async fn connect(settings: Settings) -> Result<Self, Failure> {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ANSWER).build();
        let shared = aws_config::defaults(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).load().await;
        let bucket = BucketSettings {
            owner: settings.owner.clone(),
            verdicts_of: settings.verdicts_of.clone(),
            // Two ranges of 8 MiB and the one that is being read: archives pass through in memory that does not grow.
            parts_in_flight: 2,
            // Lambda tries a failed invocation again, so there is no need to wait here for an unreachable network.
            retry: Retry::within(Duration::from_secs(30), Duration::from_secs(1)),
            encryption: settings.encryption.clone(),
            ..BucketSettings::new(&settings.bucket, &settings.prefix)
        };
        Ok(Self {
            repository: Repository::bucket(bucket).await?,
            cloudwatch: aws_sdk_cloudwatch::Client::new(&shared),
            sns: aws_sdk_sns::Client::new(&shared),
            sdk: shared,
            settings,
        })
    }

    /// A directory in place of a bucket; metrics and messages go nowhere.
    #[cfg(test)]
    pub(crate) fn over_directory(path: &std::path::Path) -> Self {
        let version = BehaviorVersion::v2026_01_12();
        let environment = crate::Environment::new(|name| (name == "BACKUP_S3_BUCKET").then(|| "none".to_owned()));
        let cloudwatch = aws_sdk_cloudwatch::Config::builder().behavior_version(version).build();
        let sns = aws_sdk_sns::Config::builder().behavior_version(version).build();
        Self {
            repository: Repository::directory(path),
            settings: Settings::read(&environment).unwrap(),
            sdk: aws_config::SdkConfig::builder().behavior_version(version).build(),
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch),
            sns: aws_sdk_sns::Client::from_conf(sns),
        }
    }

    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.settings.bucket
    }

    /// What every AWS client is made of.
    pub(crate) fn sdk(&self) -> &aws_config::SdkConfig {
        &self.sdk
    }

    /// Publishes measures with the present time: CloudWatch shows data of another day up to two days late.
    ///
    /// # Errors
    /// When CloudWatch does not accept them. That must fail the invocation: a measure that is not published may be a
    /// bad one.
    pub async fn publish(&self, measures: &[Measure]) -> Result<(), Failure> {
        let now = SystemTime::now().into();
        let wanted = measures.iter().filter(|measure| measure.database.is_none() || self.settings.per_database);
        let data: Vec<MetricDatum> = wanted.map(|measure| self.datum(measure, now)).collect();
        for batch in data.chunks(BATCH) {
            let request = self.cloudwatch.put_metric_data().namespace(NAMESPACE).set_metric_data(Some(batch.to_vec()));
            request.send().await.map_err(|error| Failure::Metrics(cause(&error)))?;
        }
        Ok(())
    }

    fn datum(&self, measure: &Measure, now: aws_sdk_cloudwatch::primitives::DateTime) -> MetricDatum {
        let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        let database = measure.database.as_deref().map(|database| dimension("Database", &dimension_value(database)));
        let datum = MetricDatum::builder().metric_name(measure.name).value(measure.value).unit(measure.unit.clone());
        let datum = datum.timestamp(now).dimensions(dimension("Repository", &self.settings.repository));
        database.into_iter().fold(datum, |datum, database| datum.dimensions(database)).build()
    }

    /// Who gets the alarms; `None` without a topic.
    ///
    /// # Errors
    /// When the topic can't be asked, or not in time.
    pub(crate) async fn listeners(&self) -> Result<Option<Listeners>, Failure> {
        let Some(topic) = &self.settings.topic else { return Ok(None) };
        let asking = self.sns.get_topic_attributes().topic_arn(topic).send();
        let answer = match tokio::time::timeout(ASKING, asking).await {
            Err(_) => return Err(Failure::Unasked(format!("no answer in {} seconds", ASKING.as_secs()))),
            // It was deleted: nobody gets anything.
            Ok(Err(error)) if error.code() == Some("NotFound") => {
                return Ok(Some(Listeners { confirmed: 0, unconfirmed: 0 }));
            }
            Ok(Err(error)) => return Err(Failure::Unasked(cause(&error))),
            Ok(Ok(answer)) => answer,
        };
        let attribute = |name: &str| answer.attributes()?.get(name)?.parse().ok();
        let confirmed = attribute("SubscriptionsConfirmed")
            .ok_or_else(|| Failure::Unasked("the answer has no number of subscriptions".to_owned()))?;
        Ok(Some(Listeners { confirmed, unconfirmed: attribute("SubscriptionsPending").unwrap_or(0) }))
    }

    /// Stores a record over the one that may be there.
    ///
    /// # Errors
    /// When it has no JSON, and those of the store.
    pub(crate) async fn store(&self, key: &str, json: Result<Vec<u8>, DocumentError>) -> Result<(), Failure> {
        let json = json.map_err(|source| Failure::Document { object: self.repository.object_name(key), source })?;
        self.repository.put_over(key, json).await?;
        Ok(())
    }

    /// What people call the repository: `s3://bucket/prefix`.
    pub(crate) fn name(&self) -> &str {
        &self.settings.repository
    }

    /// Logs a message, and sends it to the SNS topic if there is one.
    ///
    /// # Errors
    /// When SNS does not accept it.
    pub async fn tell(&self, message: &Message) -> Result<(), Failure> {
        tracing::warn!(subject = message.subject, "{}", message.body);
        let Some(topic) = &self.settings.topic else { return Ok(()) };
        let request = self.sns.publish().topic_arn(topic).subject(&message.subject).message(&message.body);
        let failed = |cause| Failure::Message { subject: message.subject.clone(), cause };
        request.send().await.map_err(|error| failed(cause(&error)))?;
        Ok(())
    }
}

/// A database's name as a dimension's value: CloudWatch refuses anything but ASCII, and with it the whole request.
fn dimension_value(database: &str) -> String {
    encode_database(database)
}

/// AWS's error code and message; for a connection that failed, the innermost cause.
pub(crate) fn cause<E: ProvideErrorMetadata + std::error::Error>(error: &E) -> String {
    if let Some(code) = error.code() {
        return format!("{code}: {}", error.message().unwrap_or_default());
    }
    let innermost = std::iter::successors(error.source(), |error| error.source()).last();
    innermost.map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dimensions_value_is_ascii_whatever_the_database_is_called() {
        for (database, value) in [("app", "app"), ("kundendaten_köln", "kundendaten_k.C3.B6ln"), ("my app", "my.20app")]
        {
            assert_eq!(dimension_value(database), value);
        }
        let value = dimension_value("日本語\u{1}\u{7f}");
        assert!(value.bytes().all(|byte| byte.is_ascii_graphic()), "{value}");
    }
}
