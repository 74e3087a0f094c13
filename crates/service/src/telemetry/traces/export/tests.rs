use std::sync::Mutex;

use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::error::OTelSdkError;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context as LayerContext, SubscriberExt};

use super::*;

#[test]
fn what_finds_no_room_is_turned_away() {
    let queue = QueuedSpans::default();
    assert!((0..CAPACITY).all(|_| queue.enters()));
    assert!(!queue.enters());
    queue.leave(1);
    assert!(queue.enters() && !queue.enters());
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<Level>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }
}

#[test]
fn an_outage_takes_two_lines_of_the_log() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let otlp = Otlp::builder().with_http().with_endpoint("http://127.0.0.1:1/v1/traces").build().unwrap();
    let exporter = Exporter { otlp, queue: Arc::default(), away: AtomicBool::new(false) };
    let away = || Err(OTelSdkError::InternalFailure("away".to_owned()));
    [Ok(()), away(), away(), away(), Ok(()), Ok(())].iter().for_each(|result| exporter.note(result, 1));
    assert_eq!(*lines.0.lock().unwrap(), [Level::WARN, Level::INFO]);
}
