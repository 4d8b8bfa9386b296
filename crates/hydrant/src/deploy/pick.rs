//! Which source and which streams it is about, and what they say of their place in AWS.

use delivery::sink::Config as Sink;
use delivery::{Destination, StreamConfig};

use super::plan::Topology;
use super::refusal::Refusal;
use crate::cli::DeployOptions;
use crate::settings::{FirehoseSource, ObjectSource, Settings};

/// What of the settings counts.
#[derive(Debug)]
pub(super) struct Picked<'a> {
    /// The way of the metrics.
    pub topology: Topology,
    /// Name of the source; none when Hydrant is not on the way.
    pub source: Option<String>,
    /// Streams whose filters count.
    pub streams: Vec<&'a StreamConfig>,
    /// Regions.
    pub regions: Vec<String>,
    /// The source that listens.
    pub door: Option<&'a FirehoseSource>,
    /// It has access keys.
    pub has_keys: bool,
    /// A stream takes target and token from the request.
    pub from_request: bool,
    /// Bucket that the source reads.
    pub bucket: Option<String>,
    /// Prefix that it reads.
    pub prefix: Option<String>,
    /// Name of its queue.
    pub queue: Option<String>,
    /// How long it hides messages, in seconds.
    pub visibility: u64,
}

/// As the source itself has it.
const VISIBILITY: u64 = 120;

/// Chooses.
pub(super) fn pick<'a>(
    settings: &'a Settings,
    options: &DeployOptions,
) -> Result<Picked<'a>, Refusal> {
    let source = source(settings, options)?;
    let topology = match (options.topology, source) {
        (Some(topology), _) => topology,
        (None, Some(Source::Door(_))) => Topology::Http,
        (None, Some(Source::S3(config))) if config.sqs_queue_url.is_none() => Topology::S3,
        (None, _) => Topology::Sqs,
    };
    check_flags(options, topology)?;
    let source = source.filter(|_| !matches!(topology, Topology::Dynatrace | Topology::Lambda));
    let streams = streams(settings, options, topology, source)?;
    let from_request =
        streams.iter().any(|stream| matches!(stream.destination, Destination::FromRequest(_)));
    let mut picked = Picked {
        topology,
        source: source.map(|source| source.name().to_owned()),
        streams,
        regions: options.regions.clone(),
        door: None,
        has_keys: false,
        from_request,
        bucket: None,
        prefix: None,
        queue: None,
        visibility: VISIBILITY,
    };
    match source {
        Some(Source::Door(door)) => {
            picked.has_keys = !door.access.keys.is_empty();
            picked.door = Some(door);
        }
        Some(Source::S3(config)) => picked.take_objects(config),
        None => {}
    }
    picked.check_regions()?;
    Ok(picked)
}

/// A flag that means nothing here is a mistake about the way.
fn check_flags(options: &DeployOptions, topology: Topology) -> Result<(), Refusal> {
    let over_http = matches!(topology, Topology::Http | Topology::Dynatrace);
    let over_s3 = matches!(topology, Topology::S3 | Topology::Sqs);
    let flags = [
        ("--endpoint-url", options.endpoint_url.is_some() && !over_http),
        ("--access-key", options.access_key.is_some() && !over_http),
        ("--attribute", !options.attributes.is_empty() && !over_http),
        ("--reader", options.reader.is_some() && !over_s3),
        ("--source", options.source.is_some() && !over_s3 && topology != Topology::Http),
    ];
    match flags.iter().find(|(_, wrong)| *wrong) {
        None => Ok(()),
        Some((flag, _)) => Err(Refusal::usage(
            format!("{flag} means nothing when the metrics go the way that --topology says"),
            "remove it, or take another --topology: http and dynatrace deliver to a URL; s3 and sqs are \
             read by a source; lambda and dynatrace choose by --stream",
        )),
    }
}

#[derive(Clone, Copy)]
enum Source<'a> {
    Door(&'a FirehoseSource),
    S3(&'a intake::objects::s3::Config),
}

impl Source<'_> {
    fn name(&self) -> &str {
        match self {
            Source::Door(door) => &door.name,
            Source::S3(config) => &config.name,
        }
    }

    fn fits(&self, topology: Option<Topology>) -> bool {
        match topology {
            None => true,
            Some(Topology::Http) => matches!(self, Source::Door(_)),
            Some(Topology::S3 | Topology::Sqs) => matches!(self, Source::S3(_)),
            Some(Topology::Lambda | Topology::Dynatrace) => false,
        }
    }

    /// Whether the flags that only one kind of source has leave this one possible.
    fn fits_flags(&self, options: &DeployOptions) -> bool {
        let over_http = options.endpoint_url.is_some()
            || options.access_key.is_some()
            || !options.attributes.is_empty();
        match self {
            Source::Door(_) => options.reader.is_none(),
            Source::S3(_) => !over_http,
        }
    }
}

/// The source that is meant; none is needed when Hydrant is a function, or not on the way.
fn source<'a>(
    settings: &'a Settings,
    options: &DeployOptions,
) -> Result<Option<Source<'a>>, Refusal> {
    if matches!(options.topology, Some(Topology::Lambda | Topology::Dynatrace)) {
        return Ok(None);
    }
    let doors = settings.sources.iter().map(Source::Door);
    let objects = settings.objects.iter().filter_map(|source| match source {
        ObjectSource::S3(config) => Some(Source::S3(config)),
        ObjectSource::Files(_) => None,
    });
    let all: Vec<Source<'a>> = doors.chain(objects).collect();
    if let Some(name) = &options.source {
        return match all.iter().find(|source| source.name() == name) {
            Some(source) if source.fits(options.topology) => Ok(Some(*source)),
            Some(_) => Err(Refusal::usage(
                format!("source {name} does not fit --topology"),
                "http needs a source of type firehose; s3 and sqs need one of type s3",
            )),
            None => Err(Refusal::usage(
                format!("there is no source {name} of type firehose or s3"),
                format!("--source takes one of: {}", names(&all)),
            )),
        };
    }
    let mut fitting: Vec<Source<'a>> =
        all.into_iter().filter(|source| source.fits(options.topology)).collect();
    if fitting.iter().any(|source| source.fits_flags(options)) {
        fitting.retain(|source| source.fits_flags(options));
    }
    match fitting.as_slice() {
        [one] => Ok(Some(*one)),
        [] => {
            let wanted = match options.topology {
                Some(Topology::Http) => "type firehose",
                Some(_) => "type s3",
                None => "type firehose or s3",
            };
            Err(Refusal::settings(
                format!(
                    "the settings have no source of {wanted}, so nothing in AWS could feed them"
                ),
                "add one under sources, or take --topology lambda or dynatrace, which need none",
            ))
        }
        several => Err(Refusal::usage(
            "several sources could be fed; each has an AWS side of its own",
            format!("name one with --source: {}", names(several)),
        )),
    }
}

fn names(sources: &[Source<'_>]) -> String {
    let names: Vec<&str> = sources.iter().map(Source::name).collect();
    if names.is_empty() { "none is there".to_owned() } else { names.join(", ") }
}

fn streams<'a>(
    settings: &'a Settings,
    options: &DeployOptions,
    topology: Topology,
    source: Option<Source<'a>>,
) -> Result<Vec<&'a StreamConfig>, Refusal> {
    let fed = |stream: &&StreamConfig| match source {
        Some(source) => stream.sources.iter().any(|name| name == source.name()),
        None => true,
    };
    let is_dynatrace = |stream: &&StreamConfig| {
        matches!(
            stream.destination,
            Destination::Fixed(Sink::Dynatrace(_)) | Destination::FromRequest(_)
        )
    };
    let mut streams: Vec<&StreamConfig> = settings.streams.iter().filter(fed).collect();
    if topology == Topology::Dynatrace {
        streams.retain(is_dynatrace);
    }
    let known: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    if let Some(wrong) = options.streams.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::usage(
            format!("there is no stream {wrong} that this way of the metrics could serve"),
            format!("--stream takes one of: {}", known.join(", ")),
        ));
    }
    if !options.streams.is_empty() {
        streams.retain(|stream| options.streams.contains(&stream.name));
    }
    match (topology, streams.as_slice()) {
        (Topology::Dynatrace, []) => Err(Refusal::settings(
            "no stream has a destination of type dynatrace",
            "add one, whose filters and environment URL count, or take another --topology",
        )),
        (Topology::Lambda, [_, _, ..]) => Err(Refusal::usage(
            "a function serves one stream, and the settings have several",
            format!("name one with --stream: {}", known.join(", ")),
        )),
        (Topology::Lambda, [one]) if matches!(one.destination, Destination::FromRequest(_)) => {
            Err(Refusal::settings(
                format!(
                    "streams.{}.destination.from_request: a function gets no requests",
                    one.name
                ),
                "give the destination url and api_token",
            ))
        }
        (Topology::Lambda, [one])
            if matches!(one.destination, Destination::Fixed(Sink::File(_))) =>
        {
            Err(Refusal::settings(
                format!(
                    "streams.{}.destination.type: file: the disk of a function is lost with it",
                    one.name
                ),
                "take a destination of type s3, or another --topology",
            ))
        }
        _ => Ok(streams),
    }
}

impl Picked<'_> {
    fn take_objects(&mut self, config: &intake::objects::s3::Config) {
        self.bucket.clone_from(&config.bucket);
        self.prefix = Some(config.prefix.clone());
        self.visibility = config.visibility.as_secs();
        if let Some(url) = &config.sqs_queue_url {
            self.queue = url.rsplit('/').next().map(str::to_owned).filter(|name| !name.is_empty());
        }
        if self.regions.is_empty() {
            let told = config.sqs_queue_url.as_deref().and_then(region_of);
            let region = told.map(str::to_owned).or_else(|| config.identity.region.clone());
            self.regions.extend(region);
        }
    }

    fn check_regions(&mut self) -> Result<(), Refusal> {
        let mut seen = Vec::new();
        for region in &self.regions {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !region.chars().all(fits) || region.matches('-').count() < 2 {
                return Err(Refusal::usage(
                    format!("{region:?} is no region"),
                    "write it as AWS does: --region eu-west-1",
                ));
            }
            if !seen.contains(region) {
                seen.push(region.clone());
            }
        }
        self.regions = seen;
        if self.regions.len() > 1 && (self.bucket.is_some() || self.queue.is_some()) {
            return Err(Refusal::usage(
                "the source names one bucket or queue, and several regions were asked for",
                "give each region a source of its own, and write each by itself with --source and \
                 --region",
            ));
        }
        Ok(())
    }
}

/// The region in the URL of a queue.
fn region_of(url: &str) -> Option<&str> {
    let host = url.split("//").nth(1)?.split('/').next()?;
    host.strip_prefix("sqs.")?.split('.').next()
}
