//! Change sets as records.

use tracing::Span;
use uuid::Uuid;
use writ_contract::policy_change::ChangeSet;
use writ_contract::{ChainId, CodecError, Region, Revision, Timestamp, encode};
use writ_kafka::topics;
use writ_log::{Envelope, Outgoing};

/// Namespace of the ids of change sets' records.
const NAMESPACE: Uuid = Uuid::from_u128(0x5d2c_8f0e_64a1_4c7b_9b1a_3f7f_5b0d_9e21);

/// The record of a change set that follows from the record with envelope `cause`, which this region's log appended at
/// `appended`.
///
/// # Errors
/// If a value does not fit the schema.
pub fn change_set_record(
    region: Region,
    set: &ChangeSet,
    cause: &Envelope,
    appended: Timestamp,
) -> Result<Outgoing, CodecError> {
    let envelope =
        Envelope { id: id(region, set).to_string(), ..Envelope::new::<ChangeSet>(&format!("/{region}/authorization")) };
    let key = set.organization.to_string();
    let value = Some(encode(set)?);
    let record = Outgoing::enveloped(topics::POLICY_CHANGES, key.as_bytes(), &envelope, value);
    Ok(record.caused_by(cause).measured_from(appended))
}

/// The span `derive` of the change set with this revision of a chain.
pub fn derive_span(chain: &ChainId, revision: Revision) -> Span {
    tracing::info_span!(
        "derive",
        writ.organization = %chain.organization,
        writ.stream = %chain.stream,
        writ.epoch = revision.epoch,
        writ.revision = revision.number,
    )
}

/// The same for the same revision of the same chain, so that readers can tell a repetition.
fn id(region: Region, set: &ChangeSet) -> Uuid {
    let chain = ChainId { organization: set.organization, origin: region, stream: set.stream };
    Uuid::new_v5(&NAMESPACE, format!("{chain}/{}/{}", set.revision.epoch, set.revision.number).as_bytes())
}
