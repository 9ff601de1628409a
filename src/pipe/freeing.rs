//! [`free`]: what takes long to free does not keep a task busy.

use std::thread;

/// So many topics are freed within some hundred microseconds.
const AT_ONCE: usize = 1024;

/// And so many messages for each.
const MESSAGES: usize = 16;

/// Frees what is kept of so many topics: here if they are few, else on a
/// thread of its own, which ends with that. Whoever lets go of a socket last, or hears
/// that a peer has left, may be any task, and a million take some hundred
/// milliseconds.
pub(crate) fn free<T: Send + 'static>(topics: usize, kept: T) {
    if topics > AT_ONCE {
        // Where no thread can be had, this frees it here.
        let _ = thread::Builder::new().name("ferromq-free".into()).spawn(move || drop(kept));
    }
}

/// The same for what is kept of so many messages.
pub(crate) fn free_messages<T: Send + 'static>(messages: usize, kept: T) {
    free(messages / MESSAGES, kept);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::thread::ThreadId;
    use std::time::Duration;

    use super::*;

    /// Tells where it is freed.
    struct Kept(Sender<ThreadId>);

    impl Drop for Kept {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).expect("the test waits for it");
        }
    }

    #[test]
    fn only_what_takes_long_is_freed_elsewhere() {
        let (tell, told) = channel();
        for (topics, here) in [(10, true), (1_000_000, false)] {
            free(topics, Kept(tell.clone()));
            let place = told.recv_timeout(Duration::from_secs(20)).expect("it is freed");
            assert_eq!(place == thread::current().id(), here);
        }
    }
}
