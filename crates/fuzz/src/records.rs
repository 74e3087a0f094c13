//! Records of the log. An input is a list of steps: which record, and how it is disturbed.

use std::sync::LazyLock;

use tokio::sync::watch;
use writ_audit::entry::Entry;
use writ_authorization::directory::{Directory, Listed};
use writ_authorization::policies::Policies;
use writ_authorization::store::Memory;
use writ_chains::SharedIndex;
use writ_contract::catalogue::Catalogue;
use writ_contract::decision::DecisionBatch;
use writ_contract::entity_event::{EntityEvent, EntityEventKind};
use writ_contract::identity_event::{Changes, IdentityEvent, Watermark};
use writ_contract::organization::OrganizationEntry;
use writ_contract::policy_change::{ChangeSet, Heartbeat, PolicyOps};
use writ_contract::schema::SchemaEntry;
use writ_contract::token_usage::TokenUsage;
use writ_contract::{CodecError, Record, Revision, SchemaRegistry, decode, encode};
use writ_kafka::ProducerScopes;
use writ_log::ConsumedRecord;
use writ_log::consumer::Projection;
use writ_log::hostile::disturbed;
use writ_policy::Index;
use writ_projector::freshness::{Freshness, WaiterLimits};
use writ_projector::read_model::ReadModel;

use crate::seeds::{self, here, organization};

/// Records of one input.
const MOST: usize = 12;

static RECORDS: LazyLock<Vec<ConsumedRecord>> = LazyLock::new(seeds::records);

/// Each record alone, and all of them.
pub(crate) fn scripts() -> Vec<Vec<u8>> {
    let each = (0..RECORDS.len()).map(|record| vec![record as u8, 0]);
    let all: Vec<u8> = each.clone().flatten().collect();
    each.chain([all]).collect()
}

/// The records that an input says.
fn records(mut input: &[u8]) -> Vec<ConsumedRecord> {
    let mut records = Vec::new();
    while let ([which, length, rest @ ..], true) = (input, records.len() < MOST) {
        let (script, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        let record = RECORDS[usize::from(*which) % RECORDS.len()].clone();
        records.push(disturbed(record, script));
        input = rest;
    }
    records
}

pub(crate) fn envelope(input: &[u8]) {
    for record in records(input) {
        let (envelope, organization) = (record.envelope(), record.organization());
        if let Ok(envelope) = envelope {
            assert!([&envelope.id, &envelope.source, &envelope.ce_type].iter().all(|text| text.len() <= 256));
            let again = ConsumedRecord { headers: envelope.to_headers(record.key.as_deref()), ..record.clone() };
            assert_eq!(again.envelope().unwrap(), envelope);
        }
        assert!(organization.is_none_or(|id| record.key == Some(id.to_string().into_bytes())));
        drop(record.span());
    }
}

pub(crate) fn encoded() -> Vec<Vec<u8>> {
    RECORDS.iter().filter_map(|record| record.value.clone()).collect()
}

/// What is decoded is the same when it is encoded again.
pub(crate) fn codec(input: &[u8]) {
    fn check<R: Record + PartialEq + std::fmt::Debug>(input: &[u8], registry: &SchemaRegistry) {
        let decoded: Result<R, CodecError> = decode(input, registry);
        if let Ok(decoded) = decoded
            && let Ok(bytes) = encode(&decoded)
        {
            assert_eq!(decode::<R>(&bytes, registry).unwrap(), decoded);
        }
    }
    let registry = SchemaRegistry::default();
    check::<IdentityEvent>(input, &registry);
    check::<Changes>(input, &registry);
    check::<ChangeSet>(input, &registry);
    check::<PolicyOps>(input, &registry);
    check::<EntityEvent>(input, &registry);
    check::<OrganizationEntry>(input, &registry);
    check::<SchemaEntry>(input, &registry);
    check::<DecisionBatch>(input, &registry);
    check::<Watermark>(input, &registry);
    check::<Heartbeat>(input, &registry);
    check::<TokenUsage>(input, &registry);
    let _ = Catalogue::compiled_in();
}

fn policies() -> (Policies, SharedIndex) {
    let scopes = ProducerScopes::parse("[producer.demo]\norganizations = \"all\"\ntypes = \"all\"").unwrap();
    let listed = Listed { revision: Revision::START, deleted: false };
    let memory = Memory { directory: Directory::new([(organization(), listed)]), ..Memory::default() };
    let index = SharedIndex::default();
    let scopes = watch::channel(scopes).1;
    (Policies::new(here(), SchemaRegistry::default(), scopes, index.clone(), memory), index)
}

/// Nothing is left of what is taken back.
pub(crate) fn authorization(input: &[u8]) {
    let (all, (mut policies, index)) = (records(input), policies());
    let (kept, refused) = all.split_at(all.len() / 2);
    let planned = policies.plan(kept);
    policies.committed(planned);
    taken_back(&mut policies, &index, refused);
}

fn taken_back<P: Projection>(projection: &mut P, index: &SharedIndex, records: &[ConsumedRecord]) {
    let before = index.read(Index::chain_statuses);
    let mut effects = projection.plan(records);
    for record in records {
        projection.set_aside(record, "fuzz", &mut effects);
    }
    projection.take_back(effects);
    assert_eq!(index.read(Index::chain_statuses), before);
}

pub(crate) fn projector(input: &[u8]) {
    let (all, index) = (records(input), SharedIndex::default());
    let freshness = Freshness::new(WaiterLimits { per_organization: 1, total: 1 });
    let mut model = ReadModel::new(here(), SchemaRegistry::default(), index.clone(), freshness, Vec::new());
    let (kept, refused) = all.split_at(all.len() / 2);
    let planned = model.plan(kept);
    model.committed(planned);
    taken_back(&mut model, &index, refused);
}

/// Whatever it is, audit has an entry of it, or more.
pub(crate) fn audit(input: &[u8]) {
    for record in records(input) {
        for entry in Entry::of(&record, here(), &SchemaRegistry::default()) {
            assert!(entry.defect.is_none_or(|defect| defect.as_str().len() <= 300));
        }
        Entry::unprocessable(&record, here(), "fuzz");
    }
}

pub(crate) fn entity_json() -> Vec<Vec<u8>> {
    let created = seeds::entity_event(EntityEventKind::Created, "a", None);
    let child = seeds::entity_event(EntityEventKind::Created, "b", Some("a"));
    [created, child].iter().map(|event| serde_json::to_vec(event).unwrap()).collect()
}

/// It is accepted or dead-lettered, and never both or neither.
pub(crate) fn entity_event(input: &[u8]) {
    let (mut policies, index) = policies();
    let effects = policies.plan(&[seeds::json_record(input)]);
    let accepted = effects.deltas.len();
    assert_eq!((effects.own.outgoing.len(), effects.own.answered.len()), (1, accepted));
    assert_eq!(index.read(|index| index.heads().count()), accepted);
}
