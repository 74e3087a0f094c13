use std::net::Ipv4Addr;
use std::time::Duration;

use super::*;

const LIMITS: ConnectionLimits = ConnectionLimits {
    total: 5,
    per_address: 3,
    streams: 10,
    head_time: Duration::from_secs(5),
    idle_time: Duration::from_secs(75),
};

fn address(number: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, number).into()
}

/// Opens connections one after the other, so that each is idle for longer than those after it.
fn open(connections: &Connections, number: u8, count: usize) -> Vec<Connection> {
    let open = |_| {
        std::thread::sleep(Duration::from_millis(1));
        connections.admit(address(number)).unwrap()
    };
    (0..count).map(open).collect()
}

fn closed(connections: &[Connection]) -> Vec<bool> {
    connections.iter().map(|connection| connection.activity.close.is_cancelled()).collect()
}

#[test]
fn of_an_address_with_too_many_the_longest_idle_gives_way() {
    let connections = Connections::new(LIMITS);
    let first = open(&connections, 1, 3);
    let _busy = first[0].activity.request();
    let _fourth = open(&connections, 1, 1);
    assert_eq!(closed(&first), [false, true, false]);
    assert_eq!(connections.count(), 3);
}

#[test]
fn a_connection_one_too_many_is_closed_if_all_others_have_requests() {
    let connections = Connections::new(LIMITS);
    let open = open(&connections, 1, 3);
    let requests: Vec<_> = open.iter().map(|connection| connection.activity.request()).collect();
    assert!(connections.admit(address(1)).is_none());
    assert!(connections.admit(address(2)).is_some());
    drop(requests);
    assert!(connections.admit(address(1)).is_some());
}

#[test]
fn in_total_the_address_with_most_gives_way() {
    let connections = Connections::new(LIMITS);
    let (few, many) = (open(&connections, 1, 2), open(&connections, 2, 3));
    let _new = open(&connections, 3, 1);
    assert_eq!((closed(&few), closed(&many)), (vec![false, false], vec![true, false, false]));
    drop((few, many));
    assert_eq!(connections.count(), 1);
}

#[test]
fn each_phase_has_its_time() {
    let connection = Connections::new(LIMITS).admit(address(1)).unwrap();
    let activity = &connection.activity;
    let left = || activity.deadline(&LIMITS).map(|deadline| deadline - Instant::now());
    assert!(left().unwrap() <= LIMITS.head_time, "a new one that sends nothing");
    let request = activity.request();
    assert_eq!(left(), None);
    drop(request);
    assert!(left().unwrap() > LIMITS.head_time);
    activity.received(b"G");
    let deadline = activity.deadline(&LIMITS);
    assert!(left().unwrap() <= LIMITS.head_time, "the next request has begun");
    std::thread::sleep(Duration::from_millis(2));
    activity.received(b"E");
    assert_eq!(activity.deadline(&LIMITS), deadline, "one byte more is no reason for more time");
    drop(activity.request());
    assert!(left().unwrap() > LIMITS.head_time);
}

#[test]
fn a_multiplexed_one_is_idle_until_there_is_a_request() {
    let connection = Connections::new(LIMITS).admit(address(1)).unwrap();
    connection.activity.received(b"PRI * HTTP/2.0");
    drop(connection.activity.request());
    connection.activity.received(b"a ping");
    assert!(connection.activity.deadline(&LIMITS).unwrap() > Instant::now() + LIMITS.head_time);
}
