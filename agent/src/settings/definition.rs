//! What a setting is: its name, the form of its value, its default and its sentence in the documentation.

/// How a value is written, and what it becomes.
pub(crate) struct Form<T> {
    /// The form in words, for the documentation: "a whole number".
    pub(crate) words: &'static str,
    /// Reads the text. The complaint never repeats the text, which may be secret.
    pub(crate) parse: fn(&str) -> Result<T, String>,
}

/// One setting, with the type of its value.
pub(crate) struct Setting<T: 'static> {
    pub(crate) form: &'static Form<T>,
    pub(crate) definition: Definition,
}

/// One setting, without the type of its value, so that all of them fit into one table.
#[derive(Clone, Copy)]
pub(crate) struct Definition {
    /// Its name in the environment and in a `.env` file. In TOML the same name in lower case.
    pub(crate) name: &'static str,
    /// Other names that mean the same, each weaker than the one before it.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) section: Section,
    pub(crate) default: Option<&'static str>,
    /// The default under `LASTGOOD_DEFAULTS=guide`, where it differs.
    pub(crate) guide: Option<&'static str>,
    /// Whether its value is secret, and never shown.
    pub(crate) secret: bool,
    /// Whether a `[[database]]` entry may contain it.
    pub(crate) per_database: bool,
    /// Whether each bucket of several has its own: see [`Definition::twin`].
    pub(crate) numbered: bool,
    /// Its names for the second, the third and the fourth bucket; they mean nothing where it is not numbered.
    pub(crate) twins: [&'static str; 3],
    /// What parts the elements of a list in the TOML file; `None`: they are words, quoted as in a shell.
    pub(crate) parts: Option<&'static str>,
    /// The form of its value, in words.
    pub(crate) form: &'static str,
    /// What it means: the table's doc comment.
    pub(crate) doc: &'static str,
    /// Whether a text is a value of it.
    pub(crate) check: fn(&str) -> Result<(), String>,
}

impl Definition {
    /// What an entry of the table starts from.
    pub(super) const PLAIN: Self = Self {
        name: "",
        aliases: &[],
        section: Section::Database,
        default: None,
        guide: None,
        secret: false,
        per_database: false,
        numbered: false,
        twins: ["", "", ""],
        parts: None,
        form: "",
        doc: "",
        check: |_| Ok(()),
    };

    /// What it is called for this bucket, counted from 1; `None` where it is not numbered, or there is no such bucket.
    pub(crate) fn twin(&self, number: usize) -> Option<&'static str> {
        match number {
            1 => Some(self.name),
            _ => self.twins.get(number.checked_sub(2)?).copied().filter(|_| self.numbered),
        }
    }

    /// What it is called for the buckets after the first, with their numbers.
    pub(crate) fn further(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let numbers = self.twins.into_iter().enumerate().filter(|_| self.numbered);
        numbers.map(|(at, name)| (at + 2, name))
    }

    /// Whether this is one of its names, also for another bucket than the first.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own == name) || self.further().any(|(_, own)| own == name)
    }

    /// Its own name, then its other names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// The chapters of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Database,
    Destination,
    Identity,
    Bucket,
    Archive,
    Retention,
    Health,
    Restore,
    Run,
}

impl Section {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Database => "The database",
            Self::Destination => "Where backups go",
            Self::Identity => "AWS credentials",
            Self::Bucket => "How the bucket is used",
            Self::Archive => "The archive",
            Self::Retention => "What is kept",
            Self::Health => "When `check` complains",
            Self::Restore => "Restore",
            Self::Run => "Monitoring, logs and locks",
        }
    }

    /// What the AWS stack decides instead where it is deployed, so that no user relies on a setting without effect.
    pub(crate) fn note(self) -> Option<&'static str> {
        match self {
            Self::Retention => Some(
                "If the AWS stack is deployed, its parameters decide what is kept in the bucket, the same for every database. \
                 All of these settings but `BACKUP_RETENTION_DAYS` then apply only to `lastgood prune`.",
            ),
            Self::Health => Some(
                "These apply only to `lastgood check`. The AWS stack's alarms use its own parameters, or the limits that `lastgood expect` \
                 gave a database; where age or size is not set here, `check` uses the latter too.",
            ),
            _ => None,
        }
    }
}

/// Declares every setting once, and the list of them all.
macro_rules! settings {
    ($($section:ident { $($(#[doc = $doc:literal])+ $name:ident: $type:ty = $form:ident { $($field:ident: $value:expr),* $(,)? })* })*) => {
        $($(
            $(#[doc = $doc])+
            pub(crate) static $name: Setting<$type> = Setting {
                form: &form::$form,
                definition: Definition {
                    name: stringify!($name),
                    twins: [
                        concat!(stringify!($name), "_2"),
                        concat!(stringify!($name), "_3"),
                        concat!(stringify!($name), "_4"),
                    ],
                    section: Section::$section,
                    doc: concat!($($doc),+),
                    form: form::$form.words,
                    check: |text| (form::$form.parse)(text).map(drop),
                    $($field: $value,)*
                    ..Definition::PLAIN
                },
            };
        )*)*

        /// Every setting there is, in the order of the documentation.
        pub(crate) static ALL: &[&Definition] = &[$($(&$name.definition),*),*];
    };
}
pub(super) use settings;
