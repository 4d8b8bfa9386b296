//! Where metric streams send to: the topics of their delivery streams.
//!
//! Owns which metric streams have none. What they would have sent is lost, as in AWS: so it is said
//! as soon as a delivery stream goes, once a change, and counted with every window. Always: no topic
//! is opened that nobody reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::engine::Engine;
use super::select::Stream;
use super::windows::locked;

/// Names of the delivery streams that are streams of the settings. They change with a reload.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfSettings(Arc<Mutex<Arc<[String]>>>);

impl OfSettings {
    pub(crate) fn new(names: Vec<String>) -> OfSettings {
        OfSettings(Arc::new(Mutex::new(names.into())))
    }

    pub(crate) fn set(&self, names: Vec<String>) {
        *locked(&self.0) = names.into();
    }

    pub(crate) fn now(&self) -> Arc<[String]> {
        Arc::clone(&locked(&self.0))
    }
}

/// What can be done about one.
pub const NOWHERE_REMEDY: &str = "create it, or name another one with PutMetricStream";

/// The metric streams without a delivery stream: by ARN, what is said of them.
pub(crate) type Nowhere = BTreeMap<String, String>;

impl Engine {
    /// The topic of a metric stream's delivery stream, as things are now.
    pub(crate) fn target(&self, stream: &Stream) -> Option<String> {
        let (now, of_settings) = (self.registry.now(), self.of_settings.now());
        let (source, name) = (&self.config.source, stream.delivery_stream()?);
        crate::firehose::topic_of(&now, source, &of_settings, &stream.account, name)
    }

    /// Looks which streams have no delivery stream, and says what has changed.
    pub(crate) fn look_for_targets(&mut self) {
        let missing = self.streams.iter().filter(|stream| self.target(stream).is_none());
        let nowhere: Nowhere = missing.map(|stream| (stream.arn.clone(), text(stream))).collect();
        for said in nowhere.iter().filter(|(arn, text)| self.nowhere.get(*arn) != Some(text)) {
            tracing::warn!("{}: {NOWHERE_REMEDY}", said.1);
        }
        for stream in &self.streams {
            if self.nowhere.contains_key(&stream.arn) && !nowhere.contains_key(&stream.arn) {
                let (name, to) = (&stream.name, &stream.firehose_arn);
                tracing::info!(name, to, "the metric stream has its delivery stream again");
            }
        }
        self.nowhere = nowhere;
    }
}

fn text(stream: &Stream) -> String {
    format!(
        "metric stream {}: there is no delivery stream {}, so its updates are not sent",
        stream.name, stream.firehose_arn
    )
}
