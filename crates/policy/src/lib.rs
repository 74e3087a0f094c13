//! Policies as pure data: change sets, digests, application and decisions, without I/O.
//!
//! A chain's change sets are [judged](apply::judge) one by one; what one changes is a
//! [`Delta`], applied to memory and written to PostgreSQL alike. The [`Index`] holds the chains
//! of all regions and answers who a token is and who may do what.

pub mod admit;
pub mod apply;
mod canonical;
pub mod delta;
pub mod digest;
mod draft;
pub mod halt;
pub mod history;
pub mod index;
mod limits;
#[cfg(test)]
mod model;
pub mod overview;
mod pairs;
pub mod row;
pub mod rows;
pub mod seal;
pub mod state;
#[cfg(test)]
mod testing;

pub use admit::{Admission, Refusal, admit_deletion, admit_entity};
pub use apply::Verdict;
pub use delta::Delta;
pub use halt::Halt;
pub use history::History;
pub use index::authenticate::{Authenticated, Unauthenticated};
pub use index::decide::{Decision, Match, Query, Reason};
pub use index::{Index, LoadMismatch};
pub use limits::Limits;
pub use row::{Row, RowKey};
pub use rows::Rows;
pub use seal::{Header, SealError, seal};
pub use state::{Chain, Standing};
