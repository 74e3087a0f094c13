//! The management API, one file a resource.

mod answer;
mod assigned_roles;
mod auth;
mod body;
mod error;
mod invites;
mod me;
mod members;
mod organizations;
mod path;
mod query;
mod roles;
pub mod routes;
mod team_roles;
mod teams;
mod tokens;
mod user_roles;
mod users;

pub use routes::router;

use crate::error::Result;
use answer::{Answer, Empty};
use auth::{Admin, Caller};
use body::Body;
use path::Ids;
use query::Parameters;
