//! Parts of request bodies and queries: checked texts, fields of a PATCH, pages and ids.

mod ids;
mod page;
mod patch;
mod texts;

pub(super) use ids::{read_id, read_optional_id};
pub(super) use page::{PageNumber, PageSize, page};
pub(super) use patch::Patch;
pub(super) use texts::Flag;
