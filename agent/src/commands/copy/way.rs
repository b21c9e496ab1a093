//! From where to where backups are copied.

use repository::Repository;

use crate::answers::failure::{Exit, Failure};
use crate::cli::CopyArgs;
use crate::interrupt::Interrupt;
use crate::places::{self, Spot};
use crate::read_back::Reader;
use crate::settings::Settings;

/// Both places, and what a copy takes.
pub(crate) struct Way<'a> {
    pub(crate) from: Repository,
    pub(crate) to: Repository,
    pub(crate) spots: (Spot, Spot),
    pub(crate) settings: &'a Settings,
    pub(crate) reader: Reader,
    pub(crate) interrupt: &'a Interrupt,
}

impl<'a> Way<'a> {
    /// Opens both places.
    ///
    /// # Errors
    /// Exit 2 when they are the same, or one is not set; when the source is not there.
    pub(crate) async fn open(
        args: &CopyArgs,
        settings: &'a Settings,
        interrupt: &'a Interrupt,
    ) -> Result<Self, Failure> {
        let spots = (Spot::asked(args.from.as_ref(), settings)?, Spot::asked(Some(&args.to), settings)?);
        if spots.0 == spots.1 {
            let place = spots.0.name(settings);
            return Err(Failure::new(Exit::Usage, format!("--from and --to are the same place: {place}"))
                .hint("choose two places: lastgood config --set ends with those that are set"));
        }
        let (from, to) = (spots.0.open(settings).await?, spots.1.open(settings).await?);
        // A disk that isn't mounted has no backups to copy, and nobody would notice.
        places::there(&from).await?;
        Ok(Self { from, to, spots, settings, reader: Reader::new(settings)?, interrupt })
    }

    pub(crate) fn source(&self) -> String {
        self.spots.0.name(self.settings)
    }

    pub(crate) fn target(&self) -> String {
        self.spots.1.name(self.settings)
    }
}
