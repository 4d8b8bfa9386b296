//! What both ends of deflate agree on (RFC 1951): the encoder and the inflater read it here.

/// How far back a match may lie (3.2.5).
pub(super) const WINDOW: usize = 32 * 1024;

/// First length of each length code, less 3 (3.2.5).
pub(super) const LENGTH_FIRST: [u8; 29] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128,
    160, 192, 224, 255,
];

/// Extra bits of each length code.
pub(super) const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// The order in which lengths of the code for lengths are sent (3.2.7).
pub(super) const LENGTHS_ORDER: [usize; 19] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
