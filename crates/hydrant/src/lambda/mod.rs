//! `hydrant lambda`: the AWS Lambda runtime loop.
//!
//! Serves, told apart by the event: notifications of objects (from S3, SQS, SNS, EventBridge), a
//! manual backfill, and Firehose data transformation. Always holds: a notification is answered well
//! only when every point of its objects has an outcome; what could not be delivered in time fails, so
//! that Lambda, or the queue, brings it again. One invocation at a time, as Lambda gives them.
//! Nothing here depends on the processor: the same source serves arm64 and x86-64.

mod api;
mod event;
mod fault;
mod function;
mod kept;
mod log;
mod objects;
mod refused;
mod rooms;
mod transform;
mod variables;

use std::ffi::OsStr;
use std::path::Path;

use crate::exit::Exit;
use crate::settings::Environment;
use crate::terminal::fail;
use api::{Answered, Api, ApiError, Invocation};
use fault::{ANSWER_REFUSED, BAD_SETTINGS, Fault};
use function::Function;
use log::RequestId;

/// Name of the binary that Lambda runs.
const BOOTSTRAP: &str = "bootstrap";
/// Names the runtime API; set by Lambda and by nothing else.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// Was this binary started by Lambda, under the name that Lambda runs?
pub fn is_started_by_lambda() -> bool {
    let name = std::env::args_os().next();
    let name = name.as_deref().map(Path::new).and_then(Path::file_name);
    name == Some(OsStr::new(BOOTSTRAP)) && Environment::of_process().text(RUNTIME_API).is_some()
}

/// Runs the command.
pub fn command() -> Exit {
    let environment = Environment::of_process();
    let Some(address) = environment.text(RUNTIME_API).filter(|text| !text.is_empty()) else {
        let hint =
            "deploy this binary as bootstrap, or try it with `cargo lambda watch`: docs/lambda.md";
        return fail(
            Exit::Usage,
            &format!("{RUNTIME_API} is not set: this is no Lambda"),
            Some(hint),
        );
    };
    let id = RequestId::default();
    log::start(log::level(environment.text("AWS_LAMBDA_LOG_LEVEL")), &id);
    remote::install_provider();
    // One invocation at a time, mostly waiting; packing has a thread of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve(Api::new(address), &environment, &id)),
        Err(error) => fail(Exit::Failed, &format!("starting the runtime: {error}"), None),
    }
}

async fn serve(mut api: Api, environment: &Environment, id: &RequestId) -> Exit {
    let folder = std::env::temp_dir().join(format!("hydrant-lambda-{}", std::process::id()));
    // Lambda keeps /tmp when it starts a process anew in the same place; what lies there was failed.
    if folder.exists()
        && let Err(error) = std::fs::remove_dir_all(&folder)
    {
        tracing::warn!(folder = %folder.display(), %error, "left behind by another process");
    }
    let mut function = match variables::read(environment, &folder).and_then(|variables| {
        for warning in &variables.warnings {
            tracing::warn!(warning, "settings warning");
        }
        Function::new(variables, folder)
    }) {
        Ok(function) => function,
        Err(problems) => {
            tracing::error!(problems, "settings are wrong");
            let told = api.fail_init(&Fault::new(BAD_SETTINGS, problems)).await;
            return told.map_or_else(|error| silent(&error), |_| Exit::BadSettings);
        }
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), destination = function.describe(), "ready");
    loop {
        let invocation = match api.next().await {
            Ok(invocation) => invocation,
            Err(error) => return silent(&error),
        };
        id.set(&invocation.request_id);
        if let Err(error) = respond(&mut api, &mut function, &invocation).await {
            return silent(&error);
        }
        id.set("");
    }
}

/// Works on one invocation and tells what came of it.
async fn respond(
    api: &mut Api,
    function: &mut Function,
    invocation: &Invocation,
) -> Result<(), ApiError> {
    let request_id = &invocation.request_id;
    let outcome = function.invoke(invocation).await;
    let answered = match &outcome {
        Ok(body) => api.answer(request_id, body.clone()).await?,
        Err(fault) => {
            let (kind, reason, trace) = (fault.kind, &fault.message, &invocation.trace_id);
            tracing::error!(kind, reason, trace, "invocation failed");
            api.fail(request_id, fault).await?
        }
    };
    if let Answered::Refused(status) = answered {
        // An answer that is too large, mostly: without a word Lambda would wait for its time-out.
        let message = format!("the runtime api answered {status} to the answer");
        tracing::error!(status, "answer refused");
        api.fail(request_id, &Fault::new(ANSWER_REFUSED, message)).await?;
    }
    Ok(())
}

/// Without the runtime API there is nothing left to do; Lambda begins anew.
fn silent(error: &ApiError) -> Exit {
    fail(Exit::Unreachable, &error.to_string(), None)
}
