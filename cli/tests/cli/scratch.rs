//! [`Scratch`]: a directory of a test's own.

use std::path::PathBuf;

/// A directory that is removed when this is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Named after the test, so that tests may run at the same time.
    pub(crate) fn new(name: &str) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let directory = directory.join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        Self(directory)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// A file with this in it.
    pub(crate) fn file(&self, name: &str, octets: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, octets).expect("a file");
        path
    }

    /// A certificate and its path; the secret one has `_secret` after that.
    pub(crate) fn keys(&self, name: &str) -> String {
        let path = self.path(name);
        crate::tool::run(&["keygen", &path]).succeed();
        path
    }

    pub(crate) fn directory(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("a directory");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
