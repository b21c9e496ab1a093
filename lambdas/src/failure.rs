//! Why an invocation fails. The event is then tried twice more, and left in the dead-letter queue, which has an
//! alarm.

use std::fmt;

use catalog::DocumentError;

/// Something that could not be done. A damaged backup is not a failure: it is a verdict.
#[derive(thiserror::Error)]
pub enum Failure {
    /// A variable of the environment is missing or invalid.
    #[error("{name} {problem}; hint: infra/template.yaml sets the functions' variables")]
    Setting {
        /// The variable's name.
        name: &'static str,
        /// What is wrong with the variable, as the rest of a sentence.
        problem: String,
    },
    /// An event, or one record of it, cannot be understood.
    #[error(transparent)]
    Event(#[from] crate::Malformed),
    /// The repository could not be read or written.
    #[error("{source}{}", hint(source))]
    Repository {
        /// The repository's own error, with its hint.
        #[from]
        source: repository::Error,
    },
    /// A record cannot be written as JSON.
    #[error("{object}: {source}")]
    Document {
        /// The record, as `s3://…`.
        object: String,
        /// What is wrong with the JSON.
        source: DocumentError,
    },
    /// The archive was replaced while it was read.
    #[error("{object} changed while it was being read; hint: nothing to do: the next attempt reads the new version")]
    Replaced {
        /// The backup's name.
        object: String,
    },
    /// An invocation had all its time and read nothing more.
    #[error(
        "a whole invocation could not read {object} beyond byte {position}; hint: check the network and the S3 store"
    )]
    NoProgress {
        /// The archive, as `s3://…`.
        object: String,
        /// How many bytes had been read before, and still are.
        position: u64,
    },
    /// The invocation's time was up before everything was asked.
    #[error(
        "no answer of the store to all questions within {seconds} s; {so}; hint: look at the store and the network; \
         the next run asks again"
    )]
    OutOfTime {
        /// How long the invocation had.
        seconds: u64,
        /// What follows from that.
        so: &'static str,
    },
    /// A saved place cannot be written as JSON.
    #[error("cannot write a saved place: {cause}")]
    Place {
        /// The serializer's reason.
        cause: String,
    },
    /// Other runs kept changing a record that this one decided by.
    #[error("other runs kept changing {object}; hint: nothing to do: the next run makes a new plan")]
    Contended {
        /// The record, as `s3://…`.
        object: String,
    },
    /// CloudWatch did not accept the metrics.
    #[error("cannot publish metrics: {0}; hint: allow cloudwatch:PutMetricData for this function's role")]
    Metrics(String),
    /// SNS did not accept a message.
    #[error(
        "cannot send the message `{subject}`: {cause}; hint: allow sns:Publish on the topic for this function's role"
    )]
    Message {
        /// The message's subject.
        subject: String,
        /// SNS's reason.
        cause: String,
    },
    /// SNS does not say who gets its messages.
    #[error(
        "cannot ask who gets the alarms: {0}; hint: allow sns:GetTopicAttributes on the topic for this function's role"
    )]
    Unasked(String),
    /// SQS did not take a message.
    #[error("cannot send to the queue of arrivals: {0}; hint: allow sqs:SendMessage on it for this function's role")]
    Queue(String),
    /// A manifest came before its archive, or its archive is gone: which of the two, only time tells.
    #[error(
        "the archive of {object} isn't there yet; hint: nothing to do: it counts as missing when its manifest is an hour old"
    )]
    NotYet {
        /// The backup's name.
        object: String,
    },
    /// Objects that should have been removed were not.
    #[error("{count} objects could not be removed; the first: {first}")]
    NotRemoved {
        /// How many objects.
        count: usize,
        /// The first object's key and the store's reason.
        first: String,
    },
    /// More than one failure of the same invocation.
    #[error("{} failures: {}", .0.len(), in_line(.0))]
    Several(Vec<Self>),
}

impl Failure {
    /// Fails if anything in the list did.
    ///
    /// # Errors
    /// All of the list as one failure.
    pub fn all(mut failures: Vec<Self>) -> Result<(), Self> {
        match failures.len() {
            0 => Ok(()),
            1 => failures.pop().map_or(Ok(()), Err),
            _ => Err(Self::Several(failures)),
        }
    }
}

impl From<Failure> for lambda_runtime::Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: "Failure".to_owned(), error_message: failure.to_string() }
    }
}

/// The runtime logs this form, so it is the one for people.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The repository's hint, except that a function is upgraded by deploying the stack again.
fn hint(error: &repository::Error) -> String {
    let hint = match error {
        repository::Error::Document { source: DocumentError::Newer { .. }, .. } => {
            Some("deploy the AWS stack again with that version: make deploy".to_owned())
        }
        other => other.hint(),
    };
    hint.map(|hint| format!("; hint: {hint}")).unwrap_or_default()
}

fn in_line(failures: &[Failure]) -> String {
    failures.iter().map(Failure::to_string).collect::<Vec<_>>().join(" | ")
}
