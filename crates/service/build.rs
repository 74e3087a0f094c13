//! Sets the version that a process reports: that of the workspace, and the commit if `WRIT_REVISION` is set.

fn main() {
    println!("cargo::rerun-if-env-changed=WRIT_REVISION");
    let version = env!("CARGO_PKG_VERSION");
    let revision = std::env::var("WRIT_REVISION").ok().filter(|text| !text.is_empty());
    let version = revision.map_or(version.to_owned(), |commit| format!("{version}+{commit}"));
    println!("cargo::rustc-env=WRIT_VERSION={version}");
}
