//! What happens by itself: clocks that run out, leases that are taken back or looked after. Each effect is claimed,
//! run and finished; a crash anywhere runs it again, and running it again changes nothing.

use std::sync::Arc;
use std::time::Duration;

use chancery_domain::effect::Effect;
use chancery_domain::time::Timestamp;
use chancery_store::{ClaimedEffect, Fault, Store as _};
use tokio::sync::watch;

use crate::app::App;
use crate::app::end_request::End;
use crate::problem::Problem;

/// How long a claim lasts, in seconds; an effect that takes longer is run by somebody else as well.
const CLAIM_SECONDS: u64 = 60;
/// Effects in one claim.
const BATCH: usize = 32;
/// The queue is looked at this often even when nobody says that something is due.
const POLL: Duration = Duration::from_millis(500);
/// Waits between attempts grow to this, in seconds.
const LONGEST_RETRY_SECONDS: u64 = 300;
/// Tickets that are over are swept this often, in seconds.
const SWEEP_EVERY_SECONDS: u64 = 600;

/// Runs effects until the server stops. While unsealed it also looks whether trust/ is there.
pub async fn run(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut swept = app.now();
    let mut misfit = String::new();
    while !*stopped.borrow() {
        // Of a life that is over everything that runs was taken back when it was closed.
        let due = if app.rotation.is_some() { Ok(0) } else { run_due(&app).await };
        match due {
            // A full batch: there may be more.
            Ok(count) if count == BATCH => continue,
            Ok(_) => {}
            Err(fault) => tracing::error!(%fault, "the effects queue cannot be read"),
        }
        if app.trusted().is_none() {
            let found = app.notice_trust().await.err().map(|problem| problem.detail()).unwrap_or_default();
            // Said when it changes, not at every look.
            if found != misfit && !found.is_empty() {
                tracing::error!(found, "the trust folder is not taken");
            }
            misfit = found;
        }
        if app.now().seconds_since(swept) >= SWEEP_EVERY_SECONDS {
            swept = app.now();
            if let Err(fault) = app.store.sweep_tickets(swept).await {
                tracing::error!(%fault, "tickets that are over cannot be swept");
            }
        }
        tokio::select! {
            _ = stopped.changed() => {}
            () = app.effect_due.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

/// Runs what is due, and says how many there were. What is in the queue stands under a checkpoint: an append puts
/// events and effects in one transaction, and is signed before it is seen.
pub async fn run_due(app: &App) -> Result<usize, Fault> {
    let claimed = app.store.claim_effects(app.now(), BATCH, CLAIM_SECONDS).await?;
    let count = claimed.len();
    for effect in claimed {
        if *app.stopping.borrow() {
            // Given back, so that it is due at the next start and not when the claim is over.
            app.store.release_effect(&effect.key, effect.fence).await?;
        } else {
            settle(app, effect).await?;
        }
    }
    Ok(count)
}

async fn settle(app: &App, claimed: ClaimedEffect) -> Result<(), Fault> {
    let ClaimedEffect { key, fence, attempt, payload, .. } = claimed;
    let outcome = match serde_json::from_value::<Effect>(payload) {
        Ok(effect) => perform(app, &effect, &key).await,
        Err(error) => Err(Problem::bug(error)),
    };
    app.metrics.effect_ran(outcome.is_ok());
    match outcome {
        Ok(None) => {
            app.store.finish_effect(&key, fence).await?;
        }
        Ok(Some(due_at)) => {
            app.store.retry_effect(&key, fence, due_at, "it was too early").await?;
        }
        Err(problem) => {
            let wait = 2_u64.saturating_pow(attempt.min(16)).min(LONGEST_RETRY_SECONDS);
            let error = problem.detail();
            tracing::error!(key, attempt, error, "an effect failed; it is tried again");
            app.store.retry_effect(&key, fence, app.now().plus(wait), &error).await?;
        }
    }
    Ok(())
}

/// Runs one effect. Done: nothing more. Too early: when it is due again.
async fn perform(app: &App, effect: &Effect, key: &str) -> Result<Option<Timestamp>, Problem> {
    match effect {
        Effect::FireClock { request } => {
            let due = app.end_request(request, &End::Clock).await?;
            // INVARIANT: a timer is done only when its deadline has passed, for a key that is done is never added
            // again. Another deadline has a timer of its own.
            Ok(due.filter(|due| effect.key(*due) == key))
        }
        Effect::RevokeLease { request, lease } => app.revoke_lease(request, lease).await.map(|()| None),
        Effect::SettleLease { request, lease } => app.settle_lease(request, lease).await,
    }
}
