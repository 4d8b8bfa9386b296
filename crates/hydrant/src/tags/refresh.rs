//! Snapshots that `hydrant run` fetches itself: `enrich.tags.refresh`.
//!
//! The file is what counts: it is fetched when it is older than it may be, so a restart does not ask
//! again what was asked a minute ago, and two processes share one file. Streams see it by themselves.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::fetch_all;
use crate::cli::TagsFetchArgs;
use crate::exit::Exit;
use crate::run::SharedHouse;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// After a failure the next attempt waits this long at least: nobody gains by asking sooner.
const RETRY: Duration = Duration::from_secs(300);

/// Keeps the snapshots of the settings fresh for as long as it is asked. A reload counts at once.
pub async fn keep_fresh(house: &SharedHouse) -> Infallible {
    let mut tried: BTreeMap<PathBuf, (Instant, Exit)> = BTreeMap::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        look.tick().await;
        let wanted = house.lock().await.tag_refreshes().to_vec();
        tried.retain(|file, _| wanted.iter().any(|args| args.output == *file));
        for args in wanted {
            let last = tried.get(&args.output).map(|(at, exit)| (at.elapsed(), *exit));
            if is_due(&args, age_of(&args.output), last) {
                let at = Instant::now();
                let exit = refresh(&args).await;
                tried.insert(args.output.clone(), (at, exit));
            }
        }
    }
}

/// True when the file is too old, or missing, and fetching it did not fail just now. Who removes a file
/// wants it fetched.
fn is_due(args: &TagsFetchArgs, age: Option<Duration>, last: Option<(Duration, Exit)>) -> bool {
    let every = args.every.unwrap_or(RETRY);
    match last.filter(|(_, exit)| *exit != Exit::Done) {
        // A file that was fetched in part is new, and lacks a region all the same.
        Some((since, _)) => since >= every.min(RETRY),
        None => age.is_none_or(|age| age >= every),
    }
}

/// Since when the file is as it is; `None` when it is not there. One from the future is new.
fn age_of(file: &Path) -> Option<Duration> {
    let modified = std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()?;
    Some(modified.elapsed().unwrap_or_default())
}

async fn refresh(args: &TagsFetchArgs) -> Exit {
    let file = args.output.display();
    let tell = |line: &str| {
        if line.starts_with("error: ") {
            tracing::error!(%file, problem = line, "tags not fetched");
        } else {
            tracing::debug!(%file, line, "tags");
        }
    };
    let exit = fetch_all(args, &tell).await;
    if exit == Exit::Done {
        tracing::info!(%file, "tags fetched");
    }
    exit
}

#[cfg(test)]
mod tests;
