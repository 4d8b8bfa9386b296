//! `hydrant simulate --put-metric-data`: the same services, reporting by `PutMetricData`.

use std::time::{Duration, Instant};

use rehearsal::services::Putter;
use remote::aws::cloud::Cloud;
use remote::aws::{Fault, Identity, IdentityConfig, Kind};
use remote::{ClientConfig, TlsConfig};

use super::{ATTEMPTS, ATTEMPTS_UNHEARD, PAUSE, pause_for};
use crate::cli::SimulateArgs;
use crate::exit::Exit;
use crate::run::wall_clock;
use crate::terminal::{self, fail};
use crate::traffic::PutTraffic;

/// How often it is looked whether the next minute is over.
const LOOK: Duration = Duration::from_millis(250);

/// What became of the calls.
#[derive(Default)]
struct Done {
    points: u64,
    calls: u64,
    repeated: u64,
    refused: Option<Exit>,
}

/// Puts metrics at `--to`, or at AWS, with credentials of AWS's own chain.
pub(super) async fn put(args: &SimulateArgs) -> Exit {
    let config = IdentityConfig {
        region: None,
        profile: None,
        endpoint_url: args.to.clone(),
        assume_role: None,
        client: ClientConfig {
            tls: TlsConfig { ca_file: args.ca_file.clone(), accept_invalid: args.insecure },
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            answer_bytes: 1024 * 1024,
        },
    };
    let cloud = match Identity::load(config).await {
        Ok(identity) => Cloud::new(identity),
        Err(fault) => return fail(exit_of(&fault), &fault.to_string(), fault.remedy.as_deref()),
    };
    let putter = Putter { account: String::new(), region: String::new(), stream: String::new() };
    let clock = wall_clock();
    let now_ms = || u64::try_from(clock()).unwrap_or(0);
    let rate = if args.rate == 0 { u32::MAX } else { args.rate };
    let traffic = PutTraffic::new(args.seed, rate, putter, now_ms());
    let mut traffic = traffic.at_most(args.points);
    let (begun, mut done) = (Instant::now(), Done::default());
    let mut interrupt = Box::pin(tokio::signal::ctrl_c());
    let mut interrupted = false;
    loop {
        let over = args.run_for.is_some_and(|limit| begun.elapsed() >= limit);
        if over || args.points.is_some_and(|limit| done.points >= limit) || done.refused.is_some() {
            break;
        }
        let call = traffic.next(now_ms(), |_, _| {});
        let pause = match call {
            Some(_) => pause_for(args.rate, done.points, begun),
            None => LOOK,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = &mut interrupt => { interrupted = true; break; }
        }
        if let Some(call) = call {
            attempt(&cloud, call.body, call.points, &mut done).await;
        }
    }
    let rate = done.points as f64 / begun.elapsed().as_secs_f64().max(0.001);
    terminal::say(&format!(
        "{} metrics in {} calls, {:.1} s, {rate:.0} metrics/s, {} repeated",
        done.points,
        done.calls,
        begun.elapsed().as_secs_f64(),
        done.repeated,
    ));
    match (done.refused, interrupted) {
        (Some(exit), _) => exit,
        (None, true) => Exit::Interrupted,
        (None, false) => Exit::Done,
    }
}

/// One call, repeated as SDKs do while it may still pass.
async fn attempt(cloud: &Cloud, body: serde_json::Value, points: u64, done: &mut Done) {
    let mut pause = PAUSE;
    for n in 1..=ATTEMPTS {
        match cloud.cloudwatch("cloudwatch:PutMetricData", body.clone()).await {
            Ok(_) => {
                done.points += points;
                done.calls += 1;
                return;
            }
            Err(fault) if fault.passes() && n < attempts(&fault, done) => {
                done.repeated += 1;
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(fault) => {
                let exit = exit_of(&fault);
                fail(exit, &fault.to_string(), fault.remedy.as_deref());
                done.refused = Some(exit);
                return;
            }
        }
    }
}

/// Few while nobody has ever answered there.
fn attempts(fault: &Fault, done: &Done) -> u32 {
    let is_unheard = fault.status == 0 && done.calls == 0;
    if is_unheard { ATTEMPTS_UNHEARD } else { ATTEMPTS }
}

fn exit_of(fault: &Fault) -> Exit {
    match fault.kind {
        Kind::NoCredentials | Kind::BadCredentials | Kind::Denied => Exit::Denied,
        Kind::Throttled | Kind::Unwell => Exit::Unreachable,
        _ => Exit::Failed,
    }
}
