//! [`EndpointError`]: what is wrong with an endpoint and how a good one looks.

use std::fmt;

use thiserror::Error;

use super::Endpoint;
use crate::printable::Printable;

/// How much of a refused endpoint is shown, in octets.
const SHOWN: usize = 256;

/// Text or an address that is no endpoint, or not one for this role.
///
/// It prints the fault together with a corrected form or an example:
///
/// ```
/// use ferromq::Endpoint;
///
/// let error = "tcp://localhost:70000".parse::<Endpoint>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "bad endpoint \"tcp://localhost:70000\": the port \"70000\" is neither * nor a number \
///      from 0 to 65535, as in tcp://localhost:5555",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError(Box<Refusal>);

/// Boxed, so that results which may hold it stay small.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    text: String,
    fault: EndpointFault,
    /// How it would be right; whether that is most likely what was meant.
    example: String,
    is_correction: bool,
}

/// What is wrong with an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointFault {
    /// Text has to say which transport to use.
    #[error("it does not start with a transport")]
    NoTransport,
    /// The transport is not one of those there are.
    #[error("there is no transport {:?}, only tcp, ipc and inproc", shown(.0))]
    UnknownTransport(String),
    /// Nothing stands before the port.
    #[error("the host is missing")]
    MissingHost,
    /// The host is neither an address nor a name.
    #[error("{:?} is not an IP address, a host name or a network interface", shown(.0))]
    BadHost(String),
    /// Nothing stands after the host.
    #[error("the port is missing")]
    MissingPort,
    /// The port is not a number of 16 bits.
    #[error("the port {:?} is neither * nor a number from 0 to 65535", shown(.0))]
    BadPort(String),
    /// An ipc or inproc endpoint without its name.
    #[error("the name is missing")]
    MissingName,
    /// A path or name is longer than the system, or this library, takes.
    #[error("the name has {length} octets and the limit is {limit}")]
    TooLong {
        /// Its length in octets.
        length: usize,
        /// The most octets there can be.
        limit: usize,
    },
    /// A path has a zero octet, which ends paths.
    #[error("the path contains a zero octet")]
    ZeroOctet,
    /// A path is not Unicode, so that the endpoint could not be printed.
    #[error("the path is not Unicode")]
    NotUnicode,
    /// `*` is every interface, which is nowhere to connect to.
    #[error("the host * is for bind, not for connect")]
    WildcardHost,
    /// Port `*` or 0 is a free port, which nobody listens to.
    #[error("the port * or 0 is for bind, not for connect")]
    WildcardPort,
    /// `ipc://*` is a new path, where nobody listens.
    #[error("the path * is for bind, not for connect")]
    WildcardPath,
    /// A source address was given to bind.
    #[error("a source address is for connect, not for bind")]
    SourceOfBind,
}

fn shown(text: &str) -> Printable<'_> {
    Printable::new(text.as_bytes(), SHOWN)
}

impl EndpointError {
    pub(super) fn new(text: &str, fault: EndpointFault) -> Self {
        // Names may have control characters, but what is printed must not.
        let is_good = |candidate: &String| {
            !candidate.contains(char::is_control) && Endpoint::parse(candidate).is_ok()
        };
        let correction = corrections(text).into_iter().find(is_good);
        let is_correction = correction.is_some();
        let example = correction.or_else(|| examples(text).into_iter().find(is_good));
        let example = example.unwrap_or_else(|| "tcp://127.0.0.1:5555".into());
        Self(Box::new(Refusal { text: text.into(), fault, example, is_correction }))
    }

    /// The refused endpoint.
    pub fn endpoint(&self) -> &str {
        &self.0.text
    }

    /// What is wrong with it.
    pub fn fault(&self) -> &EndpointFault {
        &self.0.fault
    }

    /// A good endpoint: a corrected form of the refused one where there is an
    /// obvious one, or else an example.
    pub fn example(&self) -> &str {
        &self.0.example
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad endpoint {:?}: {}", shown(&self.0.text), self.0.fault)?;
        match self.0.is_correction {
            true => write!(f, "; did you mean {}?", self.0.example),
            false => write!(f, ", as in {}", self.0.example),
        }
    }
}

impl std::error::Error for EndpointError {}

/// What `text` may have been meant to be, the likeliest first. Those that are
/// no endpoints, or repeat `text`, are for the caller to skip.
fn corrections(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.len() > SHOWN {
        return Vec::new();
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "" => corrections(rest),
            known @ ("tcp" | "ipc" | "inproc") if known != scheme => {
                vec![format!("{known}://{rest}")]
            }
            "tcp" => vec![format!("tcp://{}", rest.trim_end_matches('/'))],
            _ => Vec::new(),
        }
        .into_iter()
        .filter(|candidate| candidate != text)
        .collect();
    }
    let mut candidates = Vec::new();
    for scheme in ["tcp", "ipc", "inproc"] {
        if let Some(rest) = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(':')) {
            let slashes = if scheme == "ipc" { rest } else { rest.trim_start_matches('/') };
            candidates.push(format!("{scheme}://{slashes}"));
        }
    }
    let is_path = text.contains(['/', '\\']) || text.starts_with(['.', '~', '@']);
    if is_path || text.ends_with(".sock") || text.ends_with(".ipc") {
        candidates.push(format!("ipc://{text}"));
    }
    candidates.push(format!("tcp://{text}"));
    candidates
}

/// Good endpoints that keep as much of `text` as possible.
fn examples(text: &str) -> Vec<String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
    match scheme {
        "ipc" => vec!["ipc:///tmp/app.sock".into()],
        "inproc" => vec!["inproc://workers".into()],
        _ if text.len() > SHOWN => Vec::new(),
        _ => {
            let target = rest.rsplit(';').next().unwrap_or(rest).trim();
            let (host, port) = target.rsplit_once(':').unwrap_or((target, ""));
            let host = if host == "*" { "localhost" } else { host };
            let port = if matches!(port, "" | "0" | "*") { "5555" } else { port };
            vec![
                format!("tcp://[{target}]:5555"),
                format!("tcp://{target}:5555"),
                format!("tcp://{host}:{port}"),
                format!("tcp://{host}:5555"),
                format!("tcp://127.0.0.1:{port}"),
            ]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_transport_is_refused_with_the_corrected_form() {
        for (text, corrected) in [
            ("localhost:5555", "tcp://localhost:5555"),
            ("*:5555", "tcp://*:5555"),
            ("127.0.0.1:0", "tcp://127.0.0.1:0"),
            ("[::1]:5555", "tcp://[::1]:5555"),
            ("/tmp/app.sock", "ipc:///tmp/app.sock"),
            ("./app", "ipc://./app"),
            ("app.sock", "ipc://app.sock"),
            ("C:\\app", "ipc://C:\\app"),
            ("@app", "ipc://@app"),
            ("tcp:localhost:1", "tcp://localhost:1"),
            ("tcp:/localhost:1", "tcp://localhost:1"),
            ("ipc:/tmp/a", "ipc:///tmp/a"),
            ("inproc:a", "inproc://a"),
            ("://localhost:1", "tcp://localhost:1"),
            ("TCP://localhost:1", "tcp://localhost:1"),
            ("tcp://localhost:1/", "tcp://localhost:1"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            let end = format!("; did you mean {corrected}?");
            assert!(error.to_string().ends_with(&end), "{error}");
            assert!(error.example().parse::<Endpoint>().is_ok());
        }
    }

    #[test]
    fn other_faults_come_with_an_example() {
        for (text, example) in [
            ("", "tcp://127.0.0.1:5555"),
            ("5555", "tcp://127.0.0.1:5555"),
            ("localhost", "tcp://localhost:5555"),
            ("tcp://localhost", "tcp://localhost:5555"),
            ("tcp://:1", "tcp://127.0.0.1:1"),
            ("tcp://fe80::1", "tcp://[fe80::1]:5555"),
            ("tcp://host:port", "tcp://host:5555"),
            ("udp://1.2.3.4:9", "tcp://1.2.3.4:9"),
            ("ipc://", "ipc:///tmp/app.sock"),
            ("inproc://", "inproc://workers"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert!(error.to_string().ends_with(&format!(", as in {example}")), "{error}");
        }
    }

    #[test]
    fn faults_of_a_role_come_with_an_example() {
        let refused = |text: &str| {
            let endpoint: Endpoint = text.parse().unwrap();
            endpoint.check_bind().and(endpoint.check_connect()).unwrap_err().to_string()
        };
        assert!(refused("tcp://*:80").ends_with(", as in tcp://localhost:80"));
        assert!(refused("tcp://name:*").ends_with(", as in tcp://name:5555"));
        assert!(refused("tcp://*:0").ends_with(", as in tcp://localhost:5555"));
        assert!(refused("tcp://*:0;1.2.3.4:80").ends_with(", as in tcp://1.2.3.4:80"));
        assert!(refused("ipc://*").ends_with(", as in ipc:///tmp/app.sock"));
    }

    #[test]
    fn long_and_hostile_text_is_printed_safely() {
        let error = format!("tcp://\u{1b}[2J{}", "x".repeat(10_000)).parse::<Endpoint>();
        let printed = error.unwrap_err().to_string();
        assert!(!printed.contains('\u{1b}'));
        assert!(printed.len() < 1000);
    }

    #[test]
    fn a_correction_does_not_bring_control_characters_back() {
        for text in ["inproc:\u{1b}[2J", "IPC://a\nb", "./a\u{85}", "ipc:\t//tmp/app.sock"] {
            let printed = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(!printed.contains(char::is_control), "{printed:?}");
        }
    }
}
