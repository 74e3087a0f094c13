//! Deletes rows whose time is over, in the background and in small transactions.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::database::reason;
use crate::loops::LoopTurns;

/// How often a background loop of retention turns.
const TURN: Duration = Duration::from_secs(10);
/// Turns between two rounds: an hour.
const TURNS_BETWEEN_ROUNDS: u32 = 360;

/// Calls `delete_some` until nothing is left to delete, once an hour, until `stop`. Its result says whether there may be
/// more. Several replicas may do this at once.
pub async fn run<F>(pool: PgPool, stop: CancellationToken, delete_some: impl Fn(PgPool) -> F)
where
    F: Future<Output = Result<bool, sqlx::Error>>,
{
    let rounds = async {
        let turns = LoopTurns::new("retention");
        loop {
            round(&turns, || delete_some(pool.clone())).await;
            for _ in 0..TURNS_BETWEEN_ROUNDS {
                turns.note();
                sleep(TURN).await;
            }
        }
    };
    stop.run_until_cancelled(rounds).await;
}

async fn round<F>(turns: &LoopTurns, delete_some: impl Fn() -> F)
where
    F: Future<Output = Result<bool, sqlx::Error>>,
{
    loop {
        turns.note();
        match delete_some().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(reason = reason(&error), "old rows are not deleted");
                return;
            }
        }
    }
}
