//! What is wrong with a disk.

/// What lies on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Repository,
    Log,
    Locks,
    /// `TMPDIR`.
    Temporary,
}

impl Place {
    pub(super) const ALL: [Place; 4] = [Self::Repository, Self::Log, Self::Locks, Self::Temporary];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Log => "log",
            Self::Locks => "locks",
            Self::Temporary => "temporary-files",
        }
    }
}

/// What is wrong with a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It takes so many thousandths of what the command writes.
    Full {
        name: &'static str,
        takes: u64,
    },
    ReadOnly,
    /// No file may become longer than so many thousandths of what the command writes.
    Limit {
        name: &'static str,
        takes: u64,
    },
    /// This system call of each thread fails with EIO the nth time, and from then on where it lasts.
    Fails {
        call: &'static str,
        nth: u32,
        lasting: bool,
    },
    /// Reading an archive fails with EIO at the nth time.
    ReadFails {
        nth: u32,
    },
    /// This system call takes so many milliseconds longer.
    Waits {
        call: &'static str,
        milliseconds: u32,
    },
}

/// All of them.
pub(super) const FAULTS: &[Fault] = &[
    Fault::Full { name: "full-at-once", takes: 0 },
    Fault::Full { name: "full-in-the-middle", takes: 500 },
    Fault::Full { name: "full-at-the-end", takes: 985 },
    Fault::ReadOnly,
    Fault::Limit { name: "limit-at-once", takes: 0 },
    Fault::Limit { name: "limit-in-the-middle", takes: 500 },
    Fault::Fails { call: "fsync", nth: 1, lasting: false },
    Fault::Fails { call: "fsync", nth: 2, lasting: false },
    Fault::Fails { call: "fsync", nth: 1, lasting: true },
    Fault::Fails { call: "linkat", nth: 1, lasting: false },
    Fault::Fails { call: "linkat", nth: 2, lasting: false },
    Fault::Fails { call: "linkat", nth: 1, lasting: true },
    Fault::Fails { call: "rename", nth: 1, lasting: false },
    Fault::Fails { call: "rename", nth: 1, lasting: true },
    Fault::Fails { call: "unlink", nth: 1, lasting: false },
    Fault::Fails { call: "unlink", nth: 3, lasting: false },
    Fault::Fails { call: "unlink", nth: 1, lasting: true },
    Fault::Fails { call: "getdents64", nth: 1, lasting: true },
    Fault::ReadFails { nth: 1 },
    Fault::ReadFails { nth: 2 },
    Fault::Waits { call: "fsync", milliseconds: 500 },
    Fault::Waits { call: "linkat", milliseconds: 500 },
    Fault::Waits { call: "unlink", milliseconds: 200 },
];

impl Fault {
    pub(super) fn name(self) -> String {
        match self {
            Self::Full { name, .. } | Self::Limit { name, .. } => name.to_owned(),
            Self::ReadOnly => "read-only".to_owned(),
            Self::Fails { call, nth, lasting: false } => format!("{call}-fails-{nth}"),
            Self::Fails { call, lasting: true, .. } => format!("{call}-fails-always"),
            Self::ReadFails { nth } => format!("read-fails-{nth}"),
            Self::Waits { call, .. } => format!("{call}-is-slow"),
        }
    }

    /// What isn't a file system's own is of the whole command.
    pub(super) fn is_for(self, place: Place) -> bool {
        match self {
            Self::Full { takes, .. } => place == Place::Repository || takes == 0,
            Self::ReadOnly => true,
            _ => place == Place::Repository,
        }
    }

    /// In small letters; one of them at least is in what is said of it. None where all has to be done in spite of it.
    pub(super) fn words(self) -> &'static [&'static str] {
        match self {
            Self::Full { .. } => &["no space left"],
            Self::ReadOnly => &["read-only", "access denied", "permission denied", "cannot write"],
            Self::Limit { .. } => &["file too large", "no space left"],
            Self::Fails { .. } | Self::ReadFails { .. } => &["input/output error", "i/o error"],
            Self::Waits { .. } => &[],
        }
    }

    /// The program and its arguments that run the command so; their account of it goes to `log`.
    pub(super) fn wrapper(self, written: u64, archive: &str, log: &str) -> Vec<String> {
        let strace = |filter: &[&str], rule: String| {
            let calls = rule.split(':').next().unwrap_or_default().replace("inject=", "trace=");
            let words = ["strace", "-f", "-qq", "-o", log, "-e", &calls, "-e", &rule].map(str::to_owned);
            words.into_iter().chain(filter.iter().map(|word| (*word).to_owned())).collect()
        };
        match self {
            Self::Full { .. } | Self::ReadOnly => Vec::new(),
            Self::Limit { takes, .. } => {
                vec!["prlimit".to_owned(), format!("--fsize={}", 1_000 + written * takes / 1_000)]
            }
            Self::Fails { call, nth, lasting } => {
                let more = if lasting { "+" } else { "" };
                strace(&[], format!("inject={call}:error=EIO:when={nth}{more}"))
            }
            Self::ReadFails { nth } => strace(&["-P", archive], format!("inject=read,pread64:error=EIO:when={nth}")),
            Self::Waits { call, milliseconds } => {
                strace(&[], format!("inject={call}:delay_enter={}", milliseconds * 1_000))
            }
        }
    }
}
