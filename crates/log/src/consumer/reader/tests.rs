use writ_kafka::Connection;

use super::*;
use crate::consumer::tracker::LogBounds;
use crate::testing::{Cluster, cluster, config};

const SOON: Duration = Duration::from_secs(20);

fn reader(cluster: &Cluster) -> Reader {
    let config = config(Connection::plaintext(cluster.bootstrap_servers()));
    Reader::start(&config, Vec::new(), ConsumerHandle::new("test")).unwrap()
}

fn place() -> PartitionId {
    ("t".to_owned(), 0)
}

fn survey(low: i64, end: i64) -> Survey {
    Survey { bounds: [(place(), LogBounds { low, end })].into(), complete: true, ..Survey::default() }
}

/// A reader that has found its partition, in which there are records by the survey.
async fn behind(cluster: &Cluster) -> Reader {
    let mut reader = reader(cluster);
    let found = vec![(place(), LogBounds { low: 0, end: 4 })];
    reader.take_up(Survey { found, ..survey(0, 4) }).unwrap();
    reader
}

#[tokio::test]
async fn without_discovery_it_ends_by_name() {
    let cluster = cluster(&[("t", 1)]);
    let mut reader = reader(&cluster);
    reader._discovery.abort_all();
    let turns = LoopTurns::new("test/reader");
    let ended = async {
        loop {
            if let Err(error) = reader.next(&turns).await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(SOON, ended).await.unwrap();
    assert!(matches!(error, ReadError::Discovery), "{error}");
}

#[tokio::test]
async fn a_log_that_goes_back_needs_a_new_client() {
    let cluster = cluster(&[("t", 1)]);
    let mut reader = behind(&cluster).await;
    reader.take_up(survey(1, 9)).unwrap();
    let error = reader.take_up(survey(0, 2)).unwrap_err();
    assert!(matches!(&error, ReadError::Stale(StaleReader::Replaced(topic)) if topic == "t"), "{error}");
}

#[tokio::test]
async fn a_topic_with_another_id_needs_a_new_client() {
    let cluster = cluster(&[("t", 1)]);
    let mut reader = behind(&cluster).await;
    let error = reader.take_up(Survey { replaced: Some("t".to_owned()), ..survey(0, 9) }).unwrap_err();
    assert_eq!(error.to_string(), "topic t is not the one read before");
}
