//! `hydrant demo`: the whole path on this machine, with no account and no settings file.
//!
//! Simulated services put metrics through the CloudWatch API; a metric stream folds them and feeds a
//! delivery stream, whose deliveries arrive at a Firehose source and go on to destinations that check
//! every line they get, on a code path of their own. Each stage speaks AWS's protocol over HTTP. A
//! ledger for each destination knows every point that was promised and tells whether one is missing.

mod cloud;
mod settings;
mod view;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rehearsal::ledger::{Comparison, Ledger, View};
use rehearsal::services::Put;
use rehearsal::{Checking, dynatrace, otlp};
use remote::aws::cloud::Cloud;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cli::DemoArgs;
use crate::exit::Exit;
use crate::run::{Folder, House, SharedHouse, control_socket, runtime, start_log, wall_clock};
use crate::terminal::fail;
use crate::traffic::PutTraffic;
use crate::{admin, control};

/// The view is drawn anew this often.
const TICK: Duration = Duration::from_millis(250);
/// After the last call, destinations are given this long: late samples are gathered for five seconds.
const SETTLE_TIME: Duration = Duration::from_secs(30);
/// What has arrived is forgotten after this, so that a demo can run for days.
const LEDGER_KEEP_MS: i64 = 10 * 60_000;
/// More points a second than this are for `hydrant simulate`: here every one is entered and checked.
const RATE_MAX: u32 = 2_000;

type Shared<T> = Arc<Mutex<T>>;

/// A destination that checks, and its ledger.
pub(crate) struct Checker {
    pub name: &'static str,
    pub ledger: Shared<Ledger>,
    pub refused: Arc<dyn Fn() -> Option<String> + Send + Sync>,
    serving: JoinHandle<()>,
}

/// Runs the command.
pub fn command(args: &DemoArgs) -> Exit {
    let home = match Home::make(args.data_dir.clone()) {
        Ok(home) => home,
        Err(error) => return fail(Exit::Disk, &format!("making a data folder: {error}"), None),
    };
    match runtime() {
        Ok(runtime) => runtime.block_on(run(args, &home.path)),
        Err(error) => fail(Exit::Failed, &format!("starting threads: {error}"), None),
    }
}

async fn run(args: &DemoArgs, data_dir: &std::path::Path) -> Exit {
    let demo = match Demo::open(args, data_dir).await {
        Ok(demo) => demo,
        Err(error) => return fail(Exit::Failed, &error, None),
    };
    demo.play(args).await
}

/// Everything that runs in a demo.
struct Demo {
    house: SharedHouse,
    admin: admin::Admin,
    control: control::Control,
    checkers: Vec<Checker>,
    stop: watch::Sender<bool>,
    cloud: Cloud,
    traffic: PutTraffic,
    view: view::View,
    sent: u64,
}

impl Demo {
    async fn open(args: &DemoArgs, data_dir: &std::path::Path) -> Result<Demo, String> {
        start_log(settings::LOG);
        let (stop, stopped) = watch::channel(false);
        let (dynatrace, dynatrace_address) = open_dynatrace(stopped.clone()).await?;
        let (otlp, otlp_address) = open_otlp(stopped).await?;
        let settings = settings::settings(data_dir, &dynatrace_address, &otlp_address);
        let folder = Folder::open(data_dir).map_err(|e| e.to_string())?;
        let house = House::build(settings, folder, tokio::runtime::Handle::current());
        let house = house.map_err(|unbuilt| unbuilt.why)?;
        let house: SharedHouse = Arc::new(tokio::sync::Mutex::new(house));
        let admin =
            admin::open("127.0.0.1:0", Arc::clone(&house)).await.map_err(|e| e.to_string())?;
        let control = control::open(&control_socket(data_dir), Arc::clone(&house));
        let control = control.map_err(|e| format!("control socket: {e}"))?;
        house.lock().await.open_doors().await?;
        let addresses = house.lock().await.addresses();
        let at = |name: &str| addresses.get(name).copied().ok_or(format!("{name} does not listen"));
        let (source, api) = (at(settings::SOURCE)?, at(settings::CLOUD)?);
        let now_ms = u64::try_from(wall_clock()()).unwrap_or(0);
        let traffic = PutTraffic::new(args.seed, args.rate.min(RATE_MAX), cloud::putter(), now_ms);
        let cloud = cloud::client(api).await?;
        cloud::set_up(&cloud, source, &traffic.namespaces()).await?;
        let places = view::Places {
            api: format!("http://{api}"),
            admin: format!("http://{}", admin.address()),
            data_dir: data_dir.to_owned(),
        };
        Ok(Demo {
            house,
            admin,
            control,
            checkers: vec![dynatrace, otlp],
            stop,
            cloud,
            traffic,
            view: view::View::new(places),
            sent: 0,
        })
    }

    async fn play(mut self, args: &DemoArgs) -> Exit {
        self.view.begin();
        let begun = Instant::now();
        let rate = f64::from(args.rate.min(RATE_MAX));
        let mut tick = tokio::time::interval(TICK);
        let mut interrupt = Box::pin(stopped());
        loop {
            tokio::select! {
                _ = &mut interrupt => break,
                _ = tick.tick() => {}
            }
            if args.run_for.is_some_and(|limit| begun.elapsed() >= limit) {
                break;
            }
            while (self.sent as f64) <= rate * begun.elapsed().as_secs_f64() {
                let Some(put) = self.next() else { break };
                self.put(put).await;
            }
            self.forget();
            self.draw(begun).await;
        }
        self.finish(begun).await
    }

    /// The next call; the ledgers know its points.
    fn next(&mut self) -> Option<Put> {
        let mut ledgers: Vec<MutexGuard<'_, Ledger>> =
            self.checkers.iter().map(|c| lock(&c.ledger)).collect();
        self.traffic.next(u64::try_from(now()).unwrap_or(0), |number, point| {
            for ledger in &mut ledgers {
                ledger.expect(number, point);
            }
        })
    }

    /// Makes one call; its points are promised once it is answered with yes.
    async fn put(&mut self, put: Put) {
        self.sent += put.points;
        match self.cloud.cloudwatch("cloudwatch:PutMetricData", put.body).await {
            Ok(_) => {
                for checker in &self.checkers {
                    lock(&checker.ledger).acknowledge(put.number);
                }
            }
            Err(fault) => self.view.note(&format!("a call was refused: {fault}")),
        }
    }

    fn forget(&self) {
        let before = wall_clock()() - LEDGER_KEEP_MS;
        for checker in &self.checkers {
            lock(&checker.ledger).forget_before(before);
        }
    }

    fn compare(&self) -> Vec<(&'static str, Comparison)> {
        self.checkers.iter().map(|c| (c.name, lock(&c.ledger).compare())).collect()
    }

    async fn draw(&mut self, begun: Instant) {
        if self.view.is_due() {
            let report = self.house.lock().await.report();
            let compared = self.compare();
            self.view.draw(begun.elapsed(), self.sent, &report, &compared);
        }
    }

    async fn finish(mut self, begun: Instant) -> Exit {
        let settled = Instant::now();
        while settled.elapsed() < SETTLE_TIME && self.compare().iter().any(|(_, c)| c.missing > 0) {
            tokio::time::sleep(TICK).await;
            self.draw(begun).await;
        }
        let report = self.house.lock().await.report();
        let well = House::close(&self.house).await;
        let compared = self.compare();
        let refusals = self.checkers.iter().filter_map(|c| (c.refused)()).collect();
        self.stop.send_replace(true);
        self.control.close();
        self.admin.close().await;
        for checker in self.checkers {
            checker.serving.abort();
        }
        let clean = compared.iter().all(|(_, c)| c.is_clean() && c.sent > 0);
        self.view.end(begun.elapsed(), self.sent, &report, &compared, refusals);
        if well && clean { Exit::Done } else { Exit::Failed }
    }
}

async fn open_dynatrace(stop: watch::Receiver<bool>) -> Result<(Checker, String), String> {
    let ledger: Shared<Ledger> = Arc::new(Mutex::new(Ledger::new(View::Dynatrace)));
    let receiver = dynatrace::Receiver::new(dynatrace::Options {
        tokens: vec![dynatrace::Token { secret: settings::TOKEN.to_owned(), may_ingest: true }],
        checking: Checking::Strict,
        ledger: Some(Arc::clone(&ledger)),
        now_ms: now,
    });
    let listener = listen::Listener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
    let address = listener.address().to_string();
    let told = receiver.clone();
    let refused = Arc::new(move || told.stats().snapshot().first_error);
    let serving = tokio::spawn(receiver.serve(listener, stop));
    Ok((Checker { name: settings::TO_DYNATRACE, ledger, refused, serving }, address))
}

async fn open_otlp(stop: watch::Receiver<bool>) -> Result<(Checker, String), String> {
    let ledger: Shared<Ledger> = Arc::new(Mutex::new(Ledger::new(View::Otlp)));
    let receiver = otlp::Receiver::new(otlp::Options {
        required_headers: Vec::new(),
        checking: Checking::Strict,
        summaries: otlp::Summaries::Taken,
        ledger: Some(Arc::clone(&ledger)),
    });
    let listener = listen::Listener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
    let address = listener.address().to_string();
    let told = receiver.clone();
    let refused = Arc::new(move || told.stats().snapshot().first_error);
    let serving = tokio::spawn(receiver.serve(listener, stop));
    Ok((Checker { name: settings::TO_OTEL, ledger, refused, serving }, address))
}

/// Ctrl-C, or a polite request to end.
async fn stopped() {
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    let Ok(mut terminate) = terminate else { return drop(tokio::signal::ctrl_c().await) };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn now() -> i64 {
    wall_clock()()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The data folder of a demo: the one asked for, or a temporary one that goes with the demo.
struct Home {
    path: PathBuf,
    temporary: bool,
}

impl Home {
    fn make(wanted: Option<PathBuf>) -> std::io::Result<Home> {
        let temporary = wanted.is_none();
        let path = wanted.unwrap_or_else(|| {
            std::env::temp_dir().join(format!("hydrant-demo-{}", std::process::id()))
        });
        std::fs::create_dir_all(&path)?;
        Ok(Home { path, temporary })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.temporary {
            // Best effort: what stays is in the folder for temporary files.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
