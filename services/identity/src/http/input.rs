//! Parts of request bodies and queries: checked texts, fields of a PATCH, pages and ids.

mod creation;
mod ids;
mod page;
mod patch;
mod texts;

pub(super) use creation::{Creation, KEY_PATTERN, KeyScope, KeyedRequest, LONGEST_KEY, key_alone};
pub(super) use ids::{read_id, read_optional_id};
pub(super) use page::{PageNumber, PageSize, page};
pub(super) use patch::Patch;
pub(super) use texts::Flag;
