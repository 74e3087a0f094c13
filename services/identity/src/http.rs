//! The management API, one file a resource.

mod auth;
mod error;
mod input;
mod invites;
mod list;
mod me;
mod members;
mod openapi;
mod organizations;
mod quotas;
mod recovery;
mod reply;
mod role_names;
mod roles;
pub mod routes;
mod team_roles;
mod teams;
mod tokens;
mod user_roles;
mod users;
mod warning;

pub use routes::router;

use auth::{Administrator, Caller};
use list::Paginated;
use reply::{EmptyReply, Reply};

use crate::error::Result;
