//! A socket whose runtimes have all ended: whoever waits in it would wait for ever.
//!
//! tcp and ipc are served by tasks, and these end with their runtime. When the last bind
//! or connect of a socket has ended like that, nobody will come any more who could take a
//! message, and once what came was received, nothing more will. Both is asked only
//! where a call would wait, and at the cost of one load as long as no runtime has ended.
//! A new bind or connect ends it. Over inproc there is no task, so that nothing ends.

use std::sync::atomic::Ordering;

use super::core::Core;

impl Core {
    /// Whether it is worth asking.
    #[inline]
    pub(super) fn may_be_deserted(&self) -> bool {
        self.has_lost_runtime.load(Ordering::SeqCst)
    }

    /// Whether all that was bound and connected has ended with its runtime.
    #[inline]
    pub(super) fn is_deserted(&self) -> bool {
        self.may_be_deserted() && self.is_nobody_left()
    }

    #[cold]
    fn is_nobody_left(&self) -> bool {
        let endpoints = self.endpoints.lock();
        !endpoints.is_empty() && endpoints.iter().all(|entry| entry.is_over())
    }

    /// Whether beside that nothing of any peer is left to be received: whoever finds
    /// nothing from now on will find nothing.
    #[inline]
    pub(super) fn is_deserted_and_read(&self) -> bool {
        self.is_deserted() && self.is_all_read()
    }

    /// Peers whose bind or connect was taken back may deliver for a while, and have
    /// nothing to say.
    #[cold]
    fn is_all_read(&self) -> bool {
        self.roster.lock().peers.values().all(|peer| peer.is_dismissed())
    }

    /// Something has changed that may have been the last to wait for: if so, those who
    /// wait are to know.
    pub(super) fn wake_deserted(&self) {
        if self.may_be_deserted() {
            self.receivers.wake_all();
            self.senders.wake_all();
            self.presence.watchers.wake_all();
        }
    }
}
