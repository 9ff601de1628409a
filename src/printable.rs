//! [`Printable`]: octets that somebody else chose, safe to show in a log.

use std::fmt;

/// Prints octets as quoted text where they are text and as escaped octets
/// elsewhere, so that nothing a peer sends can steer a terminal or a log. At
/// most `limit` octets are shown; the full length follows when some are not.
pub(crate) struct Printable<'a> {
    octets: &'a [u8],
    limit: usize,
}

impl<'a> Printable<'a> {
    pub(crate) fn new(octets: &'a [u8], limit: usize) -> Self {
        Self { octets, limit }
    }

    /// The octets to show, as text if they are text. A character that the
    /// limit cuts is left out.
    fn text(&self) -> Option<&'a str> {
        let shown = &self.octets[..self.octets.len().min(self.limit)];
        let text = match std::str::from_utf8(shown) {
            Ok(text) => text,
            Err(e) if e.error_len().is_none() && shown.len() < self.octets.len() => {
                std::str::from_utf8(&shown[..e.valid_up_to()]).ok()?
            }
            Err(_) => return None,
        };
        let is_text = text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
        is_text.then_some(text)
    }
}

impl fmt::Debug for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => write!(f, "{text:?}")?,
            None => {
                let shown = &self.octets[..self.octets.len().min(self.limit)];
                write!(f, "b\"{}\"", shown.escape_ascii())?;
            }
        }
        if self.octets.len() > self.limit {
            write!(f, "... ({} octets)", self.octets.len())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(octets: &[u8], limit: usize) -> String {
        format!("{:?}", Printable::new(octets, limit))
    }

    #[test]
    fn text_is_quoted_and_escaped() {
        assert_eq!(print(b"", 8), r#""""#);
        assert_eq!(print("caf\u{e9} \"1\"\n".as_bytes(), 64), r#""café \"1\"\n""#);
        assert_eq!(print("a\u{202e}b".as_bytes(), 64), r#""a\u{202e}b""#);
    }

    #[test]
    fn what_is_not_text_is_printed_as_octets() {
        assert_eq!(print(b"\0\x01ab\xff", 64), r#"b"\x00\x01ab\xff""#);
        assert_eq!(print(b"\x1b[2J", 64), r#"b"\x1b[2J""#);
        assert_eq!(print(b"\xe2\x82", 64), r#"b"\xe2\x82""#);
    }

    #[test]
    fn long_octets_are_cut_between_characters() {
        assert_eq!(print(b"abcdef", 6), r#""abcdef""#);
        assert_eq!(print(b"abcdefg", 6), r#""abcdef"... (7 octets)"#);
        assert_eq!(print("ab\u{20ac}d".as_bytes(), 4), r#""ab"... (6 octets)"#);
        assert_eq!(print(b"\0\0\0\0", 2), r#"b"\x00\x00"... (4 octets)"#);
    }
}
