//! The two digests of a chain: of its history and of its state.

use writ_contract::Hash;

/// SHA-256(previous digest ‖ payload as on the wire): two chains with the same value have the
/// same history.
pub fn history_digest(previous: &Hash, payload: &[u8]) -> Hash {
    Hash::of(&[&previous.0, payload])
}

/// Sum of row hashes modulo 2²⁵⁶, big-endian: independent of order, and every row can be taken
/// out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateDigest([u64; 4]);

impl StateDigest {
    /// The sum of the hashes of `rows`.
    pub fn of(hashes: impl IntoIterator<Item = Hash>) -> Self {
        hashes.into_iter().fold(Self::default(), |mut sum, hash| {
            sum.add(&hash);
            sum
        })
    }

    /// Counts a row in.
    pub fn add(&mut self, hash: &Hash) {
        let mut carry = false;
        for (limb, other) in self.0.iter_mut().zip(limbs(hash)) {
            (*limb, carry) = carrying_add(*limb, other, carry);
        }
    }

    /// Counts a row out.
    pub fn subtract(&mut self, hash: &Hash) {
        let mut borrow = false;
        for (limb, other) in self.0.iter_mut().zip(limbs(hash)) {
            (*limb, borrow) = borrowing_sub(*limb, other, borrow);
        }
    }
}

impl From<Hash> for StateDigest {
    fn from(sum: Hash) -> Self {
        Self(limbs(&sum))
    }
}

impl From<StateDigest> for Hash {
    fn from(sum: StateDigest) -> Self {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.rchunks_exact_mut(8).zip(sum.0) {
            chunk.copy_from_slice(&limb.to_be_bytes());
        }
        Self(bytes)
    }
}

/// Least significant first.
fn limbs(hash: &Hash) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().zip(hash.0.rchunks_exact(8)) {
        *limb = chunk.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    limbs
}

fn carrying_add(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first || second)
}

fn borrowing_sub(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(u64::from(borrow));
    (difference, first || second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(value: u8) -> Hash {
        let mut bytes = [0; 32];
        bytes[31] = value;
        Hash(bytes)
    }

    #[test]
    fn sums_carry_over_all_bytes_and_wrap_around() {
        let mut sum = StateDigest::from(Hash([0xff; 32]));
        sum.add(&number(1));
        assert_eq!(Hash::from(sum), Hash::ZERO);
        sum.subtract(&number(1));
        assert_eq!(Hash::from(sum), Hash([0xff; 32]));
        sum = StateDigest::from(number(200));
        sum.add(&number(100));
        let mut expected = [0; 32];
        expected[30..].copy_from_slice(&300_u16.to_be_bytes());
        assert_eq!(Hash::from(sum), Hash(expected));
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_everything_can_be_taken_out(
            hashes in prop::collection::vec(any::<[u8; 32]>(), 0..8),
        ) {
            let forwards = StateDigest::of(hashes.iter().copied().map(Hash));
            let backwards = StateDigest::of(hashes.iter().rev().copied().map(Hash));
            prop_assert_eq!(forwards, backwards);
            let mut sum = StateDigest::from(Hash::from(forwards));
            hashes.iter().for_each(|hash| sum.subtract(&Hash(*hash)));
            prop_assert_eq!(sum, StateDigest::default());
        }
    }
}
