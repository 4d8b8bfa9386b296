//! Damage in the journal, for people: a line in the log for each stretch, and the copies in the data folder,
//! which tell of it for as long as nobody has removed them.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use delivery::folder_size;
use journal::{DAMAGED, Damage, Journal, MISSING, Recovery};

use super::report::StoreReport;

/// Stretches that are told; a disk that rots everywhere must not fill the log.
const TOLD_MAX: u32 = 200;
/// What a person can do.
pub const REMEDY: &str = "what cannot be read any more is with its sender, or nowhere: look for it in the backup \
                          bucket of Firehose (hydrant replay puts it back), and check disk and memory of the machine";

/// Tells of what was found when the journal was opened, and from now on of what its readers meet.
pub(super) fn watch(journal: &Journal, recovery: &Recovery) {
    recovery.damage.iter().for_each(tell);
    let told = AtomicU32::new(0);
    journal.on_damage(Box::new(move |damage| match told.fetch_add(1, Ordering::Relaxed) {
        0..TOLD_MAX => tell(damage),
        TOLD_MAX => tracing::error!(
            topic = damage.topic,
            "more of the journal is damaged than is told here: hydrant_journal_damaged_bytes counts all"
        ),
        _ => {}
    }));
}

fn tell(damage: &Damage) {
    let Damage { topic, file, offset, bytes, why, .. } = damage;
    let (file, kept) = (file.display(), kept(damage));
    tracing::error!(
        topic, %file, offset, bytes, why, kept, remedy = REMEDY,
        "acknowledged data in the journal is damaged"
    );
}

/// Where what is left of it lies.
fn kept(damage: &Damage) -> String {
    match &damage.copy {
        Some(copy) => copy.display().to_string(),
        None if damage.why == MISSING => {
            "nothing: the file itself is gone, with every entry in it".to_owned()
        }
        None => "no copy; what a stream can read of it goes to its quarantine".to_owned(),
    }
}

/// Folders of copies of damaged stretches that hold any, below the folder of a journal.
pub fn damage_copies(journal: &Path) -> Vec<StoreReport> {
    let Ok(topics) = std::fs::read_dir(journal) else { return Vec::new() };
    let folders = topics.flatten().map(|topic| topic.path().join(DAMAGED));
    let held = folders.map(|directory| {
        let (bytes, files) = folder_size(&directory);
        StoreReport { directory, bytes, files }
    });
    let mut held: Vec<StoreReport> = held.filter(|copies| copies.files > 0).collect();
    held.sort_by(|one, other| one.directory.cmp(&other.directory));
    held
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// *Scenario:* damage with a copy, damage of a side file, and a segment that somebody removed.
    /// *Guarantees:* nobody is sent to a quarantine that cannot have anything of it.
    #[test]
    fn what_is_kept_is_told() {
        let damage = |why, copy: Option<&str>| Damage {
            topic: "aws".to_owned(),
            file: PathBuf::from("journal/aws/0.log"),
            offset: 0,
            bytes: 1,
            why,
            copy: copy.map(PathBuf::from),
        };
        assert_eq!(kept(&damage("checksum", Some("damaged/0.bin"))), "damaged/0.bin");
        assert!(kept(&damage("checksum", None)).contains("quarantine"));
        let gone = kept(&damage(MISSING, None));
        assert!(gone.contains("the file itself is gone") && !gone.contains("quarantine"), "{gone}");
    }
}
