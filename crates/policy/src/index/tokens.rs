//! Which token has a hash.

use std::collections::HashMap;

use writ_contract::row::Token;
use writ_contract::{Hash, OrganizationId, TokenId};

use crate::delta::Delta;
use crate::row::{Row, RowKey};
use crate::rows::Rows;

/// Where a token is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenPlace {
    /// In whose identity chain.
    pub(super) organization: OrganizationId,
    /// Its id there.
    pub(super) token: TokenId,
}

/// Tokens of all organizations by hash.
#[derive(Debug, Default)]
pub(super) struct Tokens(HashMap<Hash, Vec<TokenPlace>>);

impl Tokens {
    /// The token with a hash. None if several have it: nobody knows whom it stands for.
    pub(super) fn find(&self, hash: &Hash) -> Option<TokenPlace> {
        match self.0.get(hash)?.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// Adds all tokens of an identity chain.
    pub(super) fn insert_all(&mut self, organization: OrganizationId, rows: &Rows) {
        rows.tokens().for_each(|token| self.insert(organization, token));
    }

    /// Removes all tokens of an identity chain.
    pub(super) fn remove_all(&mut self, organization: OrganizationId, rows: &Rows) {
        rows.tokens().for_each(|token| self.remove(organization, Some(token)));
    }

    /// Follows what `delta` will change in the rows of an identity chain.
    pub(super) fn change(&mut self, organization: OrganizationId, rows: &Rows, delta: &Delta) {
        for key in &delta.dropped {
            if let RowKey::Token(id) = key {
                self.remove(organization, rows.token(*id));
            }
        }
        for row in &delta.put {
            if let Row::Token(token) = row {
                self.remove(organization, rows.token(token.id));
                self.insert(organization, token);
            }
        }
    }

    fn insert(&mut self, organization: OrganizationId, token: &Token) {
        self.0.entry(token.hash).or_default().push(TokenPlace { organization, token: token.id });
    }

    fn remove(&mut self, organization: OrganizationId, token: Option<&Token>) {
        let Some(token) = token else { return };
        let Some(places) = self.0.get_mut(&token.hash) else { return };
        places.retain(|place| *place != TokenPlace { organization, token: token.id });
        if places.is_empty() {
            self.0.remove(&token.hash);
        }
    }
}
