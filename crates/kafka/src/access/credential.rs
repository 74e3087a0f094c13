//! Passwords of principals.

use secrecy::SecretString;

/// A principal and its password.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Name of the principal.
    pub principal: String,
    /// The password to set.
    pub password: SecretString,
}
