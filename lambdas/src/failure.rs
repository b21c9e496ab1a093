//! Why an invocation fails. Lambda then tries twice more and leaves the event in the failure queue, where an alarm sees it.

use std::fmt;

use catalog::DocumentError;

/// What couldn't be done. A damaged backup is never one of these: it is a verdict.
#[derive(thiserror::Error)]
pub enum Failure {
    /// A variable of the environment.
    #[error("{name} {problem}")]
    Setting {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// An event, or one record of it.
    #[error(transparent)]
    Event(#[from] crate::Malformed),
    /// The repository.
    #[error("{source}{}", hint(source.hint().as_deref()))]
    Repository {
        /// What it couldn't do.
        #[from]
        source: repository::Error,
    },
    /// A record that can't be read or written.
    #[error("{object}: {source}{}", document_hint(source))]
    Document {
        /// Where it lies.
        object: String,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// The archive was replaced while it was read.
    #[error("{object} changed while it was being read; hint: nothing to do, the next try reads what is there then")]
    Replaced {
        /// Its name.
        object: String,
    },
    /// An invocation had its whole time and read nothing.
    #[error("{object} could not be read any further than byte {position}; hint: look at the network and the store")]
    NoProgress {
        /// The archive.
        object: String,
        /// Where it stood before, and stands still.
        position: u64,
    },
    /// A saved place.
    #[error("a saved place can't be written: {cause}")]
    Place {
        /// Why.
        cause: String,
    },
    /// CloudWatch.
    #[error("metrics can't be published: {0}; hint: allow cloudwatch:PutMetricData for this function's role")]
    Metrics(String),
    /// SNS.
    #[error(
        "the message `{subject}` can't be sent: {cause}; hint: allow sns:Publish on the topic for this function's role"
    )]
    Message {
        /// What it was about.
        subject: String,
        /// What SNS said.
        cause: String,
    },
    /// Objects that should have been removed and weren't.
    #[error("{count} objects could not be removed, the first is {first}")]
    NotRemoved {
        /// How many.
        count: usize,
        /// The first one and the store's reason.
        first: String,
    },
    /// More than one of these.
    #[error("{} failures: {}", .0.len(), in_line(.0))]
    Several(Vec<Self>),
}

impl Failure {
    /// One failure of many; none of none.
    ///
    /// # Errors
    /// All of them as one.
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

/// The runtime logs this form.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn hint(text: Option<&str>) -> String {
    text.map(|text| format!("; hint: {text}")).unwrap_or_default()
}

fn document_hint(error: &DocumentError) -> &'static str {
    match error {
        DocumentError::Newer { .. } => "; hint: deploy the stack again from that version: make deploy",
        _ => "",
    }
}

fn in_line(failures: &[Failure]) -> String {
    failures.iter().map(Failure::to_string).collect::<Vec<_>>().join(" | ")
}
