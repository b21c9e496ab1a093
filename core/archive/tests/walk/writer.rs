//! Writes archives, in every version, with every size of integers and offsets, and wrongly when asked to.

use std::io::Write;

use archive::InnerCompression;
use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};

/// Written by `pg_dump` 9.0 to 18.
pub(crate) const VERSIONS: [u8; 5] = [12, 13, 14, 15, 16];
pub(crate) const COMPRESSIONS: [InnerCompression; 4] =
    [InnerCompression::None, InnerCompression::Zlib, InnerCompression::Lz4, InnerCompression::Zstd];

#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) minor: u8,
    pub(crate) int_size: usize,
    pub(crate) offset_size: usize,
    pub(crate) compression: InnerCompression,
    /// Plain bytes of a chunk, before or after compression.
    pub(crate) chunk: usize,
    pub(crate) entries: Vec<Item>,
}

#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) kind: &'static str,
    pub(crate) schema: Option<&'static [u8]>,
    pub(crate) name: &'static [u8],
    pub(crate) copied: bool,
    pub(crate) content: Content,
}

#[derive(Clone)]
pub(crate) enum Content {
    None,
    Table(Vec<u8>),
    LargeObjects(Vec<(u32, Vec<u8>)>),
}

impl Item {
    pub(crate) fn copied(name: &'static str, text: &[u8]) -> Self {
        let content = Content::Table([text, super::TERMINATOR].concat());
        Self { kind: "TABLE DATA", schema: Some(b"public"), name: name.as_bytes(), copied: true, content }
    }

    pub(crate) fn inserted(name: &'static str, text: &[u8]) -> Self {
        Self { copied: false, content: Content::Table(text.to_vec()), ..Self::copied(name, b"") }
    }

    pub(crate) fn large_objects(objects: &[(u32, &[u8])]) -> Self {
        let objects = objects.iter().map(|(oid, content)| (*oid, content.to_vec())).collect();
        Self { kind: "BLOBS", schema: None, name: b"BLOBS", copied: false, content: Content::LargeObjects(objects) }
    }

    pub(crate) fn without_data(kind: &'static str, name: &'static str) -> Self {
        Self { kind, content: Content::None, ..Self::inserted(name, b"") }
    }
}

impl Writer {
    /// Some of everything.
    pub(crate) fn sample() -> Self {
        let entries = vec![
            Item { schema: None, ..Item::without_data("ENCODING", "ENCODING") },
            Item { schema: None, ..Item::without_data("DATABASE", "shop") },
            Item::without_data("TABLE", "orders"),
            Item::copied("orders", b"1\tone\n2\t\\N\n\\N\t\\\\.\n"),
            Item::copied("empty", b""),
            Item::copied("no_columns", b"\n\n"),
            Item::inserted("inserted", b"INSERT INTO public.inserted VALUES (1);\n\n\n"),
            Item::large_objects(&[(1, b"a large object\n\\.\n"), (4_000_000_000, b"")]),
            Item::large_objects(&[(7, &[0xaa; 300])]),
            Item::copied("last", b"the\tend\n"),
        ];
        Self { minor: 14, int_size: 4, offset_size: 8, compression: InnerCompression::None, chunk: 11, entries }
    }

    pub(crate) fn archive(&self) -> Vec<u8> {
        [self.header(), self.contents()]
            .into_iter()
            .chain((0..self.entries.len()).map(|index| self.block(index)))
            .collect::<Vec<_>>()
            .concat()
    }

    pub(crate) fn header(&self) -> Vec<u8> {
        let mut out = b"PGDMP\x01".to_vec();
        out.extend([self.minor, 0, self.int_size as u8, self.offset_size as u8, 1]);
        let algorithm = COMPRESSIONS.iter().position(|&known| known == self.compression).unwrap();
        match self.minor {
            15.. => out.push(algorithm as u8),
            _ => self.int(&mut out, if algorithm == 0 { 0 } else { -1 }),
        }
        for part in [33, 37, 19, 22, 10, 126, 0] {
            self.int(&mut out, part);
        }
        for text in ["shop", "9.6.24", "9.6.24"] {
            self.text(&mut out, Some(text.as_bytes()));
        }
        out
    }

    pub(crate) fn contents(&self) -> Vec<u8> {
        self.contents_with(|_| None)
    }

    /// The contents as pg_dump writes them when it has come to the end: with where each block begins.
    pub(crate) fn contents_with_offsets(&self) -> Vec<u8> {
        let blocks_begin = self.header().len() + self.contents().len();
        let begins = |index| blocks_begin + (0..index).map(|before| self.block(before).len()).sum::<usize>();
        self.contents_with(|index| Some(begins(index) as u64))
    }

    fn contents_with(&self, offset: impl Fn(usize) -> Option<u64>) -> Vec<u8> {
        let mut out = Vec::new();
        self.int(&mut out, self.entries.len() as i64);
        for (index, item) in self.entries.iter().enumerate() {
            self.entry(&mut out, dump_id(index), item, offset(index));
        }
        out
    }

    fn entry(&self, out: &mut Vec<u8>, dump_id: i64, item: &Item, offset: Option<u64>) {
        let has_data = !matches!(item.content, Content::None);
        self.int(out, dump_id);
        self.int(out, i64::from(has_data));
        self.text(out, Some(b"1259"));
        self.text(out, Some(b"16384"));
        self.text(out, Some(item.name));
        self.text(out, Some(item.kind.as_bytes()));
        self.int(out, 3);
        self.text(out, Some(b"CREATE SOMETHING;"));
        self.text(out, None);
        self.text(out, item.copied.then_some(b"COPY something FROM stdin;\n"));
        self.text(out, item.schema);
        self.text(out, None);
        if self.minor >= 14 {
            self.text(out, Some(b"heap"));
        }
        if self.minor >= 16 {
            self.int(out, i64::from(b'r'));
        }
        self.text(out, Some(b"owner"));
        self.text(out, Some(b"false"));
        self.text(out, Some(b"17"));
        self.text(out, Some(b"4"));
        self.text(out, None);
        out.push(match (has_data, offset) {
            (false, _) => 3,
            (true, None) => 1,
            (true, Some(_)) => 2,
        });
        out.extend(&offset.filter(|_| has_data).unwrap_or_default().to_le_bytes()[..self.offset_size]);
    }

    pub(crate) fn block(&self, index: usize) -> Vec<u8> {
        let mut out = Vec::new();
        match &self.entries[index].content {
            Content::None => {}
            Content::Table(text) => {
                out.push(1);
                self.int(&mut out, dump_id(index));
                self.stream(&mut out, text);
            }
            Content::LargeObjects(objects) => {
                out.push(3);
                self.int(&mut out, dump_id(index));
                for (oid, content) in objects {
                    self.int(&mut out, i64::from(*oid as i32));
                    self.stream(&mut out, content);
                }
                self.int(&mut out, 0);
            }
        }
        out
    }

    fn stream(&self, out: &mut Vec<u8>, content: &[u8]) {
        for chunk in compressed(self.compression, content).chunks(self.chunk) {
            self.int(out, chunk.len() as i64);
            out.extend(chunk);
        }
        self.int(out, 0);
    }

    pub(crate) fn int(&self, out: &mut Vec<u8>, value: i64) {
        out.push(u8::from(value < 0));
        out.extend((0..self.int_size).map(|index| (value.unsigned_abs() >> (8 * index)) as u8));
    }

    pub(crate) fn text(&self, out: &mut Vec<u8>, text: Option<&[u8]>) {
        self.int(out, text.map_or(-1, |text| text.len() as i64));
        out.extend(text.unwrap_or_default());
    }
}

pub(crate) fn dump_id(index: usize) -> i64 {
    100 + index as i64
}

/// Content as pg_dump stores it. Like pg_dump's, the LZ4 frames have linked blocks.
pub(crate) fn compressed(compression: InnerCompression, content: &[u8]) -> Vec<u8> {
    match compression {
        InnerCompression::None => content.to_vec(),
        InnerCompression::Zlib => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        }
        InnerCompression::Lz4 => lz4(FrameInfo::new().block_mode(BlockMode::Linked), content),
        InnerCompression::Zstd => zstd::bulk::compress(content, 3).unwrap(),
    }
}

pub(crate) fn lz4(frame: FrameInfo, content: &[u8]) -> Vec<u8> {
    let mut encoder = FrameEncoder::with_frame_info(frame, Vec::new());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
