//! `hydrant run`: run the configured sources and streams until told to stop.

mod basis;
mod cloud;
mod damage;
mod door;
mod files;
mod fingerprint;
mod folder;
mod house;
mod kept;
mod log;
mod notify;
mod reader;
mod reload;
mod replay;
mod report;
mod sources;
mod tap;
mod tell;
mod trace;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;

pub(crate) use cloud::NOT_STARTED;
pub use damage::{REMEDY as DAMAGE_REMEDY, damage_copies};
pub use folder::{Folder, FolderError, control_socket};
pub use house::{House, Unbuilt, forget, wall_clock};
pub use log::start as start_log;
pub use replay::put_back;
pub use report::{
    ApiReport, CursorReport, FoldReport, JournalReport, ObjectsReport, Report, SourceReport,
    StoreReport, StreamReport, TagsReport, TopicReport, UploadsReport,
};
pub use trace::trace;

use notify::Manager;

use crate::cli::RunArgs;
use crate::exit::Exit;
use crate::settings::{self, Environment, Settings, report as problems};
use crate::terminal::{Paint, fail};
use crate::{admin, control, tags};

/// How often it is checked that every stream lives.
const WATCH: Duration = Duration::from_secs(1);
/// How often the service manager is told how things stand.
const STATUS: Duration = Duration::from_secs(10);

/// The house, shared by the admin port, the control socket and the main loop.
pub type SharedHouse = Arc<Mutex<House>>;

/// Runs the command.
pub fn command(args: &RunArgs) -> Exit {
    let (file, settings) = match settings::open(args.config.as_deref()) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    log::start(settings.log);
    for warning in &settings.warnings {
        let line = warning.place.map_or(0, |p| p.line);
        tracing::warn!(file = %file.display(), line, rule = warning.sentence(), "settings warning");
    }
    files::allow(&settings);
    let folder = match Folder::open(&settings.data_dir) {
        Ok(folder) => folder,
        Err(error @ FolderError::Io { .. }) => {
            let hint =
                "data_dir must be a folder that this user may write to: see its owner and rights";
            return fail(Exit::Disk, &error.to_string(), Some(hint));
        }
        Err(error) => return fail(Exit::Failed, &error.to_string(), None),
    };
    match runtime() {
        Ok(runtime) => {
            let exit = runtime.block_on(run(&file, settings, folder));
            // All is written and told; a thread that hangs in a call to the disk is not waited for.
            runtime.shutdown_background();
            exit
        }
        Err(error) => fail(Exit::Failed, &format!("starting threads: {error}"), None),
    }
}

/// The runtime of sockets; the work is done on threads of its own.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    remote::install_provider();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

async fn run(file: &Path, settings: Settings, folder: Folder) -> Exit {
    let mut manager = Manager::of(&Environment::of_process());
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(Exit::Failed, &format!("listening for signals: {error}"), None),
    };
    let (admin_address, root) = (settings.admin.listen.clone(), folder.root().to_owned());
    let house = match House::build(settings, folder, tokio::runtime::Handle::current()) {
        Ok(house) => Arc::new(Mutex::new(house)),
        Err(unbuilt) => return fail(unbuilt.exit, &unbuilt.why, None),
    };
    // The admin port first: whoever watches sees the start, and why it is not ready.
    let admin = match admin::open(&admin_address, Arc::clone(&house)).await {
        Ok(admin) => admin,
        Err(error) => {
            let what = door::cannot_listen("admin.listen", &admin_address, &error);
            return fail(Exit::Failed, &what, None);
        }
    };
    let control = match control::open(&control_socket(&root), Arc::clone(&house)) {
        Ok(control) => control,
        Err(error) => return fail(Exit::Failed, &format!("control socket: {error}"), None),
    };
    let opened = house.lock().await.open_doors().await;
    if let Err(error) = opened {
        House::close(&house).await;
        return fail(Exit::Failed, &error, None);
    }
    tell_start(&*house.lock().await, admin.address());
    manager.ready(&house.lock().await.report().sentence());
    let exit = tokio::select! {
        exit = serve(file, &house, signals, &mut manager) => exit,
        never = tags::keep_fresh(&house) => match never {},
    };
    manager.stopping();
    let well = manager.alive_while(House::close(&house)).await;
    control.close();
    admin.close().await;
    tracing::info!("stopped");
    if well { exit } else { Exit::Bug }
}

/// What listens where and what goes where.
fn tell_start(house: &House, admin: std::net::SocketAddr) {
    let report = house.report();
    for stream in &report.streams {
        let (held, place) = (stream.backlog_bytes, &stream.destination);
        tracing::info!(
            stream = stream.name,
            destination = place,
            backlog_bytes = held,
            "stream runs"
        );
    }
    tell_held(&report);
    let (version, data_dir) = (&report.version, report.data_dir.display());
    tracing::info!(version, %data_dir, %admin, sources = report.sources.len(), streams = house.stream_count(), "hydrant runs");
}

/// What nobody delivers any more.
fn tell_held(report: &Report) {
    for gone in &report.forgotten {
        let (stream, source, bytes) = (&gone.name, &gone.topic, gone.bytes);
        if gone.left {
            tracing::warn!(
                stream,
                source,
                bytes,
                "stream reads this source no more but holds data of it: name it again, and it is delivered"
            );
        } else {
            tracing::warn!(
                stream,
                bytes,
                "stream is not in the settings but holds data: hydrant stream forget frees it"
            );
        }
    }
}

async fn serve(
    file: &Path,
    house: &SharedHouse,
    mut signals: Signals,
    manager: &mut Manager,
) -> Exit {
    let mut watch = tokio::time::interval(WATCH);
    let mut status = tokio::time::interval(STATUS);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hang_up.recv() => {
                manager.reloading();
                manager.alive_while(reload(file, house)).await;
                manager.ready(&house.lock().await.report().sentence());
            }
            limit = manager.due() => match house.lock().await.stuck(limit) {
                None => manager.alive(),
                Some(topic) => tracing::error!(
                    topic, ?limit, "the disk does not answer: the watchdog is not told that all is well"
                ),
            },
            _ = status.tick(), if manager.is_there() => {
                manager.status(&house.lock().await.report().sentence());
            }
            _ = watch.tick() => {
                let house = house.lock().await;
                if let Some(name) = house.dead_stream() {
                    tracing::error!(name, "a stream or source has ended by itself: this is a bug");
                    return Exit::Bug;
                }
                if let Some(exit) = house.finished() {
                    return exit;
                }
            }
        }
    }
    // A second signal does not wait for what is in flight: the journal has it.
    tokio::spawn(async move {
        tokio::select! {
            _ = signals.terminate.recv() => {}
            _ = signals.interrupt.recv() => {}
        }
        tracing::warn!("second signal: leaving at once");
        std::process::exit(i32::from(Exit::Interrupted.code()));
    });
    Exit::Done
}

/// SIGHUP: read the settings anew, or keep the old ones and say why.
pub(crate) async fn reload(file: &Path, house: &SharedHouse) {
    let environment = Environment::of_process();
    let result = match settings::load(file, &environment) {
        Ok(settings) => house.lock().await.reload(settings).await,
        Err(list) => {
            let text = problems::text(&list, Paint::PLAIN);
            house.lock().await.refuse_reload(text.clone());
            Err(text)
        }
    };
    match result {
        Ok(changes) => {
            tracing::info!(changes, "settings reloaded");
            tell_held(&house.lock().await.report());
        }
        Err(error) => tracing::error!(error, "reload refused, the old settings stay"),
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}
