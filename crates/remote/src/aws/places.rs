//! Which endpoint is asked, for which service in which region.
//!
//! Always: `endpoint_url` of the settings wins, then the variables, then the profile, then AWS.

use super::fault::Kind;
use super::profiles::Profiles;
use super::{Fault, Variables};

/// A service that is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    Sqs,
    Sts,
    Tagging,
    Sso,
    CloudWatch,
    Firehose,
}

impl Service {
    /// As scopes and host names have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Sqs => "sqs",
            Service::Sts => "sts",
            Service::Tagging => "tagging",
            Service::Sso => "portal.sso",
            Service::CloudWatch => "monitoring",
            Service::Firehose => "firehose",
        }
    }

    /// As `AWS_ENDPOINT_URL_*` and the `services` section have it.
    fn id(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::Sqs => "sqs",
            Service::Sts => "sts",
            Service::Tagging => "resource_groups_tagging_api",
            Service::Sso => "sso",
            Service::CloudWatch => "cloudwatch",
            Service::Firehose => "firehose",
        }
    }
}

/// Scheme and authority, and a path when an endpoint has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `https://s3.eu-west-1.amazonaws.com`, without a slash at its end.
    pub(super) url: String,
    /// AWS's own, not one that was configured.
    pub(super) of_aws: bool,
}

/// The endpoints that are configured, and the kind of AWS's that is wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    given: Option<String>,
    by_service: Vec<(Service, String)>,
    fips: bool,
    dual_stack: bool,
}

const SERVICES: [Service; 7] = [
    Service::S3,
    Service::Sqs,
    Service::Sts,
    Service::Tagging,
    Service::Sso,
    Service::CloudWatch,
    Service::Firehose,
];

impl Places {
    /// Reads what is configured.
    pub(super) fn read(
        given: Option<&str>,
        variables: &Variables,
        profiles: &Profiles,
        profile: &str,
    ) -> Result<Places, Fault> {
        let flag = |variable: &str, key: &str| {
            let said = variables.get(variable).or_else(|| profiles.value(profile, key));
            said.is_some_and(|said| said.eq_ignore_ascii_case("true"))
        };
        let ignored =
            flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
        let mut places = Places {
            given: given.map(|url| usable(url, "endpoint_url of the settings")).transpose()?,
            by_service: Vec::new(),
            fips: flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
            dual_stack: flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
        };
        if ignored {
            return Ok(places);
        }
        for service in SERVICES {
            let own = format!("AWS_ENDPOINT_URL_{}", service.id().to_uppercase());
            let found = variables
                .get(&own)
                .map(|url| (url, own.as_str()))
                .or_else(|| variables.get("AWS_ENDPOINT_URL").map(|url| (url, "AWS_ENDPOINT_URL")))
                .or_else(|| {
                    let url = profiles.endpoint(profile, service.id());
                    url.map(|url| (url, "endpoint_url of the profile"))
                });
            if let Some((url, from)) = found {
                places.by_service.push((service, usable(url, from)?));
            }
        }
        Ok(places)
    }

    /// The endpoint that is configured for a service, if one is.
    pub(super) fn configured(&self, service: Service) -> Option<Place> {
        let by_service = self.by_service.iter().find(|(known, _)| *known == service);
        let url = self.given.as_ref().or(by_service.map(|(_, url)| url))?;
        Some(Place { url: url.clone(), of_aws: false })
    }

    /// The endpoint of a service in a region.
    pub(super) fn place(&self, service: Service, region: &str) -> Place {
        self.configured(service).unwrap_or_else(|| {
            let host = self.host(service, region);
            Place { url: format!("https://{host}"), of_aws: true }
        })
    }

    /// The endpoint of a bucket, and the path before its keys: a bucket is a part of the host name
    /// at AWS, and of the path at a configured endpoint and where a name would break the wildcard of
    /// AWS's certificate.
    pub(super) fn bucket(&self, bucket: &str, region: &str) -> (Place, String) {
        let place = self.place(Service::S3, region);
        let label = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if !place.of_aws || !bucket.bytes().all(label) {
            return (place, format!("/{}", aws::sigv4::encode_query(bucket)));
        }
        let host = self.host(Service::S3, region);
        (Place { url: format!("https://{bucket}.{host}"), of_aws: true }, String::new())
    }

    fn host(&self, service: Service, region: &str) -> String {
        let name = service.name();
        let fips = if self.fips { "-fips" } else { "" };
        let china = region.starts_with("cn-");
        let domain = aws::arn::partition(region).domain;
        match service {
            Service::S3 if self.dual_stack => {
                format!("s3{fips}.dualstack.{region}.{domain}")
            }
            _ if self.dual_stack && china => {
                format!("{name}{fips}.{region}.api.amazonwebservices.com.cn")
            }
            _ if self.dual_stack => format!("{name}{fips}.{region}.api.aws"),
            _ => format!("{name}{fips}.{region}.{domain}"),
        }
    }
}

/// Whether a text can be a region: it becomes a part of a host name.
pub(super) fn is_region(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 32 && text.bytes().all(plain) && !text.starts_with('-')
}

fn usable(url: &str, from: &str) -> Result<String, Fault> {
    let parsed = reqwest::Url::parse(url);
    let good = parsed.is_ok_and(|url| {
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        matches!(url.scheme(), "http" | "https") && url.has_host() && plain
    });
    if good {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    Err(Fault::ours(
        Kind::Refused,
        "find the endpoint",
        "BadEndpoint",
        &format!("{from} is not an http or https url without user, query and fragment"),
        "write it as http://host:port or https://host",
    ))
}
