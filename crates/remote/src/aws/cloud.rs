//! CloudWatch and Firehose, asked in JSON: what a rehearsal does with whatever stands in their place.

use std::time::Duration;

use serde_json::Value;

use super::json::Operation;
use super::places::Service;
use super::verdict::Doing;
use super::{Fault, Identity};

/// The client. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cloud {
    identity: Identity,
}

impl Cloud {
    /// A client.
    pub fn new(identity: Identity) -> Cloud {
        Cloud { identity }
    }

    /// An operation of CloudWatch, as IAM calls it: `cloudwatch:PutMetricData`.
    pub async fn cloudwatch(&self, action: &'static str, input: Value) -> Result<Value, Fault> {
        self.call(Service::CloudWatch, ("GraniteServiceVersion20100801", "1.0"), action, input)
            .await
    }

    /// An operation of Firehose, as IAM calls it: `firehose:CreateDeliveryStream`.
    pub async fn firehose(&self, action: &'static str, input: Value) -> Result<Value, Fault> {
        self.call(Service::Firehose, ("Firehose_20150804", "1.1"), action, input).await
    }

    async fn call(
        &self,
        service: Service,
        (shape, version): (&str, &str),
        action: &'static str,
        body: Value,
    ) -> Result<Value, Fault> {
        let name = action.split(':').next_back().unwrap_or_default();
        let region = self.identity.region_for(service, name)?;
        let operation = Operation {
            service,
            region,
            place: self.identity.place(service, region),
            target: format!("{shape}.{name}"),
            content_type: &format!("application/x-amz-json-{version}"),
            body,
            waits: Duration::ZERO,
            doing: Doing {
                text: name.to_owned(),
                action,
                resource: "*".to_owned(),
                besides: String::new(),
            },
        };
        self.identity.json(operation).await
    }
}
