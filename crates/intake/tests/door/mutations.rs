//! Random damage to a valid request: whatever comes, no yes without a stored delivery, no 413, no
//! panic, and the door stays open.

use testkit::exchange;

use crate::common::{METRIC, Plan, Post, check_contract, mix, open};

/// Requests damaged per run; the seed is printed when one fails.
const ROUNDS: u64 = 600;

fn damage(bytes: &mut Vec<u8>, seed: u64) {
    let random =
        |n: u64, below: usize| (mix(seed.wrapping_mul(31).wrapping_add(n)) as usize) % below;
    for hit in 0..1 + random(0, 3) as u64 {
        let at = random(hit * 4 + 1, bytes.len().max(1)).min(bytes.len().saturating_sub(1));
        let Some(byte) = bytes.get_mut(at) else { return };
        match random(hit * 4 + 2, 6) {
            0 => *byte = mix(seed ^ hit) as u8,
            1 => *byte ^= 1 << random(hit * 4 + 3, 8),
            2 => {
                bytes.remove(at);
            }
            3 => bytes.insert(at, mix(seed ^ hit) as u8),
            4 => bytes.truncate(at),
            _ => {
                let copy = bytes[at..(at + 20).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
}

/// *Scenario:* bodies, plain and gzip, damaged at random; the length in the head is right.
/// *Guarantees:* 200 exactly when the journal grew by one; else 400.
#[test]
fn damaged_bodies_are_stored_or_refused() {
    let door = open(Plan::default());
    let mut end = door.topic.end();
    for seed in 0..ROUNDS {
        let mut post = Post::with_id(&format!("id-{seed}"), &[METRIC, "", METRIC]);
        if seed % 2 == 0 {
            post = post.gzip();
        }
        damage(&mut post.body, seed);
        let answer = exchange(door.address, &post.bytes()).unwrap();
        check_contract(&answer);
        let grown = door.topic.end() - end;
        end += grown;
        assert_eq!(answer.status == 200, grown == 1, "seed {seed}: {}", answer.text());
        assert!(matches!(answer.status, 200 | 400), "seed {seed}: {}", answer.text());
    }
}

/// *Scenario:* whole requests damaged at random, the head included; the client shuts its side.
/// *Guarantees:* no yes without an entry, nothing ever 413 or 500, and the door serves on.
#[test]
fn damaged_requests_never_get_a_hollow_yes() {
    let door = open(Plan::keys(&["key"]));
    let mut end = door.topic.end();
    for seed in 0..ROUNDS {
        let post = Post::with_id(&format!("id-{seed}"), &[METRIC]).key("key");
        let mut bytes = post.bytes();
        let head = post.head().len();
        let mut damaged = bytes.drain(..head).collect::<Vec<_>>();
        damage(&mut damaged, seed);
        damaged.extend_from_slice(&bytes);
        let status = send_and_shut(door.address, &damaged);
        let grown = door.topic.end() - end;
        end += grown;
        if status == Some(200) {
            // A GET made of a POST, or a delivery.
            assert!(grown == 1 || door.source.stats().health_checks.get() > 0, "seed {seed}");
        }
        assert!(!matches!(status, Some(413 | 500)), "seed {seed}: {status:?}");
    }
    let last = Post::with_id("last", &[METRIC]).key("key");
    assert_eq!(door.send(&last).status, 200);
}

fn send_and_shut(address: std::net::SocketAddr, bytes: &[u8]) -> Option<u16> {
    use std::io::{BufReader, Write};
    let stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    (&stream).write_all(bytes).ok();
    stream.shutdown(std::net::Shutdown::Write).ok();
    testkit::read_answer(&mut BufReader::new(&stream)).ok().map(|answer| answer.status)
}
