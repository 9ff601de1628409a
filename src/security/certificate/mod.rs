//! [`CurveCertificate`]: CURVE keys in files, as czmq and pyzmq have them.
//!
//! ```text
//! #   anything
//! metadata
//!     name = "Ada Lovelace"
//! curve
//!     public-key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
//!     secret-key = "..."
//! ```
//! The language is ZPL (RFC 4), see `zpl.rs`. A file is read into one buffer that
//! is wiped, a key from there into its place; what is written goes the same way.

mod error;
mod zpl;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use super::keys::{CurveKeypair, CurvePublicKey, CurveSecretKey};
use crate::random::random;
pub use error::{CertificateError, CertificateFault};
use zpl::Property;

/// The most octets of a file. A certificate with all its metadata has fewer.
const MAX_TEXT: usize = 64 * 1024;

/// The most entries of metadata.
const MAX_METADATA: usize = 64;

/// The most octets of a name of metadata and its value: czmq reads lines of 1024.
const MAX_ENTRY: usize = 900;

/// The octets that a secret key adds to a text, and a few.
const SECRET_LINE: usize = 64;

const PUBLIC_COMMENT: &str = "\
    #   ZeroMQ CURVE public certificate, written by ferromq.\n\
    #   Whoever is given it makes sure that it has come unchanged.\n\n";

const SECRET_COMMENT: &str = "\
    #   ZeroMQ CURVE **secret** certificate, written by ferromq.\n\
    #   It is for its owner alone: give it to nobody, and let nobody else read it.\n\n";

/// A CURVE key or pair of keys, and what is to be known of its owner: as text, in
/// the files of czmq (`zcert`) and pyzmq (`zmq.auth`). Feature `curve`.
///
/// A pair is kept in two files, one with both keys for its owner and one with the
/// public key for others. pyzmq names them `client.key_secret` and `client.key`;
/// here each is loaded and saved by its own path. `Display` is the text of the
/// public one and never has the secret key in it.
///
/// ```
/// use ferromq::{CurveCertificate, CurveKeypair};
///
/// # let directory = std::env::temp_dir().join(format!("ferromq-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let (public, secret) = (directory.join("client.key"), directory.join("client.key_secret"));
/// let certificate =
///     CurveCertificate::new(CurveKeypair::generate()?).with_metadata("name", "Ada Lovelace")?;
/// certificate.save_public(&public)?;
/// certificate.save_secret(&secret)?;
///
/// let own = CurveCertificate::load(&secret)?;
/// assert_eq!(own.keypair(), certificate.keypair());
/// let others = CurveCertificate::load(&public)?;
/// assert_eq!((others.public(), others.secret()), (own.public(), None));
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurveCertificate {
    keys: Keys,
    /// Names and values; no name twice.
    metadata: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Keys {
    Public(CurvePublicKey),
    Pair(CurveKeypair),
}

impl CurveCertificate {
    /// A certificate of its owner, with both keys and no metadata.
    ///
    /// ```
    /// # use ferromq::{CurveCertificate, CurveKeypair};
    /// let pair = CurveKeypair::generate()?;
    /// assert_eq!(CurveCertificate::new(pair.clone()).keypair(), Some(pair));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn new(keypair: CurveKeypair) -> Self {
        Self { keys: Keys::Pair(keypair), metadata: Vec::new() }
    }

    /// A certificate of somebody else, with the public key and no metadata.
    ///
    /// ```
    /// # use ferromq::{CurveCertificate, CurvePublicKey};
    /// let key: CurvePublicKey = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID".parse()?;
    /// assert_eq!(*CurveCertificate::public_only(key).public(), key);
    /// # Ok::<(), ferromq::KeyError>(())
    /// ```
    pub fn public_only(public: CurvePublicKey) -> Self {
        Self { keys: Keys::Public(public), metadata: Vec::new() }
    }

    /// The public key.
    ///
    /// ```
    /// # use ferromq::{CurveCertificate, CurveKeypair};
    /// let pair = CurveKeypair::generate()?;
    /// assert_eq!(CurveCertificate::new(pair.clone()).public(), pair.public());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn public(&self) -> &CurvePublicKey {
        match &self.keys {
            Keys::Public(public) => public,
            Keys::Pair(pair) => pair.public(),
        }
    }

    /// The secret key, if the certificate is that of its owner.
    ///
    /// ```
    /// # use ferromq::{CurveCertificate, CurveKeypair};
    /// let pair = CurveKeypair::generate()?;
    /// assert!(CurveCertificate::public_only(*pair.public()).secret().is_none());
    /// assert_eq!(CurveCertificate::new(pair.clone()).secret(), Some(pair.secret()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn secret(&self) -> Option<&CurveSecretKey> {
        match &self.keys {
            Keys::Public(_) => None,
            Keys::Pair(pair) => Some(pair.secret()),
        }
    }

    /// Both keys, if the certificate is that of its owner.
    ///
    /// ```
    /// # use ferromq::{CurveCertificate, CurveKeypair};
    /// let pair = CurveKeypair::generate()?;
    /// assert_eq!(CurveCertificate::public_only(*pair.public()).keypair(), None);
    /// assert_eq!(CurveCertificate::new(pair.clone()).keypair(), Some(pair));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn keypair(&self) -> Option<CurveKeypair> {
        match &self.keys {
            Keys::Public(_) => None,
            Keys::Pair(pair) => Some(pair.clone()),
        }
    }

    /// What is said of the owner, as names and values in the order of the file.
    /// Nobody vouches for it but who has given the certificate.
    ///
    /// ```
    /// # use ferromq::{CurveCertificate, CurveKeypair};
    /// let certificate = CurveCertificate::new(CurveKeypair::generate()?)
    ///     .with_metadata("name", "Ada")?
    ///     .with_metadata("name", "Ada Lovelace")?;
    /// assert!(certificate.metadata().eq([("name", "Ada Lovelace")]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.metadata.iter().map(|(name, value)| (&name[..], &value[..]))
    }

    /// Says something of the owner, or something else under a name that is there
    /// already.
    ///
    /// ```
    /// # use ferromq::{CurveCertificate, CurveKeypair};
    /// let certificate = CurveCertificate::new(CurveKeypair::generate()?);
    /// assert!(certificate.clone().with_metadata("e-mail", "ada@example.org").is_ok());
    /// assert!(certificate.with_metadata("full name", "Ada Lovelace").is_err());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the name has characters besides letters, digits and `$-_@.&+/`, or a
    /// slash at its ends; when the value has control characters, or quotes of both
    /// kinds so that it could not be read again; at more than 64 names, or more
    /// than 900 octets in a name and its value.
    pub fn with_metadata(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<Self, CertificateError> {
        let name = name.into();
        self.metadata.retain(|(other, _)| *other != name);
        add(&mut self.metadata, name, value.into())?;
        Ok(self)
    }

    /// The certificate of a text, as [`FromStr`] and of what
    /// [`load`](Self::load) reads. Other sections than `metadata` and `curve`, and
    /// what else is in these, is passed over.
    ///
    /// ```
    /// # use ferromq::CurveCertificate;
    /// let certificate = CurveCertificate::parse(
    ///     "curve\n    public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"\n",
    /// )?;
    /// assert!(certificate.secret().is_none());
    /// # Ok::<(), ferromq::CertificateError>(())
    /// ```
    ///
    /// # Errors
    /// When it is not the text of a certificate, has keys that are no pair, or is
    /// more than 64 KiB.
    pub fn parse(text: &str) -> Result<Self, CertificateError> {
        if text.len() > MAX_TEXT {
            return Err(CertificateFault::TooLong.into());
        }
        let mut draft = Draft::default();
        for (index, line) in zpl::lines(text).enumerate() {
            let result = Property::parse(line).and_then(|property| draft.on_property(property));
            result.map_err(|fault| CertificateError::in_line(index + 1, fault))?;
        }
        Ok(draft.finish()?)
    }

    /// Reads a file of czmq, pyzmq or ferromq, just the one at this path: with the
    /// secret key if it is in there.
    ///
    /// It waits for the file system: in a program that has tasks already, call it
    /// in `spawn_blocking`.
    ///
    /// ```
    /// # use ferromq::{CertificateFault, CurveCertificate};
    /// let error = CurveCertificate::load("/no/such/client.key").unwrap_err();
    /// assert!(matches!(error.fault(), CertificateFault::Read(_)));
    /// assert_eq!(error.to_string(), "certificate \"/no/such/client.key\": it cannot be read");
    /// ```
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read; when it is no certificate,
    /// as for [`parse`](Self::parse).
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CertificateError> {
        let path = path.as_ref();
        Self::read(path).map_err(|error| error.in_file(path))
    }

    /// Writes the public key and the metadata, in place of what is at the path:
    /// the file for others.
    ///
    /// It waits for the file system, as [`load`](Self::load) does.
    ///
    /// ```no_run
    /// # use ferromq::{CurveCertificate, CurveKeypair};
    /// let certificate = CurveCertificate::new(CurveKeypair::generate()?);
    /// certificate.save_public("server.key")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_public(&self, path: impl AsRef<Path>) -> Result<(), CertificateError> {
        let text = format!("{PUBLIC_COMMENT}{self}");
        let written = replace(path.as_ref(), &text, 0o666);
        written
            .map_err(|e| CertificateError::from(CertificateFault::Write(e)).in_file(path.as_ref()))
    }

    /// Writes both keys and the metadata, in place of what is at the path: the
    /// file for the owner. On Unix nobody else can read it at any time (mode
    /// 0600), also if the file it takes the place of could be read by all.
    /// Elsewhere it has the permissions that the directory gives it.
    ///
    /// It waits for the file system, as [`load`](Self::load) does.
    ///
    /// ```no_run
    /// # use ferromq::{CurveCertificate, CurveKeypair};
    /// let certificate = CurveCertificate::new(CurveKeypair::generate()?);
    /// certificate.save_secret("server.key_secret")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// When there is no secret key, or the file cannot be written.
    pub fn save_secret(&self, path: impl AsRef<Path>) -> Result<(), CertificateError> {
        let path = path.as_ref();
        let written = match self.secret_text() {
            Some(text) => replace(path, &text, 0o600).map_err(CertificateFault::Write),
            None => Err(CertificateFault::NoSecretKey),
        };
        written.map_err(|fault| CertificateError::from(fault).in_file(path))
    }

    /// The text of the file for the owner.
    fn secret_text(&self) -> Option<Zeroizing<String>> {
        let secret = Zeroizing::new(self.secret()?.to_z85());
        let text = format!("{SECRET_COMMENT}{self}");
        // With room for the rest: memory that grows leaves a copy where it was.
        let mut all = Zeroizing::new(String::with_capacity(text.len() + SECRET_LINE));
        for part in [&text, "    secret-key = \"", &secret, "\"\n"] {
            all.push_str(part);
        }
        Some(all)
    }

    fn read(path: &Path) -> Result<Self, CertificateError> {
        // Never grows, for the same reason; read further than a certificate goes,
        // so that one which goes too far is seen.
        let mut octets = Zeroizing::new(Vec::with_capacity(MAX_TEXT + SECRET_LINE));
        let file = File::open(path).map_err(CertificateFault::Read)?;
        let read = file.take(MAX_TEXT as u64 + 1).read_to_end(&mut octets);
        read.map_err(CertificateFault::Read)?;
        if octets.len() > MAX_TEXT {
            return Err(CertificateFault::TooLong.into());
        }
        Self::parse(std::str::from_utf8(&octets).map_err(|_| CertificateFault::NotText)?)
    }
}

/// What is known of a certificate while its lines are read.
#[derive(Default)]
struct Draft<'a> {
    /// The last name without indentation.
    section: &'a str,
    /// How far the next line may be indented.
    deepest: usize,
    public: Option<CurvePublicKey>,
    secret: Option<CurveSecretKey>,
    metadata: Vec<(String, String)>,
}

impl<'a> Draft<'a> {
    fn on_property(&mut self, property: Option<Property<'a>>) -> Result<(), CertificateFault> {
        let Some(Property { level, name, value }) = property else { return Ok(()) };
        if level > self.deepest {
            return Err(CertificateFault::Indentation);
        }
        self.deepest = level + 1;
        match (level, self.section, name) {
            (0, _, section) => self.section = section,
            (1, "metadata", name) => add(&mut self.metadata, name.into(), value.into())?,
            (1, "curve", "public-key") => set(&mut self.public, value)?,
            (1, "curve", "secret-key") => set(&mut self.secret, value)?,
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<CurveCertificate, CertificateFault> {
        let public = self.public.ok_or(CertificateFault::NoPublicKey)?;
        let keys = match self.secret {
            None => Keys::Public(public),
            Some(secret) => Keys::Pair(CurveKeypair::new(public, secret)?),
        };
        Ok(CurveCertificate { keys, metadata: self.metadata })
    }
}

/// A key of a certificate, which has it once.
fn set<K>(key: &mut Option<K>, value: &str) -> Result<(), CertificateFault>
where
    K: FromStr<Err = super::keys::KeyError>,
{
    if key.is_some() {
        return Err(CertificateFault::Twice);
    }
    *key = Some(value.parse()?);
    Ok(())
}

/// An entry of the metadata, if it could be read again.
fn add(
    metadata: &mut Vec<(String, String)>,
    name: String,
    value: String,
) -> Result<(), CertificateFault> {
    if !zpl::is_name(&name) {
        return Err(CertificateFault::Name);
    }
    if metadata.len() == MAX_METADATA || name.len() + value.len() > MAX_ENTRY {
        return Err(CertificateFault::TooMuchMetadata);
    }
    if zpl::quotes(&value).is_none() {
        return Err(CertificateFault::Value);
    }
    if metadata.iter().any(|(other, _)| *other == name) {
        return Err(CertificateFault::Twice);
    }
    metadata.push((name, value));
    Ok(())
}

/// Puts a file with this text at the path, all of it or nothing, and with no
/// permission beyond `mode` at any time.
fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let new = beside(path)?;
    let put = || {
        let mut file = create(&new, mode)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    put().inspect_err(|_| drop(fs::remove_file(&new)))
}

/// A name that is free, in the directory of the path.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut name = name.to_os_string();
    name.push(format!(".{:016x}", random()));
    Ok(path.with_file_name(name))
}

/// A new file; never one that somebody else has put there.
fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}

impl FromStr for CurveCertificate {
    type Err = CertificateError;

    fn from_str(text: &str) -> Result<Self, CertificateError> {
        Self::parse(text)
    }
}

/// The public certificate, without its secret key.
impl fmt::Display for CurveCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("metadata\n")?;
        for (name, value) in self.metadata() {
            let quotes = zpl::quotes(value).ok_or(fmt::Error)?;
            writeln!(f, "    {name} = {quotes}{value}{quotes}")?;
        }
        writeln!(f, "curve\n    public-key = \"{}\"", self.public())
    }
}

#[cfg(test)]
mod tests;
