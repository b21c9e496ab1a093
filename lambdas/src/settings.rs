//! The functions' settings: environment variables that `infra/template.yaml` sets and lists.

use std::str::FromStr;

use crate::Failure;

/// Answers a variable's name with its value.
type Lookup<'a> = Box<dyn Fn(&str) -> Option<String> + 'a>;

/// Where settings come from; the environment, except in tests.
pub struct Environment<'a>(Lookup<'a>);

/// What all three functions need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The bucket's name.
    pub bucket: String,
    /// Where in it backups lie.
    pub prefix: String,
    /// The value of the metrics' dimension `Repository`: `s3://BUCKET/PREFIX`.
    pub repository: String,
    /// The SNS topic for messages; without one they only stand in the log.
    pub topic: Option<String>,
    /// Publish metrics for each database too.
    pub per_database: bool,
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
    /// Any other source of variables.
    pub fn new(variable: impl Fn(&str) -> Option<String> + 'a) -> Self {
        Self(Box::new(variable))
    }

    /// A variable that is set and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A variable that must be set.
    ///
    /// # Errors
    /// When it isn't.
    pub fn required(&self, name: &'static str) -> Result<String, Failure> {
        self.text(name).ok_or(Failure::Setting { name, problem: "is not set".to_owned() })
    }

    /// A number or switch, or `default` where it isn't set.
    ///
    /// # Errors
    /// When it is set to something else.
    pub fn parsed<T: FromStr>(&self, name: &'static str, default: T) -> Result<T, Failure> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| Failure::Setting { name, problem: format!("can't be `{text}`") }),
        }
    }
}

impl Settings {
    /// Reads what all functions need.
    ///
    /// # Errors
    /// When a variable is missing or makes no sense.
    pub fn read(environment: &Environment<'_>) -> Result<Self, Failure> {
        let bucket = environment.required("BACKUP_S3_BUCKET")?;
        let prefix = environment.text("BACKUP_S3_PREFIX").unwrap_or_default();
        let shown = if prefix.is_empty() { format!("s3://{bucket}") } else { format!("s3://{bucket}/{prefix}") };
        Ok(Self {
            repository: environment.text("LASTGOOD_REPOSITORY").unwrap_or(shown),
            topic: environment.text("LASTGOOD_ALERTS_TOPIC"),
            per_database: environment.parsed("LASTGOOD_PER_DATABASE_METRICS", false)?,
            bucket,
            prefix,
        })
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
    fn a_setting_that_makes_no_sense_is_named() {
        let settings = read(&[("BACKUP_S3_BUCKET", "b"), ("LASTGOOD_PER_DATABASE_METRICS", "perhaps")]);
        assert_eq!(settings.unwrap_err().to_string(), "LASTGOOD_PER_DATABASE_METRICS can't be `perhaps`");
        assert_eq!(read(&[("BACKUP_S3_BUCKET", " ")]).unwrap_err().to_string(), "BACKUP_S3_BUCKET is not set");
    }
}
