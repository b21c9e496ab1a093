//! What somebody sees who has set nothing yet.

/// Fits a terminal of 24 lines and 80 columns.
pub(super) const SCREEN: &str = "\
Lastgood backs up PostgreSQL to S3 buckets, a folder or both, reads every backup
back, and restores the last good one. Nothing is set here yet.

To begin:
  sudo lastgood init                  ask for database and place, try both,
                                      make a verified backup, and one each night

Or by hand, in /etc/lastgood.env:
  DATABASE_URL=postgresql://shop:secret@localhost/shop
  BACKUP_DIR=/var/backups/lastgood    # or BACKUP_S3_BUCKET=shop-backups

Every day:
  lastgood                            show the last good backups on one screen
  lastgood backup                     back up
  lastgood list                       list the backups, and which are good
  lastgood verify --all               read back what is not verified yet
  lastgood check                      say what is wrong, for cron and monitoring
  lastgood restore latest --dry-run   show what a restore would do

lastgood --help for all";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fits_one_screen() {
        assert!(SCREEN.lines().count() <= 23);
        SCREEN.lines().for_each(|line| assert!(line.len() <= 80, "{line}"));
    }
}
