//! Who looks at the rows of tables while a walk reads them.

/// What a walk shows of tables that were dumped by COPY, in the dump's order.
pub trait Observer {
    /// The rows of the entry `dump_id` begin; their first chunk lies at `at`, in bytes from the dump's beginning.
    fn begin(&mut self, dump_id: i32, at: u64);
    /// The next piece of their COPY text, of a chunk that begins at `chunk`. The line that ends them is part of the text.
    fn text(&mut self, chunk: u64, text: &[u8]);
    /// They have ended, before the byte `at`.
    fn end(&mut self, at: u64);
}

/// Looks at nothing.
pub(super) struct Nobody;

impl Observer for Nobody {
    fn begin(&mut self, _: i32, _: u64) {}

    fn text(&mut self, _: u64, _: &[u8]) {}

    fn end(&mut self, _: u64) {}
}
