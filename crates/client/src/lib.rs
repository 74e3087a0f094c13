//! A client of the management API, the read API, entity events and traces, for the demo, benchmarks and
//! tests. It speaks to the same doors as anyone else's.

mod caller;
mod entities;
mod jaeger;
mod management;
mod read;
mod response;

pub use caller::CallerSpan;
pub use entities::EntityProducer;
pub use jaeger::{Jaeger, Span, Trace};
pub use management::{AssignRole, Management, NewOrganization, NewUser, RecoveryInvitation, RoleHolder};
pub use read::{Question, ReadApi};
pub use response::{ApiResponse, ClientError};

/// An HTTP client that keeps its connections.
pub fn http() -> reqwest::Client {
    // A redirect to an organization's home region is something callers want to see.
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default()
}
