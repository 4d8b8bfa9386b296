//! Reload: all or nothing. What is new is checked and bound before anything old is touched.

use delivery::StreamConfig;
use listen::{Heir, Listener};

use super::cloud::Api;
use super::door::{Bound, Door};
use super::house::{House, Running};
use crate::settings::{ApiSource, FirehoseSource, ObjectSource, Settings};

/// What differs between the settings that run and those that should.
struct Plan {
    doors_new: Vec<(FirehoseSource, Bound)>,
    doors_refreshed: Vec<FirehoseSource>,
    doors_gone: Vec<String>,
    apis_new: Vec<(ApiSource, Bound)>,
    apis_refreshed: Vec<ApiSource>,
    apis_gone: Vec<String>,
    readers_new: Vec<ObjectSource>,
    readers_gone: Vec<String>,
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
            plan.doors_new.len() + plan.apis_new.len() + plan.readers_new.len(),
            plan.doors_refreshed.len() + plan.apis_refreshed.len(),
            plan.doors_gone.len() + plan.apis_gone.len() + plan.readers_gone.len(),
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
        for name in plan.apis_gone {
            if let Some(api) = self.apis.remove(&name) {
                api.close().await;
            }
        }
        for name in plan.readers_gone {
            if let Some(reader) = self.readers.remove(&name) {
                reader.join().await;
            }
        }
        // Stopped at a request border; what was not delivered is with the cursor.
        let gone = plan.streams_gone.iter().filter_map(|name| self.streams.remove(name));
        let gone: Vec<Running> = gone.collect();
        Self::stop_streams(gone).await;
        self.settings = settings;
        let mut failures = Vec::new();
        for config in plan.streams_new {
            if let Err(error) = self.start_stream(config) {
                failures.push(error);
            }
        }
        // After the streams: what is a delivery stream takes records, and needs its cursor for that.
        for source in plan.apis_refreshed {
            let streams = self.delivery_streams(&source.name);
            if let Some(api) = self.apis.get_mut(&source.name) {
                failures.extend(api.refresh(source, streams).err());
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
        for (source, bound) in plan.apis_new {
            failures.extend(self.open_api(source, bound).err());
        }
        for source in plan.readers_new {
            failures.extend(self.open_reader(source).err());
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
            // What was read of it cannot be read again.
            ("a source of type stdin", stdin_of(old) != stdin_of(new)),
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
            apis_new: Vec::new(),
            apis_refreshed: Vec::new(),
            apis_gone: Vec::new(),
            readers_new: Vec::new(),
            readers_gone: Vec::new(),
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
                Some(_) if self.runs_as(config) => {}
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
            match self.doors.get(&source.name) {
                Some(door) if keeps_its_socket(door, source) => {
                    if self.has_lanes(&source.name) != will_have_lanes(new, &source.name) {
                        return Err(format!(
                            "source {}: from_request cannot be turned on or off for a source while \
                             its address stays: restart instead",
                            source.name
                        ));
                    }
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
                    plan.doors_new.push((source.clone(), self.door(new, source).await?));
                }
                None => plan.doors_new.push((source.clone(), self.door(new, source).await?)),
            }
        }
        self.plan_apis(new, &mut plan).await?;
        self.plan_readers(new, &mut plan);
        for name in self.doors.keys().filter(|n| !new.sources.iter().any(|s| s.name == **n)) {
            plan.doors_gone.push(name.clone());
        }
        Ok(plan)
    }

    async fn door(&self, new: &Settings, source: &FirehoseSource) -> Result<Bound, String> {
        let bound = Door::bind(source, self.inherited(new, &source.listen)).await;
        bound.map_err(|why| self.with_holder(why, &source.listen))
    }

    /// The socket of a source that leaves this address: it is renamed, moved or removed.
    fn inherited(&self, new: &Settings, listen: &str) -> Option<Listener> {
        let leaves = |door: &&Door| {
            let stays = |s: &FirehoseSource| s.name == door.name() && s.listen == listen;
            door.settings().listen == listen && !new.sources.iter().any(stays)
        };
        let api_leaves = |api: &&Api| {
            let stays = |s: &ApiSource| s.name == api.name() && s.listen == listen;
            api.settings().listen == listen && !new.apis.iter().any(stays)
        };
        let door = self.doors.values().find(leaves).map(Door::heir);
        let heir = door.or_else(|| self.apis.values().find(api_leaves).map(Api::heir));
        heir.and_then(Heir::listener)
    }

    /// Who has the port already, when it is one of ours under another address.
    fn with_holder(&self, why: String, listen: &str) -> String {
        let port = listen.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        let doors = self.doors.values().map(|door| (door.name(), door.address()));
        let apis = self.apis.values().map(|api| (api.name(), api.address()));
        let mut holders = doors.chain(apis).filter(|(_, held)| port == Some(Ok(held.port())));
        match holders.next() {
            Some((name, held)) => {
                format!("{why} Source {name} has {held} until it is closed: restart instead")
            }
            None => why,
        }
    }

    async fn plan_apis(&self, new: &Settings, plan: &mut Plan) -> Result<(), String> {
        for source in &new.apis {
            let Some(api) = self.apis.get(&source.name) else {
                let bound = Api::bind(source, self.inherited(new, &source.listen)).await;
                let bound = bound.map_err(|why| self.with_holder(why, &source.listen))?;
                plan.apis_new.push((source.clone(), bound));
                continue;
            };
            if !keeps_its_port(api.settings(), source) {
                return Err(format!(
                    "source {}: of a source of type aws_api only credentials, unsigned_account, \
                     allow_http_endpoints and the files of tls can change: restart instead",
                    source.name
                ));
            }
            if let Some(files) = &source.tls {
                let checked = listen::ServerTls::load(&files.cert_file, &files.key_file);
                checked.map_err(|e| format!("source {}: {e}", source.name))?;
            }
            plan.apis_refreshed.push(source.clone());
        }
        let gone = self.apis.keys().filter(|name| !new.apis.iter().any(|s| s.name == **name));
        plan.apis_gone.extend(gone.cloned());
        Ok(())
    }

    fn plan_readers(&self, new: &Settings, plan: &mut Plan) {
        for source in &new.objects {
            match self.readers.get(source.name()) {
                Some(reader) if reader.settings() == source => {}
                Some(_) => {
                    plan.readers_gone.push(source.name().to_owned());
                    plan.readers_new.push(source.clone());
                }
                None => plan.readers_new.push(source.clone()),
            }
        }
        let objects = |name: &String| new.objects.iter().any(|s| s.name() == name);
        plan.readers_gone.extend(self.readers.keys().filter(|name| !objects(name)).cloned());
    }
}

fn stdin_of(settings: &Settings) -> Option<&ObjectSource> {
    let is_stdin = |source: &&ObjectSource| match source {
        ObjectSource::Files(config) => config.path.is_none(),
        ObjectSource::S3(_) => false,
    };
    settings.objects.iter().find(is_stdin)
}

fn will_have_lanes(new: &Settings, source: &str) -> bool {
    new.streams.iter().any(|config| {
        let lanes = matches!(config.destination, delivery::Destination::FromRequest(_));
        lanes && config.sources.iter().any(|name| name == source)
    })
}

/// Keys, leniency and certificate can change in place; the rest needs another socket.
fn keeps_its_socket(door: &Door, new: &FirehoseSource) -> bool {
    let old = door.settings();
    old.listen == new.listen && old.limits == new.limits && old.tls.is_some() == new.tls.is_some()
}

/// Who may call can change in place; the rest is part of what is kept, or of the fold.
fn keeps_its_port(old: &ApiSource, new: &ApiSource) -> bool {
    old.listen == new.listen
        && old.region == new.region
        && old.s3_endpoint_url == new.s3_endpoint_url
        && old.seal_key == new.seal_key
        && old.window_grace == new.window_grace
        && old.windows_bytes == new.windows_bytes
        && old.raw_values_max == new.raw_values_max
        && old.limits == new.limits
        && old.tls.is_some() == new.tls.is_some()
}
