//! Programs that are run to completion.

use std::process::{Output, Stdio};

use tokio::process::Command;

use crate::error::{Error, Result};
use crate::process::launch::UnixUser;

/// Maximum number of output lines in an error.
const OUTPUT_LINES: usize = 20;

/// Runs a program. An error contains the end of its output.
pub(crate) async fn run(command: &mut Command, what: &str) -> Result<Output> {
    let output = command.stdin(Stdio::null()).output().await.map_err(Error::io(what))?;
    if output.status.success() {
        return Ok(output);
    }
    let text = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(OUTPUT_LINES)..].join("\n");
    Err(Error::Command { command: what.to_owned(), status: output.status.to_string(), output: end })
}

/// Runs the program as another user.
pub(crate) fn as_user(command: &mut Command, user: Option<UnixUser>) -> &mut Command {
    match user {
        Some(user) => command.uid(user.uid).gid(user.gid),
        None => command,
    }
}
