//! The service manager: what it hears from the real binary, by systemd's notification protocol.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use testkit::Process;

use crate::load::{self, Load};
use crate::points::Batch;
use crate::receivers::to_blackhole;
use crate::service::{Home, PATIENCE, binary};

/// The far end of `NOTIFY_SOCKET`.
struct Manager {
    socket: UnixDatagram,
    path: String,
}

impl Manager {
    fn new(home: &Home) -> Manager {
        let path = home.dir.join("notify").display().to_string();
        let socket = UnixDatagram::bind(&path).unwrap();
        Manager { socket, path }
    }

    fn start(&self, home: &Home, watchdog: Option<Duration>) -> Process {
        let limit = watchdog.map_or(0, |limit| limit.as_micros()).to_string();
        let environment = [("NOTIFY_SOCKET", self.path.as_str()), ("WATCHDOG_USEC", &limit)];
        let arguments = ["run", "-c", "hydrant.yaml"];
        Process::start_with(binary(), arguments, home.dir.path(), &environment)
    }

    /// The next word, within this time.
    fn hears(&self, within: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(within)).unwrap();
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    /// Waits for a word that begins like this; what comes before it is dropped.
    #[track_caller]
    fn waits_for(&self, start: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let word = self.hears(left.max(Duration::from_millis(1)));
            let word = word.unwrap_or_else(|| panic!("never heard {start}"));
            if word.starts_with(start) {
                return word;
            }
        }
    }
}

/// *Scenario:* a start, a reload that is taken, one that is refused, SIGTERM.
/// *Guarantees:* READY comes when sources take deliveries and not before; every RELOADING has its
/// time and ends with READY, and a refusal is in the status; STOPPING comes before the end.
#[test]
fn a_life_is_told() {
    let home = Home::new("notify");
    home.write(&to_blackhole("all"));
    let manager = Manager::new(&home);
    let mut process = manager.start(&home, None);
    let first = manager.hears(PATIENCE).unwrap();
    assert!(first.starts_with("READY=1\nSTATUS=takes deliveries: 1 source, 1 stream"), "{first}");
    let batch = Batch::new(1, 3);
    assert_eq!(load::deliver(home.source, &load::sender(), "now", &batch, &[]).status, 200);

    let mut before = 0;
    for (settings, ends) in [(to_blackhole("other"), "takes"), ("  broken: {}\n".into(), "refused")]
    {
        home.write(&settings);
        process.hang_up();
        let word = manager.waits_for("RELOADING=1\n");
        let time = word.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        let time: u64 = time.parse().unwrap();
        assert!(time > before, "{time} after {before}");
        before = time;
        let ready = manager.waits_for("READY=1\n");
        assert!(ready.contains(ends), "{ready}");
    }
    process.terminate();
    manager.waits_for("STOPPING=1\n");
    assert_eq!(process.wait(PATIENCE).code(), Some(0));
}

/// *Scenario:* a watchdog with a limit of 1 s.
/// *Guarantees:* word of life comes twice in a limit, also while nothing is delivered.
#[test]
fn the_watchdog_hears_of_life() {
    let limit = Duration::from_secs(1);
    let home = Home::new("watchdog");
    home.write(&to_blackhole("all"));
    let manager = Manager::new(&home);
    let mut process = manager.start(&home, Some(limit));
    manager.waits_for("READY=1\n");
    let begin = Instant::now();
    for _ in 0..9 {
        manager.waits_for("WATCHDOG=1");
    }
    // The first one is due at once, and a machine may be busy.
    let took = begin.elapsed();
    assert!((3 * limit..12 * limit).contains(&took), "nine words in {took:?}");
    process.terminate();
    manager.waits_for("STOPPING=1\n");
    assert_eq!(process.wait(PATIENCE).code(), Some(0));
}

/// *Scenario:* the same limit; under load the writer's syncs begin to hang.
/// *Guarantees:* from a process whose journal answers nobody no word of life comes, though all else
/// in it runs; the log says why.
#[test]
fn the_watchdog_does_not_hear_of_a_journal_that_hangs() {
    let limit = Duration::from_secs(1);
    let home = Home::new("hangs");
    home.write(&to_blackhole("all"));
    let manager = Manager::new(&home);
    let environment = [("NOTIFY_SOCKET", manager.path.as_str()), ("WATCHDOG_USEC", "1000000")];
    let fault = "inject=fsync,fdatasync:delay_enter=12s:when=12+";
    let mut process = home.spawn_with_fault_and(fault, &environment);
    manager.waits_for("READY=1\n");
    let load = Load::start(home.source, 0x3a7c, (2, 5), &[]);
    process.wait_for_line("the disk does not answer", PATIENCE);
    let begin = Instant::now();
    while manager.hears(Duration::from_millis(1)).is_some() {}
    while begin.elapsed() < 3 * limit {
        let word = manager.hears(limit).unwrap_or_default();
        assert!(!word.starts_with("WATCHDOG"), "{:?} after the first silence", begin.elapsed());
    }
    process.kill();
    drop(load);
}
