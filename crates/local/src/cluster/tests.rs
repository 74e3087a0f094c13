use std::fs;
use std::os::unix::fs::PermissionsExt;

use secrecy::ExposeSecret;
use writ_kafka::{ProducerKind, ProducerScope};
use writ_provision::Service;

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

#[test]
fn a_producer_that_is_added_again_has_the_same_password_and_after_removal_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::open(options(folder.path())).unwrap();
    let password = |cluster: &Cluster| cluster.kafka_password("us", "producer-billing").expose_secret().to_owned();
    cluster.add_producer("billing", ProducerKind::Commands, ProducerScope::ALL).unwrap();
    let first = password(&cluster);
    cluster.add_producer("billing", ProducerKind::Commands, ProducerScope::ALL).unwrap();
    assert_eq!(password(&cluster), first);
    assert_eq!(password(&Cluster::open(options(folder.path())).unwrap()), first, "it is saved");
    assert!(cluster.add_producer("billing", ProducerKind::Entities, ProducerScope::ALL).is_err());
    cluster.producers.retain(|producer| producer.name.as_str() != "billing");
    cluster.add_producer("billing", ProducerKind::Commands, ProducerScope::ALL).unwrap();
    assert_ne!(password(&cluster), first);
}

#[test]
fn the_producers_of_an_operators_copy_are_taken_over() {
    let (own, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut cluster = Cluster::open(options(own.path())).unwrap();
    cluster.adopt_producers(copy.path()).unwrap();
    assert_eq!(cluster.producers().len(), 1, "no copy, no change");
    Cluster::open(options(copy.path()))
        .unwrap()
        .add_producer("billing", ProducerKind::Commands, ProducerScope::ALL)
        .unwrap();
    cluster.adopt_producers(copy.path()).unwrap();
    assert!(cluster.producers().iter().any(|producer| producer.name().as_str() == "billing"));
    let secrets = Cluster::open(options(own.path())).unwrap().secrets;
    assert_eq!(secrets.operator_token, cluster.secrets.operator_token, "nothing else is taken");
}

#[test]
fn entity_producers_may_speak_for_what_they_were_last_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::open(options(folder.path())).unwrap();
    cluster.add_producer("gateways", ProducerKind::Entities, ProducerScope::ALL).unwrap();
    let types = ProducerScope { types: "control_planes".parse().unwrap(), ..ProducerScope::ALL };
    cluster.add_producer("gateways", ProducerKind::Entities, types.clone()).unwrap();
    cluster.add_producer("billing", ProducerKind::Commands, ProducerScope::ALL).unwrap();
    let scopes = Cluster::open(options(folder.path())).unwrap().scopes().producer;
    assert_eq!(scopes.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["demo", "gateways"]);
    assert_eq!(scopes[&"gateways".parse::<ProducerName>().unwrap()], types);
}
