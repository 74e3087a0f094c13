//! Quotas of principals.

use crate::Connection;
use crate::wire::{WireConnection, WireError, nullable_string, string};

use super::error::AccessError;

/// `AlterClientQuotas`, of <https://cwiki.apache.org/confluence/display/KAFKA/KIP-546>.
const ALTER_CLIENT_QUOTAS: i16 = 49;

/// What a principal may use of each broker. A client beyond it is slowed down by the broker: its answers, and then its
/// requests, wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes a second that it may write, and as many that it may read.
    pub bytes_per_second: u32,
    /// Time of the broker's threads, in percent of one thread.
    pub request_percentage: u32,
}

/// Sets the quotas of principals; `None` takes a quota away. Whatever else is set for these principals stays.
///
/// # Errors
/// If Kafka does not answer, or the connection's principal is not allowed to do this.
pub async fn limit(kafka: &Connection, quotas: Vec<(String, Option<Quota>)>) -> Result<(), AccessError> {
    let kafka = kafka.clone();
    let done = tokio::task::spawn_blocking(move || {
        if quotas.is_empty() {
            return Ok(());
        }
        let mut connection = WireConnection::open(&kafka)?;
        quotas.iter().try_for_each(|(principal, quota)| alter(&mut connection, principal, *quota))
    });
    done.await.map_err(|_| AccessError::Interrupted)?
}

fn alter(connection: &mut WireConnection, principal: &str, quota: Option<Quota>) -> Result<(), AccessError> {
    let answer = connection.call(ALTER_CLIENT_QUOTAS, 0, &request(principal, quota))?;
    match refusal(&answer)? {
        None => Ok(()),
        Some(reason) => Err(AccessError::Refused { what: "set a quota", reason }),
    }
}

/// One entry, for a user.
fn request(principal: &str, quota: Option<Quota>) -> Vec<u8> {
    let mut body = [1_i32, 1].map(i32::to_be_bytes).concat();
    body.extend(string("user"));
    body.extend(string(principal));
    let of = |value: fn(Quota) -> u32| quota.map(value);
    let values = [
        ("producer_byte_rate", of(|quota| quota.bytes_per_second)),
        ("consumer_byte_rate", of(|quota| quota.bytes_per_second)),
        ("request_percentage", of(|quota| quota.request_percentage)),
    ];
    body.extend(3_i32.to_be_bytes());
    for (key, value) in values {
        body.extend(string(key));
        body.extend(f64::from(value.unwrap_or_default()).to_be_bytes());
        body.push(u8::from(value.is_none()));
    }
    // Not only validated.
    body.push(0);
    body
}

/// Why the one entry is refused, if it is.
fn refusal(answer: &[u8]) -> Result<Option<String>, WireError> {
    // Behind the time that we were slowed down, and the number of entries.
    let (code, rest) = answer.get(8..).and_then(<[u8]>::split_first_chunk).ok_or(WireError::Malformed)?;
    let (reason, _) = nullable_string(rest)?;
    Ok(match i16::from_be_bytes(*code) {
        0 => None,
        code => Some(reason.unwrap_or_else(|| format!("error {code}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_set_and_taken_away() {
        let set = request("p", Some(Quota { bytes_per_second: 1, request_percentage: 100 }));
        assert!(set.starts_with(&[0, 0, 0, 1, 0, 0, 0, 1, 0, 4, b'u', b's', b'e', b'r', 0, 1, b'p', 0, 0, 0, 3]));
        let first = [&string("producer_byte_rate"), &1_f64.to_be_bytes()[..], &[0]].concat();
        assert!(set[21..].starts_with(&first));
        let taken = request("p", None);
        let first = [&string("producer_byte_rate"), &[0; 8][..], &[1]].concat();
        assert!(taken[21..].starts_with(&first) && taken.len() == set.len());
    }

    #[test]
    fn a_refusal_has_its_reason() {
        let no = [&[0, 0, 0, 0, 0, 0, 0, 1, 0, 31][..], &string("no"), &[0, 0, 0, 0]].concat();
        assert_eq!(refusal(&no).unwrap().as_deref(), Some("no"));
        assert_eq!(refusal(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0xFF, 0xFF]).unwrap(), None);
        assert!(refusal(&[0, 0, 0, 0]).is_err());
    }
}
