//! Lots that fall the same way for the same seed (SplitMix64), so that a run can be told apart from another.

/// A source of lots.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The lots of one seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Whether something with this chance, in percent, happens.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// A text that no other lot gives.
    pub fn text(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}
