//! Disks that are full, read-only, slow or broken, under the repository, the log, the locks, the temporary files and the server.
//!
//! A full or read-only disk is a small file system in memory, which the command alone sees. A broken or slow one is made by strace, which
//! lets a system call fail or wait. A limit on the size of files stands for another kind of full.

mod blow;
mod command;
mod fault;
mod judge;
mod scene;
mod server;
mod strike;

use self::blow::Blow;
use self::command::Command;
use self::fault::{FAULTS, Place};
use super::case::{Case, Family};

/// Of every so many cases one is tried at a scale of 1.
const STRIDE: usize = 3;

/// Every fault under every command, so many of each stride, and the server's.
pub(super) fn cases(scale: usize) -> Vec<Case> {
    let of_disks = blows().into_iter().enumerate().filter(|(number, _)| number % STRIDE < scale);
    of_disks.map(|(_, blow)| case(blow)).chain(server::cases()).collect()
}

/// A full disk, a read-only one and one that fails at its first fsync.
pub(super) fn bounded() -> Vec<Case> {
    let names = ["disks/backup/repository/full-in-the-middle", "disks/prune/repository/fsync-fails-1"];
    blows().into_iter().filter(|blow| names.contains(&blow.name.as_str())).map(case).collect()
}

fn case(blow: Blow) -> Case {
    let name = blow.name.clone();
    Case { family: Family::Disks, name, waits: false, act: Box::new(move || strike::strike(&blow)) }
}

fn blows() -> Vec<Blow> {
    let mut blows = Vec::new();
    for command in Command::ALL {
        for place in Place::ALL {
            let struck = FAULTS.iter().filter(|fault| fault.is_for(place));
            blows.extend(struck.map(|fault| {
                let name = format!("disks/{}/{}/{}", command.name(), place.name(), fault.name());
                Blow { command, place, fault: *fault, name }
            }));
        }
    }
    blows
}
