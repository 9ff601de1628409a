//! What czmq and pyzmq write, what ferromq writes, and what nobody should have.

#![allow(clippy::unwrap_used)]

use std::error::Error as _;

use super::*;
use crate::security::keys::KeyError;

const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

/// As pyzmq 27.3 has written it, the keys apart.
const PYZMQ_SECRET: &str = "\
#   ****  Generated on 2026-11-27 07:39:10.587830 by pyzmq  ****
#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.

metadata
    name = Ada Lovelace
    email = ada@example.org
curve
    public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"
    secret-key = \"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\"
";

const PYZMQ_PUBLIC: &str = "\
#   ****  Generated on 2026-11-27 07:39:10.587830 by pyzmq  ****
#   ZeroMQ CURVE Public Certificate

metadata
curve
    public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"
";

/// As `zcert_save_secret` writes it.
const CZMQ_SECRET: &str = "\
#   ****  Generated on 2026-11-27 07:39:10 by CZMQ  ****
#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.

metadata
    organization = \"iMatix Corporation\"
    version = \"1\"
curve
    public-key = \"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID\"
    secret-key = \"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs\"
";

fn pair() -> CurveKeypair {
    CurveKeypair::from_secret(SECRET.parse().unwrap())
}

fn own() -> CurveCertificate {
    let certificate = CurveCertificate::new(pair()).with_metadata("name", "Ada \"A\" #1").unwrap();
    certificate.with_metadata("e-mail", "").unwrap()
}

/// A directory of a test, gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("ferromq-{:016x}", random()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Why a text is refused, with nothing of its keys in it.
fn refused(text: &str) -> CertificateError {
    let error = text.parse::<CurveCertificate>().unwrap_err();
    let printed = format!("{error} {error:?}");
    for key in [PUBLIC, SECRET] {
        assert!(!printed.contains(&key[4..20]), "{printed}");
    }
    error
}

/// Asserts that text is refused at a line for a reason.
macro_rules! assert_refused {
    ($text:expr, $line:expr, $fault:pat) => {
        let error = refused($text);
        assert_eq!(error.line(), $line, "{}: {error}", $text);
        assert!(matches!(error.fault(), $fault), "{}: {error:?}", $text);
    };
}

#[test]
fn files_of_pyzmq_are_read() {
    let certificate = CurveCertificate::parse(PYZMQ_SECRET).unwrap();
    assert_eq!(certificate.keypair(), Some(pair()));
    let expected = [("name", "Ada Lovelace"), ("email", "ada@example.org")];
    assert!(certificate.metadata().eq(expected));

    let certificate = CurveCertificate::parse(PYZMQ_PUBLIC).unwrap();
    assert_eq!(certificate, CurveCertificate::public_only(*pair().public()));
    assert_eq!((certificate.secret(), certificate.keypair()), (None, None));
}

#[test]
fn files_of_czmq_are_read() {
    let certificate = CurveCertificate::parse(CZMQ_SECRET).unwrap();
    assert_eq!(certificate.secret().unwrap().to_z85(), SECRET);
    let expected = [("organization", "iMatix Corporation"), ("version", "1")];
    assert!(certificate.metadata().eq(expected));
}

#[test]
fn what_is_not_of_a_certificate_is_passed_over() {
    let text = format!(
        "other\r\n    public-key = x\r\n        deeper\r\n            still = 1\r\n\
         \t\r\n  # between the levels\r\n\
         curve # keys\r\n    public-key = '{PUBLIC}' # of Ada\r\n    more = 1\r\n\
         metadata\r\n    name = Ada\r\n        not = this\r\n    empty"
    );
    let certificate = CurveCertificate::parse(&text).unwrap();
    assert_eq!(certificate.public().to_string(), PUBLIC);
    assert!(certificate.metadata().eq([("name", "Ada"), ("empty", "")]));
}

#[test]
fn the_text_is_that_of_the_file_for_others() {
    let expected = format!(
        "metadata\n    name = 'Ada \"A\" #1'\n    e-mail = \"\"\ncurve\n    public-key = \"{PUBLIC}\"\n"
    );
    assert_eq!(own().to_string(), expected);
    let read = CurveCertificate::parse(&expected).unwrap();
    assert!(read.metadata().eq(own().metadata()));
    assert_eq!((read.public(), read.secret()), (own().public(), None));
}

#[test]
fn a_secret_key_is_not_printed() {
    let printed = format!("{} {:?}", own(), own());
    assert!(!printed.contains(&SECRET[4..20]) && printed.contains(PUBLIC), "{printed}");
}

#[test]
fn what_is_saved_is_loaded() {
    let directory = Directory::new();
    let (public, secret) = (directory.file("a.key"), directory.file("a.key_secret"));
    own().save_public(&public).unwrap();
    own().save_secret(&secret).unwrap();
    assert_eq!(CurveCertificate::load(&secret).unwrap(), own());
    assert_eq!(CurveCertificate::load(&public).unwrap().to_string(), own().to_string());
    assert!(!fs::read_to_string(&public).unwrap().contains(SECRET));
    let text = fs::read_to_string(&secret).unwrap();
    assert!(text.ends_with(&format!("\n    secret-key = \"{SECRET}\"\n")), "{text}");
    assert_eq!(directory.names().len(), 2, "{:?}", directory.names());
}

#[test]
fn a_text_with_a_secret_key_never_grows() {
    let text = own().secret_text().unwrap();
    let public = format!("{SECRET_COMMENT}{}", own());
    assert!(text.len() <= public.len() + SECRET_LINE);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_a_secret_key() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = Directory::new();
    let path = directory.file("a.key_secret");
    fs::write(&path, "of all").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let before = File::open(&path).unwrap();
    own().save_secret(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Who has the former file open does not see into the new one.
    assert_eq!(io::read_to_string(before).unwrap(), "of all");
}

#[test]
fn a_public_certificate_has_no_secret_key_to_save() {
    let directory = Directory::new();
    let path = directory.file("a.key_secret");
    let error = CurveCertificate::public_only(*pair().public()).save_secret(&path).unwrap_err();
    assert!(matches!(error.fault(), CertificateFault::NoSecretKey));
    assert_eq!(error.path(), Some(&*path));
    assert_eq!(directory.names(), [""; 0]);
}

#[test]
fn what_the_system_refuses_names_the_file() {
    let directory = Directory::new();
    let missing = directory.file("no/such/file");
    let error = CurveCertificate::load(&missing).unwrap_err();
    assert_eq!(error.to_string(), format!("certificate {missing:?}: it cannot be read"));
    assert!(error.source().is_some());
    assert!(CurveCertificate::load(&directory.0).is_err());

    for path in [&missing, Path::new("/"), Path::new("")] {
        let error = own().save_secret(path).unwrap_err();
        assert!(matches!(error.fault(), CertificateFault::Write(_)), "{path:?}");
    }
    // What cannot be put in its place is not left beside it.
    fs::create_dir_all(directory.file("taken/by")).unwrap();
    assert!(own().save_secret(directory.file("taken")).is_err());
    assert_eq!(directory.names(), ["taken"]);
}

#[test]
fn faults_in_a_file_name_it_and_the_line() {
    let directory = Directory::new();
    let path = directory.file("a.key");
    fs::write(&path, format!("curve\n    public-key = \"{PUBLIC}\n")).unwrap();
    let error = CurveCertificate::load(&path).unwrap_err().to_string();
    assert_eq!(error, format!("certificate {path:?}, line 2: its value has no closing quote"));

    fs::write(&path, b"curve # \xff\n").unwrap();
    let error = CurveCertificate::load(&path).unwrap_err();
    assert!(matches!(error.fault(), CertificateFault::NotText));
}

#[test]
fn more_than_64_kib_are_refused() {
    let directory = Directory::new();
    let path = directory.file("a.key");
    let fill = MAX_TEXT - PYZMQ_SECRET.len();
    let mut text = format!("{}{PYZMQ_SECRET}", "#\n".repeat(fill / 2) + &"\n".repeat(fill % 2));
    assert_eq!(text.len(), MAX_TEXT);
    assert!(CurveCertificate::parse(&text).is_ok());
    fs::write(&path, &text).unwrap();
    assert!(CurveCertificate::load(&path).is_ok());

    text.push('\n');
    assert_refused!(&text, None, CertificateFault::TooLong);
    fs::write(&path, &text).unwrap();
    let error = CurveCertificate::load(&path).unwrap_err();
    assert!(matches!(error.fault(), CertificateFault::TooLong));
}

#[test]
fn metadata_is_bounded_and_all_that_is_taken_can_be_saved() {
    let mut certificate = own();
    for index in certificate.metadata.len()..MAX_METADATA {
        let name = format!("n{index:09}");
        certificate = certificate.with_metadata(name, "v".repeat(MAX_ENTRY - 10)).unwrap();
    }
    let error = certificate.clone().with_metadata("one-more", "").unwrap_err();
    assert!(matches!(error.fault(), CertificateFault::TooMuchMetadata));
    assert!(certificate.clone().with_metadata("name", "another").is_ok());
    let text = certificate.secret_text().unwrap();
    assert_eq!(CurveCertificate::parse(&text).unwrap(), certificate);

    let long = own().with_metadata("n", "v".repeat(MAX_ENTRY)).unwrap_err();
    assert!(matches!(long.fault(), CertificateFault::TooMuchMetadata));
    let entries: String = (0..65).map(|index| format!("    n{index} = 1\n")).collect();
    assert_refused!(&format!("metadata\n{entries}"), Some(66), CertificateFault::TooMuchMetadata);
}

#[test]
fn metadata_that_could_not_be_read_again_is_refused() {
    for name in ["", "full name", "a=b", "#", "/a", "a/", "caf\u{e9}", "a\n"] {
        let error = own().with_metadata(name, "x").unwrap_err();
        assert!(matches!(error.fault(), CertificateFault::Name), "{name:?}");
    }
    for value in ["'\"", "a\ncurve", "\r", "\0", "\u{1b}[2J"] {
        let error = own().with_metadata("name", value).unwrap_err();
        assert!(matches!(error.fault(), CertificateFault::Value), "{value:?}");
        assert_eq!((error.path(), error.line()), (None, None));
    }
}

#[test]
fn lines_that_are_malformed_are_refused() {
    use CertificateFault as Fault;

    let p = format!("    public-key = \"{PUBLIC}\"\n");
    let s = format!("    secret-key = \"{SECRET}\"\n");
    assert_refused!("", None, Fault::NoPublicKey);
    assert_refused!("metadata\ncurve\n", None, Fault::NoPublicKey);
    assert_refused!(&format!("curve\n{s}"), None, Fault::NoPublicKey);
    // Not in its section.
    assert_refused!(&p[4..], None, Fault::NoPublicKey);
    assert_refused!(&format!("other\n{p}"), None, Fault::NoPublicKey);

    assert_refused!(&p, Some(1), Fault::Indentation);
    assert_refused!(&format!("curve\n    {p}"), Some(2), Fault::Indentation);
    assert_refused!(&format!("curve\n{}", &p[1..]), Some(2), Fault::Indentation);
    assert_refused!(&format!("curve\n\t{}", &p[4..]), Some(2), Fault::Indentation);

    assert_refused!("curve\n    = 1\n", Some(2), Fault::Name);
    assert_refused!("\n\u{feff}curve\n", Some(2), Fault::Name);
    assert_refused!("curve\n    /a = 1\n", Some(2), Fault::Name);
    assert_refused!(&format!("curve\n    \"{SECRET}\"\n"), Some(2), Fault::Name);
    assert_refused!("metadata\n    full name = Ada\n", Some(2), Fault::NoValue);
    assert_refused!(&format!("curve\n    public-key: \"{PUBLIC}\"\n"), Some(2), Fault::NoValue);
    assert_refused!(&format!("curve\n    public-key = \"{PUBLIC}'\n"), Some(2), Fault::OpenQuote);
    assert_refused!(&format!("curve\n    public-key = '{PUBLIC}' x\n"), Some(2), Fault::AfterQuote);

    assert_refused!(&format!("curve\n{p}{p}"), Some(3), Fault::Twice);
    assert_refused!(&format!("curve\n{p}{s}{s}"), Some(4), Fault::Twice);
    assert_refused!("metadata\n    a = 1\n    a = 2\n", Some(3), Fault::Twice);
    assert_refused!("metadata\n    a = 1\t2\n", Some(2), Fault::Value);
}

#[test]
fn keys_that_are_none_or_no_pair_are_refused() {
    use CertificateFault::Key;

    let text = |public: &str, secret: &str| {
        format!("curve\n    public-key = {public}\n    secret-key = {secret}\n")
    };
    let short = text(&format!("'{}'", &PUBLIC[1..]), SECRET);
    assert_refused!(&short, Some(2), Key(KeyError::TextLength(39)));
    assert_refused!(&text("", SECRET), Some(2), Key(KeyError::TextLength(0)));
    let stray = text(PUBLIC, &SECRET.replace('Q', "~"));
    assert_refused!(&stray, Some(3), Key(KeyError::NotZ85(_)));
    // Unquoted, a # begins a comment, also in a key.
    let cut = text(&PUBLIC.replace('@', "#"), SECRET);
    assert_refused!(&cut, Some(2), Key(KeyError::TextLength(3)));
    // What czmq writes in place of a secret key that it does not have.
    assert_refused!(&text(PUBLIC, &"0".repeat(40)), None, Key(KeyError::NoPair));
}

#[test]
fn errors_are_small_enough_to_return() {
    assert_eq!(size_of::<CertificateError>(), size_of::<usize>());
}

proptest::proptest! {
    #[test]
    fn any_metadata_is_refused_or_read_again(name in "\\PC{0,4}", value in "[\"'# a=\n\t]{0,6}|\\PC{0,8}") {
        if let Ok(certificate) = own().with_metadata(name, value) {
            assert_eq!(CurveCertificate::parse(&certificate.secret_text().unwrap()).unwrap(), certificate);
        }
    }

    #[test]
    fn no_text_is_a_panic(lines in proptest::collection::vec(
        "( {0,8}|\t)(curve|metadata|public-key|[a/]{0,3})( ?= ?)?['\"#]?(a|\u{e9}|Yne@\\$w)?['\"#]?\r?", 0..8,
    )) {
        let _ = CurveCertificate::parse(&lines.join("\n"));
    }
}
