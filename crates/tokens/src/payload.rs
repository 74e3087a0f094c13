//! The bytes inside a consistency token, version 1: the organization's 16 bytes, then for each
//! position the length and text of its origin, its stream, epoch and revision, big-endian.

use uuid::Uuid;
use writ_contract::{OrganizationId, Region, Revision, Stream};

use crate::consistency::{ConsistencyToken, Position};

const IDENTITY: u8 = 0;
const ENTITIES: u8 = 1;

pub(crate) fn write(token: &ConsistencyToken) -> Vec<u8> {
    let mut bytes = token.organization.as_bytes().to_vec();
    for position in &token.positions {
        let origin = position.origin.as_str().as_bytes();
        bytes.push(origin.len() as u8);
        bytes.extend_from_slice(origin);
        bytes.push(stream_code(position.stream));
        bytes.extend_from_slice(&position.revision.epoch.to_be_bytes());
        bytes.extend_from_slice(&position.revision.number.to_be_bytes());
    }
    bytes
}

/// Nothing when the bytes have another form.
pub(crate) fn read(mut bytes: &[u8]) -> Option<ConsistencyToken> {
    let organization = OrganizationId::from_uuid(Uuid::from_bytes(take(&mut bytes)?));
    let mut positions = Vec::new();
    while !bytes.is_empty() {
        positions.push(read_position(&mut bytes)?);
    }
    Some(ConsistencyToken { organization, positions })
}

fn read_position(bytes: &mut &[u8]) -> Option<Position> {
    let [length] = take(bytes)?;
    let (origin, rest) = bytes.split_at_checked(usize::from(length))?;
    *bytes = rest;
    let origin: Region = std::str::from_utf8(origin).ok()?.parse().ok()?;
    let [stream] = take(bytes)?;
    Some(Position {
        origin,
        stream: stream_of(stream)?,
        revision: Revision { epoch: i64::from_be_bytes(take(bytes)?), number: i64::from_be_bytes(take(bytes)?) },
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

fn stream_code(stream: Stream) -> u8 {
    match stream {
        Stream::Identity => IDENTITY,
        Stream::Entities => ENTITIES,
    }
}

fn stream_of(code: u8) -> Option<Stream> {
    match code {
        IDENTITY => Some(Stream::Identity),
        ENTITIES => Some(Stream::Entities),
        _ => None,
    }
}
