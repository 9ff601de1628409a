//! One side goes away and comes back: the other reconnects and goes on.

use std::path::PathBuf;

use crate::interop;
use crate::pair::{Case, Heartbeat, Pair, Transport};

/// A directory for the socket files that a killed process leaves behind.
struct Scratch(PathBuf);

impl Scratch {
    fn new(test: &str) -> Self {
        let name = format!("ferromq-{}-{test}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).expect("a directory for temporary files");
        Self(directory)
    }

    fn endpoint(&self, transport: Transport, index: usize) -> String {
        match transport {
            Transport::Tcp => transport.anywhere().into(),
            Transport::Ipc => format!("ipc://{}/{index}", self.0.display()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Files that stay in the system's temporary directory do no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn we_go_on_when_libzmq_is_killed_and_starts_again() {
    interop(async |mut peer| {
        let scratch = Scratch::new("they");
        let mut pairs = Vec::new();
        for (index, case) in Case::all(false).chain(Case::all(true)).enumerate() {
            let endpoint = scratch.endpoint(case.transport, index);
            let pair = Pair::open(case, &mut peer, &endpoint, Heartbeat::LENIENT).await;
            pair.exchange(&["before", "the kill"].into()).await;
            pairs.push(pair);
        }
        peer.restart().await;
        for mut pair in pairs {
            pair.they_restarted(&mut peer).await;
            pair.exchange(&["after", "the kill"].into()).await;
            pair.close().await;
        }
    });
}

#[test]
fn libzmq_reconnects_when_we_close_and_bind_again() {
    interop(async |mut peer| {
        let scratch = Scratch::new("we");
        for (index, case) in Case::all(true).enumerate() {
            let endpoint = scratch.endpoint(case.transport, index);
            let mut pair = Pair::open(case, &mut peer, &endpoint, Heartbeat::LENIENT).await;
            pair.exchange(&["before", "the restart"].into()).await;
            pair.we_restart().await;
            pair.exchange(&["after", "the restart"].into()).await;
            pair.close().await;
        }
    });
}
