//! The key that seals access keys of endpoints.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use entry::seal::SealKey;
use remote::Secret;

/// Its file, when the settings give no key.
const FILE: &str = "seal.key";
/// Random bytes of a key that is made here.
const BYTES: usize = 32;

/// The key of the settings, or that of the folder, which is made at the first start.
pub(super) fn open(given: Option<&Secret>, folder: &Path) -> Result<SealKey, String> {
    if let Some(key) = given {
        return SealKey::from_text(key.expose()).map_err(|e| format!("seal_key: {e}"));
    }
    let path = folder.join(FILE);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => make(folder, &path),
        read => read,
    };
    let text = text.map_err(|e| format!("{}: {e}", path.display()))?;
    SealKey::from_text(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// For nobody but this user; durable before anything is sealed with it.
fn make(folder: &Path, path: &Path) -> std::io::Result<String> {
    fs::create_dir_all(folder)?;
    let mut random = [0; BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let mut text = Vec::new();
    codec::base64::encode_into(&random, &mut text);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// *Scenario:* two starts on one folder, then one with a key of the settings.
    /// *Guarantees:* what was sealed before opens after; the file is for its owner alone; another key
    /// opens nothing of it.
    #[test]
    fn a_key_is_made_once() {
        let dir = testkit::TempDir::new("seal");
        let sealed = open(None, dir.path()).unwrap().seal(b"secret", b"place");
        let again = open(None, dir.path()).unwrap();
        assert_eq!(again.open(&sealed, b"place").unwrap(), b"secret");
        let mode = fs::metadata(dir.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = Secret::new("0123456789012345678901234567890123456789");
        assert!(open(Some(&other), dir.path()).unwrap().open(&sealed, b"place").is_err());
    }
}
