//! What must hold of any event. `make fuzz` looks for one of which it doesn't; what it kept is tried by the test of this file. A panic is
//! a finding.

#[cfg(test)]
#[path = "../../tests/fuzz/replay.rs"]
mod replay;

use serde_json::{Value, json};

use crate::Event;

/// An event that a queue hands over is read as when it comes by itself.
pub fn events(bytes: &[u8]) {
    let Ok(said) = serde_json::from_slice::<Value>(bytes) else { return };
    let alone = Event::read(&said).ok();
    let record = json!({"eventSource": "aws:sqs", "messageId": "1", "body": said.to_string()});
    let Ok(Event::Queued(messages)) = Event::read(&json!({"Records": [record]})) else {
        return assert!(alone.is_none(), "a message is no event of a queue");
    };
    let queued: Vec<_> = messages.into_iter().map(|message| (message.id, message.event.ok())).collect();
    let alone = alone.filter(|event| !matches!(event, Event::Queued(_)));
    assert_eq!(queued, [("1".to_owned(), alone)]);
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzing_kept_holds() {
        super::replay::replay("events", super::events);
    }
}
