//! From points to calls of `PutMetricData`: one namespace a call, closed by number.

use metric::Point;
use serde_json::{Map, Value, json};

use super::Services;

/// Metrics of a call. CloudWatch takes 1,000; agents send about so many.
const DATA_MAX: usize = 150;

/// Who puts: the account and region that the points then belong to.
#[derive(Clone, Debug)]
pub struct Putter {
    /// Account of the credentials.
    pub account: String,
    /// Region of the endpoint.
    pub region: String,
    /// Name of the metric stream that carries the points on.
    pub stream: String,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Put {
    /// Its number from 0.
    pub number: u64,
    /// The input of `PutMetricData`.
    pub body: Value,
    /// Metric data in it.
    pub points: u64,
}

/// Services whose points are put, a statistic set a minute.
pub struct Puts {
    services: Services,
    putter: Putter,
    next: u64,
    left: Option<u64>,
}

/// The open call of a namespace.
struct Open {
    namespace: String,
    number: u64,
    data: Vec<Value>,
}

impl Puts {
    /// Calls for these services; the first has the number 0.
    pub fn new(services: Services, putter: Putter) -> Puts {
        Puts { services, putter, next: 0, left: None }
    }

    /// No more points than these in all; then there are no more calls.
    pub fn at_most(self, points: Option<u64>) -> Puts {
        Puts { left: points, ..self }
    }

    /// Every namespace there is.
    pub fn namespaces(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        self.services.minute(0, |point, _| {
            let name = text(point.namespace);
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        });
        names
    }

    /// The calls of the minute that begins at `start_ms`. `visit` sees every point as it should
    /// arrive, with the number of the call that carries it.
    pub fn minute(&mut self, start_ms: u64, mut visit: impl FnMut(u64, &Point<'_>)) -> Vec<Put> {
        let Puts { services, putter, next, left } = self;
        let (mut open, mut done): (Vec<Open>, Vec<Put>) = (Vec::new(), Vec::new());
        services.minute(start_ms, |point, _| {
            match left {
                Some(0) => return,
                Some(left) => *left -= 1,
                None => {}
            }
            let namespace = text(point.namespace);
            let at = open.iter().position(|one| one.namespace == namespace);
            let at = at.unwrap_or_else(|| {
                open.push(Open::new(namespace, next));
                open.len() - 1
            });
            let Some(call) = open.get_mut(at) else { return };
            call.data.push(datum(point));
            let arriving = Point {
                stream: putter.stream.as_bytes(),
                account: putter.account.as_bytes(),
                region: putter.region.as_bytes(),
                extra: &[],
                ..*point
            };
            visit(call.number, &arriving);
            if call.data.len() >= DATA_MAX {
                done.push(open.swap_remove(at).close());
            }
        });
        done.extend(open.into_iter().map(Open::close));
        done
    }
}

impl Open {
    fn new(namespace: &str, next: &mut u64) -> Open {
        let number = *next;
        *next += 1;
        Open { namespace: namespace.to_owned(), number, data: Vec::new() }
    }

    fn close(self) -> Put {
        let points = self.data.len() as u64;
        let body = json!({ "Namespace": self.namespace, "MetricData": self.data });
        Put { number: self.number, body, points }
    }
}

fn datum(point: &Point<'_>) -> Value {
    let dimensions = point
        .dimensions
        .iter()
        .map(|(name, value)| json!({ "Name": text(name), "Value": text(value) }));
    let mut set = Map::new();
    set.insert("SampleCount".to_owned(), json!(point.count));
    let statistics = [("Sum", point.sum), ("Minimum", point.min), ("Maximum", point.max)];
    set.extend(statistics.map(|(name, value)| (name.to_owned(), json!(value.unwrap_or(0.0)))));
    json!({
        "MetricName": text(point.name),
        "Dimensions": dimensions.collect::<Vec<_>>(),
        "StatisticValues": set,
        "Unit": text(point.unit.cloudwatch()),
        "Timestamp": point.start_ns as f64 / 1e9,
    })
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Options;

    /// *Scenario:* two minutes of 1,200 series.
    /// *Guarantees:* every point is in exactly one call, of its namespace, in the call it was told to
    /// be in; no call is larger than it may be; numbers are not used twice.
    #[test]
    fn every_point_is_put_once() {
        let putter = Putter {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            stream: "demo".to_owned(),
        };
        let mut puts = Puts::new(Services::new(Options::new(1, 1_200)), putter);
        let mut numbers = Vec::new();
        for minute in [60_000, 120_000] {
            let mut told: Vec<(u64, String, String)> = Vec::new();
            let calls = puts.minute(minute, |number, point| {
                assert_eq!(point.account, b"111122223333");
                let (namespace, name) = (text(point.namespace), text(point.name));
                told.push((number, namespace.to_owned(), name.to_owned()));
            });
            let mut put = Vec::new();
            for call in &calls {
                numbers.push(call.number);
                let namespace = call.body["Namespace"].as_str().unwrap();
                let data = call.body["MetricData"].as_array().unwrap();
                assert_eq!(data.len() as u64, call.points);
                assert!(data.len() <= DATA_MAX);
                for datum in data {
                    assert_eq!(datum["Timestamp"].as_f64(), Some(minute as f64 / 1e3));
                    let name = datum["MetricName"].as_str().unwrap();
                    put.push((call.number, namespace.to_owned(), name.to_owned()));
                }
            }
            told.sort();
            put.sort();
            assert_eq!(told.len(), 1_200);
            assert_eq!(told, put);
        }
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count);
        assert_eq!(puts.namespaces().len(), 20);
    }
}
