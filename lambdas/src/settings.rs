//! The functions' settings: environment variables that `infra/template.yaml` sets and lists.

use std::fmt::Display;
use std::str::FromStr;

use catalog::Thresholds;
use jiff::SignedDuration;
use repository::Encryption;

use crate::Failure;

/// Finds a variable's value by its name.
type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// The variables that settings are read from: the process's environment, except in tests.
pub struct Environment<'a>(Lookup<'a>);

/// What all three functions need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The bucket's name.
    pub bucket: String,
    /// The part of each key before the backups' names, without slashes at its ends.
    pub prefix: String,
    /// The account that the bucket must belong to; `None`: whichever has it.
    pub owner: Option<String>,
    /// The bucket is a vault: the account whose verdicts count there.
    pub verdicts_of: Option<String>,
    /// The value of the metrics' dimension `Repository`: `s3://BUCKET/PREFIX`.
    pub repository: String,
    /// The SNS topic for messages; without one they are only logged.
    pub topic: Option<String>,
    /// Whether to publish metrics for each database too.
    pub per_database: bool,
    /// The encryption header of what is written.
    pub encryption: Encryption,
}

impl Environment<'static> {
    /// The process's environment.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place in which the settings' environment is read")]
    pub fn of_process() -> Self {
        Self(Box::new(|name| std::env::var(name).ok()))
    }
}

impl<'a> Environment<'a> {
    /// Variables from any function that finds them.
    pub fn new(variable: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self(Box::new(variable))
    }

    /// The value of a variable; `None` when it is unset or empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The value of a variable that must be set.
    ///
    /// # Errors
    /// When it is unset or empty.
    pub fn required(&self, name: &'static str) -> Result<String, Failure> {
        self.text(name).ok_or(Failure::Setting { name, problem: "is not set".to_owned() })
    }

    /// A variable's value as a number or switch; `default` when it is unset.
    ///
    /// # Errors
    /// When the value is not of that type.
    pub fn parsed<T: FromStr<Err: Display>>(&self, name: &'static str, default: T) -> Result<T, Failure> {
        let Some(text) = self.text(name) else { return Ok(default) };
        text.parse().map_err(|error| Failure::Setting { name, problem: format!("cannot be `{text}`: {error}") })
    }

    /// How old the newest good backup of a database may be that has no limit of its own.
    ///
    /// # Errors
    /// When the variable is no number of seconds.
    pub fn max_age(&self) -> Result<SignedDuration, Failure> {
        let default = u32::try_from(Thresholds::default().max_age.as_secs()).unwrap_or(u32::MAX);
        let seconds: u32 = self.parsed("LASTGOOD_MAX_AGE_SECONDS", default)?;
        Ok(SignedDuration::from_secs(seconds.into()))
    }

    /// The words of a variable that lists them between commas.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }
}

impl Settings {
    /// Reads what all functions need.
    ///
    /// # Errors
    /// When a variable is missing or invalid.
    pub fn read(environment: &Environment<'_>) -> Result<Self, Failure> {
        let bucket = environment.required("BACKUP_S3_BUCKET")?;
        let prefix = environment.text("BACKUP_S3_PREFIX").unwrap_or_default();
        let shown = if prefix.is_empty() { format!("s3://{bucket}") } else { format!("s3://{bucket}/{prefix}") };
        Ok(Self {
            repository: environment.text("LASTGOOD_REPOSITORY").unwrap_or(shown),
            topic: environment.text("LASTGOOD_ALERTS_TOPIC"),
            owner: environment.text("BACKUP_S3_BUCKET_OWNER"),
            verdicts_of: environment.text("BACKUP_S3_VERDICTS_OF"),
            per_database: environment.parsed("LASTGOOD_PER_DATABASE_METRICS", false)?,
            encryption: encryption(environment)?,
            bucket,
            prefix,
        })
    }
}

/// As the agent reads the same settings.
fn encryption(environment: &Environment<'_>) -> Result<Encryption, Failure> {
    let key_id = environment.text("BACKUP_S3_KMS_KEY_ID");
    match (environment.text("BACKUP_S3_SSE").as_deref(), key_id) {
        (None, None) => Ok(Encryption::BucketDefault),
        (Some("AES256"), None) => Ok(Encryption::S3),
        (Some("aws:kms"), key_id) | (None, key_id @ Some(_)) => Ok(Encryption::Kms { key_id }),
        (Some("AES256"), Some(_)) => Err(Failure::Setting {
            name: "BACKUP_S3_KMS_KEY_ID",
            problem: "is set, but BACKUP_S3_SSE=AES256 uses no key; aws:kms does".to_owned(),
        }),
        (Some(other), _) => Err(Failure::Setting {
            name: "BACKUP_S3_SSE",
            problem: format!("cannot be `{other}`: expected `AES256` or `aws:kms`"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, Failure> {
        let found =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Settings::read(&Environment::new(found))
    }

    #[test]
    fn a_bucket_alone_is_enough() {
        let settings = read(&[("BACKUP_S3_BUCKET", "b"), ("BACKUP_S3_PREFIX", "p")]).unwrap();
        assert_eq!(settings.repository, "s3://b/p");
        assert_eq!(settings.topic, None);
        assert!(!settings.per_database);
    }

    #[test]
    fn encryption_is_what_the_agents_settings_say() {
        let kms = |key_id: Option<&str>| Ok(Encryption::Kms { key_id: key_id.map(str::to_owned) });
        let cases = [
            ("", "", Ok(Encryption::BucketDefault)),
            ("AES256", "", Ok(Encryption::S3)),
            ("aws:kms", "", kms(None)),
            ("aws:kms", "key", kms(Some("key"))),
            ("", "key", kms(Some("key"))),
            ("AES256", "key", Err("BACKUP_S3_KMS_KEY_ID is set, but")),
            ("aes256", "", Err("BACKUP_S3_SSE cannot be `aes256`")),
        ];
        for (sse, key, expected) in cases {
            let variables = [("BACKUP_S3_BUCKET", "b"), ("BACKUP_S3_SSE", sse), ("BACKUP_S3_KMS_KEY_ID", key)];
            match (read(&variables), expected) {
                (Ok(settings), Ok(expected)) => assert_eq!(settings.encryption, expected, "{sse} {key}"),
                (Err(error), Err(expected)) => assert!(error.to_string().starts_with(expected), "{error}"),
                (settings, _) => panic!("{sse} {key}: {settings:?}"),
            }
        }
    }

    #[test]
    fn a_setting_that_makes_no_sense_is_named() {
        let settings = read(&[("BACKUP_S3_BUCKET", "b"), ("LASTGOOD_PER_DATABASE_METRICS", "perhaps")]);
        let hint = "; hint: infra/template.yaml sets the functions' variables";
        let problem = "LASTGOOD_PER_DATABASE_METRICS cannot be `perhaps`: provided string was not `true` or `false`";
        assert_eq!(settings.unwrap_err().to_string(), format!("{problem}{hint}"));
        let missing = read(&[("BACKUP_S3_BUCKET", " ")]).unwrap_err().to_string();
        assert_eq!(missing, format!("BACKUP_S3_BUCKET is not set{hint}"));
    }
}
