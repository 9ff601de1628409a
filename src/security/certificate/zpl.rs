//! [`Property`]: one line of the ZeroMQ Property Language (RFC 4), read as czmq
//! reads it.
//!
//! ```text
//! line     = level [ name [ "=" value ] ] [ comment ]
//! level    = *4SP
//! value    = DQUOTE *char DQUOTE | "'" *char "'" | *char
//! comment  = "#" *char
//! ```
//! Where RFC 4 and czmq differ it is czmq's way, since people know its files: a
//! value that begins with a quote has to end with one.

use super::error::CertificateFault as Fault;

/// A name with its value, and how far it is indented.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Property<'a> {
    pub(super) level: usize,
    pub(super) name: &'a str,
    /// Empty if there is none.
    pub(super) value: &'a str,
}

/// The lines of a text.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    // RFC 4: newline, carriage-return, or carriage-return followed by newline.
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    lines.flat_map(|line| line.split('\r'))
}

impl<'a> Property<'a> {
    /// The property of a line; none if it is blank or only a comment.
    pub(super) fn parse(line: &'a str) -> Result<Option<Self>, Fault> {
        let text = line.trim_start_matches(' ');
        if is_end(text) {
            return Ok(None);
        }
        let indentation = line.len() - text.len();
        if indentation % 4 != 0 || text.starts_with('\t') {
            return Err(Fault::Indentation);
        }
        let end = text.find(|c| !is_in_name(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if !is_name(name) {
            return Err(Fault::Name);
        }
        Ok(Some(Self { level: indentation / 4, name, value: value(rest)? }))
    }
}

/// Whether a property can have this name.
pub(super) fn is_name(name: &str) -> bool {
    // czmq, and not RFC 4, refuses a slash at the ends: it separates levels.
    let has_slash = name.starts_with('/') || name.ends_with('/');
    !name.is_empty() && !has_slash && name.chars().all(is_in_name)
}

fn is_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "$-_@.&+/".contains(c)
}

/// The quotes to put around a value so that it is read as it is, which may be
/// none; `None` if there is no way.
pub(super) fn quotes(text: &str) -> Option<&'static str> {
    let is_read_again = |quotes: &&'static str| {
        let written = format!("={quotes}{text}{quotes}");
        value(&written).is_ok_and(|read| read == text)
    };
    if text.contains(char::is_control) {
        return None;
    }
    ["\"", "'", ""].into_iter().find(is_read_again)
}

/// The value in what follows a name.
fn value(text: &str) -> Result<&str, Fault> {
    let Some(text) = text.trim_start().strip_prefix('=') else {
        return if is_end(text) { Ok("") } else { Err(Fault::NoValue) };
    };
    let text = text.trim_start();
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = text.find('#').unwrap_or(text.len());
        return Ok(text[..end].trim_end());
    };
    let (value, rest) = text[1..].split_once(quote).ok_or(Fault::OpenQuote)?;
    if is_end(rest) { Ok(value) } else { Err(Fault::AfterQuote) }
}

/// Whether nothing but a comment is left of a line.
fn is_end(text: &str) -> bool {
    let text = text.trim_start();
    text.is_empty() || text.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (usize, &str, &str) {
        let property = Property::parse(line).unwrap().unwrap();
        (property.level, property.name, property.value)
    }

    #[test]
    fn lines_of_the_example_of_the_rfc() {
        assert_eq!(read("context"), (0, "context", ""));
        assert_eq!(read("    iothreads = 1"), (1, "iothreads", "1"));
        assert_eq!(read("    verbose = 1      #   Ask for a trace"), (1, "verbose", "1"));
        assert_eq!(read("            subscribe = \"#2\""), (3, "subscribe", "#2"));
        assert_eq!(read("        bind = tcp://eth0:5555"), (2, "bind", "tcp://eth0:5555"));
    }

    #[test]
    fn values_are_quoted_or_not() {
        for (line, value) in [
            ("a = \"it's\"", "it's"),
            ("a = '\"'", "\""),
            ("a='x'#y", "x"),
            ("a\t=\t\" x \"  ", " x "),
            ("a = Ada \"of\" Lovelace's  ", "Ada \"of\" Lovelace's"),
            ("a = b = c", "b = c"),
            ("a =", ""),
            ("a = ''", ""),
            ("a # = 1", ""),
        ] {
            assert_eq!(read(line), (0, "a", value), "{line}");
        }
        assert_eq!(read("$-_@.&+/9 = 1").1, "$-_@.&+/9");
    }

    #[test]
    fn blank_lines_and_comments_are_no_properties() {
        for line in ["", "   ", "\t", "#", "# a = 1", "  # a = 1"] {
            assert_eq!(Property::parse(line).unwrap(), None, "{line:?}");
        }
    }

    #[test]
    fn lines_end_in_three_ways() {
        let all: Vec<_> = lines("a\nb\r\nc\rd\r\n\ne").collect();
        assert_eq!(all, ["a", "b", "c", "d", "", "e"]);
    }

    #[test]
    fn what_is_quoted_is_read_again() {
        for (value, quote) in [
            ("", Some("\"")),
            ("plain", Some("\"")),
            (" # ", Some("\"")),
            ("it's", Some("\"")),
            ("\"", Some("'")),
            ("Ada \"of\" Lovelace's", Some("")),
            ("'\"", None),
            ("a'\"#", None),
            ("a'\" ", None),
            ("a\nb", None),
            ("a\rb", None),
            ("\u{1b}", None),
        ] {
            assert_eq!(quotes(value), quote, "{value:?}");
        }
    }
}
