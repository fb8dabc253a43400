//! Ids, windows and zones that differ from one another, and are the same again for the same seed.

use sha2::{Digest, Sha256};

use crate::state::State;

/// Draws numbers from a seed. The count of draws is part of the state, so that nothing is drawn twice, also after a
/// restart.
pub(crate) fn draw(state: &mut State, seed: u64) -> u64 {
    let count = state.count("random");
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(count.to_le_bytes())
        .finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(bytes)
}

/// SplitMix64: numbers from a seed that stand alone, and are none of the state's.
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit; 0 when there is none.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or(0)
    }

    /// One of several.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len() as u64) as usize).copied()
    }

    /// A number of any size up to a limit: small ones are as frequent as large ones.
    pub(crate) fn size(&mut self, most: u32) -> u32 {
        let bits = u32::BITS - most.leading_zeros();
        let limit = 1_u64 << self.below(u64::from(bits) + 1);
        u32::try_from(self.below(limit)).map_or(most, |size| size.min(most))
    }
}

/// A resource id: what it is of, such as `db`, and 26 letters and digits.
pub(crate) fn resource_id(state: &mut State, seed: u64, kind: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut high, mut low) = (draw(state, seed), draw(state, seed));
    let mut id = format!("{kind}-");
    for position in 0..26 {
        let bits = if position < 13 { &mut high } else { &mut low };
        id.push(char::from(ALPHABET[(*bits % 32) as usize]));
        *bits /= 32;
    }
    id
}

/// A half-hour window of a day, in the notation of `PreferredBackupWindow`.
pub(crate) fn backup_window(state: &mut State, seed: u64) -> String {
    window(draw(state, seed))
}

/// A half-hour window of a week, in the notation of `PreferredMaintenanceWindow`.
pub(crate) fn maintenance_window(state: &mut State, seed: u64) -> String {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let number = draw(state, seed);
    let day = DAYS[(number % 7) as usize];
    let (from, to) = hours(number / 7);
    format!("{day}:{from}-{day}:{to}")
}

fn window(number: u64) -> String {
    let (from, to) = hours(number);
    format!("{from}-{to}")
}

/// Half an hour that doesn't pass midnight.
fn hours(number: u64) -> (String, String) {
    let minute_of_day = |number: u64| format!("{:02}:{:02}", number / 60, number % 60);
    let from = number % (24 * 60 - 30);
    (minute_of_day(from), minute_of_day(from + 30))
}

/// A request id.
pub(crate) fn uuid(seed: u64, number: u64) -> String {
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(number.to_be_bytes())
        .finalize();
    let hex: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{}-{}-4{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..]
    )
}
