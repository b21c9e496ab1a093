//! Lastgood from the outside: one module for each purpose.

mod adopt;
mod backup;
mod check;
mod cost;
mod damage;
mod functions;
mod harness;
mod identities;
mod json;
mod kills;
mod list;
mod past;
mod policies;
mod prune;
mod quiet;
mod readme;
mod removal;
mod repository;
mod restore;
mod settings;
mod stack;
mod template;
mod troubleshooting;
mod verify;
mod wild;
