//! The forms of output. Numbers and names are those of the sinks and encoders that deliver.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::time::Duration;

use delivery::sink::{self, Moment, Offer, Packer, dynatrace, otlp};
use jiff::Timestamp;
use metric::{Encoder, Format, Point, Shapes};
use remote::{ClientConfig, Secret, TlsConfig};

use super::prometheus::Exposition;
use super::table::Table;
use crate::cli::InspectOutput;
use crate::terminal;

/// Written to stdout in pieces of this size.
const WRITE_BYTES: usize = 64 * 1024;

/// Prints points in one of the forms.
pub(super) struct Output {
    form: Form,
    stdout: BufWriter<StdoutLock<'static>>,
    /// The first failure to write; nothing is written after it.
    failed: Option<io::Error>,
    text: Vec<u8>,
}

enum Form {
    Table(Table),
    Ndjson(Encoder),
    Packed { packer: Packer, shapes: Shapes },
    Prometheus(Box<Exposition>),
}

impl Output {
    /// A printer of this form to stdout.
    pub(super) fn new(form: InspectOutput) -> Result<Self, String> {
        let form = match form {
            InspectOutput::Table => Form::Table(Table::new(terminal::columns())),
            InspectOutput::Ndjson => Form::Ndjson(Encoder::new(Format::Json)),
            InspectOutput::Mint => packed(&sink::Config::Dynatrace(mint_config()))?,
            InspectOutput::OtlpJson => packed(&sink::Config::Otlp(otlp_config()))?,
            InspectOutput::Prometheus => Form::Prometheus(Box::default()),
        };
        let stdout = BufWriter::with_capacity(WRITE_BYTES, io::stdout().lock());
        Ok(Self { form, stdout, failed: None, text: Vec::new() })
    }

    /// Prints a point; the error is why this form cannot carry it.
    pub(super) fn point(&mut self, point: &Point<'_>) -> Result<(), &'static str> {
        match &mut self.form {
            Form::Table(table) => table.row(point, &mut self.text),
            Form::Ndjson(encoder) => {
                encoder.push(point);
                encoder.finish(&mut self.text);
            }
            Form::Packed { packer, shapes } => {
                if packer.full() {
                    close(packer, &mut self.text);
                }
                // As if it were delivered at once: what is asked is the form, not the age.
                let instant = point.instant_ms();
                let moment = Moment { now_ms: instant, arrival_ms: instant };
                match packer.offer(point, shapes.intern(point), moment) {
                    Offer::Taken => {}
                    Offer::Refused(reason) | Offer::Expired(reason) => return Err(reason),
                }
            }
            Form::Prometheus(exposition) => exposition.point(point),
        }
        self.write_text();
        Ok(())
    }

    fn write_text(&mut self) {
        if self.failed.is_none() {
            self.failed = self.stdout.write_all(&self.text).err();
        }
        self.text.clear();
    }

    /// Nobody reads any more, or nothing can be written: there is no use in going on.
    pub(super) fn closed(&self) -> bool {
        self.failed.is_some()
    }

    /// Prints what is left. A reader that has gone away has seen enough.
    pub(super) fn finish(mut self) -> io::Result<()> {
        match &mut self.form {
            Form::Table(table) => table.finish(&mut self.text),
            Form::Ndjson(_) => {}
            Form::Packed { packer, .. } => close(packer, &mut self.text),
            Form::Prometheus(exposition) => exposition.finish(&mut self.text),
        }
        self.write_text();
        let result = match self.failed.take() {
            Some(error) => Err(error),
            None => self.stdout.flush(),
        };
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

fn packed(config: &sink::Config) -> Result<Form, String> {
    remote::install_provider();
    let (packer, _wire) = sink::build(config)?;
    Ok(Form::Packed { packer, shapes: Shapes::new() })
}

fn close(packer: &mut Packer, out: &mut Vec<u8>) {
    if packer.points() == 0 {
        return;
    }
    out.extend_from_slice(&packer.close().body);
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
}

/// The defaults of the settings, without compression and without the metadata lines, which depend
/// on what was sent before.
fn mint_config() -> dynatrace::Config {
    dynatrace::Config {
        url: "https://localhost".to_owned(),
        api_token: Secret::new("none"),
        too_old: dynatrace::TooOld::Quarantine,
        percentiles: false,
        metadata: false,
        digit_section: dynatrace::DigitSection::AsIs,
        compression: false,
        client: client(),
    }
}

/// The defaults of the settings, without compression, as few requests as can be.
fn otlp_config() -> otlp::Config {
    otlp::Config {
        endpoint: "http://localhost:4318".to_owned(),
        protocol: otlp::Protocol::HttpJson,
        compression: otlp::Compression::None,
        headers: Vec::new(),
        bearer_token: None,
        oauth2: None,
        resource_attributes: Vec::new(),
        points: otlp::Points::Summary,
        dimensions: otlp::Dimensions::List,
        points_max: 100_000,
        bytes_max: 64 * 1024 * 1024,
        client: client(),
    }
}

/// Never used: nothing is sent.
fn client() -> ClientConfig {
    ClientConfig {
        tls: TlsConfig::default(),
        connect_timeout: Duration::from_secs(1),
        request_timeout: Duration::from_secs(1),
        answer_bytes: 1024,
    }
}

/// RFC 3339 in UTC, without fractions that are zero.
pub(crate) fn instant_text(instant_ms: i64) -> String {
    match Timestamp::from_millisecond(instant_ms) {
        Ok(instant) => instant.to_string(),
        // Beyond the year 9999: the number says more.
        Err(_) => format!("{instant_ms} ms"),
    }
}

/// A number as short as it reads back exactly.
pub(super) fn number_text(value: f64) -> String {
    let magnitude = value.abs();
    let plain = magnitude == 0.0 || (1e-4..1e15).contains(&magnitude);
    if plain { format!("{value}") } else { format!("{value:e}") }
}
