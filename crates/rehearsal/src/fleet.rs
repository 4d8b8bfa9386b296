//! The resources that publish metrics, and the dimension values that name them.
//!
//! A resource is a number; its names follow from namespace, owner and number alone, and two
//! resources of a namespace never have the same dimension values.

use crate::catalog::{NAMESPACES, Namespace, OWNERS};
use crate::random::mix;

/// Names of the teams' services; a resource is called after one of them.
const TEAMS: [&str; 12] = [
    "checkout",
    "basket",
    "search",
    "catalogue",
    "payments",
    "identity",
    "shipping",
    "pricing",
    "reviews",
    "ledger",
    "media",
    "notify",
];

/// One resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Index into [`NAMESPACES`].
    pub(crate) namespace: usize,
    /// Index into [`OWNERS`].
    pub(crate) owner: usize,
    /// Its number in the namespace.
    pub(crate) number: u64,
}

impl Resource {
    /// The `index`th resource: namespaces take turns, owners are dealt by a hash.
    pub(crate) fn nth(index: u64) -> Self {
        let count = NAMESPACES.len() as u64;
        let owner = mix(index ^ 0x0b1e) % OWNERS.len() as u64;
        Self {
            namespace: usize::try_from(index % count).unwrap_or(0),
            owner: usize::try_from(owner).unwrap_or(0),
            number: index / count,
        }
    }

    /// Its namespace.
    pub(crate) fn namespace(&self) -> &'static Namespace {
        NAMESPACES.get(self.namespace).expect("nth keeps the index inside the table")
    }

    /// Account and region.
    pub(crate) fn owner(&self) -> (&'static str, &'static str) {
        *OWNERS.get(self.owner).expect("nth keeps the index inside the table")
    }

    /// Its dimensions, in the order of the catalogue.
    pub(crate) fn dimensions(&self) -> Vec<(&'static str, String)> {
        let names = self.namespace().dimensions.iter();
        names.map(|name| (*name, self.value(name))).collect()
    }

    fn team(&self) -> &'static str {
        let index = usize::try_from(self.number % TEAMS.len() as u64).unwrap_or(0);
        TEAMS.get(index).copied().unwrap_or("checkout")
    }

    /// A dimension value. Each namespace has at least one dimension whose value holds the number
    /// or a one-to-one hash of it.
    fn value(&self, dimension: &str) -> String {
        let (account, region) = self.owner();
        let (n, team) = (self.number, self.team());
        let hash = mix(n ^ ((self.namespace as u64) << 48));
        match dimension {
            "InstanceId" => format!("i-{hash:016x}"),
            "VolumeId" => format!("vol-{hash:016x}"),
            "NatGatewayId" => format!("nat-0{hash:016x}"),
            "AvailabilityZone" => format!("{region}{}", zone(n)),
            "LoadBalancer" => format!("app/{team}/{hash:016x}"),
            "TargetGroup" => format!("targetgroup/{team}/{hash:016x}"),
            "FunctionName" => format!("{team}-{n}"),
            "Resource" if self.namespace().name == "AWS/Lambda" => {
                format!("{team}-{n}:live")
            }
            "Resource" => format!("/{team}/{{id}}"),
            "Method" => method(n).to_owned(),
            "Stage" => "prod".to_owned(),
            "ApiName" => format!("{team}-{n}"),
            "DBInstanceIdentifier" => format!("{team}-pg-{n}"),
            "TableName" => format!("{team}-{n}"),
            "Operation" => operation(n).to_owned(),
            "QueueName" => format!("{team}-{n}"),
            "BucketName" => format!("{team}-media-{n}"),
            "FilterId" => "EntireBucket".to_owned(),
            "ClusterName" => format!("{team}-prod"),
            "ServiceName" => format!("{team}-{n}"),
            "Namespace" => format!("{team}-system"),
            "PodName" => format!("{team}-{:010x}-{n}", hash >> 24),
            "CacheClusterId" => format!("{team}-redis-{n}"),
            "CacheNodeId" => "0001".to_owned(),
            "StreamName" => format!("{team}-{n}"),
            "DistributionId" => format!("E{hash:016X}"),
            "Region" => "Global".to_owned(),
            "StateMachineArn" => {
                format!("arn:aws:states:{region}:{account}:stateMachine:{team}-saga-{n}")
            }
            "Cluster Name" => format!("{team}-kafka"),
            "Consumer Group" => format!("{team}-readers-{n}"),
            "Topic" => format!("{team}.events.v1"),
            "DeliveryStreamName" => format!("{team}-{n}"),
            other => format!("{other}-{n}"),
        }
    }
}

fn zone(n: u64) -> char {
    match n % 3 {
        0 => 'a',
        1 => 'b',
        _ => 'c',
    }
}

fn method(n: u64) -> &'static str {
    match n % 4 {
        0 | 1 => "GET",
        2 => "POST",
        _ => "PUT",
    }
}

fn operation(n: u64) -> &'static str {
    match n % 4 {
        0 => "GetItem",
        1 => "PutItem",
        2 => "Query",
        _ => "BatchGetItem",
    }
}

#[cfg(test)]
mod tests;
