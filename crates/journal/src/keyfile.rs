//! The file that remembers keys after their entries were freed.
//!
//! Owns `keys` in the topic's directory: a sealed header, then records of fixed size, each with a salted
//! checksum, so a damaged record costs itself only. Appended and synced before a segment is removed; written
//! anew after each start, after a failed sync, and when most of it is old. Losing it costs duplicates, no data.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::BufMut;

use crate::disk::{Disk, File};
use crate::item::Key;
use crate::keys::Known;
use crate::sealed::{Fields, Unsealed, seal, unseal};

/// First bytes of its records.
pub(crate) const MAGIC: &[u8; 8] = b"HYkeyfil";
pub(crate) const NAME: &str = "keys";
const NAME_NEW: &str = "keys.new";
/// Bytes before the first record.
const START: u64 = 64;
/// Bytes of a record.
const RECORD: usize = 56;
/// Records that may be old before the file is written anew: 224 KiB.
const OLD_MAX: u64 = 4096;

/// The key file of one topic.
#[derive(Debug)]
pub(crate) struct KeyFile {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    /// None: to be written anew at the next save.
    open: Option<Open>,
    /// Bytes on disk, for the budget.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
struct Open {
    file: Arc<dyn File>,
    salt: u32,
    records: u64,
}

/// What was found in the file.
#[derive(Debug, Default)]
pub(crate) struct KeysFound {
    pub(crate) keys: Vec<Known>,
    /// Records whose checksum is wrong, or the header's.
    pub(crate) damaged: u64,
    pub(crate) newer: Option<u16>,
}

impl KeyFile {
    /// Reads what there is.
    pub(crate) fn open(disk: Arc<dyn Disk>, directory: &Path) -> io::Result<(KeyFile, KeysFound)> {
        let mut bytes = Vec::new();
        match disk.open(&directory.join(NAME)) {
            Ok(file) => {
                let length = file.length()?;
                file.read_at(&mut bytes, usize::try_from(length).unwrap_or(usize::MAX), 0)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let found = if bytes.is_empty() { KeysFound::default() } else { parse(&bytes) };
        let bytes = bytes.len() as u64;
        Ok((KeyFile { disk, directory: directory.to_owned(), open: None, bytes }, found))
    }

    /// Makes `fresh` durable. `all` are all keys that must be in the file, for when it is written anew.
    pub(crate) fn save(&mut self, fresh: &[Known], all: &[Known]) -> io::Result<()> {
        if fresh.is_empty() {
            return Ok(());
        }
        let live = all.len() as u64;
        match self.open.take() {
            Some(open) if open.records <= 2 * live + OLD_MAX => {
                let at = START + open.records * RECORD as u64;
                open.file.write_at(&[IoSlice::new(&encode(fresh, open.salt))], at)?;
                open.file.sync()?;
                let records = open.records + fresh.len() as u64;
                self.bytes = START + records * RECORD as u64;
                self.open = Some(Open { records, ..open });
                Ok(())
            }
            _ => self.write_anew(all),
        }
    }

    fn write_anew(&mut self, all: &[Known]) -> io::Result<()> {
        let beside = self.directory.join(NAME_NEW);
        match self.disk.remove(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = self.disk.create(&beside)?;
        let salt = self.disk.random() as u32;
        let mut header = seal(MAGIC, &salt.to_le_bytes());
        header.resize(usize::try_from(START).unwrap_or(0), 0);
        let records = encode(all, salt);
        file.write_at(&[IoSlice::new(&header), IoSlice::new(&records)], 0)?;
        file.sync()?;
        self.disk.rename(&beside, &self.directory.join(NAME))?;
        self.disk.sync_dir(&self.directory)?;
        self.bytes = START + records.len() as u64;
        self.open = Some(Open { file, salt, records: all.len() as u64 });
        Ok(())
    }
}

fn encode(keys: &[Known], salt: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(keys.len() * RECORD);
    for known in keys {
        let start = bytes.len();
        bytes.put_u128_le(known.key.name);
        bytes.put_u128_le(known.key.data);
        bytes.put_u64_le(known.arrived_ms);
        bytes.put_u64_le(known.sequence);
        let crc = crc32c::crc32c_append(salt, bytes.get(start..).unwrap_or_default());
        bytes.put_u32_le(crc);
        bytes.put_u32_le(0);
    }
    bytes
}

fn parse(bytes: &[u8]) -> KeysFound {
    let mut found = KeysFound::default();
    let salt = match unseal(MAGIC, bytes) {
        Unsealed::Whole(mut fields) => fields.take_u32(),
        Unsealed::Damaged => None,
        Unsealed::Newer(version) => {
            found.newer = Some(version);
            return found;
        }
    };
    let Some(salt) = salt else {
        found.damaged = 1;
        return found;
    };
    let records = bytes.get(usize::try_from(START).unwrap_or(0)..).unwrap_or_default();
    for record in records.chunks(RECORD) {
        match parse_record(record, salt) {
            Some(known) => found.keys.push(known),
            None => found.damaged += 1,
        }
    }
    found
}

fn parse_record(record: &[u8], salt: u32) -> Option<Known> {
    let covered = record.get(..RECORD - 8)?;
    let crc = Fields(record.get(covered.len()..)?).take_u32()?;
    if crc32c::crc32c_append(salt, covered) != crc {
        return None;
    }
    let mut fields = Fields(covered);
    let key = Key { name: fields.take_u128()?, data: fields.take_u128()? };
    Some(Known { key, arrived_ms: fields.take_u64()?, sequence: fields.take_u64()? })
}
