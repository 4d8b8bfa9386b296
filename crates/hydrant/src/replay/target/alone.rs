//! The stream alone: no process runs, so this one opens the data folder and delivers what it puts
//! back. Sources are not opened, and other streams keep what they hold.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::control::replay::{PutBack, Taken};
use crate::control::{self, Control};
use crate::exit::Exit;
use crate::replay::stop::Stop;
use crate::replay::table::Delivered;
use crate::run::{Folder, House, SharedHouse, StreamReport, control_socket, put_back};
use crate::settings::Settings;

/// The house of one stream.
pub(in crate::replay) struct Alone {
    house: SharedHouse,
    control: Option<Control>,
    runtime: Arc<Runtime>,
    stream: String,
}

impl Alone {
    /// Opens journal and stream, and answers `hydrant status` meanwhile.
    pub(in crate::replay) fn open(
        settings: Settings,
        folder: Folder,
        runtime: Arc<Runtime>,
        stream: &str,
    ) -> Result<Alone, Stop> {
        let failed = |why: &str| Stop::failed(Exit::Failed, why, None);
        let socket = control_socket(folder.root());
        let handle = runtime.handle().clone();
        let house = House::build_for_replay(settings, folder, handle, stream);
        let house = Arc::new(Mutex::new(house.map_err(|it| Stop::failed(it.exit, &it.why, None))?));
        let shared = Arc::clone(&house);
        let control = runtime.block_on(async move { control::open(&socket, shared) });
        let control = control.map_err(|error| failed(&format!("control socket: {error}")))?;
        Ok(Alone { house, control: Some(control), runtime, stream: stream.to_owned() })
    }

    pub(in crate::replay) fn stream(&self) -> &str {
        &self.stream
    }

    pub(in crate::replay) fn take(&self, batch: PutBack) -> Result<Taken, Stop> {
        let taken = self.runtime.block_on(put_back(&self.house, batch));
        taken.map_err(|why| Stop::failed(Exit::Failed, &why, None))
    }

    /// How the stream stands, and how many entries it has still to deliver.
    pub(in crate::replay) fn report(&self) -> (StreamReport, u64) {
        let house = self.runtime.block_on(self.house.lock());
        let report = house.report().streams.into_iter().next();
        (report.unwrap_or_default(), house.replay_held(&self.stream).0)
    }

    /// Whether the stream's thread has ended by itself.
    pub(in crate::replay) fn is_dead(&self) -> bool {
        self.runtime.block_on(self.house.lock()).dead_stream().is_some()
    }

    /// Finishes what is in flight; the rest stays in the journal. Tells what came of it.
    pub(in crate::replay) fn close(mut self) -> (bool, Delivered) {
        let stats = self.runtime.block_on(self.house.lock()).stats_of(&self.stream);
        let well = self.runtime.block_on(House::close(&self.house));
        if let Some(control) = self.control.take() {
            control.close();
        }
        let (_, held_bytes) = self.runtime.block_on(self.house.lock()).replay_held(&self.stream);
        let told = Delivered {
            delivered: stats.delivered.load(Ordering::Relaxed),
            filtered: stats.filtered().values().sum(),
            quarantined: stats.quarantined().values().sum(),
            backed_up: stats.backed_up.load(Ordering::Relaxed),
            held_bytes,
        };
        (well, told)
    }
}
