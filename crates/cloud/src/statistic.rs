//! Additional statistics: parsed from their names, and computed exactly from raw values.
