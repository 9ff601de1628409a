//! [`CertificateError`]: which certificate is wrong, where, and how.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::security::keys::KeyError;

/// Why a certificate could not be read, written or put together. Feature `curve`.
///
/// It names the file and the line, where there are such, and never shows what
/// stands there, which may be a secret key.
///
/// ```
/// use ferromq::CurveCertificate;
///
/// let error = "curve\n    public-key = \"Yne@$w\"\n".parse::<CurveCertificate>().unwrap_err();
/// assert_eq!(error.line(), Some(2));
/// assert_eq!(error.to_string(), "certificate, line 2: a CURVE key is 40 characters of Z85, not 6");
/// ```
#[derive(Debug)]
pub struct CertificateError(Box<Refusal>);

/// Boxed, so that results which may hold it stay small.
#[derive(Debug)]
struct Refusal {
    path: Option<PathBuf>,
    line: Option<usize>,
    fault: CertificateFault,
}

/// What is wrong with a certificate. Feature `curve`.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// The system did not let it be read; it says why as the source of the error.
    #[error("it cannot be read")]
    Read(#[source] io::Error),
    /// It is a directory of certificates, and the system did not let it be read; it
    /// says why as the source of the error.
    #[error("it cannot be read as a directory of certificates")]
    Directory(#[source] io::Error),
    /// The system did not let it be written; it says why as the source of the
    /// error.
    #[error("it cannot be written")]
    Write(#[source] io::Error),
    /// There is more text than any certificate has.
    #[error("it has more than 65536 octets, which no certificate has")]
    TooLong,
    /// There are octets that are no text.
    #[error("it is not UTF-8 text")]
    NotText,
    /// A line does not begin where it should.
    #[error("it must be indented by 4 spaces for each level, at most one level more than before")]
    Indentation,
    /// A line, or an entry of the metadata, has no name, or none that can be one.
    #[error(
        "it must begin with a name of letters, digits and any of $-_@.&+/, with no / at its ends"
    )]
    Name,
    /// Something between a name and the end of its line is not a value.
    #[error("after a name comes nothing, or = and a value, or a comment that begins with #")]
    NoValue,
    /// A value that begins with a quote does not end with it.
    #[error("its value has no closing quote")]
    OpenQuote,
    /// Something stands between a closing quote and the end of the line.
    #[error("after a closing quote comes nothing, or a comment that begins with #")]
    AfterQuote,
    /// A value that would be another one when it is read again.
    #[error("a value has no control characters and not both kinds of quotes")]
    Value,
    /// A name of the metadata, or a key, is there for a second time.
    #[error("its name stands there already")]
    Twice,
    /// There are more than 64 entries of metadata, or a name and its value are
    /// longer than 900 octets.
    #[error("there are at most 64 entries of metadata, each of 900 octets with its name")]
    TooMuchMetadata,
    /// A key is none, or the two are no pair.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no public key in it.
    #[error("there is no public-key = \"...\" in a section curve")]
    NoPublicKey,
    /// A secret key was to be saved, and there is none.
    #[error("there is no secret key to save: the certificate is a public one")]
    NoSecretKey,
}

impl CertificateError {
    /// The file, if it is one.
    ///
    /// ```
    /// # use ferromq::CurveCertificate;
    /// let error = CurveCertificate::load("/no/such/file").unwrap_err();
    /// assert_eq!(error.path(), Some("/no/such/file".as_ref()));
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// The line, counted from 1, if it is one that is wrong.
    ///
    /// ```
    /// # use ferromq::CurveCertificate;
    /// assert_eq!(CurveCertificate::parse("curve\n   x = 1").unwrap_err().line(), Some(2));
    /// assert_eq!(CurveCertificate::parse("curve").unwrap_err().line(), None);
    /// ```
    pub fn line(&self) -> Option<usize> {
        self.0.line
    }

    /// What is wrong.
    ///
    /// ```
    /// # use ferromq::{CertificateFault, CurveCertificate};
    /// let error = CurveCertificate::parse("").unwrap_err();
    /// assert!(matches!(error.fault(), CertificateFault::NoPublicKey));
    /// ```
    pub fn fault(&self) -> &CertificateFault {
        &self.0.fault
    }

    pub(super) fn in_line(line: usize, fault: CertificateFault) -> Self {
        Self(Box::new(Refusal { path: None, line: Some(line), fault }))
    }

    pub(in crate::security) fn in_file(mut self, path: &Path) -> Self {
        self.0.path = Some(path.into());
        self
    }
}

impl From<CertificateFault> for CertificateError {
    fn from(fault: CertificateFault) -> Self {
        Self(Box::new(Refusal { path: None, line: None, fault }))
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("certificate")?;
        if let Some(path) = self.path() {
            // Quoted: a path may have any character in it.
            write!(f, " {path:?}")?;
        }
        if let Some(line) = self.line() {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.fault())
    }
}

impl std::error::Error for CertificateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // Not the fault, which is printed above.
        self.fault().source()
    }
}
