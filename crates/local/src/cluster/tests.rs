use std::os::unix::fs::PermissionsExt;

use super::*;

fn options(home: &Path) -> Options {
    Options { home: Some(home.to_path_buf()), ..Options::default() }
}

#[test]
fn a_home_keeps_its_secrets_and_regions() {
    let folder = tempfile::tempdir().unwrap();
    let three = Some(["us", "eu", "au"].map(str::to_owned).to_vec());
    let first = Cluster::open(Options { regions: three, port_offset: Some(7), ..options(folder.path()) }).unwrap();
    let again = Cluster::open(options(folder.path())).unwrap();
    assert_eq!(again.region_codes(), ["us", "eu", "au"]);
    assert_eq!(again.secrets.operator_token, first.secrets.operator_token);
    assert_eq!(again.region("au").unwrap().url(Service::Projector), "http://127.0.0.1:38089");
}

#[test]
fn only_the_owner_reads_the_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::open(options(folder.path())).unwrap();
    let mode = fs::metadata(cluster.home().cluster_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!format!("{cluster:?}").contains(&cluster.secrets.operator_token));
}

#[test]
fn wrong_regions_are_refused() {
    for wrong in [vec![], vec!["us", "us"], vec!["US"], vec!["us", "e.u"]] {
        let folder = tempfile::tempdir().unwrap();
        let regions = Some(wrong.iter().map(|code| (*code).to_owned()).collect());
        assert!(Cluster::open(Options { regions, ..options(folder.path()) }).is_err(), "{wrong:?}");
    }
}
