//! The last inflated bodies, shared by the streams that read at the head of the journal.
//! A miss is no error: the journal has the bytes.

use std::sync::Arc;

/// Which entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TailKey {
    /// Topic.
    pub topic: Arc<str>,
    /// Sequence.
    pub sequence: u64,
}

/// A bounded cache of inflated bodies, oldest out first.
pub struct Tail {}

impl Tail {
    /// A tail that holds at most `bytes` (0 turns it off).
    pub fn new(_bytes: usize) -> Self {
        Self {}
    }
    /// Keeps a body. Bodies above a quarter of the tail are not kept.
    pub fn put(&self, _key: TailKey, _plain: Vec<u8>) {
        unimplemented!()
    }
    /// A kept body.
    pub fn get(&self, _key: &TailKey) -> Option<Arc<Vec<u8>>> {
        unimplemented!()
    }
    /// An empty buffer to inflate into, from those given back (or new).
    pub fn buffer(&self) -> Vec<u8> {
        unimplemented!()
    }
    /// Gives a buffer back for reuse.
    pub fn give_back(&self, _buffer: Vec<u8>) {
        unimplemented!()
    }
    /// Bytes held now.
    pub fn bytes(&self) -> usize {
        unimplemented!()
    }
}
