//! What requests are made of: checked texts, changes of optional fields, pages and filters.

mod ids;
mod page;
mod patch;
mod texts;

pub(super) use ids::{read_id, read_optional_id};
pub(super) use page::{PageNumber, PageSize, page};
pub(super) use patch::Patch;
pub(super) use texts::Flag;
