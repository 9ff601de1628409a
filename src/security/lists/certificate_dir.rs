//! [`CertificateDir`]: who may come in, by a directory of certificates.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Shared;
use super::key_list::{Keys, judge};
use crate::security::{
    Answer, Authenticator, Candidate, CertificateError, CertificateFault, CurveCertificate,
    CurvePublicKey, Grant,
};
use crate::sync::atomic::{AtomicU64, Ordering};

/// A policy for CURVE: peers whose certificates are in a directory may come in
/// (`configure_curve` of pyzmq's `Authenticator`). Feature `curve`.
///
/// The certificates are the files `*.key`, as [`CurveCertificate`] describes them;
/// hidden ones, and all others, `*.key_secret` among them, are passed over. So are those
/// of czmq that were not named so: `zcert_save (cert, "ada.txt")` makes a file that is
/// not found, `"ada.key"` one that is. If several files have one key, the last by name
/// holds. A directory without files lets nobody in. It is for clients alone: where the
/// server's own `*.key` lies in it, whoever has the server's secret key is let in too.
///
/// The [user id](crate::PeerInfo::user_id) of a peer is its key, as 40 characters of Z85;
/// the name of its file does not matter. What else is to be known of it stands in the metadata
/// of its certificate, which are its [`granted`](crate::PeerInfo::granted) properties: so
/// a key gets a name. (`zcert_set_meta` and the `metadata` of pyzmq's
/// `create_certificates` write them as well.) For user ids of your own choice use
/// [`KeyList::insert_as`](crate::KeyList::insert_as).
///
/// What is in the directory is read when it is loaded and when it is
/// [reloaded](Self::reload), not in between. It then holds for peers that come from
/// then on, in all sockets that have a clone; who is in stays in.
///
/// ```
/// use ferromq::{
///     CertificateDir, CurveCertificate, CurveKeypair, PeerInfo, RepSocket, SocketOptions,
/// };
///
/// # let directory = std::env::temp_dir().join(format!("ferromq-dir-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// let ada = CurveCertificate::new(CurveKeypair::generate()?).with_metadata("name", "Ada")?;
/// ada.save_public(directory.join("ada.key"))?;
///
/// /// The name that stands in the certificate of a peer.
/// fn name(peer: &PeerInfo) -> Option<&[u8]> {
///     let name = peer.granted.iter().find(|(property, _)| property == "name");
///     name.map(|(_, value)| &value[..])
/// }
///
/// let clients = CertificateDir::load(&directory)?;
/// let options = SocketOptions::new().curve_server(CurveKeypair::generate()?, clients.clone());
/// let rep = RepSocket::with_options(options); // Of each message: recv_with_peer, name(&peer).
///
/// // While the socket runs:
/// std::fs::remove_file(directory.join("ada.key"))?;
/// assert_eq!(clients.reload()?, 0);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CertificateDir(Arc<Directory>);

struct Directory {
    path: PathBuf,
    /// How many times it was begun to read it.
    begun: AtomicU64,
    loaded: Shared<Loaded>,
}

#[derive(Clone, Default)]
struct Loaded {
    keys: Keys,
    /// Which reading of the directory it is. Of two at once the one that has begun
    /// later knows more, whichever ends first.
    reading: u64,
}

impl CertificateDir {
    /// Reads all certificates in a directory.
    ///
    /// It waits for the file system: in a program that has tasks already, call it
    /// in `spawn_blocking`.
    ///
    /// ```
    /// # use ferromq::{CertificateDir, CertificateFault};
    /// let error = CertificateDir::load("/no/such/directory").unwrap_err();
    /// assert!(matches!(error.fault(), CertificateFault::Directory(_)));
    /// assert_eq!(error.path(), Some("/no/such/directory".as_ref()));
    /// ```
    ///
    /// # Errors
    /// When the directory cannot be read, or a file in it that ends with `.key` is
    /// no certificate; the error names it.
    pub fn load(path: impl Into<PathBuf>) -> Result<Self, CertificateError> {
        let (path, begun, loaded) = (path.into(), AtomicU64::new(0), Shared::default());
        let directory = Self(Arc::new(Directory { path, begun, loaded }));
        directory.reload()?;
        Ok(directory)
    }

    /// Reads them again, and returns how many keys there are. All of them take the
    /// place of the former at once.
    ///
    /// It waits for the file system, as [`load`](Self::load) does.
    ///
    /// ```no_run
    /// # use ferromq::CertificateDir;
    /// let clients = CertificateDir::load("clients")?;
    /// match clients.reload() {
    ///     Ok(count) => println!("{count} clients"),
    ///     Err(error) => eprintln!("the clients are those of before: {error}"),
    /// }
    /// # Ok::<(), ferromq::CertificateError>(())
    /// ```
    ///
    /// # Errors
    /// As for [`load`](Self::load). Those that were read before then hold on, also
    /// those whose files are gone.
    pub fn reload(&self) -> Result<usize, CertificateError> {
        let reading = self.0.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let keys = read(&self.0.path)?;
        Ok(self.0.loaded.change(|loaded| {
            if reading > loaded.reading {
                *loaded = Loaded { keys, reading };
            }
            loaded.keys.len()
        }))
    }

    /// The directory.
    ///
    /// ```no_run
    /// # use ferromq::CertificateDir;
    /// assert_eq!(CertificateDir::load("clients")?.path(), "clients");
    /// # Ok::<(), ferromq::CertificateError>(())
    /// ```
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Whether a certificate of this key was there when it was read.
    ///
    /// ```no_run
    /// # use ferromq::{CertificateDir, CurvePublicKey};
    /// let ada: CurvePublicKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID".parse()?;
    /// assert!(CertificateDir::load("clients")?.contains(&ada));
    /// # Ok::<(), ferromq::Error>(())
    /// ```
    pub fn contains(&self, key: &CurvePublicKey) -> bool {
        self.0.loaded.now().keys.contains_key(key)
    }

    /// How many keys were there when it was read.
    ///
    /// ```no_run
    /// # use ferromq::CertificateDir;
    /// println!("{} clients", CertificateDir::load("clients")?.len());
    /// # Ok::<(), ferromq::CertificateError>(())
    /// ```
    pub fn len(&self) -> usize {
        self.0.loaded.now().keys.len()
    }

    /// Whether there was none, so that nobody may come in.
    ///
    /// ```no_run
    /// # use ferromq::CertificateDir;
    /// assert!(!CertificateDir::load("clients")?.is_empty());
    /// # Ok::<(), ferromq::CertificateError>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// All keys in a directory.
fn read(directory: &Path) -> Result<Keys, CertificateError> {
    let unreadable = |error| CertificateError::from(CertificateFault::Directory(error));
    let files = files(directory).map_err(|error| unreadable(error).in_file(directory))?;
    files.iter().map(|file| load(file).map(entry)).collect()
}

/// One certificate. What is no file is not opened: with a FIFO that would wait for
/// somebody who writes.
fn load(path: &Path) -> Result<CurveCertificate, CertificateError> {
    let no_file = || io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file");
    let is_file = fs::metadata(path).map(|metadata| metadata.is_file());
    match is_file.and_then(|is_file| if is_file { Ok(()) } else { Err(no_file()) }) {
        Ok(()) => CurveCertificate::load(path),
        Err(error) => Err(CertificateError::from(CertificateFault::Read(error)).in_file(path)),
    }
}

/// The files that have to be certificates, by name.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        // As pyzmq finds them, by the pattern *.key.
        if name.ends_with(b".key") && !name.starts_with(b".") {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// The key of a certificate, and what it says of its owner.
fn entry(certificate: CurveCertificate) -> (CurvePublicKey, Grant) {
    let metadata = certificate.metadata();
    let grant = metadata
        .fold(Grant::default(), |grant, (name, value)| grant.with_property(name, value.to_owned()));
    (*certificate.public(), grant)
}

impl Authenticator for CertificateDir {
    fn authenticate<'a>(&'a self, candidate: &'a Candidate) -> Answer<'a> {
        Box::pin(std::future::ready(judge(&self.0.loaded.now().keys, candidate)))
    }
}

impl fmt::Debug for CertificateDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateDir({:?}, {} keys)", self.path(), self.len())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::random::random;
    use crate::security::testing::{candidate, denied, verdict};
    use crate::security::{Credentials, CurveKeypair, Verdict};

    /// A directory of a test, gone with it.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("ferromq-{:016x}", random()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn save(&self, name: &str, certificate: &CurveCertificate) {
            certificate.save_public(self.0.join(name)).unwrap();
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn certificate(name: &str) -> CurveCertificate {
        let pair = CurveKeypair::generate().unwrap();
        CurveCertificate::new(pair).with_metadata("name", name).unwrap()
    }

    fn of(certificate: &CurveCertificate) -> Candidate {
        candidate(Credentials::Curve(*certificate.public()))
    }

    #[test]
    fn who_has_a_certificate_comes_in_and_its_metadata_are_known() {
        let (directory, ada, eve) = (Temporary::new(), certificate("Ada"), certificate("Eve"));
        directory.save("ada.key", &ada);
        let clients = CertificateDir::load(&directory.0).unwrap();
        let key = ada.public().to_string();
        let expected = Verdict::accept_as(key).with_property("name", "Ada");
        assert_eq!(verdict(&clients, &of(&ada)), expected);
        let reason = format!("its key {} is not on the list", eve.public());
        assert_eq!(denied(&clients, &of(&eve)), reason);
        let reason = "it comes with NULL, and only CURVE is on the list";
        assert_eq!(denied(&clients, &candidate(Credentials::None)), reason);
        let shown = format!("CertificateDir({:?}, 1 keys)", directory.0);
        assert_eq!(format!("{clients:?}"), shown);
    }

    #[test]
    fn other_files_are_passed_over() {
        let (directory, ada) = (Temporary::new(), certificate("Ada"));
        ada.save_secret(directory.0.join("ada.key_secret")).unwrap();
        for name in [".ada.key", "ada.key~", "ada.txt", "key", "ada.KEY"] {
            fs::write(directory.0.join(name), "no certificate").unwrap();
        }
        let clients = CertificateDir::load(&directory.0).unwrap();
        assert!(clients.is_empty() && !clients.contains(ada.public()));
        // With the secret key in it, it is the public one that counts.
        ada.save_secret(directory.0.join("ada.key")).unwrap();
        assert_eq!(clients.reload().unwrap(), 1);
    }

    #[test]
    fn of_one_key_in_several_files_the_last_by_name_holds() {
        let (directory, ada) = (Temporary::new(), certificate("Ada"));
        directory.save("b.key", &ada.clone().with_metadata("name", "B").unwrap());
        directory.save("a.key", &ada.clone().with_metadata("name", "A").unwrap());
        let clients = CertificateDir::load(&directory.0).unwrap();
        let key = ada.public().to_string();
        let expected = Verdict::accept_as(key).with_property("name", "B");
        assert_eq!((verdict(&clients, &of(&ada)), clients.len()), (expected, 1));
    }

    /// It would wait for somebody who writes into it.
    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let directory = Temporary::new();
        let fifo = directory.0.join("x.key");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let (sender, receiver) = std::sync::mpsc::channel();
        let path = directory.0.clone();
        std::thread::spawn(move || sender.send(CertificateDir::load(path).map(drop)));
        let loaded = receiver.recv_timeout(std::time::Duration::from_secs(20));
        let error = loaded.expect("it does not wait").unwrap_err();
        assert!(matches!(error.fault(), CertificateFault::Read(_)), "{error}");
        assert_eq!(error.path(), Some(&*fifo));
    }

    #[test]
    fn a_reload_replaces_all_or_nothing() {
        let (directory, ada, bob) = (Temporary::new(), certificate("Ada"), certificate("Bob"));
        directory.save("ada.key", &ada);
        let clients = CertificateDir::load(&directory.0).unwrap();
        let policy = clients.clone();

        fs::remove_file(directory.0.join("ada.key")).unwrap();
        directory.save("bob.key", &bob);
        fs::write(directory.0.join("c.key"), "curve\n").unwrap();
        let error = clients.reload().unwrap_err();
        assert_eq!(error.path(), Some(&*directory.0.join("c.key")));
        assert!(CertificateDir::load(&directory.0).is_err());
        assert!(policy.contains(ada.public()) && !policy.contains(bob.public()));

        fs::remove_file(directory.0.join("c.key")).unwrap();
        assert_eq!(clients.reload().unwrap(), 1);
        assert!(!policy.contains(ada.public()) && policy.contains(bob.public()));

        fs::remove_dir_all(&directory.0).unwrap();
        let error = clients.reload().unwrap_err();
        assert!(matches!(error.fault(), CertificateFault::Directory(_)));
        assert!(policy.contains(bob.public()));
    }
}
