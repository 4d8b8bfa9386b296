//! The data folder: whose it is, what wrote it, and whether the disk has what was promised.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use delivery::folder_size;
use rustix::fs::Access;

use super::Check;
use crate::run::{DAMAGE_REMEDY, Folder, FolderError, damage_copies};
use crate::settings::quantity::size_about;

const AREA: &str = "data folder";
/// Others may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

pub(super) fn check(folder: &Path, budget: Option<u64>, checks: &mut Vec<Check>) {
    let shown = folder.display();
    let about = match fs::metadata(folder) {
        Ok(about) if about.is_dir() => about,
        Ok(_) => {
            return checks.push(Check::bad(AREA, format!("{shown} is no folder"), "set data_dir"));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut above = folder.ancestors().skip(1);
            let parent = above.find(|one| one.is_dir()).unwrap_or(Path::new("."));
            let what = format!("{shown} is not there yet: the first start makes it");
            checks.push(first_start(parent, what));
            return room(parent, 0, budget, checks);
        }
        Err(error) => {
            let remedy = "run this as the user that runs hydrant";
            return checks.push(Check::bad(AREA, format!("{shown}: {error}"), remedy));
        }
    };
    let (owner, we) = (about.uid(), rustix::process::geteuid().as_raw());
    if owner != we {
        let what = format!("{shown} belongs to user {owner}, and this is user {we}");
        checks.push(Check::warn(AREA, what, "run hydrant, and this, as the folder's owner"));
    }
    if about.mode() & WRITABLE_BY_OTHERS != 0 {
        let what = format!("{shown} may be written by others (mode {:o})", about.mode() & 0o7777);
        checks.push(Check::warn(AREA, what, format!("chmod go-w {shown}")));
    }
    match Folder::check(folder) {
        Ok(()) => checks.push(Check::ok(AREA, format!("{shown}: layout known"))),
        Err(FolderError::NotOurs(_)) => {
            let what = format!("{shown} holds nothing of hydrant yet: the first start makes it");
            checks.push(first_start(folder, what));
        }
        Err(error @ FolderError::Io { .. }) => {
            let remedy = "run this as the user that runs hydrant";
            checks.push(Check::bad(AREA, error.to_string(), remedy));
        }
        Err(error) => {
            let remedy = "run the release that wrote it, or set another data_dir";
            checks.push(Check::bad(AREA, error.to_string(), remedy));
        }
    }
    for copies in damage_copies(&folder.join("journal")) {
        let (bytes, place) = (size_about(copies.bytes), copies.directory.display());
        let what = format!("{bytes} of acknowledged data were damaged once, see {place}");
        let remedy = format!("{DAMAGE_REMEDY}; then remove the files");
        checks.push(Check::warn(AREA, what, remedy));
    }
    room(folder, folder_size(folder).0, budget, checks);
}

/// What is not there yet can be made, if we may write to `folder`.
fn first_start(folder: &Path, what: String) -> Check {
    match rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Check::ok(AREA, what),
        Err(error) => {
            let what = format!("{what}, but may not write to {}: {error}", folder.display());
            Check::bad(
                AREA,
                what,
                "give the folder to the user that runs hydrant, and run this as it",
            )
        }
    }
}

/// What is free, and what the folder holds already, must be what the budget promises.
fn room(folder: &Path, held: u64, budget: Option<u64>, checks: &mut Vec<Check>) {
    let Some(budget) = budget else { return };
    let about = match rustix::fs::statvfs(folder) {
        Ok(about) => about,
        Err(error) => {
            let what = format!("free space of {}: {error}", folder.display());
            return checks.push(Check::warn(AREA, what, "look at the disk"));
        }
    };
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let numbers = format!(
        "{} free and {} held of a disk_budget of {}",
        size_about(free),
        size_about(held),
        size_about(budget)
    );
    if free.saturating_add(held) >= budget {
        checks.push(Check::ok(AREA, numbers));
    } else {
        let remedy = "lower disk_budget or give the disk more room: the journal will meet its end \
                      before its limit, and deliveries are answered 503 then";
        checks.push(Check::bad(AREA, numbers, remedy));
    }
}
