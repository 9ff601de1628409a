//! [`Log`]: what is logged, to be looked at.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::{Event, Level, Metadata, field, span};

/// The lines of a log, but for the quiet levels.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<(Level, String)>>>);

impl Log {
    /// Level and fields of each line.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap();
        lines.iter().map(|(level, fields)| format!("{level}{fields}")).collect()
    }

    pub fn warnings(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|(level, _)| *level == Level::WARN).count()
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = String::new();
        event.record(&mut |field: &field::Field, value: &dyn fmt::Debug| {
            fields += &format!(" {field}={value:?}");
        });
        self.0.lock().unwrap().push((*event.metadata().level(), fields));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
