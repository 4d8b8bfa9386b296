//! Every container both ways, cut, damaged, bombed and nested.

use std::io::{self, Read};

use proptest::prelude::*;

use super::*;

const ABC: &[u8] = b"abcabcabcabc\n";

/// Bytes of directory and end in an archive of ours, whose entry's name has seven.
const END_AND_DIRECTORY: usize = 22 + 46 + 7;

fn packed(container: Container, plain: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Compressor::new(container).compress("entry-1", plain, &mut out).unwrap();
    out
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|n| format!("{{\"metric\":{n},\"v\":{}}}\n", n * n).into_bytes()).collect()
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Reads all at once, and in steps of one byte from a reader that gives one byte; both must agree.
#[track_caller]
fn read_all(object: &[u8], limit: u64) -> Result<Vec<u8>, Fault> {
    struct Drop(Vec<u8>, usize);
    impl Read for Drop {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let (Some(byte), Some(space)) = (self.0.get(self.1), out.first_mut()) else {
                return Ok(0);
            };
            *space = *byte;
            self.1 += 1;
            Ok(1)
        }
    }
    let mut out = b"stale".to_vec();
    let result = decompress(object, &mut out, limit);
    if object.len() < 2000 {
        let mut slow = Reader::new(Drop(object.to_vec(), 0), limit);
        let (mut dripped, mut byte) = (Vec::new(), [0]);
        let fault = loop {
            match slow.read(&mut byte) {
                Ok(0) => break None,
                Ok(_) => dripped.push(byte[0]),
                Err(error) => break Some(Fault::within(&error).expect("no fault").wrong),
            }
        };
        assert_eq!(fault, result.as_ref().err().map(|fault| fault.wrong));
        if fault.is_none() {
            assert_eq!(dripped, out);
        }
        assert!(dripped.len() as u64 <= limit);
    }
    assert!(result.is_ok() || out.is_empty());
    result.map(|_| out)
}

#[track_caller]
fn wrong(object: &[u8]) -> (Wrong, String) {
    let fault = read_all(object, 1 << 20).unwrap_err();
    (fault.wrong, fault.to_string())
}

/// *Scenario:* objects of several sizes in every container, on borders of blocks and windows.
/// *Guarantees:* the container is told by content and the same bytes come back, at the limit and not
/// above it.
#[test]
fn every_container_comes_back() {
    for container in CONTAINERS {
        for length in [1, 100, 32_767, 32_768, 32_769, 65_536, 200_000] {
            for plain in [&lines(20_000)[..length], &noise(length)] {
                let plain = [b"{", plain].concat();
                let object = packed(container, &plain);
                let limit = plain.len() as u64;
                assert_eq!(sniff(&object), container);
                assert!(read_all(&object, limit).unwrap() == plain, "{container} {length}");
                let over = read_all(&object, limit - 1).unwrap_err();
                assert_eq!(over.wrong, Wrong::OverLimit, "{container} {length}");
            }
        }
        assert_eq!(packed(container, ABC), packed(container, ABC));
    }
}

/// *Scenario:* a small object in every container.
/// *Guarantees:* the bytes are those that Python's gzip, zipfile, kafka-python and python-snappy
/// read (tried by hand; for both kinds of snappy also those they write).
#[test]
fn golden_bytes() {
    let golden = [
        (Container::Plain, "6162636162636162636162630a"),
        (Container::Gzip, "1f8b08000000000000ff4b4c4a86232e000c9c39130d000000"),
        (
            Container::Zip,
            "504b0304140000000800000021000c9c3913070000000d00000007000000656e7472792d31
             4b4c4a86232e00504b01021400140000000800000021000c9c3913070000000d0000000700
             00000000000000000000000000000000656e7472792d31504b0506000000000100010035000
             0002c0000000000",
        ),
        (
            Container::Snappy,
            "82534e415050590000000001000000010000000f0d306162636162636162636162630a",
        ),
        (Container::HadoopSnappy, "0000000d0000000f0d306162636162636162636162630a"),
    ];
    for (container, bytes) in golden {
        assert_eq!(packed(container, ABC), hex(bytes), "{container}");
        assert_eq!(read_all(&hex(bytes), 100).unwrap(), ABC);
    }
}

/// *Scenario:* archives as Python's zipfile writes them: stored and deflated, into a pipe (with a
/// data descriptor) or a file, with and without zip64.
/// *Guarantees:* all are read; cut anywhere they are cut short; with any bit of their content,
/// lengths or checksum flipped no other content passes.
#[test]
fn zips_of_others() {
    let archives = [
        "504b0304140008000000000021000000000000000000000000000d00000037633161623263302d75756964
         6162636162636162636162630a504b07080c9c39130d0000000d000000504b010214031400080000000000
         21000c9c39130d0000000d0000000d000000000000000000000080010000000037633161623263302d7575
         6964504b050600000000010001003b000000480000000000",
        "504b03042d00080000000000210000000000ffffffffffffffff0d00140037633161623263302d75756964
         010010000000000000000000000000000000000061626361626361626361\
         62630a504b07080c9c39130d000000000000000d00000000000000504b01022d032d000800000000002100\
         0c9c39130d0000000d0000000d000000000000000000000080010000000037633161623263302d75756964\
         504b050600000000010001003b000000640000000000",
        "504b03042d0000000000000021000c9c3913ffffffffffffffff0d00140037633161623263302d75756964
         010010000d000000000000000d000000000000006162636162636162636162630a504b01022d032d000000
         0000000021000c9c39130d0000000d0000000d000000000000000000000080010000000037633161623263
         302d75756964504b050600000000010001003b0000004c0000000000",
        "504b0304140008000800000021000000000000000000000000000d00000037633161623263302d75756964
         4b4c4a4e84212e00504b07080c9c3913080000000d000000504b01021403140008000800000021000c9c39
         13080000000d0000000d000000000000000000000080010000000037633161623263302d75756964504b05
         0600000000010001003b000000430000000000",
        "504b03042d00080008000000210000000000ffffffffffffffff0d00140037633161623263302d75756964
         01001000000000000000000000000000000000004b4c4a4e84212e00504b07080c9c391308000000000000
         000d00000000000000504b01022d032d0008000800000021000c9c3913080000000d0000000d0000000000
         00000000000080010000000037633161623263302d75756964504b050600000000010001003b0000005f00
         00000000",
        "504b03042d0000000800000021000c9c3913ffffffffffffffff0d00140037633161623263302d75756964
         010010000d0000000000000008000000000000004b4c4a4e84212e00504b01022d032d0000000800000021
         000c9c3913080000000d0000000d000000000000000000000080010000000037633161623263302d757569
         64504b050600000000010001003b000000470000000000",
    ];
    for (index, archive) in archives.iter().enumerate() {
        let archive = hex(&archive.replace('\\', ""));
        assert_eq!(read_all(&archive, 13).unwrap(), ABC, "{index}");
        for length in 4..archive.len() {
            let fault = read_all(&archive[..length], 100).unwrap_err();
            assert_eq!(fault.wrong, Wrong::CutShort, "{index} {length}: {fault}");
        }
        assert_eq!(wrong(&[&archive[..], b"x"].concat()).0, Wrong::Damaged);
        for bit in 0..archive.len() * 8 {
            let mut bad = archive.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Ok(content) = read_all(&bad, 1000)
                && sniff(&bad) == Container::Zip
            {
                assert_eq!(content, ABC, "{index}: bit {bit} says nothing of the content");
            }
        }
    }
}

/// *Scenario:* an empty entry with a data descriptor of either width (by zipfile), and checksums that
/// differ from the content in the local header, the descriptor or the directory.
/// *Guarantees:* the empty ones are read, where one width looks like the beginning of the other; every
/// checksum counts.
#[test]
fn every_checksum_of_a_zip_counts() {
    let wide =
        "504b03042d00080008000000210000000000ffffffffffffffff0d00140037633161623263302d757569
                6401001000000000000000000000000000000000000300504b0708000000000200000000000000000000
                0000000000504b01022d032d0008000800000021000000000002000000000000000d0000000000000000
                00000080010000000037633161623263302d75756964504b050600000000010001003b00000059000000
                0000";
    let narrow =
        "504b0304140008000800000021000000000000000000000000000d00000037633161623263302d7575
                  69640300504b0708000000000200000000000000504b01021403140008000800000021000000000002
                  000000000000000d000000000000000000000080010000000037633161623263302d75756964504b05
                  0600000000010001003b0000003d0000000000";
    for archive in [wide, narrow] {
        assert_eq!(read_all(&hex(archive), 0), Ok(vec![]));
    }
    let known = packed(Container::Zip, ABC);
    let described = hex(narrow);
    // The local header's checksum, the descriptor's, the directory's.
    let directory = known.len() - END_AND_DIRECTORY + 16;
    for (archive, at) in [(&known, 14), (&described, 49), (&known, directory)] {
        let mut bad = archive.clone();
        bad[at] ^= 1;
        let (kind, text) = wrong(&bad);
        assert!(kind == Wrong::Damaged && text.contains("checksum"), "{at}: {text}");
    }
}

/// *Scenario:* archives that are not one readable entry: two, none, encrypted, another method.
/// *Guarantees:* each is told in words, and none is called damaged.
#[test]
fn zips_that_are_not_read() {
    let two = hex("504b0304140008000800000021000000000000000000000000000d00000037633161623263302d\
                   757569644b4c0200504b07086d48839e0400000002000000504b030414000800080022a0745d00\
                   00000000000000000000000100000062ab0000504b07088316dc8c0300000001000000");
    let one = packed(Container::Zip, ABC);
    let changed = |at: usize, byte: u8| {
        let mut archive = one.clone();
        archive[at] = byte;
        archive
    };
    let cases = [
        (two, "several entries"),
        ([&b"PK\x05\x06"[..], &[0; 18]].concat(), "empty"),
        (changed(6, 1), "encrypted"),
        (changed(8, 12), "neither stored nor deflated"),
    ];
    for (archive, words) in cases {
        let (kind, text) = wrong(&archive);
        assert_eq!(kind, Wrong::Unsupported, "{text}");
        assert!(
            text.starts_with("zip of a kind that is not read: ") && text.contains(words),
            "{text}"
        );
    }
    // A second name in the directory alone.
    let (data, end) = one.split_at(44);
    let twice = [data, &end[..53], end].concat();
    assert_eq!(wrong(&twice).0, Wrong::Unsupported);
}

/// *Scenario:* a stored entry with a data descriptor, whose content is full of signatures and holds
/// an archive like itself.
/// *Guarantees:* the end is found where checksum and lengths agree, nowhere else.
#[test]
fn a_stored_entry_ends_where_its_descriptor_fits() {
    let stored = |plain: &[u8]| {
        let mut out = b"PK\x03\x04\x14\0\x08\0\0\0\0\0\x21\0".to_vec();
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(b"\x01\0\0\0n");
        out.extend_from_slice(plain);
        let length = (plain.len() as u32).to_le_bytes();
        let crc = libdeflater::crc32(plain).to_le_bytes();
        out.extend_from_slice(&[b"PK\x07\x08", &crc[..], &length, &length].concat());
        let directory = [b"PK\x01\x02\x14\0\x14\0\x08\0\0\0\0\0\x21\0", &crc[..], &length, &length];
        out.extend_from_slice(&directory.concat());
        out.extend_from_slice(b"\x01\0");
        out.extend_from_slice(&[0; 16]);
        out.extend_from_slice(b"nPK\x05\x06\0\0\0\0\x01\0\x01\0");
        out.extend_from_slice(&[0; 10]);
        out
    };
    let text = b"text PK\x07\x08 PK\x07\x08PK".repeat(9000);
    assert!(read_all(&stored(&text), 1 << 20).unwrap() == text);
    let inner = stored(b"{\"a\":1}");
    let mut out = Vec::new();
    let found = decompress(&stored(&inner), &mut out, 1000);
    assert_eq!((found, &out[..]), (Ok([Container::Zip, Container::Zip]), &b"{\"a\":1}"[..]));
}

/// *Scenario:* snappy streams back to back, with an empty one; Hadoop blocks of several chunks, an
/// empty block, and chunks larger than Firehose's.
/// *Guarantees:* all of it is read.
#[test]
fn snappy_of_others() {
    let plain = lines(30_000);
    let (a, b) = plain.split_at(100_000);
    let empty = packed(Container::Snappy, b"");
    let streams =
        [packed(Container::Snappy, a), empty.clone(), packed(Container::Snappy, b), empty];
    assert!(read_all(&streams.concat(), 1 << 20).unwrap() == plain);

    for (block, chunk) in [(100_000, 30_000), (1 << 20, 1 << 18), (70_000, 70_000)] {
        let mut object = Vec::new();
        for block in plain.chunks(block) {
            object.extend_from_slice(&(block.len() as u32).to_be_bytes());
            for chunk in block.chunks(chunk) {
                let packed = snap::raw::Encoder::new().compress_vec(chunk).unwrap();
                object.extend_from_slice(&(packed.len() as u32).to_be_bytes());
                object.extend_from_slice(&packed);
            }
            object.extend_from_slice(&[0; 4]);
        }
        assert_eq!(sniff(&object), Container::HadoopSnappy);
        assert!(read_all(&object, 1 << 20).unwrap() == plain);
    }
}

/// *Scenario:* snappy whose lengths lie: chunks larger than their block, a block of gigabytes, a
/// packed length of nothing, a newer version.
/// *Guarantees:* told apart, and no lie costs memory.
#[test]
fn snappy_that_lies() {
    let header = &packed(Container::Snappy, b"")[..];
    let lies: [(&[u8], Wrong); 4] = [
        (&[0, 0, 0, 0], Wrong::Damaged),
        (&[0xff, 0, 0, 0, 1], Wrong::Damaged),
        // Eight MiB of plain bytes behind five packed ones.
        (&[0, 0, 0, 5, 0x80, 0x80, 0x80, 0x04, 0], Wrong::Damaged),
        (&[0, 0, 1, 0, 5], Wrong::CutShort),
    ];
    for (lie, kind) in lies {
        assert_eq!(wrong(&[header, lie].concat()).0, kind, "{lie:?}");
    }
    let mut newer = packed(Container::Snappy, ABC);
    newer[15] = 2;
    assert_eq!(wrong(&newer).0, Wrong::Unsupported);
    let good = packed(Container::HadoopSnappy, ABC);
    let larger = [&good[..], &[0, 0, 0, 5], &good[4..]].concat();
    assert_eq!(wrong(&larger).0, Wrong::Damaged);
}

/// *Scenario:* objects of every container cut after every byte, and with every bit flipped.
/// *Guarantees:* a cut is told as such (Hadoop's format has no end mark: cut between blocks it is
/// just shorter); no reader panics, and where there is a checksum no changed content passes.
#[test]
fn cut_and_flipped() {
    let plain = lines(30);
    for container in [
        Container::Gzip,
        Container::Zip,
        Container::Snappy,
        Container::HadoopSnappy,
        Container::Zstd,
    ] {
        let object = packed(container, &plain);
        for length in 18..object.len() {
            let fault = read_all(&object[..length], 1 << 20).unwrap_err();
            assert_eq!(fault.wrong, Wrong::CutShort, "{container} {length}: {fault}");
            assert!(fault.to_string().contains(&container.to_string()), "{fault}");
            assert!(fault.offset <= length as u64);
        }
        for bit in 0..object.len() * 8 {
            let mut bad = object.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let read = read_all(&bad, 1 << 20);
            if matches!(container, Container::Gzip | Container::Zip) && sniff(&bad) == container {
                assert!(read.is_err() || read.unwrap() == plain, "{container}: bit {bit}");
            }
        }
    }
}

/// *Scenario:* every container within every other, and three levels.
/// *Guarantees:* two levels come off and are told; a third stays on.
#[test]
fn containers_within_containers() {
    let plain = lines(3000);
    for outer in CONTAINERS {
        for inner in CONTAINERS {
            let object = packed(outer, &packed(inner, &plain));
            let mut out = Vec::new();
            let found = decompress(&object, &mut out, plain.len() as u64).unwrap();
            let plain_outside = outer == Container::Plain;
            let expected = if plain_outside { [inner, outer] } else { [outer, inner] };
            assert!(found == expected && out == plain, "{inner} in {outer}: {found:?}");
        }
    }
    let thrice = (0..3).fold(plain.clone(), |object, _| packed(Container::Gzip, &object));
    assert_eq!(read_all(&thrice, 1 << 20).unwrap(), packed(Container::Gzip, &plain));
}

/// *Scenario:* bombs of 64 MiB of zeros, alone and packed twice.
/// *Guarantees:* refused at the limit, by name of the outer container too.
#[test]
fn bombs_are_refused_at_the_limit() {
    let zeros = vec![0; 64 << 20];
    for container in [Container::Gzip, Container::Zip, Container::HadoopSnappy, Container::Zstd] {
        let bomb = packed(container, &zeros);
        for object in [packed(Container::Gzip, &bomb), bomb] {
            let mut out = Vec::new();
            let fault = decompress(&object, &mut out, 1 << 16).unwrap_err();
            assert_eq!(fault.wrong, Wrong::OverLimit, "{container}");
            assert!(fault.to_string().contains("holds too much: more than 65536 bytes"), "{fault}");
        }
    }
}

/// *Scenario:* what metric streams write, and other things that are in no container: JSON, frames of
/// OpenTelemetry of every length, text, zeros, numbers; and the captures when they are at hand.
/// *Guarantees:* never taken for a container.
#[test]
fn plain_content_is_plain() {
    for length in 0_u32..70_000 {
        let mut frame = Vec::new();
        let mut rest = length;
        while rest >= 0x80 {
            frame.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        frame.extend_from_slice(&[rest as u8, 0x0a, 0x80, 0x01, 0x0a, 0x55, 0x0a, 0x0e]);
        assert_eq!(sniff(&frame), Container::Plain, "{length}");
    }
    let plain: [&[u8]; 9] = [
        b"",
        b"{\"metric_stream_name\":\"s\"}\n",
        b"  [1,2]",
        b"\xef\xbb\xbf{}",
        &[0; 1000],
        &[0, 0, 0, 0, 5, 0x0a, 0x03, 0x0a, 0x01, 0x61],
        // Empty frames before one that is not.
        &[0, 0, 0, 8, 0x0a, 0x06, 0x0a, 0x04, 0x0a, 0x02, 0x61, 0x62],
        &[0, 0, 0, 13, 0, 0, 0, 15],
        &[0, 0, 0, 13, 0, 0, 0, 15, 13, 0x0a, 1, 1, 0x3f, 9, 9],
    ];
    for bytes in plain {
        assert_eq!(sniff(bytes), Container::Plain, "{bytes:?}");
        assert_eq!(read_all(bytes, 1000).unwrap(), bytes);
    }
    for name in ["frame-otel-0.7.bin", "frame-otel-1.0.bin", "telegraf-firehose-json.json"] {
        if let Some(bytes) = testkit::testdata(name) {
            assert_eq!(sniff(&bytes), Container::Plain, "{name}");
        }
    }
}

/// *Scenario:* the layer below fails in the middle of every container.
/// *Guarantees:* its own error comes out and is no fault of the object.
#[test]
fn an_error_below_is_passed_on() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::ConnectionReset))
        }
    }
    for container in CONTAINERS {
        let object = packed(container, &noise(1000));
        let mut reader = Reader::new(object[..500].chain(Broken), 10_000);
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{container}");
        assert_eq!(Fault::within(&error), None);
    }
}

/// *Scenario:* a reader that has failed is asked again; one that has ended too.
/// *Guarantees:* the same fault, and the end, again.
#[test]
fn a_fault_stays() {
    let object = packed(Container::Snappy, &lines(100));
    let mut reader = Reader::new(&object[..100], 10_000);
    let first = io::copy(&mut reader, &mut io::sink()).unwrap_err().to_string();
    assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap_err().to_string(), first);
    assert!(first.starts_with("snappy is cut short after "), "{first}");
    let mut reader = Reader::new(&object[..], 10_000);
    io::copy(&mut reader, &mut io::sink()).unwrap();
    assert_eq!(reader.read(&mut [0; 9]).unwrap(), 0);
    assert_eq!(reader.found(), [Container::Snappy, Container::Plain]);
}

/// *Scenario:* the names of Firehose's API, in any case, and others.
/// *Guarantees:* each names its container and no other does.
#[test]
fn names() {
    for container in CONTAINERS {
        assert_eq!(Container::named(container.name()), Some(container));
        assert_eq!(Container::named(&container.name().to_lowercase()), Some(container));
    }
    assert_eq!(Container::named("bzip2"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// *Scenario:* any bytes, packed by any two containers.
    /// *Guarantees:* what does not itself look packed comes back.
    #[test]
    fn any_bytes_come_back(
        plain in prop::collection::vec(any::<u8>(), 0..3000),
        outer in 0_usize..6,
        inner in 0_usize..6,
    ) {
        let plain = [b"{", &plain[..]].concat();
        let object = packed(CONTAINERS[outer], &packed(CONTAINERS[inner], &plain));
        prop_assert_eq!(read_all(&object, plain.len() as u64), Ok(plain));
    }

    /// *Scenario:* any bytes behind any beginning of a container.
    /// *Guarantees:* no panic, no endless loop, and one byte at a time gives the same.
    #[test]
    fn any_bytes_are_judged(
        tail in prop::collection::vec(any::<u8>(), 0..300),
        container in 0_usize..6,
        kept in 0_usize..60,
    ) {
        let object = packed(CONTAINERS[container], ABC);
        let object = [&object[..kept.min(object.len())], &tail].concat();
        drop(read_all(&object, 5000));
    }
}
