//! Forgets entity events that cannot come again, in the background.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use writ_log::database::reason;
use writ_log::loops::LoopTurns;

use crate::store::answered::forget_old;

const BETWEEN_ROUNDS: u32 = 360;
const TURN: Duration = Duration::from_secs(10);

/// Runs until `stop`, a round an hour. Several replicas may do this at once.
pub async fn run(pool: PgPool, stop: CancellationToken) {
    let rounds = async {
        let turns = LoopTurns::new("retention");
        loop {
            round(&pool, &turns).await;
            for _ in 0..BETWEEN_ROUNDS {
                turns.note();
                sleep(TURN).await;
            }
        }
    };
    stop.run_until_cancelled(rounds).await;
}

async fn round(pool: &PgPool, turns: &LoopTurns) {
    loop {
        turns.note();
        match forget_old(pool).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(reason = reason(&error), "old entity events are not forgotten");
                return;
            }
        }
    }
}
