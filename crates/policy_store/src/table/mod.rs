//! One module a table: what a delta changes in it, and its rows read back.

pub(crate) mod binding;
pub(crate) mod condition;
pub(crate) mod entity;
pub(crate) mod grant;
pub(crate) mod organization;
pub(crate) mod principal;
pub(crate) mod role;
pub(crate) mod token;

use uuid::Uuid;
use writ_contract::{ChainId, Timestamp};

/// What a `load` statement is bound to: the columns of one chain, or nulls for every chain.
type Only<'a> = (Option<Uuid>, Option<&'a str>, Option<&'a str>);

fn only(chain: Option<&ChainId>) -> Only<'_> {
    chain.map_or((None, None, None), |chain| {
        (Some(chain.organization), Some(&chain.origin), Some(chain.stream.as_str()))
    })
}

fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(|time| time.0)
}
