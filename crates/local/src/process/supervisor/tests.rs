use super::*;

const ENDING: Ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_secs(5) };

fn supervisor(folder: &tempfile::TempDir) -> Supervisor {
    Supervisor::new(Home::open(Some(folder.path())).expect("a writable folder"))
}

#[tokio::test]
async fn finds_what_runs_and_starts_what_died() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = supervisor(&folder);
    let launch = Launch::new("/bin/sleep").args(["600"]);
    assert_eq!(supervisor.ensure("one", &launch, ENDING).await.expect("starts"), Started::Now);
    let first = supervisor.running("one").expect("runs");
    assert_eq!(supervisor.ensure("one", &launch, ENDING).await.expect("is found"), Started::Found);
    assert!(supervisor.kill("one", Signal::SIGKILL).await);
    assert_eq!(supervisor.ensure("one", &launch, ENDING).await.expect("starts again"), Started::Now);
    assert_ne!(supervisor.running("one"), Some(first));
    assert!(supervisor.stop("one", ENDING).await);
    assert_eq!(supervisor.running("one"), None);
    assert!(!supervisor.stop("one", ENDING).await);
}

#[tokio::test]
async fn starts_again_what_runs_with_old_settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = supervisor(&folder);
    supervisor.ensure("one", &Launch::new("/bin/sleep").args(["600"]), ENDING).await.expect("starts");
    let old = supervisor.running("one").expect("runs");
    let launch = Launch::new("/bin/sleep").args(["601"]);
    assert_eq!(supervisor.ensure("one", &launch, ENDING).await.expect("starts again"), Started::Now);
    assert!(!old.is_alive());
    supervisor.stop("one", ENDING).await;
}

#[tokio::test]
async fn kills_what_does_not_listen() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = supervisor(&folder);
    let deaf = Launch::new("/bin/sh").args(["-c", "trap '' TERM; echo deaf; while :; do sleep 0.05; done"]);
    supervisor.ensure("deaf", &deaf, ENDING).await.expect("starts");
    let log = folder.path().join("logs/deaf.log");
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains("deaf")) {
        tokio::task::yield_now().await;
    }
    let ending = Ending { signal: Signal::SIGTERM, grace: Duration::from_millis(100) };
    assert!(supervisor.stop("deaf", ending).await);
    assert_eq!(supervisor.running("deaf"), None);
}

#[tokio::test]
async fn names_a_port_that_is_in_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = supervisor(&folder);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let launch = Launch::new("/bin/sleep").args(["600"]).ports([port]);
    let error = supervisor.ensure("one", &launch, ENDING).await.expect_err("the port is in use");
    let text = error.to_string();
    assert!(text.starts_with(&format!("port {port} of one is already in use")), "{text}");
}

#[tokio::test]
async fn shows_the_log_of_what_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = supervisor(&folder);
    let launch = Launch::new("/bin/sh").args(["-c", "echo no such luck; exec sleep 600"]);
    supervisor.ensure("one", &launch, ENDING).await.expect("starts");
    let log = folder.path().join("logs/one.log");
    while !fs::read_to_string(&log).is_ok_and(|text| text.contains("luck")) {
        tokio::task::yield_now().await;
    }
    supervisor.kill("one", Signal::SIGKILL).await;
    let error = supervisor.still_runs("one").expect_err("it ended");
    assert!(error.to_string().ends_with("no such luck"), "{error}");
}

/// A script that starts a child, writes the child's number into its log, and waits.
fn parent() -> Launch {
    Launch::new("/bin/sh").args(["-c", "sleep 600 & echo \"child $!\"; wait"])
}

/// The child that the parent's log names.
async fn child(folder: &tempfile::TempDir) -> ProcessId {
    let log = folder.path().join("logs/parent.log");
    loop {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let pid = text.lines().find_map(|line| line.strip_prefix("child ")?.parse().ok());
        match pid.and_then(ProcessId::of) {
            Some(child) => return child,
            None => tokio::time::sleep(POLL).await,
        }
    }
}

#[tokio::test]
async fn a_child_is_killed_with_its_parent() {
    let folder = tempfile::tempdir().expect("a folder");
    let supervisor = supervisor(&folder);
    supervisor.ensure("parent", &parent(), ENDING).await.expect("starts");
    let child = child(&folder).await;
    assert!(supervisor.kill("parent", Signal::SIGKILL).await);
    assert!(gone(&child, KILL_TIMEOUT).await);
}
