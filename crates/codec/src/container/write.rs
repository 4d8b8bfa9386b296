//! Objects out, whole, in any container.
//!
//! Always: the same plain bytes and the same name give the same bytes, so that an object written
//! again is the same object. State is reused from object to object.
//!
//! Not here: objects larger than memory; an object is one request.

use std::io;

use super::Container;
use super::snappy::{MAGIC, VERSION};
use super::zip::{CENTRAL, CENTRAL_BYTES, DEFLATED, END, END_BYTES, ENTRY, ENTRY_BYTES};
use crate::gzip::Deflater;
use crate::zstd::ZstdEncoder;

/// Plain bytes of a snappy block, as Firehose writes them.
const SNAPPY_BLOCK: usize = 32 * 1024;

/// A zip without zip64 records holds at most this much, and so does the object.
const ZIP_BYTES_MAX: usize = 0xffff_fffe;

/// The version needed to extract a deflated entry, 2.0 (APPNOTE 4.4.3.2).
const ZIP_VERSION: u16 = 20;
/// 1980-01-01 00:00, the earliest that a zip can tell (APPNOTE 4.4.6): an object written again must
/// not differ, and its time is in its key.
const ZIP_TIME: [u8; 4] = [0, 0, 0x21, 0];
/// The name is UTF-8 (APPNOTE 4.4.4, bit 11).
const ZIP_UTF8: u16 = 1 << 11;

/// Writes objects of one container.
pub struct Compressor {
    engine: Engine,
}

enum Engine {
    Plain,
    Gzip(Deflater),
    Zip(Deflater),
    Snappy(snap::raw::Encoder),
    Hadoop(snap::raw::Encoder),
    Zstd(ZstdEncoder),
}

impl Compressor {
    /// For this container, at the levels Firehose's own clients use: quick ones.
    pub fn new(container: Container) -> Self {
        let engine = match container {
            Container::Plain => Engine::Plain,
            Container::Gzip => Engine::Gzip(Deflater::default()),
            Container::Zip => Engine::Zip(Deflater::default()),
            Container::Snappy => Engine::Snappy(snap::raw::Encoder::new()),
            Container::HadoopSnappy => Engine::Hadoop(snap::raw::Encoder::new()),
            Container::Zstd => Engine::Zstd(ZstdEncoder::default()),
        };
        Self { engine }
    }

    /// Appends `plain` as a whole object to `out`. `name` is that of a zip's entry. It fails when
    /// there is more than the container can hold.
    pub fn compress(&mut self, name: &str, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match &mut self.engine {
            Engine::Plain => out.extend_from_slice(plain),
            Engine::Gzip(deflater) => deflater.gzip(plain, out),
            Engine::Zip(deflater) => zip(deflater, name, plain, out)?,
            Engine::Snappy(encoder) => {
                out.extend_from_slice(&MAGIC);
                out.extend_from_slice(&VERSION.to_be_bytes());
                out.extend_from_slice(&VERSION.to_be_bytes());
                for block in plain.chunks(SNAPPY_BLOCK) {
                    raw_block(encoder, block, out)?;
                }
            }
            Engine::Hadoop(encoder) => {
                for block in plain.chunks(SNAPPY_BLOCK) {
                    out.extend_from_slice(&(block.len() as u32).to_be_bytes());
                    raw_block(encoder, block, out)?;
                }
            }
            Engine::Zstd(encoder) => encoder.compress(plain, out)?,
        }
        Ok(())
    }
}

/// A raw block behind its length.
fn raw_block(encoder: &mut snap::raw::Encoder, block: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let begin = out.len();
    out.resize(begin + 4 + snap::raw::max_compress_len(block.len()), 0);
    let (length, space) = match out.get_mut(begin..).and_then(|tail| tail.split_at_mut_checked(4)) {
        Some(parts) => parts,
        None => return Ok(()),
    };
    let packed = encoder.compress(block, space).map_err(io::Error::other)?;
    length.copy_from_slice(&(packed as u32).to_be_bytes());
    out.truncate(begin + 4 + packed);
    Ok(())
}

/// A local header, the data, a directory of one entry.
fn zip(deflater: &mut Deflater, name: &str, plain: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let too_large = || io::Error::new(io::ErrorKind::InvalidInput, "too much for a zip entry");
    let name_bytes = u16::try_from(name.len()).map_err(|_| too_large())?;
    let begin = out.len();
    out.resize(begin + ENTRY_BYTES, 0);
    out.extend_from_slice(name.as_bytes());
    let data = out.len();
    deflater.deflate(plain, out);
    let packed = out.len() - data;
    if plain.len().max(out.len() - begin) > ZIP_BYTES_MAX {
        return Err(too_large());
    }
    // What the header and the directory have in common (APPNOTE 4.3.7, 4.3.12).
    let flags = if name.is_ascii() { 0 } else { ZIP_UTF8 };
    let mut common = Vec::with_capacity(ENTRY_BYTES);
    for word in [ZIP_VERSION, flags, DEFLATED] {
        common.extend_from_slice(&word.to_le_bytes());
    }
    common.extend_from_slice(&ZIP_TIME);
    for word in [libdeflater::crc32(plain), packed as u32, plain.len() as u32] {
        common.extend_from_slice(&word.to_le_bytes());
    }
    common.extend_from_slice(&name_bytes.to_le_bytes());
    common.extend_from_slice(&[0, 0]);
    if let Some(header) = out.get_mut(begin..begin + ENTRY_BYTES) {
        header.copy_from_slice(&[&ENTRY[..], &common].concat());
    }

    let directory = out.len();
    out.extend_from_slice(&CENTRAL);
    out.extend_from_slice(&ZIP_VERSION.to_le_bytes());
    out.extend_from_slice(&common);
    // No comment, the first disk, no attributes; and the header is at the beginning.
    out.resize(directory + CENTRAL_BYTES, 0);
    out.extend_from_slice(name.as_bytes());
    let directory_bytes = out.len() - directory;
    let end = out.len();
    out.extend_from_slice(&END);
    out.extend_from_slice(&[0, 0, 0, 0, 1, 0, 1, 0]);
    out.extend_from_slice(&(directory_bytes as u32).to_le_bytes());
    out.extend_from_slice(&((directory - begin) as u32).to_le_bytes());
    out.resize(end + END_BYTES, 0);
    Ok(())
}
