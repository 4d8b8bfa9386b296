//! The series of single points, for those who print them: written as they are sent, and read back,
//! so that names and numbers cannot differ.

use metric::wire::{Reader, tag_bytes, tag_fixed64};
use metric::{Point, text};

use super::encode::Encoder;
use super::plan::Plan;
use super::series::Open;
use super::{Naming, name};

/// Tells the series of points, one point at a time. Its tables are made once.
pub struct Singles {
    naming: Naming,
    external: Vec<(String, String)>,
    open: Open,
    encoder: Encoder,
    packed: Vec<u8>,
}

impl Singles {
    /// Series with these names and labels.
    pub fn new(naming: Naming, external: Vec<(String, String)>) -> Singles {
        let (open, encoder, packed) = (Open::new(naming), Encoder::new(), Vec::new());
        Singles { naming, external, open, encoder, packed }
    }

    /// Calls `visit` with the labels (sorted, `__name__` among them) and the value of each series
    /// that a point has.
    pub fn each(&mut self, point: &Point<'_>, mut visit: impl FnMut(&[(&str, &str)], f64)) {
        let request = self.request(point);
        let mut reader = Reader::new(&request);
        while let Some(series) = next(&mut reader) {
            let mut fields = Reader::new(series);
            let mut labels = Vec::new();
            while let Some(tag) = fields.tag() {
                let Some(bytes) = fields.bytes() else { break };
                let mut content = Reader::new(bytes);
                if tag == tag_bytes(1) {
                    let (name, value) = (next(&mut content), next(&mut content));
                    labels.push((text(name.unwrap_or_default()), text(value.unwrap_or_default())));
                } else if content.tag() == Some(tag_fixed64(1)) {
                    visit(&labels, content.double().unwrap_or(f64::NAN));
                }
            }
        }
    }

    /// The plain request of the point alone.
    fn request(&mut self, point: &Point<'_>) -> Vec<u8> {
        let Singles { naming, external, open, encoder, packed } = self;
        let mut scratch = Vec::new();
        for extra in point.extra {
            let name = |out: &mut Vec<u8>| {
                name::push_statistic(*naming, &extra.statistic, &mut scratch, out)
            };
            // What has no place is not sent either.
            open.extra(extra.value, name);
        }
        open.take(&mut Plan::new(*naming, external, point), point, usize::MAX);
        open.write(encoder);
        open.clear();
        packed.clear();
        encoder.text().finish(packed);
        snap::raw::Decoder::new().decompress_vec(packed).unwrap_or_default()
    }
}

/// The content of the next field.
fn next<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    reader.tag()?;
    reader.bytes()
}
