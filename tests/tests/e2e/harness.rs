//! The harness itself: servers that are real, that answer, and that leave nothing behind.

mod agent;
mod leftovers;
mod ministack;
mod postgres;
mod proxy;
mod seaweedfs;
mod signals;
