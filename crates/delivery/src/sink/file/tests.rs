use std::process::Command;

use super::*;

/// *Scenario:* a file that hangs when it is opened, as one of a server that is away does (here a pipe that
/// nobody reads); then it answers.
/// *Guarantees:* who sends hears of it, and so does the next, who starts no thread of its own; then it goes on.
#[tokio::test]
async fn a_disk_that_hangs_is_told() {
    let dir = testkit::TempDir::new("hanging-file");
    let path = dir.join("out.ndjson");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let config =
        Config { path: path.clone(), content: Content::Ndjson, rotate_bytes: 1 << 20, keep: 1 };
    let mut wire = Wire::new(&config).unwrap();
    wire.patience = Duration::from_millis(50);
    let payload = Payload { body: "{}\n".into(), points: 1, ..Payload::default() };
    for _ in 0..2 {
        let Verdict::Later { loud: true, why, .. } = wire.send(&payload).await else {
            panic!("not told");
        };
        assert!(why.message.ends_with("out.ndjson: not written within 50ms"), "{}", why.message);
    }
    // Opened for both, a pipe hangs nobody; a pipe cannot be synced, and that is told as well.
    let reader = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    wire.patience = PATIENCE;
    while !matches!(wire.send(&payload).await, Verdict::Delivered) {}
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
    drop(reader);
}
