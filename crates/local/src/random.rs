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
