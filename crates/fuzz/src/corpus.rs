//! Inputs that are checked in: each once broke something, or leads to what mutations do not find.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use writ_contract::Hash;

fn folder(target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "corpus", target].iter().collect()
}

/// The corpus of a target, in no particular order; empty if it has none.
///
/// # Errors
/// When a file cannot be read.
pub fn corpus(target: &str) -> Result<Vec<Vec<u8>>> {
    let Ok(files) = fs::read_dir(folder(target)) else { return Ok(Vec::new()) };
    files.map(|file| Ok(fs::read(file?.path())?)).collect()
}

/// Adds an input to the corpus of a target; returns its file.
///
/// # Errors
/// When it cannot be written.
pub fn keep(target: &str, input: &[u8]) -> Result<PathBuf> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let file = folder.join(&Hash::of(&[input]).to_string()[..16]);
    fs::write(&file, input).with_context(|| file.display().to_string())?;
    Ok(file)
}
