//! Z85, keys and certificates.
//!
//! ```text
//! input = octets          as they are, and as text in which 01 stands for a secret
//!                         key and 02 for the public key that belongs to it
//! ```
//! Whatever is printed on the way has nothing of a secret key in it.

use std::fmt::{Debug, Display};

use crate::z85::{self, Z85Error};
use crate::{CurveCertificate, CurveKeypair, CurvePublicKey, CurveSecretKey};

/// The keys of libzmq's documentation.
const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

const SECRET_SIGN: char = '\u{1}';
const PUBLIC_SIGN: char = '\u{2}';

/// The most that is ever printed of an error.
const MAX_PRINTED: usize = 1024;

fn text(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    text.replace(SECRET_SIGN, SECRET).replace(PUBLIC_SIGN, PUBLIC)
}

pub(super) fn z85(data: &[u8]) {
    match z85::encode(data) {
        Ok(text) => {
            assert_eq!(text.len() * 4, data.len() * 5);
            assert_eq!(z85::decode(&text).as_deref(), Ok(data));
        }
        Err(error) => assert_eq!(error, Z85Error::OctetCount(data.len())),
    }
    let text = text(data);
    match z85::decode(&text) {
        Ok(octets) => assert_eq!(z85::encode(&octets).as_ref(), Ok(&text)),
        Err(error) => {
            tells_nothing(&error);
            is_where_it_says(error, &text);
        }
    }
    key(&text);
    let (public, secret) = (CurvePublicKey::try_from(data), CurveSecretKey::try_from(data));
    assert_eq!(public.is_ok(), data.len() == 32);
    assert_eq!(public.err(), secret.err());
}

fn is_where_it_says(error: Z85Error, text: &str) {
    match error {
        Z85Error::NotInAlphabet { position } => {
            let (before, rest) = text.split_at(position);
            let known = &before[..position / 5 * 5];
            assert!(
                z85::decode(known).is_ok()
                    || matches!(z85::decode(known), Err(Z85Error::TooLarge { .. }))
            );
            assert!(!rest.is_empty());
        }
        Z85Error::TextLength(length) => {
            assert!(length == text.len() && length % 5 != 0);
        }
        Z85Error::TooLarge { position } => {
            assert!(z85::decode(&text[..position]).is_ok());
            assert_eq!(
                z85::decode(&text[position..position + 5]),
                Err(Z85Error::TooLarge { position: 0 })
            );
        }
        other => panic!("decoding has no {other:?}"),
    }
}

fn key(text: &str) {
    let (public, secret) = (text.parse::<CurvePublicKey>(), text.parse::<CurveSecretKey>());
    match (public, secret) {
        (Ok(public), Ok(secret)) => {
            assert_eq!((public.to_string(), secret.to_z85()), (text.into(), text.into()));
            assert_eq!(public.as_bytes(), secret.as_bytes());
            tells_nothing(&format!("{secret:?}"));
        }
        (Err(error), Err(same)) => {
            assert_eq!(error, same);
            tells_nothing(&error);
        }
        (one, other) => panic!("{one:?} and {other:?}: a text is a key, or none"),
    }
}

pub(super) fn certificate(data: &[u8]) {
    let text = text(data);
    match CurveCertificate::parse(&text) {
        Ok(certificate) => is_read_again(&certificate),
        Err(error) => {
            tells_nothing(&error);
            let lines = text.split(['\n', '\r']).count();
            assert!(error.line().is_none_or(|line| (1..=lines).contains(&line)));
            assert!(error.path().is_none());
        }
    }
    described(&text);
}

fn is_read_again(certificate: &CurveCertificate) {
    let shown = certificate.to_string();
    let entries: Vec<_> = certificate.metadata().collect();
    assert!(entries.len() <= 64);
    assert!(entries.iter().all(|(name, value)| name.len() + value.len() <= 900));
    let public = CurveCertificate::parse(&shown).expect("what is printed is one");
    assert_eq!((public.public(), public.secret()), (certificate.public(), None));
    assert!(public.metadata().eq(certificate.metadata()));
    assert_eq!(public.to_string(), shown);
    if let Some(pair) = certificate.keypair() {
        let all = format!("{shown}    secret-key = \"{}\"\n", pair.secret().to_z85());
        assert_eq!(CurveCertificate::parse(&all).ok().as_ref(), Some(certificate));
        // Without its metadata, in which anything may stand.
        tells_nothing(&CurveCertificate::new(pair.clone()));
        assert_eq!(CurveKeypair::new(*pair.public(), pair.secret().clone()), Ok(pair));
    }
}

/// Metadata that is refused, or there when it is read again.
fn described(text: &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let public = PUBLIC.parse().expect("it is one");
    let described = CurveCertificate::public_only(public).with_metadata(name, value);
    match described {
        Ok(certificate) => {
            assert!(certificate.metadata().eq([(name, value)]));
            let again = CurveCertificate::parse(&certificate.to_string());
            assert_eq!(again.ok(), Some(certificate));
        }
        Err(error) => tells_nothing(&error),
    }
}

/// That nothing of the secret key is in what is printed, and that it is short.
fn tells_nothing(what: &(impl Debug + Display)) {
    let printed = format!("{what} {what:?}");
    assert!(printed.len() <= MAX_PRINTED, "{printed}");
    let mut parts = SECRET.as_bytes().windows(8);
    let is_told = parts.any(|part| printed.as_bytes().windows(8).any(|shown| shown == part));
    assert!(!is_told, "{printed}");
}
