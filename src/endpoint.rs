//! [`Endpoint`]: where a socket binds or connects.

/// Where a socket binds or connects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `inproc://name`
    Inproc(String),
}
