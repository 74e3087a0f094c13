//! Wiring: settings → database → catalogue → log → HTTP.

use std::process::ExitCode;

use writ_identity::app::App;
use writ_identity::settings::IdentitySettings;
use writ_identity::store::{MIGRATOR, OutboxRoom, Store};
use writ_identity::{PROGRAM, http, jobs, log, metrics};
use writ_service::Service;
use writ_service::http::RequestLimits;

/// Connections for changes: as many are made at a time.
const WRITES: u32 = 16;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    if writ_service::asked_to_migrate() {
        return writ_service::migrate(PROGRAM.name, &MIGRATOR).await;
    }
    writ_service::run(PROGRAM, wire).await
}

async fn wire(service: Service, settings: IdentitySettings) -> anyhow::Result<()> {
    let platform = settings.platform(&service.common)?;
    metrics::begin();
    let pool = service.database(&settings.database_url, &MIGRATOR).await?;
    let writes = service.second_pool("writes", &settings.database_url, WRITES);
    let store = Store::new(pool.clone(), writes, service.common.region, OutboxRoom::new(settings.max_outbox));
    store.publish_catalogue().await?;
    log::start(&service, &store)?;
    let app = App::new(store, platform);
    jobs::start(&service, &app, pool);
    service.routes(http::router(app), RequestLimits::default());
    Ok(())
}
