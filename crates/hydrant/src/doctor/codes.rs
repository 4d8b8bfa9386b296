//! The table of error codes. It is docs/error-codes.md itself, so that page and command are one.

const PAGE: &str = include_str!("../../../../docs/error-codes.md");

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// The code.
    pub code: &'static str,
    /// Who writes it.
    pub from: &'static str,
    /// What it means.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// All codes, by the order of the page.
pub fn all() -> impl Iterator<Item = CodeRow> {
    rows().filter_map(|cells| match cells.as_slice() {
        [code, from, cause, remedy] => Some(CodeRow { code, from, cause, remedy }),
        _ => None,
    })
}

/// What a status of a refused delivery asks for.
pub(super) fn status(status: &str) -> Option<&'static str> {
    rows().find_map(|cells| match cells.as_slice() {
        [known, advice] if *known == status => Some(*advice),
        _ => None,
    })
}

/// The row of a code, or of the family it belongs to: `S3.KMS` for `S3.KMS.DisabledException`.
pub(super) fn find(code: &str) -> Option<CodeRow> {
    let belongs = |row: &CodeRow| {
        code.strip_prefix(row.code).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    all().filter(belongs).max_by_key(|row| row.code.len())
}

/// Rows whose first cell is code: two cells for a status, four for an error code.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    PAGE.lines().filter_map(|line| {
        let cells = line.strip_prefix("| `")?.strip_suffix(" |")?;
        let (first, rest) = cells.split_once("` | ")?;
        Some(std::iter::once(first).chain(rest.split(" | ")).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// *Scenario:* the page.
    /// *Guarantees:* every row has its cells, none is empty, and no code stands twice.
    #[test]
    fn every_row_is_whole() {
        let mut codes = std::collections::BTreeSet::new();
        for row in all() {
            assert!(codes.insert(row.code), "{} stands twice", row.code);
            for cell in [row.code, row.from, row.cause, row.remedy] {
                assert!(!cell.trim().is_empty(), "{}", row.code);
            }
        }
        let http = codes.iter().filter(|code| code.starts_with("HttpEndpoint.")).count();
        assert_eq!(http, 16);
        assert_eq!(rows().count(), codes.len() + 11, "a row with a wrong number of cells");
        assert!(status("503").is_some_and(|advice| advice.contains("hydrant status")));
        assert_eq!(find("S3.KMS.DisabledException").map(|row| row.code), Some("S3.KMS"));
        assert_eq!(find("S3.KMSX"), None);
    }
}
