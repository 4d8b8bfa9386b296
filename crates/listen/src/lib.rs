//! The accept loop every HTTP door of Hydrant shares: TLS, limits, drain.
