//! The arguments of `copy`.

use clap::Args;

use super::{Which, which};
use crate::settings::AGE;

#[derive(Args, Debug)]
pub(crate) struct CopyArgs {
    /// The backup: its name as `list` shows it, or `latest` for the newest good one; `latest~1` is the good one before it.
    #[arg(value_name = "ID", required_unless_present = "missing", conflicts_with = "missing")]
    pub(crate) id: Option<String>,
    /// Copy every backup of the chosen databases that the other place lacks, the newest first.
    #[arg(long)]
    pub(crate) missing: bool,
    /// With --missing: only backups that were made within this age, in whole hours or days, such as `7d`.
    #[arg(long, value_name = "AGE", requires = "missing", value_parser = |text: &str| (AGE.parse)(text))]
    pub(crate) max_age: Option<u32>,
    /// The place to copy from: `bucket`, `directory`, the bucket's number (1 to 4), or the place's address. Default: the first
    /// bucket if one is set.
    #[arg(long, value_name = "WHICH", value_parser = which)]
    pub(crate) from: Option<Which>,
    /// The place to copy to.
    #[arg(long, value_name = "WHICH", value_parser = which)]
    pub(crate) to: Which,
    /// Show what would be copied. Copy nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
