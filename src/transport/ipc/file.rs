//! The file of a Unix domain socket: when it may be removed, and by whom.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use tokio::net::UnixStream;

use super::BindFailure;

/// How often to look again when others change the path meanwhile.
const ATTEMPTS: usize = 8;

/// What tells a file from another that was put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// The file that a listener made. Dropping it removes the file, unless another
/// has taken its place.
#[derive(Debug)]
pub(super) struct SocketFile {
    /// Absolute, for the working directory may change.
    path: PathBuf,
    id: FileId,
    /// What was made for the file alone, and goes after it.
    _directory: Option<PrivateDirectory>,
}

impl SocketFile {
    /// Takes the file at `path` over, right after it was made.
    pub(super) fn own(path: &Path, directory: Option<PrivateDirectory>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let id = FileId::of(&fs::symlink_metadata(&path)?);
        Ok(Self { path, id, _directory: directory })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.path).map(|metadata| FileId::of(&metadata));
        if found.is_ok_and(|id| id == self.id) {
            // A file that cannot be removed is one the next bind will find
            // abandoned.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a socket at `path` on which nobody listens any more, as a program
/// that was killed leaves it behind. Anything else there stays untouched.
///
/// The system cannot remove a file on a condition, and a socket between its
/// `bind` and its `listen` looks abandoned: of two programs that bind the same
/// abandoned path in the same instant, the later may end up with it.
///
/// # Errors
/// When somebody listens there, or what is there is not a socket.
pub(super) async fn remove_abandoned(path: &Path) -> Result<(), BindFailure> {
    for _ in 0..ATTEMPTS {
        let Some(found) = socket_at(path)? else { return Ok(()) };
        match UnixStream::connect(path).await {
            Ok(_) => break,
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {}
            // Its queue is full, so somebody listens.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e.into()),
        }
        // Somebody who was faster has removed it and listens there now.
        if socket_at(path)? != Some(found) {
            continue;
        }
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
            _ => return Ok(()),
        }
    }
    Err(BindFailure::AddressInUse { source: io::ErrorKind::AddrInUse.into() })
}

/// The socket at `path`, if anything is there.
fn socket_at(path: &Path) -> Result<Option<FileId>, BindFailure> {
    match fs::symlink_metadata(path) {
        // A link to a socket is not a socket: what it names is not ours.
        Ok(metadata) if metadata.file_type().is_socket() => Ok(Some(FileId::of(&metadata))),
        Ok(_) => Err(BindFailure::NotASocket(path.into())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// A new directory that only this user can enter. Dropping it removes it, if
/// it is empty.
#[derive(Debug)]
pub(super) struct PrivateDirectory(PathBuf);

impl PrivateDirectory {
    pub(super) fn create() -> io::Result<Self> {
        let mut result = Err(io::ErrorKind::AlreadyExists.into());
        for _ in 0..ATTEMPTS {
            // Each `RandomState` has keys of its own.
            let number = RandomState::new().build_hasher().finish();
            let path = std::env::temp_dir().join(format!("ferromq-{number:016x}"));
            result = fs::DirBuilder::new().mode(0o700).create(&path).map(|()| Self(path));
            if !matches!(&result, Err(e) if e.kind() == io::ErrorKind::AlreadyExists) {
                break;
            }
        }
        result
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        // What others put there is theirs, and keeps the directory.
        let _ = fs::remove_dir(&self.0);
    }
}
