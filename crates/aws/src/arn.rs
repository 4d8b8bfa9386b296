//! Partitions of AWS, and the names of resources in them.

/// What regions have in common that know nothing of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// With which its ARNs begin, behind `arn:`.
    pub name: &'static str,
    /// In which its endpoints are.
    pub domain: &'static str,
}

/// The partition of a region.
pub fn partition(region: &str) -> Partition {
    let (name, domain) = match region {
        r if r.starts_with("cn-") => ("aws-cn", "amazonaws.com.cn"),
        r if r.starts_with("us-gov-") => ("aws-us-gov", "amazonaws.com"),
        r if r.starts_with("us-isob-") => ("aws-iso-b", "sc2s.sgov.gov"),
        r if r.starts_with("us-isof-") || r.starts_with("eu-isof-") => {
            ("aws-iso-f", "csp.hci.ic.gov")
        }
        r if r.starts_with("eu-isoe-") => ("aws-iso-e", "cloud.adc-e.uk"),
        r if r.starts_with("us-iso-") => ("aws-iso", "c2s.ic.gov"),
        r if r.starts_with("eusc-") => ("aws-eusc", "amazonaws.eu"),
        _ => ("aws", "amazonaws.com"),
    };
    Partition { name, domain }
}

/// `arn:<partition>:<service>:<region>:<account>:<resource>`.
pub fn of(service: &str, region: &str, account: &str, resource: &str) -> String {
    format!("arn:{}:{service}:{region}:{account}:{resource}", partition(region).name)
}
