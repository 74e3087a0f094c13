//! The management API, one file a resource.

mod answer;
mod auth;
mod error;
mod input;
mod invites;
mod list;
mod me;
mod members;
mod openapi;
mod organizations;
mod role_names;
mod roles;
pub mod routes;
mod team_roles;
mod teams;
mod tokens;
mod user_roles;
mod users;

pub use routes::router;

use answer::{Answer, Empty};
use auth::{Admin, Caller};
use list::Paginated;

use crate::error::Result;
