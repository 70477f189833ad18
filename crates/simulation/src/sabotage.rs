//! What can be taken away from the simulated store. Each is a promise that the product rests on; a test shows that
//! the simulation notices when it is broken, for a harness that finds nothing might be looking at nothing.

/// One promise that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Effects and idempotency tickets of the same key are taken for new ones.
    NoIdempotencyKeys,
    /// A sequencer goes on from the log that it remembers, whoever has written meanwhile.
    NoFence,
    /// Appends are answered, and seen by readers, before they are durable.
    AcknowledgedTooEarly,
    /// The same, only for the announcement of a lease: it can be minted before its checkpoint is durable.
    MintedTooEarly,
    /// A restart forgets the timers that were waiting.
    TimersForgotten,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NoIdempotencyKeys,
        Self::NoFence,
        Self::AcknowledgedTooEarly,
        Self::MintedTooEarly,
        Self::TimersForgotten,
    ];
}
