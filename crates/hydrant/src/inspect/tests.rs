//! Sniffing, names and numbers.
