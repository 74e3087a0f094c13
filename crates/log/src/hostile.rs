//! Records as no one of ours writes them, for the tests of services (feature `hostile`). A script of arbitrary bytes says
//! how a record is disturbed, so that property tests and fuzzers can drive the same code.

mod produce;

use crate::ConsumedRecord;

pub use produce::{Produced, RawRecord, produce};

/// Longest piece of bytes that one step of a script puts anywhere.
const MAX_PIECE: usize = 300;

/// The record, disturbed as `script` says; an empty script leaves it as it is. Every change that Kafka can carry is the
/// change of some script.
pub fn disturbed(mut record: ConsumedRecord, script: &[u8]) -> ConsumedRecord {
    let mut script = Script(script);
    while let Some(step) = script.byte() {
        disturb(&mut record, step, &mut script);
    }
    record
}

fn disturb(record: &mut ConsumedRecord, step: u8, script: &mut Script<'_>) {
    let headers = record.headers.len();
    match step % 10 {
        0 => flip(record.value.as_mut(), script),
        1 => flip(record.key.as_mut(), script),
        2 => record.value.iter_mut().for_each(|value| value.truncate(script.place(value.len()))),
        3 => record.value.iter_mut().for_each(|value| value.extend(script.piece())),
        4 => record.value = script.byte().filter(|byte| byte % 4 > 0).map(|_| script.piece().to_vec()),
        5 => record.key = script.byte().filter(|byte| byte % 4 > 0).map(|_| script.piece().to_vec()),
        6 if headers > 0 => drop(record.headers.remove(script.place(headers - 1))),
        7 if headers > 0 => record.headers[script.place(headers - 1)].1 = script.piece().to_vec(),
        _ => {
            let name = String::from_utf8_lossy(script.piece()).into_owned();
            record.headers.push((name, script.piece().to_vec()));
        }
    }
}

fn flip(bytes: Option<&mut Vec<u8>>, script: &mut Script<'_>) {
    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
        let place = script.place(bytes.len() - 1);
        bytes[place] ^= script.byte().unwrap_or(1);
    }
}

struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A place up to and including `last`.
    fn place(&mut self, last: usize) -> usize {
        let [high, low] = [self.byte(), self.byte()].map(|byte| usize::from(byte.unwrap_or(0)));
        (high << 8 | low) % (last + 1)
    }

    fn piece(&mut self) -> &'a [u8] {
        let length = self.place(MAX_PIECE).min(self.0.len());
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        piece
    }
}
