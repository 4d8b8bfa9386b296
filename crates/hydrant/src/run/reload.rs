//! Reload: all or nothing. What is new is checked and bound before anything old is touched.

use delivery::StreamConfig;

use super::door::{Bound, Door};
use super::house::{House, Running, drop_in_sources};
use crate::settings::{FirehoseSource, Settings};

/// What differs between the settings that run and those that should.
struct Plan {
    doors_new: Vec<(FirehoseSource, Bound)>,
    doors_refreshed: Vec<FirehoseSource>,
    doors_gone: Vec<String>,
    streams_new: Vec<StreamConfig>,
    streams_gone: Vec<String>,
}

impl House {
    /// Changes to `settings`, or stays as it is and says why.
    pub async fn reload(&mut self, settings: Settings) -> Result<String, String> {
        let result = self.try_reload(settings).await;
        self.reload_failure = result.as_ref().err().cloned();
        result
    }

    /// Settings that could not even be read.
    pub fn refuse_reload(&mut self, why: String) {
        self.reload_failure = Some(why);
    }

    async fn try_reload(&mut self, settings: Settings) -> Result<String, String> {
        self.refuse_unchangeable(&settings)?;
        let plan = self.plan(&settings).await?;
        let told = format!(
            "{} sources opened, {} refreshed, {} closed; {} streams started, {} stopped",
            plan.doors_new.len(),
            plan.doors_refreshed.len(),
            plan.doors_gone.len(),
            plan.streams_new.len(),
            plan.streams_gone.len()
        );
        for source in plan.doors_refreshed {
            if let Some(door) = self.doors.get_mut(&source.name) {
                door.refresh(source)?;
            }
        }
        for name in plan.doors_gone {
            if let Some(door) = self.doors.remove(&name) {
                door.join().await;
            }
        }
        // Stopped at a request border; what was not delivered is with the cursor.
        let gone = plan.streams_gone.iter().filter_map(|name| self.remove_stream(name));
        let gone: Vec<Running> = gone.collect();
        Self::stop_streams(gone).await;
        self.settings = settings;
        let mut failures = Vec::new();
        for config in plan.streams_new {
            if let Err(error) = self.start_stream(config) {
                failures.push(error);
            }
        }
        for (source, bound) in plan.doors_new {
            match self.open_door(source, bound) {
                Ok(door) => {
                    self.doors.insert(door.name().to_owned(), door);
                }
                Err(error) => failures.push(error),
            }
        }
        if failures.is_empty() { Ok(told) } else { Err(failures.join("; ")) }
    }

    fn refuse_unchangeable(&self, new: &Settings) -> Result<(), String> {
        let old = &self.settings;
        let fixed = [
            ("data_dir", old.data_dir != new.data_dir),
            ("disk_budget", old.budget != new.budget),
            ("admin.listen", old.admin != new.admin),
            ("log", old.log != new.log),
        ];
        let changed: Vec<&str> = fixed.iter().filter(|(_, c)| *c).map(|(n, _)| *n).collect();
        if changed.is_empty() {
            return Ok(());
        }
        Err(format!("{} cannot change while running: restart instead", changed.join(", ")))
    }

    async fn plan(&self, new: &Settings) -> Result<Plan, String> {
        let mut plan = Plan {
            doors_new: Vec::new(),
            doors_refreshed: Vec::new(),
            doors_gone: Vec::new(),
            streams_new: Vec::new(),
            streams_gone: Vec::new(),
        };
        for config in &new.streams {
            // Building a destination shows what the settings check cannot: a CA file that is none.
            if let delivery::Destination::Fixed(destination) = &config.destination {
                let built = delivery::sink::build(destination);
                built.map_err(|e| format!("stream {}: {e}", config.name))?;
            }
            match self.streams.get(&config.name) {
                Some(running) if running.config() == config => {}
                Some(_) => {
                    plan.streams_gone.push(config.name.clone());
                    plan.streams_new.push(config.clone());
                }
                None => plan.streams_new.push(config.clone()),
            }
        }
        for name in self.streams.keys().filter(|n| !new.streams.iter().any(|s| s.name == **n)) {
            plan.streams_gone.push(name.clone());
        }
        for source in &new.sources {
            let name = source.name.as_str();
            let admits = |s| drop_in_sources(s).contains(name);
            match self.doors.get(name) {
                // An open door asks for a lane at each delivery, or at none: entries for lanes are
                // foreign to a fixed stream, and the other way round.
                Some(_) if admits(&self.settings) != admits(new) => {
                    return Err(format!(
                        "source {name}: a destination taken from the request cannot come or go while \
                         running: restart instead"
                    ));
                }
                Some(door) if keeps_its_socket(door, source) => {
                    if let Some(files) = &source.tls {
                        let checked = listen::ServerTls::load(&files.cert_file, &files.key_file);
                        checked.map_err(|e| format!("source {}: {e}", source.name))?;
                    }
                    plan.doors_refreshed.push(source.clone());
                }
                Some(door) if door.settings().listen == source.listen => {
                    return Err(format!(
                        "source {}: limits or tls cannot be turned on or off while its address \
                         stays: restart instead",
                        source.name
                    ));
                }
                Some(_) => {
                    plan.doors_gone.push(source.name.clone());
                    plan.doors_new.push((source.clone(), Door::bind(source).await?));
                }
                None => plan.doors_new.push((source.clone(), Door::bind(source).await?)),
            }
        }
        for name in self.doors.keys().filter(|n| !new.sources.iter().any(|s| s.name == **n)) {
            plan.doors_gone.push(name.clone());
        }
        Ok(plan)
    }
}

/// Keys, leniency and certificate can change in place; the rest needs another socket.
fn keeps_its_socket(door: &Door, new: &FirehoseSource) -> bool {
    let old = door.settings();
    old.listen == new.listen && old.limits == new.limits && old.tls.is_some() == new.tls.is_some()
}
