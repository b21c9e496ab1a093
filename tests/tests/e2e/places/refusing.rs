//! A store that refuses one step of a backup.

use e2e::bucket::Access;

use e2e::answering::answering;

const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>not this</Message></Error>";

/// A step at which a place fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Upload,
    Completion,
    Manifest,
}

pub(super) const STEPS: [Step; 3] = [Step::Upload, Step::Completion, Step::Manifest];

impl Step {
    fn is(self, first_line: &str) -> bool {
        match self {
            Self::Upload => first_line.starts_with("PUT ") && first_line.contains("partNumber="),
            Self::Completion => first_line.starts_with("POST ") && first_line.contains("uploadId="),
            Self::Manifest => first_line.starts_with("PUT ") && first_line.contains(".manifest.json"),
        }
    }
}

/// The same store, which denies this step.
pub(super) fn refusing(store: &Access, step: Step) -> Access {
    answering(store, move |first_line| step.is(first_line).then_some(("403 Forbidden", DENIED)))
}
