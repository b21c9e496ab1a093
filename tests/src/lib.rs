//! The ground Lastgood is tested on: real servers on this machine, a network that breaks where told, and the real binaries.
//!
//! A server is a value. Dropping it ends its processes and removes its files, and so does the end of the test binary,
//! even by SIGKILL ([`server`]). Nothing is mocked or skipped: what isn't installed fails the test with a hint.

pub mod agent;
pub mod alerts;
pub mod answering;
pub mod aws;
pub mod bounds;
pub mod bucket;
mod build;
pub mod functions;
pub mod generator;
pub mod glacier;
pub mod history;
pub mod ministack;
pub mod old_archives;
pub mod page;
pub mod past;
pub mod pooler;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod queue;
pub mod replay;
pub mod seaweedfs;
pub mod server;
pub mod signals;
pub mod smoke;
pub mod stack;
pub mod stores;
pub mod tools;
pub mod torture;
pub mod versions;
pub mod wild;
