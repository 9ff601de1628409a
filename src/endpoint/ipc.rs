//! The address of an ipc endpoint.

use std::fmt;

use super::EndpointFault;

/// What fits into the address of a Unix domain socket, with the zero octet
/// that ends it: 108 octets on Linux and Windows, 104 on macOS and the BSDs.
const LIMIT: usize =
    if cfg!(any(target_os = "linux", target_os = "android", windows)) { 107 } else { 103 };

/// `PATH`, `@NAME` or `*`
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum IpcAddress {
    /// A path in the file system.
    Path(String),
    /// A name in Linux' abstract namespace, without the `@`.
    Abstract(String),
    /// A new path.
    Any,
}

impl IpcAddress {
    pub(super) fn parse(text: &str) -> Result<Self, EndpointFault> {
        if text.contains('\0') {
            return Err(EndpointFault::ZeroOctet);
        }
        if text.len() > LIMIT {
            return Err(EndpointFault::TooLong { length: text.len(), limit: LIMIT });
        }
        match text.strip_prefix('@') {
            _ if text == "*" => Ok(Self::Any),
            Some("") => Err(EndpointFault::MissingName),
            Some(name) => Ok(Self::Abstract(name.into())),
            None if text.is_empty() => Err(EndpointFault::MissingName),
            None => Ok(Self::Path(text.into())),
        }
    }

    /// A path that is one, whatever it looks like.
    pub(super) fn from_path(path: &str) -> Result<Self, EndpointFault> {
        match path.starts_with('@') || path == "*" {
            true => Self::parse(&format!("./{path}")),
            false => Self::parse(path),
        }
    }
}

impl fmt::Display for IpcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Abstract(name) => write!(f, "@{name}"),
            Self::Any => f.write_str("*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_paths_names_or_the_wildcard() {
        assert_eq!(IpcAddress::parse("/tmp/a"), Ok(IpcAddress::Path("/tmp/a".into())));
        assert_eq!(IpcAddress::parse("@a@b"), Ok(IpcAddress::Abstract("a@b".into())));
        assert_eq!(IpcAddress::parse("*"), Ok(IpcAddress::Any));
        assert_eq!(IpcAddress::parse("**"), Ok(IpcAddress::Path("**".into())));
        assert_eq!(IpcAddress::parse(""), Err(EndpointFault::MissingName));
        assert_eq!(IpcAddress::parse("@"), Err(EndpointFault::MissingName));
        assert_eq!(IpcAddress::parse("/a\0b"), Err(EndpointFault::ZeroOctet));
    }

    #[test]
    fn paths_that_do_not_fit_are_refused() {
        assert!(IpcAddress::parse(&"p".repeat(LIMIT)).is_ok());
        let fault = EndpointFault::TooLong { length: LIMIT + 1, limit: LIMIT };
        assert_eq!(IpcAddress::parse(&"p".repeat(LIMIT + 1)), Err(fault));
    }

    #[test]
    fn a_path_is_never_taken_for_something_else() {
        assert_eq!(IpcAddress::from_path("@a"), Ok(IpcAddress::Path("./@a".into())));
        assert_eq!(IpcAddress::from_path("*"), Ok(IpcAddress::Path("./*".into())));
        assert_eq!(IpcAddress::from_path("a"), Ok(IpcAddress::Path("a".into())));
    }
}
