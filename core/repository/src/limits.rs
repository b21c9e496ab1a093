//! Limits that bucket and directory share.

/// No record of ours comes near it: the census of a hundred thousand tables has some 20 MB.
pub(crate) const RECORD_LIMIT: u64 = 64 << 20;
