//! Sources: what arrives becomes journal entries.
