//! `PutMetricData` becomes durable before it is answered (I1).

use aws::api::{Fault, Shape};
use bytes::Bytes;
use entry::{Encoding, Header, Kind};
use journal::{Body, Item, Refused};
use tokio::sync::oneshot;

use super::{Caller, Context};
use crate::put::{PutMetricData, check, wire};

impl Context {
    /// Checks a call and keeps it.
    pub(super) async fn store(
        &self,
        caller: &Caller,
        put: PutMetricData<'_>,
    ) -> Result<Shape<'static>, Fault> {
        let arrival_ms = (self.clock)();
        let checked = check(put, arrival_ms)?;
        let mut body = Vec::with_capacity(128 * checked.entries.len());
        wire::encode(&caller.account, &checked, &mut body);
        let header = Header {
            kind: Kind::Metrics,
            encoding: Encoding::Identity,
            arrival_ms,
            plain_bytes: body.len() as u64,
            records: checked.entries.len() as u32,
            source: self.config.source.clone(),
            source_arn: String::new(),
            request_id: String::new(),
            attributes: Vec::new(),
            lane: None,
            only: Vec::new(),
        };
        let item = Item { key: None, head: header.encode(), body: Body::Bytes(Bytes::from(body)) };
        append(&self.topic, item).await?;
        self.counts.samples(checked.entries.len());
        Ok(checked.wrong_entity.map_or(Shape::None, Shape::Without))
    }
}

/// Appends and waits for the disk. What the journal cannot take now is told as throttling, which
/// every SDK repeats by itself.
pub(crate) async fn append(topic: &journal::Topic, item: Item) -> Result<(), Fault> {
    let (told, answer) = oneshot::channel();
    topic.append(
        item,
        Box::new(move |outcome| {
            // Nobody waits for the answer when the caller has gone; the data stays.
            told.send(outcome.map(|_| ())).ok();
        }),
    );
    match answer.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(refused)) => Err(refused_by(&refused)),
        Err(_) => Err(refused_by(&Refused::Disk("the journal has ended".to_owned()))),
    }
}

fn refused_by(refused: &Refused) -> Fault {
    let text = format!("Rate exceeded: {refused}");
    Fault::common("ThrottlingException", "Throttling", 400, text)
}
