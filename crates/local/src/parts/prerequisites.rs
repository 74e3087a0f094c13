//! Programs that must be on the machine, and how to install them.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::process::command;
use crate::process::launch::find;
use crate::progress::Progress;

const OLDEST_JAVA: u32 = 17;
const OLDEST_POSTGRES: u32 = 15;

/// A required program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Java,
    Maven,
    Postgres,
}

/// How packages are installed on a family of systems.
struct System {
    name: &'static str,
    install: &'static str,
    packages: fn(Tool) -> &'static str,
}

const SYSTEMS: [System; 3] = [
    System { name: "Debian, Ubuntu", install: "sudo apt-get install -y", packages: debian },
    System { name: "Fedora", install: "sudo dnf install -y", packages: fedora },
    System { name: "macOS", install: "brew install", packages: homebrew },
];

/// The programs found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) java: PathBuf,
    /// Needed only to fetch Kafka's jars.
    pub(crate) maven: Option<PathBuf>,
    /// Folder of PostgreSQL's programs.
    pub(crate) postgres: PathBuf,
}

/// A required program, for `writ doctor`.
#[derive(Debug, Clone)]
pub struct ProgramCheck {
    /// Name and minimum version.
    pub what: String,
    /// Path, if it was found.
    pub found: Option<PathBuf>,
}

/// Looks for all programs.
pub fn checks() -> Vec<ProgramCheck> {
    let check = |tool: Tool, found| ProgramCheck { what: tool.describe(), found };
    vec![check(Tool::Java, java()), check(Tool::Maven, find("mvn")), check(Tool::Postgres, postgres())]
}

/// How to install what is missing, if anything is.
pub fn advice() -> Option<String> {
    let missing = missing(true);
    (!missing.is_empty()).then(|| explain(&missing))
}

/// Finds all programs. On Debian and Ubuntu, missing packages are installed if `install` is set or we are root.
pub(crate) async fn find_all(need_maven: bool, install: bool, progress: &Progress) -> Result<Found> {
    let lacking = missing(need_maven);
    if !lacking.is_empty() && find("apt-get").is_some() && (install || nix::unistd::geteuid().is_root()) {
        let step = progress.step("prerequisites");
        step.long("apt-get installs what is missing");
        apt_install(&lacking).await?;
        step.done("installed");
    }
    let lacking = missing(need_maven);
    match (java(), postgres()) {
        (Some(java), Some(postgres)) if lacking.is_empty() => Ok(Found { java, maven: find("mvn"), postgres }),
        _ => Err(Error::Missing(explain(&lacking))),
    }
}

/// Folder of PostgreSQL's programs.
pub(crate) fn postgres_programs() -> Result<PathBuf> {
    postgres().ok_or_else(|| Error::Missing(explain(&[Tool::Postgres])))
}

impl Tool {
    fn describe(self) -> String {
        match self {
            Self::Java => format!("Java {OLDEST_JAVA} or newer"),
            Self::Maven => "Maven (fetches Kafka's jars, once)".to_owned(),
            Self::Postgres => format!("PostgreSQL {OLDEST_POSTGRES} or newer (the server)"),
        }
    }
}

fn missing(need_maven: bool) -> Vec<Tool> {
    let java = java().is_none().then_some(Tool::Java);
    let maven = (need_maven && find("mvn").is_none()).then_some(Tool::Maven);
    let postgres = postgres().is_none().then_some(Tool::Postgres);
    [java, maven, postgres].into_iter().flatten().collect()
}

fn explain(missing: &[Tool]) -> String {
    let names: Vec<String> = missing.iter().map(|tool| tool.describe()).collect();
    let command = |system: &System| {
        let packages: Vec<&str> = missing.iter().map(|tool| (system.packages)(*tool)).collect();
        format!("  {:<15} {} {}", system.name, system.install, packages.join(" "))
    };
    let commands: Vec<String> = SYSTEMS.iter().map(command).collect();
    format!("missing: {}. Install with\n{}", names.join(", "), commands.join("\n"))
}

async fn apt_install(missing: &[Tool]) -> Result<()> {
    let sudo = (!nix::unistd::geteuid().is_root()).then_some("sudo");
    let apt = |arguments: &[&str]| {
        let words: Vec<&str> = sudo.into_iter().chain(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]).collect();
        let mut command = tokio::process::Command::new(words[0]);
        command.args(&words[1..]).args(arguments);
        command
    };
    command::run(&mut apt(&["update", "-qq"]), "apt-get update").await?;
    let packages: Vec<&str> = missing.iter().map(|tool| debian(*tool)).collect();
    let install = [["install", "-y", "--no-install-recommends"].as_slice(), &packages].concat();
    command::run(&mut apt(&install), "apt-get install").await.map(drop)
}

fn debian(tool: Tool) -> &'static str {
    match tool {
        Tool::Java => "default-jre-headless",
        Tool::Maven => "maven",
        Tool::Postgres => "postgresql",
    }
}

fn fedora(tool: Tool) -> &'static str {
    match tool {
        Tool::Java => "java-latest-openjdk-headless",
        Tool::Maven => "maven",
        Tool::Postgres => "postgresql-server",
    }
}

fn homebrew(tool: Tool) -> &'static str {
    match tool {
        Tool::Java => "openjdk",
        Tool::Maven => "maven",
        Tool::Postgres => "postgresql@17",
    }
}

/// A Java that is new enough: `JAVA_HOME`, the path, Homebrew's.
fn java() -> Option<PathBuf> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let brew = ["/opt/homebrew/opt/openjdk/bin/java", "/usr/local/opt/openjdk/bin/java"].map(PathBuf::from);
    let candidates = home.into_iter().chain(find("java")).chain(brew);
    candidates.filter(|java| java.is_file()).find(|java| major(java, "-version") >= Some(OLDEST_JAVA))
}

/// The newest PostgreSQL server of this machine.
fn postgres() -> Option<PathBuf> {
    let parents = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr"];
    let children = parents.into_iter().filter_map(|parent| std::fs::read_dir(parent).ok()).flatten().flatten();
    let installed = children.map(|entry| entry.path().join("bin"));
    let on_path = find("postgres").and_then(|program| Some(program.parent()?.to_path_buf()));
    let complete = |bin: &PathBuf| bin.join("postgres").is_file() && bin.join("initdb").is_file();
    let versions =
        installed.chain(on_path).filter(complete).map(|bin| (major(&bin.join("postgres"), "--version"), bin));
    versions
        .filter(|(version, _)| *version >= Some(OLDEST_POSTGRES))
        .min_by_key(|(version, _)| Reverse(*version))
        .map(|(_, bin)| bin)
}

/// The first number that a program prints when asked for its version.
fn major(program: &Path, question: &str) -> Option<u32> {
    let output = Command::new(program).arg(question).output().ok()?;
    first_number(&[output.stdout, output.stderr].concat())
}

fn first_number(text: &[u8]) -> Option<u32> {
    let text = String::from_utf8_lossy(text);
    let digits = text.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    digits.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        assert_eq!(first_number(b"openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(first_number(b"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(first_number(b"java version \"1.8.0_402\""), Some(1));
        assert_eq!(first_number(b"The operation couldn't be completed."), None);
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_for_each_system() {
        let text = explain(&[Tool::Java, Tool::Postgres]);
        assert!(text.starts_with("missing: Java 17 or newer, PostgreSQL 15 or newer"), "{text}");
        for command in ["apt-get install -y default-jre-headless postgresql", "dnf install -y", "brew install openjdk"]
        {
            assert!(text.contains(command), "{command} is not in {text}");
        }
    }
}
