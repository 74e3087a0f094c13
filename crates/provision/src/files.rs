//! Files with secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::{Error, Result};

/// Creates a folder that other users may pass through but not write to.
///
/// # Errors
/// If the file system refuses.
pub fn create_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(Error::at(folder))?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(Error::at(folder))
}

/// Writes a file that only its owner can read. Concurrent writers do not disturb each other: the last one wins.
///
/// # Errors
/// If the file system refuses.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&fresh, "").map_err(Error::at(&fresh))?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).map_err(Error::at(&fresh))?;
    fs::write(&fresh, text).map_err(Error::at(&fresh))?;
    fs::rename(&fresh, path).map_err(Error::at(path))
}
