//! Measures the codecs against one libdeflater gunzip of the same body.

fn main() {}
