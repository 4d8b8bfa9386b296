//! The CloudWatch metric API: metric streams, their tags, and the queries over kept windows.

use aws::api::{Fault, Shape, Value};

use crate::api::{Caller, Context};

/// Does an operation other than `PutMetricData`; `None` when this service has none of that name.
pub async fn call(
    context: &Context,
    caller: &Caller,
    operation: &str,
    input: &Value<'_>,
) -> Option<Result<Shape<'static>, Fault>> {
    let (_, _, _, _) = (context, caller, operation, input);
    None
}
