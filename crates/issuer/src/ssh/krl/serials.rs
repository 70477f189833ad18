//! A set of serials, and the cheapest way to write it down.

use std::collections::BTreeMap;

/// OpenSSH reads no integer of more than 16384 bits.
pub(super) const READABLE_BITMAP_BYTES: usize = 16384 / 8;
/// A bitmap that we write spans at most so many serials.
const WRITTEN_BITMAP_SPAN: u64 = 8192;
/// What a lone range costs: kind and length of the section, two serials.
const RANGE_BITS: u64 = 8 * (5 + 16);
/// What a bitmap costs before its first bit: kind and length, offset, length of the integer, its sign byte.
const BITMAP_BITS: u64 = 8 * (5 + 8 + 4 + 1);

/// Serials as runs: first to last, both included.
///
/// INVARIANT: runs are disjoint and do not touch, and no run holds 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Serials {
    runs: BTreeMap<u64, u64>,
}

/// The serials divided over the kinds of section.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) listed: Vec<u64>,
    pub(super) ranges: Vec<(u64, u64)>,
    pub(super) bitmaps: Vec<Bitmap>,
}

/// Bit `n` of the number (counted from the least significant) stands for serial `offset + n`.
#[derive(Debug)]
pub(super) struct Bitmap {
    pub(super) offset: u64,
    pub(super) magnitude: Vec<u8>,
}

impl Serials {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn contains(&self, serial: u64) -> bool {
        self.runs.range(..=serial).next_back().is_some_and(|(_, last)| serial <= *last)
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = (u64, u64)> {
        self.runs.iter().map(|(first, last)| (*first, *last))
    }

    /// Adds `first` to `last`, joined with every run that it overlaps or touches.
    pub(super) fn insert(&mut self, first: u64, last: u64) {
        let (mut first, mut last) = (first, last);
        while let Some((start, end)) = self.run_reaching(first, last) {
            self.runs.remove(&start);
            first = first.min(start);
            last = last.max(end);
        }
        self.runs.insert(first, last);
    }

    /// A run that overlaps or touches `first` to `last`: the last one to start early enough is also the one that
    /// reaches furthest, because runs are disjoint.
    fn run_reaching(&self, first: u64, last: u64) -> Option<(u64, u64)> {
        let (start, end) = self.runs.range(..=last.saturating_add(1)).next_back()?;
        (end.saturating_add(1) >= first).then_some((*start, *end))
    }

    /// The cheapest division, by a shortest path over the runs: each run stands alone, or opens a bitmap, or
    /// continues the one before. Costs are in bits.
    pub(super) fn plan(&self) -> Plan {
        let runs: Vec<(u64, u64)> = self.runs().collect();
        let mut steps: Vec<Step> = Vec::with_capacity(runs.len());
        let mut previous = State { alone: 0, mapped: u64::MAX, opened_at: 0, last: 0 };
        for (first, last) in &runs {
            let (step, state) = previous.advance(*first, *last);
            steps.push(step);
            previous = state;
        }
        let mut mapped = previous.mapped < previous.alone;
        let mut plan = Plan::default();
        let mut bitmap: Vec<(u64, u64)> = Vec::new();
        // Backwards along the path that was cheapest at the end
        for (run, step) in runs.into_iter().zip(steps).rev() {
            if !mapped {
                plan.add_alone(run);
                mapped = step.alone_after_mapped;
                continue;
            }
            bitmap.push(run);
            if step.opens {
                plan.bitmaps.push(Bitmap::of(run.0, &bitmap));
                bitmap.clear();
                mapped = step.opened_after_mapped;
            }
        }
        plan.listed.reverse();
        plan.ranges.reverse();
        plan.bitmaps.reverse();
        plan
    }
}

/// The cheapest ways to have written all runs so far.
#[derive(Debug, Clone, Copy)]
struct State {
    /// Cost when the last run stands alone.
    alone: u64,
    /// Cost when the last run is in a bitmap.
    mapped: u64,
    /// First serial of that bitmap.
    opened_at: u64,
    /// Last serial of the last run.
    last: u64,
}

/// How the cheapest ways came about, to walk back on.
#[derive(Debug, Clone, Copy)]
struct Step {
    alone_after_mapped: bool,
    opens: bool,
    opened_after_mapped: bool,
}

impl State {
    fn advance(self, first: u64, last: u64) -> (Step, Self) {
        let length = (last - first).saturating_add(1);
        let cheapest = self.alone.min(self.mapped);
        let after_mapped = self.mapped < self.alone;
        let alone = cheapest.saturating_add(length.saturating_mul(64).min(RANGE_BITS));
        let opening = within_span(first, last, cheapest.saturating_add(BITMAP_BITS).saturating_add(length));
        let continuing =
            within_span(self.opened_at, last, self.mapped.saturating_add(last.saturating_sub(self.last)));
        let opens = opening <= continuing;
        let state = Self {
            alone,
            mapped: opening.min(continuing),
            opened_at: if opens { first } else { self.opened_at },
            last,
        };
        (Step { alone_after_mapped: after_mapped, opens, opened_after_mapped: after_mapped }, state)
    }
}

/// The cost of a bitmap, or the largest number where it would span too much.
fn within_span(first: u64, last: u64, cost: u64) -> u64 {
    if last.saturating_sub(first) < WRITTEN_BITMAP_SPAN { cost } else { u64::MAX }
}

impl Plan {
    fn add_alone(&mut self, (first, last): (u64, u64)) {
        if (last - first).saturating_add(1).saturating_mul(64) <= RANGE_BITS {
            self.listed.extend((first..=last).rev());
        } else {
            self.ranges.push((first, last));
        }
    }
}

impl Bitmap {
    fn of(offset: u64, runs: &[(u64, u64)]) -> Self {
        let span = runs.iter().map(|(_, last)| last - offset).max().unwrap_or(0);
        let bytes = usize::try_from(span / 8 + 1).unwrap_or(0);
        let mut little_endian = vec![0_u8; bytes];
        for serial in runs.iter().flat_map(|(first, last)| *first..=*last) {
            let bit = serial - offset;
            let place = usize::try_from(bit / 8).ok().and_then(|byte| little_endian.get_mut(byte));
            if let Some(byte) = place {
                *byte |= 1 << (bit % 8);
            }
        }
        little_endian.reverse();
        Self { offset, magnitude: little_endian }
    }
}

/// The serials in a bitmap; `None` in place of one that would be beyond the last serial there is.
pub(super) fn bitmap_serials(offset: u64, magnitude: &[u8]) -> impl Iterator<Item = Option<u64>> {
    let bits = magnitude.iter().rev().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    (0_u64..).zip(bits).filter(|(_, set)| *set).map(move |(place, _)| offset.checked_add(place))
}
