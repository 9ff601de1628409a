//! Z85: octets as text that can stand in source code and files (RFC 32). Feature `curve`.
//!
//! Four octets are five characters, from an alphabet without quotes, backslash
//! and space. CURVE keys are written like this, with 40 characters; for them use
//! [`CurvePublicKey`](crate::CurvePublicKey) and
//! [`CurveSecretKey`](crate::CurveSecretKey), which also wipe what is secret.
//!
//! ```
//! use ferromq::z85;
//!
//! let octets = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b];
//! assert_eq!(z85::encode(&octets)?, "HelloWorld");
//! assert_eq!(z85::decode("HelloWorld")?, octets);
//! # Ok::<(), ferromq::z85::Z85Error>(())
//! ```

use thiserror::Error;

// RFC 32: The encoding and decoding SHALL use this representation for each
// base-85 value from zero to 84.
const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// The value of each character; [`NONE`] where it is not in the alphabet.
const VALUES: [u8; 256] = values();

const NONE: u8 = u8::MAX;

/// Why octets cannot be written as Z85, or text is not Z85.
///
/// It tells lengths and positions and never shows the text, which may be secret.
///
/// ```
/// use ferromq::z85::{self, Z85Error};
///
/// let position = 4;
/// assert_eq!(z85::decode("Hell\"World"), Err(Z85Error::NotInAlphabet { position }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Z85Error {
    /// Four octets at a time are written.
    #[error("Z85 writes a multiple of 4 octets, not {0}")]
    OctetCount(usize),
    /// Five characters at a time are read.
    #[error("Z85 text has a multiple of 5 characters, not {0}")]
    TextLength(usize),
    /// A character that Z85 does not have.
    #[error(
        "the character at position {position}, counted from 0, is none of Z85: \
         0-9 a-z A-Z .-:+=^!/*?&<>()[]{{}}@%$#"
    )]
    NotInAlphabet {
        /// Where it is: how many characters are before it.
        position: usize,
    },
    /// Five characters that are a number of more than 32 bits.
    #[error(
        "the 5 characters at position {position}, counted from 0, are more than 4 octets can hold"
    )]
    TooLarge {
        /// Where they are: how many characters are before them.
        position: usize,
    },
}

/// Octets as text.
///
/// ```
/// assert_eq!(ferromq::z85::encode(&[0; 8])?, "0000000000");
/// assert!(ferromq::z85::encode(&[0; 7]).is_err());
/// # Ok::<(), ferromq::z85::Z85Error>(())
/// ```
///
/// # Errors
/// When the number of octets is not a multiple of 4; padding is up to the caller.
pub fn encode(octets: &[u8]) -> Result<String, Z85Error> {
    let mut text = vec![0; octets.len() / 4 * 5];
    encode_into(octets, &mut text)?;
    // Takes over the memory, so a secret is not copied.
    Ok(String::from_utf8(text).expect("the alphabet is ASCII"))
}

/// Text as the octets that it was made of.
///
/// ```
/// assert_eq!(ferromq::z85::decode("00000")?, [0; 4]);
/// assert!(ferromq::z85::decode("0000").is_err());
/// # Ok::<(), ferromq::z85::Z85Error>(())
/// ```
///
/// # Errors
/// When a character is not of the alphabet, also white space; when their number
/// is not a multiple of 5; when five of them are more than 32 bits.
pub fn decode(text: &str) -> Result<Vec<u8>, Z85Error> {
    let mut octets = vec![0; text.len() / 5 * 4];
    decode_into(text, &mut octets)?;
    Ok(octets)
}

/// Writes octets as text into `text`, which has room for just that.
///
/// # Errors
/// As [`encode`].
pub(crate) fn encode_into(octets: &[u8], text: &mut [u8]) -> Result<(), Z85Error> {
    if octets.len() % 4 != 0 {
        return Err(Z85Error::OctetCount(octets.len()));
    }
    debug_assert_eq!(octets.len() / 4 * 5, text.len());
    for (octets, group) in octets.chunks_exact(4).zip(text.chunks_exact_mut(5)) {
        let mut number = octets.iter().fold(0, |number, &octet| number << 8 | u32::from(octet));
        for character in group.iter_mut().rev() {
            *character = ALPHABET[(number % 85) as usize];
            number /= 85;
        }
    }
    Ok(())
}

/// Writes the octets of `text` into `octets`, which has room for just that.
/// After an error there may be some of them in it.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_into(text: &str, octets: &mut [u8]) -> Result<(), Z85Error> {
    // Before the length: a stray character says more than a length that is odd
    // because of it. All before the first one are ASCII, so octets are characters.
    if let Some(position) = text.bytes().position(|octet| value(octet) == NONE) {
        return Err(Z85Error::NotInAlphabet { position });
    }
    if text.len() % 5 != 0 {
        return Err(Z85Error::TextLength(text.len()));
    }
    debug_assert_eq!(text.len() / 5 * 4, octets.len());
    let groups = text.as_bytes().chunks_exact(5);
    for (index, (group, octets)) in groups.zip(octets.chunks_exact_mut(4)).enumerate() {
        let add = |number: u64, &octet: &u8| number * 85 + u64::from(value(octet));
        let number = u32::try_from(group.iter().fold(0, add))
            .map_err(|_| Z85Error::TooLarge { position: index * 5 })?;
        octets.copy_from_slice(&number.to_be_bytes());
    }
    Ok(())
}

fn value(character: u8) -> u8 {
    VALUES[usize::from(character)]
}

const fn values() -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_case_of_the_rfc() {
        let octets = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b];
        assert_eq!(encode(&octets).unwrap(), "HelloWorld");
        assert_eq!(decode("HelloWorld").unwrap(), octets);
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(encode(&[]).unwrap(), "");
        assert_eq!(decode("").unwrap(), [0; 0]);
        assert_eq!(encode(&[0; 4]).unwrap(), "00000");
        assert_eq!(encode(&[0xff; 4]).unwrap(), "%nSc0");
        assert_eq!(decode("%nSc0").unwrap(), [0xff; 4]);
        assert_eq!(decode("0000#").unwrap(), [0, 0, 0, 84]);
    }

    #[test]
    fn frames_have_a_multiple_of_4_octets_and_strings_of_5_characters() {
        for length in [1, 2, 3, 5, 31, 33] {
            assert_eq!(encode(&vec![0; length]), Err(Z85Error::OctetCount(length)));
        }
        for length in [1, 4, 6, 39, 41] {
            assert_eq!(decode(&"0".repeat(length)), Err(Z85Error::TextLength(length)));
        }
    }

    #[test]
    fn characters_outside_the_alphabet_are_found() {
        for stray in ["\"", "'", "\\", "`", "~", "_", ",", ";", "|", " ", "\n", "\0", "\u{e9}"] {
            let position = 7;
            let text = format!("HelloWo{stray}ld");
            assert_eq!(decode(&text), Err(Z85Error::NotInAlphabet { position }), "{stray:?}");
        }
        assert_eq!(decode("00000\n"), Err(Z85Error::NotInAlphabet { position: 5 }));
    }

    #[test]
    fn groups_of_more_than_32_bits_are_refused() {
        assert_eq!(decode("%nSc1"), Err(Z85Error::TooLarge { position: 0 }));
        assert_eq!(decode("00000#####"), Err(Z85Error::TooLarge { position: 5 }));
    }

    #[test]
    fn errors_say_where_and_how_it_would_be_right() {
        let error = decode("a b").unwrap_err().to_string();
        let alphabet = "0-9 a-z A-Z .-:+=^!/*?&<>()[]{}@%$#";
        let expected = "the character at position 1, counted from 0, is none of Z85: ";
        assert_eq!(error, format!("{expected}{alphabet}"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_again(groups in proptest::collection::vec(
            proptest::array::uniform4(0_u8..), 0..16,
        )) {
            let octets = groups.concat();
            let text = encode(&octets).unwrap();
            assert_eq!(text.len(), octets.len() / 4 * 5);
            assert_eq!(decode(&text), Ok(octets));
        }

        #[test]
        fn any_text_is_refused_or_read_one_way_only(text in "[0-9a-zA-Z.:+=^!/*?&<>()@%$#-]{0,20}|\\PC{0,20}") {
            if let Ok(octets) = decode(&text) {
                assert_eq!(encode(&octets), Ok(text));
            }
        }
    }
}
