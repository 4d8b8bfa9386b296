//! `X-Amz-Firehose-Common-Attributes`: `{"commonAttributes":{"name":"value"}}`.

/// Why the header was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("common attributes: {0}")]
pub struct AttributesError(pub String);

/// The attributes in order. Takes the wrapped form and, as AWS's own example prints it, the bare object.
pub fn parse(_header: &[u8]) -> Result<Vec<(String, String)>, AttributesError> {
    unimplemented!()
}

/// The header for these attributes.
pub fn format(_attributes: &[(String, String)]) -> String {
    unimplemented!()
}
