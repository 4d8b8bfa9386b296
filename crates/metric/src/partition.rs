//! Partitions of AWS: what ARNs of a region begin with.

/// Beginnings of regions outside the partition `aws`. `aws::arn` has the same with their endpoints; a
/// test of the binary compares the two.
const ELSEWHERE: [(&[u8], &str); 8] = [
    (b"cn-", "aws-cn"),
    (b"us-gov-", "aws-us-gov"),
    (b"eusc-", "aws-eusc"),
    (b"us-iso-", "aws-iso"),
    (b"us-isob-", "aws-iso-b"),
    (b"eu-isoe-", "aws-iso-e"),
    (b"us-isof-", "aws-iso-f"),
    (b"eu-isof-", "aws-iso-f"),
];

/// The partition of a region: what its ARNs have behind `arn:`.
pub fn partition(region: &[u8]) -> &'static str {
    let found = ELSEWHERE.iter().find(|(begin, _)| region.starts_with(begin));
    found.map_or("aws", |(_, name)| name)
}
