//! The harness itself: servers that are real, that answer, and that leave nothing behind.

mod postgres;
