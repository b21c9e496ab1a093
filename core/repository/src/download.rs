//! An object being read in order, from a bucket or a directory; asynchronously, or by `Read` for those who aren't.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;

use bytes::{Buf, Bytes};
use catalog::Object;
use tokio::sync::mpsc;

use crate::directory::download::FileDownload;
use crate::s3::download::BucketDownload;
use crate::{Bucket, Error};

/// The bytes of one object, in order. Dropping it stops the requests under way.
pub struct Download(Source);

enum Source {
    Bucket(Box<BucketDownload>),
    File(FileDownload),
}

impl Download {
    pub(crate) fn from_bucket(bucket: Bucket, object: Object, wanted: &Range<u64>) -> Self {
        Self(Source::Bucket(Box::new(BucketDownload::new(bucket, object, wanted))))
    }

    pub(crate) fn from_file(file: FileDownload) -> Self {
        Self(Source::File(file))
    }

    /// The next bytes; `None` when all that the listing promised have been given.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        match &mut self.0 {
            Source::Bucket(download) => download.next().await.transpose(),
            Source::File(download) => download.next().await.transpose(),
        }
    }

    /// The same bytes for a thread that blocks. Call it inside the runtime, read it outside of its workers. An
    /// [`Error`] comes inside the `io::Error`; an end before the promised length is an error.
    pub fn into_reader(self) -> DownloadReader {
        match self.0 {
            Source::File(download) => {
                let (file, left) = download.into_file();
                DownloadReader { left, origin: file.map_or(Origin::Lost, Origin::File) }
            }
            Source::Bucket(download) => {
                let left = download.left();
                DownloadReader { left, origin: Origin::Blocks { blocks: pump(*download), current: Bytes::new() } }
            }
        }
    }
}

/// The window reads ahead; the channel only hands over.
fn pump(mut download: BucketDownload) -> mpsc::Receiver<Result<Bytes, Error>> {
    let (sender, blocks) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Some(block) = download.next().await.transpose() {
            let failed = block.is_err();
            if sender.send(block).await.is_err() || failed {
                return;
            }
        }
    });
    blocks
}

/// A download for a thread that blocks.
pub struct DownloadReader {
    origin: Origin,
    /// Bytes still promised.
    left: u64,
}

enum Origin {
    File(File),
    /// A read failed before: nothing more comes.
    Lost,
    Blocks {
        blocks: mpsc::Receiver<Result<Bytes, Error>>,
        current: Bytes,
    },
}

impl Read for DownloadReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(into.len());
        let (into, _) = into.split_at_mut(length);
        if into.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.origin {
            Origin::File(file) => file.read(into)?,
            Origin::Lost => 0,
            Origin::Blocks { blocks, current } => read_block(blocks, current, into)?,
        };
        if read == 0 {
            let cause = format!("the object ended {} bytes early", self.left);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, cause));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn read_block(
    blocks: &mut mpsc::Receiver<Result<Bytes, Error>>,
    current: &mut Bytes,
    into: &mut [u8],
) -> io::Result<usize> {
    while current.is_empty() {
        match blocks.blocking_recv() {
            Some(block) => *current = block.map_err(io::Error::other)?,
            None => return Ok(0),
        }
    }
    let length = current.len().min(into.len());
    current.copy_to_slice(into.split_at_mut(length).0);
    Ok(length)
}
