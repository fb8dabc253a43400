//! The one source of chance in a story: a small generator of its own, so that a seed means the
//! same story whatever happens to other libraries.

use std::time::Duration;

/// SplitMix64: every seed is as good as any other, and the neighbour's story is another one.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator that gives the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another generator: how much is drawn from it changes nothing here.
    pub fn fork(&mut self) -> Self {
        Self(self.number())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit; 0 when there is none.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or(0)
    }

    /// True so many times of a hundred.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    ///
    /// # Panics
    /// There is none.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let position = self.below(from.len() as u64) as usize;
        from[position]
    }

    /// A number of any size up to a limit: small ones are as frequent as large ones.
    pub fn size(&mut self, most: u64) -> u64 {
        let bits = u64::BITS - most.leading_zeros();
        let limit = 1_u64.checked_shl(self.below(u64::from(bits) + 1) as u32);
        self.below(limit.unwrap_or(u64::MAX)).min(most)
    }

    /// A time of any length up to a limit, in whole milliseconds: short ones are as frequent as
    /// long ones.
    pub fn within(&mut self, longest: Duration) -> Duration {
        Duration::from_millis(self.size(longest.as_millis() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_its_neighbour_others() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            [random.number(), random.below(1000), random.size(1 << 40)]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }

    #[test]
    fn sizes_are_of_every_magnitude() {
        let mut random = Random::new(1);
        let sizes: Vec<u64> = (0..1000).map(|_| random.size(1_000_000)).collect();
        for (from, to) in [(0, 10), (10, 1000), (1000, 100_000), (100_000, 1_000_001)] {
            let count = sizes
                .iter()
                .filter(|size| (from..to).contains(*size))
                .count();
            assert!(count > 100, "{from}..{to}: {count}");
        }
    }
}
