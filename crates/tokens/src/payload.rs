//! The bytes inside a consistency token, version 1: the organization's 16 bytes, then for each revision seen the length
//! and text of its origin, its stream, epoch and number, big-endian.

use uuid::Uuid;
use writ_contract::{ChainId, OrganizationId, Region, Revision, Stream};

use crate::consistency::{ConsistencyToken, SeenRevision};

const IDENTITY: u8 = 0;
const ENTITIES: u8 = 1;

pub(crate) fn write(token: &ConsistencyToken) -> Vec<u8> {
    let mut bytes = token.organization.as_bytes().to_vec();
    for SeenRevision { chain, revision } in &token.seen {
        let origin = chain.origin.as_str().as_bytes();
        bytes.push(origin.len() as u8);
        bytes.extend_from_slice(origin);
        bytes.push(stream_code(chain.stream));
        bytes.extend_from_slice(&revision.epoch.to_be_bytes());
        bytes.extend_from_slice(&revision.number.to_be_bytes());
    }
    bytes
}

/// `None` if the bytes have another form.
pub(crate) fn read(mut bytes: &[u8]) -> Option<ConsistencyToken> {
    let organization = OrganizationId::from_uuid(Uuid::from_bytes(take(&mut bytes)?));
    let mut seen = Vec::new();
    while !bytes.is_empty() {
        seen.push(read_seen(organization, &mut bytes)?);
    }
    Some(ConsistencyToken { organization, seen })
}

fn read_seen(organization: OrganizationId, bytes: &mut &[u8]) -> Option<SeenRevision> {
    let [length] = take(bytes)?;
    let (origin, rest) = bytes.split_at_checked(usize::from(length))?;
    *bytes = rest;
    let origin: Region = std::str::from_utf8(origin).ok()?.parse().ok()?;
    let [stream] = take(bytes)?;
    let chain = ChainId { organization, origin, stream: stream_of(stream)? };
    let revision = Revision { epoch: i64::from_be_bytes(take(bytes)?), number: i64::from_be_bytes(take(bytes)?) };
    Some(SeenRevision { chain, revision })
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
