//! Random passwords.

/// Bytes of randomness in a password.
const RANDOM_BYTES: usize = 32;

/// A new random password, in hexadecimal.
pub fn random_password() -> String {
    rand::random::<[u8; RANDOM_BYTES]>().iter().map(|byte| format!("{byte:02x}")).collect()
}
