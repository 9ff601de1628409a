//! CURVE keys: [`CurvePublicKey`], [`CurveSecretKey`] and the two of them as a
//! [`CurveKeypair`] (RFC 26; X25519).
//!
//! They are written as 40 characters of Z85 (RFC 32), as everywhere in ZeroMQ.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::str::FromStr;
use std::sync::Arc;

use subtle::ConstantTimeEq;
use thiserror::Error;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

use super::z85::{self, Z85Error};
use crate::random::fill_secret;

/// The octets of a key.
const OCTETS: usize = 32;

/// The characters of a key.
const CHARACTERS: usize = 40;

/// The key that others know somebody by: a server to its clients, a client to a
/// server that lets only some in (`ZMQ_CURVE_PUBLICKEY`, `ZMQ_CURVE_SERVERKEY`). Feature
/// `curve`.
///
/// It is parsed from Z85 and printed as Z85. Keys are equal in constant time;
/// their order is that of their octets and not in constant time.
///
/// ```
/// use ferromq::CurvePublicKey;
///
/// let text = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
/// let key: CurvePublicKey = text.parse()?;
/// assert_eq!(key.to_string(), text);
/// assert_eq!(CurvePublicKey::from_bytes(*key.as_bytes()), key);
///
/// let error = "Yne@$w".parse::<CurvePublicKey>().unwrap_err();
/// assert_eq!(error.to_string(), "a CURVE key is 40 characters of Z85, not 6");
/// # Ok::<(), ferromq::KeyError>(())
/// ```
#[derive(Clone, Copy, Eq, PartialOrd, Ord)]
#[doc(alias = "ZMQ_CURVE_PUBLICKEY")]
#[doc(alias = "ZMQ_CURVE_SERVERKEY")]
pub struct CurvePublicKey([u8; OCTETS]);

/// The key that proves who somebody is, and that nobody else may have
/// (`ZMQ_CURVE_SECRETKEY`). Feature `curve`.
///
/// Clones share one place in memory, which is wiped when the last of them is
/// gone. Keys are compared in constant time. Nothing prints one by accident:
/// there is no `Display`, and `Debug` hides it. What the caller makes it of, and
/// what [`to_z85`](Self::to_z85) returns, is the caller's to wipe.
///
/// ```
/// use ferromq::CurveSecretKey;
///
/// let key: CurveSecretKey = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs".parse()?;
/// assert_eq!(key.public_key().to_string(), "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID");
/// assert_eq!(format!("{key:?}"), "CurveSecretKey(..)");
/// # Ok::<(), ferromq::KeyError>(())
/// ```
// Shared and not copied: a value that is moved leaves its octets behind, where
// nobody wipes them.
#[derive(Clone)]
pub struct CurveSecretKey(Arc<Zeroizing<[u8; OCTETS]>>);

/// A secret key and the public key that belongs to it. Feature `curve`.
///
/// ```
/// use ferromq::CurveKeypair;
///
/// let server = CurveKeypair::generate()?;
/// println!("clients need the key {}", server.public());
/// assert_eq!(server.secret().public_key(), *server.public());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CurveKeypair {
    public: CurvePublicKey,
    secret: CurveSecretKey,
}

/// Why something is no CURVE key, or two keys are no pair. Feature `curve`.
///
/// It never shows the key.
///
/// ```
/// use ferromq::{CurveKeypair, KeyError};
///
/// let (one, other) = (CurveKeypair::generate()?, CurveKeypair::generate()?);
/// let error = CurveKeypair::new(*one.public(), other.secret().clone()).unwrap_err();
/// assert_eq!(error, KeyError::NoPair);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Text that is longer or shorter than a key.
    #[error("a CURVE key is 40 characters of Z85, not {0}")]
    TextLength(usize),
    /// Text of the right length that is not Z85.
    #[error("a CURVE key is 40 characters of Z85, but {0}")]
    NotZ85(Z85Error),
    /// More or fewer octets than a key has.
    #[error("a CURVE key is 32 octets, not {0}; as text it is 40 characters of Z85, to be parsed")]
    Length(usize),
    /// The public key is that of another secret key.
    #[error(
        "the public key does not belong to the secret key; \
         what belongs to it is what CurveSecretKey::public_key returns"
    )]
    NoPair,
}

impl CurvePublicKey {
    /// The key of these octets; any 32 are one.
    ///
    /// ```
    /// # use ferromq::CurvePublicKey;
    /// assert_eq!(CurvePublicKey::from_bytes([0; 32]).to_string(), "0".repeat(40));
    /// ```
    pub const fn from_bytes(octets: [u8; OCTETS]) -> Self {
        Self(octets)
    }

    /// The octets of the key, as they are on the wire.
    ///
    /// ```
    /// # use ferromq::CurvePublicKey;
    /// assert_eq!(CurvePublicKey::from_bytes([7; 32]).as_bytes(), &[7; 32]);
    /// ```
    pub const fn as_bytes(&self) -> &[u8; OCTETS] {
        &self.0
    }
}

impl CurveSecretKey {
    /// The key of these octets; any 32 are one. Octets that are random are made
    /// by [`CurveKeypair::generate`].
    ///
    /// The caller's own copy of them is the caller's to wipe.
    ///
    /// ```
    /// # use ferromq::CurveSecretKey;
    /// # let octets_from_a_vault = [7; 32];
    /// let key = CurveSecretKey::from_bytes(octets_from_a_vault);
    /// assert_eq!(key.as_bytes(), &octets_from_a_vault);
    /// ```
    pub fn from_bytes(mut octets: [u8; OCTETS]) -> Self {
        let mut key = Self::blank();
        key.octets_mut().copy_from_slice(&octets);
        octets.zeroize();
        key
    }

    /// The octets of the key. They are secret.
    ///
    /// ```
    /// # use ferromq::{CurveKeypair, CurveSecretKey};
    /// let pair = CurveKeypair::generate()?;
    /// assert_eq!(CurveSecretKey::from_bytes(*pair.secret().as_bytes()), *pair.secret());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn as_bytes(&self) -> &[u8; OCTETS] {
        &self.0
    }

    /// The key as 40 characters of Z85, to be stored where only its owner can
    /// read it. They are as secret as the key, and the caller's to wipe.
    ///
    /// ```
    /// # use ferromq::CurveSecretKey;
    /// let text = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
    /// assert_eq!(text.parse::<CurveSecretKey>()?.to_z85(), text);
    /// # Ok::<(), ferromq::KeyError>(())
    /// ```
    pub fn to_z85(&self) -> String {
        z85::encode(self.as_bytes()).expect("32 is a multiple of 4")
    }

    /// The public key that belongs to this secret key (`zmq_curve_public`).
    ///
    /// ```
    /// # use ferromq::CurveSecretKey;
    /// let key: CurveSecretKey = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6".parse()?;
    /// assert_eq!(key.public_key().to_string(), "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
    /// # Ok::<(), ferromq::KeyError>(())
    /// ```
    #[doc(alias = "zmq_curve_public")]
    pub fn public_key(&self) -> CurvePublicKey {
        CurvePublicKey(PublicKey::from(&StaticSecret::from(*self.as_bytes())).to_bytes())
    }

    /// Zeros, in the place where the key is going to be.
    fn blank() -> Self {
        Self(Arc::new(Zeroizing::new([0; OCTETS])))
    }

    /// Where to write the key, as long as it has one owner.
    fn octets_mut(&mut self) -> &mut [u8; OCTETS] {
        &mut *Arc::make_mut(&mut self.0)
    }
}

impl CurveKeypair {
    /// A new pair, of the system's randomness (`zmq_curve_keypair`).
    ///
    /// ```
    /// # use ferromq::CurveKeypair;
    /// assert_ne!(CurveKeypair::generate()?, CurveKeypair::generate()?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the system has no randomness to give, which hardly any lacks.
    #[doc(alias = "zmq_curve_keypair")]
    pub fn generate() -> io::Result<Self> {
        let mut secret = CurveSecretKey::blank();
        fill_secret(secret.octets_mut())?;
        Ok(Self::from_secret(secret))
    }

    /// The pair of a secret key, whose public key is computed.
    ///
    /// ```
    /// # use ferromq::{CurveKeypair, CurveSecretKey};
    /// let secret: CurveSecretKey = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs".parse()?;
    /// let pair = CurveKeypair::from_secret(secret);
    /// assert_eq!(pair.public().to_string(), "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID");
    /// # Ok::<(), ferromq::KeyError>(())
    /// ```
    pub fn from_secret(secret: CurveSecretKey) -> Self {
        Self { public: secret.public_key(), secret }
    }

    /// The pair of two keys that are at hand, checked.
    ///
    /// ```
    /// # use ferromq::CurveKeypair;
    /// let public = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID".parse()?;
    /// let secret = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs".parse()?;
    /// let pair = CurveKeypair::new(public, secret)?;
    /// assert_eq!(*pair.public(), public);
    /// # Ok::<(), ferromq::KeyError>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyError::NoPair`] when they do not belong together.
    pub fn new(public: CurvePublicKey, secret: CurveSecretKey) -> Result<Self, KeyError> {
        let pair = Self::from_secret(secret);
        if pair.public == public { Ok(pair) } else { Err(KeyError::NoPair) }
    }

    /// The public key, for everybody.
    ///
    /// ```
    /// # use ferromq::CurveKeypair;
    /// let key: String = CurveKeypair::generate()?.public().to_string();
    /// assert_eq!(key.len(), 40);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn public(&self) -> &CurvePublicKey {
        &self.public
    }

    /// The secret key, for nobody.
    ///
    /// ```
    /// # use ferromq::CurveKeypair;
    /// let pair = CurveKeypair::generate()?;
    /// assert_eq!(CurveKeypair::from_secret(pair.secret().clone()), pair);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn secret(&self) -> &CurveSecretKey {
        &self.secret
    }
}

/// Writes the octets of a key that is given as text into the place of the key.
fn parse_into(octets: &mut [u8; OCTETS], text: &str) -> Result<(), KeyError> {
    match text.chars().count() {
        CHARACTERS => z85::decode_into(text, octets).map_err(KeyError::NotZ85),
        length => Err(KeyError::TextLength(length)),
    }
}

/// Copies octets into the place of the key.
fn copy_into(octets: &mut [u8; OCTETS], source: &[u8]) -> Result<(), KeyError> {
    if source.len() != OCTETS {
        return Err(KeyError::Length(source.len()));
    }
    octets.copy_from_slice(source);
    Ok(())
}

impl FromStr for CurvePublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut octets = [0; OCTETS];
        parse_into(&mut octets, text)?;
        Ok(Self(octets))
    }
}

impl FromStr for CurveSecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut key = Self::blank();
        parse_into(key.octets_mut(), text)?;
        Ok(key)
    }
}

impl From<[u8; OCTETS]> for CurvePublicKey {
    fn from(octets: [u8; OCTETS]) -> Self {
        Self::from_bytes(octets)
    }
}

impl AsRef<[u8]> for CurvePublicKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for CurvePublicKey {
    type Error = KeyError;

    fn try_from(source: &[u8]) -> Result<Self, KeyError> {
        let mut octets = [0; OCTETS];
        copy_into(&mut octets, source)?;
        Ok(Self(octets))
    }
}

/// As [`from_secret`](CurveKeypair::from_secret): the public key is computed.
impl From<CurveSecretKey> for CurveKeypair {
    fn from(secret: CurveSecretKey) -> Self {
        Self::from_secret(secret)
    }
}

impl TryFrom<&[u8]> for CurveSecretKey {
    type Error = KeyError;

    fn try_from(source: &[u8]) -> Result<Self, KeyError> {
        let mut key = Self::blank();
        copy_into(key.octets_mut(), source)?;
        Ok(key)
    }
}

impl PartialEq for CurvePublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Hash for CurvePublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialEq for CurveSecretKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes().ct_eq(other.as_bytes()).into()
    }
}

impl Eq for CurveSecretKey {}

impl fmt::Display for CurvePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; CHARACTERS];
        z85::encode_into(&self.0, &mut text).map_err(|_| fmt::Error)?;
        f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for CurvePublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CurvePublicKey({self})")
    }
}

impl fmt::Debug for CurveSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurveSecretKey(..)")
    }
}

impl fmt::Debug for CurveKeypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurveKeypair").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    /// The keys of libzmq's documentation and tests, each public and secret.
    const CLIENT: [&str; 2] =
        ["Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"];
    const SERVER: [&str; 2] =
        ["rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"];

    fn public(text: &str) -> CurvePublicKey {
        text.parse().unwrap()
    }

    fn secret(text: &str) -> CurveSecretKey {
        text.parse().unwrap()
    }

    #[test]
    fn public_keys_are_those_that_libzmq_computes() {
        for [public_text, secret_text] in [CLIENT, SERVER] {
            assert_eq!(secret(secret_text).public_key().to_string(), public_text);
            assert!(CurveKeypair::new(public(public_text), secret(secret_text)).is_ok());
        }
    }

    #[test]
    fn the_test_vector_of_rfc_7748() {
        // Section 6.1, Alice's keys: not clamped when they are stored.
        let secret = CurveSecretKey::from_bytes([
            0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2,
            0x66, 0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5,
            0x1d, 0xb9, 0x2c, 0x2a,
        ]);
        let public = CurvePublicKey::from_bytes([
            0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e,
            0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e,
            0xaa, 0x9b, 0x4e, 0x6a,
        ]);
        assert_eq!(secret.public_key(), public);
    }

    #[test]
    fn keys_that_are_no_pair_are_refused() {
        let refused = CurveKeypair::new(public(CLIENT[0]), secret(SERVER[1]));
        assert_eq!(refused, Err(KeyError::NoPair));
        // The likely mistake: the two the wrong way round.
        let refused = CurveKeypair::new(public(CLIENT[1]), secret(CLIENT[0]));
        assert_eq!(refused, Err(KeyError::NoPair));
    }

    #[test]
    fn text_that_is_no_key_is_refused() {
        let of = |text: &str| {
            let refusal = text.parse::<CurvePublicKey>().unwrap_err();
            assert_eq!(text.parse::<CurveSecretKey>().unwrap_err(), refusal);
            refusal
        };
        let key = CLIENT[0];
        assert_eq!(of(""), KeyError::TextLength(0));
        assert_eq!(of(&key[1..]), KeyError::TextLength(39));
        assert_eq!(of(&format!("{key}\n")), KeyError::TextLength(41));
        assert_eq!(of(&format!(" {key}")), KeyError::TextLength(41));
        assert_eq!(of(&"\u{e9}".repeat(20)), KeyError::TextLength(20));
        let stray = Z85Error::NotInAlphabet { position: 39 };
        assert_eq!(of(&format!("{}\"", &key[..39])), KeyError::NotZ85(stray));
        assert_eq!(of(&format!("{}\u{e9}", &key[..39])), KeyError::NotZ85(stray));
        let too_large = Z85Error::TooLarge { position: 0 };
        assert_eq!(of(&"#".repeat(40)), KeyError::NotZ85(too_large));
    }

    #[test]
    fn octets_that_are_no_key_are_refused() {
        for length in [0, 31, 33, 40] {
            let octets = &[1_u8; 64][..length];
            assert_eq!(CurvePublicKey::try_from(octets), Err(KeyError::Length(length)));
            assert_eq!(CurveSecretKey::try_from(octets), Err(KeyError::Length(length)));
        }
    }

    #[test]
    fn conversions_agree() {
        let key = public(CLIENT[0]);
        assert_eq!(CurvePublicKey::try_from(&key.as_bytes()[..]), Ok(key));
        assert_eq!(CurvePublicKey::from_bytes(*key.as_bytes()), key);
        assert_eq!((CurvePublicKey::from(*key.as_bytes()), key.as_ref()), (key, &key.0[..]));
        assert_eq!(*CurveKeypair::from(secret(CLIENT[1])).public(), key);
        let key = secret(CLIENT[1]);
        assert_eq!(CurveSecretKey::try_from(&key.as_bytes()[..]), Ok(key.clone()));
        assert_eq!(CurveSecretKey::from_bytes(*key.as_bytes()), key);
        assert_eq!(key.to_z85(), CLIENT[1]);
    }

    #[test]
    fn keys_differ_in_any_octet() {
        for index in 0..OCTETS {
            let mut octets = [7; OCTETS];
            octets[index] ^= 1;
            let (same, other) = (CurvePublicKey([7; OCTETS]), CurvePublicKey(octets));
            assert_ne!(same, other);
            assert_eq!(HashSet::from([same, other, same]).len(), 2);
            assert_eq!(BTreeSet::from([same, other, same]).len(), 2);
            assert_ne!(CurveSecretKey::from_bytes([7; OCTETS]), CurveSecretKey::from_bytes(octets));
        }
    }

    #[test]
    fn generated_keys_are_pairs_and_differ() {
        let pairs: Vec<_> = (0..4).map(|_| CurveKeypair::generate().unwrap()).collect();
        let different: HashSet<_> = pairs.iter().map(|pair| *pair.public()).collect();
        assert_eq!(different.len(), pairs.len());
        for pair in pairs {
            assert_eq!(CurveKeypair::new(*pair.public(), pair.secret().clone()), Ok(pair));
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let pair = CurveKeypair::from_secret(secret(CLIENT[1]));
        let expected = format!("CurveKeypair {{ public: CurvePublicKey({}), .. }}", CLIENT[0]);
        assert_eq!(format!("{pair:?}"), expected);
        assert_eq!(format!("{:?}", pair.secret()), "CurveSecretKey(..)");
        let broken = CLIENT[1].replace('Q', "~");
        let error = broken.parse::<CurveSecretKey>().unwrap_err();
        let printed = format!("{error} {error:?}");
        assert!(!printed.contains("IlAW") && printed.contains("position 3"), "{printed}");
    }

    #[test]
    fn clones_share_the_place_of_a_secret() {
        let key = secret(CLIENT[1]);
        assert!(std::ptr::eq(key.as_bytes(), key.clone().as_bytes()));
    }
}
