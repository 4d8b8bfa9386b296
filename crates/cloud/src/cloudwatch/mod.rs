//! The CloudWatch metric API: metric streams, their tags, and the queries over kept windows.
//!
//! Owns what these operations take, refuse and tell, with CloudWatch's own texts where they are
//! known. Always holds: any input gets an answer or a refusal that is the caller's to repair; only a
//! disk that fails is ours. A change is durable before it is told. Deliberately not here:
//! `PutMetricData` (`put`), protocols (`aws::api`), and what running streams do (`fold`).

mod buckets;
mod data;
mod form;
mod label;
mod list;
mod metrics;
mod refusal;
mod statistics;
mod stream;
mod tags;
mod times;
mod token;

use aws::api::{Fault, Shape, Value};

use crate::api::{Caller, Context};
use crate::registry::Resources;

/// Does an operation other than `PutMetricData`; `None` when this service has none of that name.
pub async fn call(
    context: &Context,
    caller: &Caller,
    operation: &str,
    input: &Value<'_>,
) -> Option<Result<Shape<'static>, Fault>> {
    Some(match operation {
        "PutMetricStream" => stream::put(context, caller, input).await,
        "GetMetricStream" => list::get(context, caller, input),
        "ListMetricStreams" => list::list(context, caller, input),
        "StartMetricStreams" => stream::turn(context, caller, input, true).await,
        "StopMetricStreams" => stream::turn(context, caller, input, false).await,
        "DeleteMetricStream" => stream::delete(context, caller, input).await,
        "TagResource" => tags::tag(context, caller, input).await,
        "UntagResource" => tags::untag(context, caller, input).await,
        "ListTagsForResource" => tags::list(context, caller, input),
        "ListMetrics" => metrics::list(context, caller, input).await,
        "GetMetricStatistics" => statistics::get(context, caller, input).await,
        "GetMetricData" => data::get(context, caller, input).await,
        _ => return None,
    })
}

/// Changes the resources on a thread that may wait for the disk.
async fn change<T: Send + 'static>(
    context: &Context,
    change: impl FnOnce(&mut Resources) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let registry = context.registry.clone();
    match tokio::task::spawn_blocking(move || registry.change(change)).await {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(Ok(fault))) => Err(fault),
        Ok(Err(Err(text))) => Err(refusal::internal("the change could not be kept", &text)),
        Err(ended) => Err(refusal::internal("the change was not made", &ended)),
    }
}

/// Reads windows on a thread that may wait for the disk.
async fn read<T: Send + 'static>(
    read: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(told)) => Ok(told),
        Ok(Err(error)) => Err(refusal::internal("kept windows cannot be read", &error)),
        Err(ended) => Err(refusal::internal("kept windows were not read", &ended)),
    }
}

/// An output without members.
fn nothing() -> Shape<'static> {
    Shape::Members(Value::Map(Vec::new()))
}

#[cfg(test)]
mod tests;
