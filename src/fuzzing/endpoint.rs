//! ```text
//! input = text
//! ```

use std::path::Path;

use crate::{Endpoint, EndpointError, IntoEndpoint};

pub(super) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match text.parse::<Endpoint>() {
        Ok(endpoint) => accepted(&endpoint),
        Err(error) => {
            assert_eq!(error.endpoint(), text);
            refused(&error);
        }
    }
    // A path, and a host with a port, are endpoints of their own kinds.
    match Path::new(&*text).into_endpoint() {
        Ok(endpoint) => {
            assert!(endpoint.path().is_some(), "a path is nothing but a path");
            accepted(&endpoint);
        }
        Err(error) => refused(&error),
    }
    let port = data.len() as u16;
    match (&*text, port).into_endpoint() {
        Ok(endpoint) => {
            assert_eq!((endpoint.scheme(), endpoint.port()), ("tcp", Some(port)));
            accepted(&endpoint);
        }
        Err(error) => refused(&error),
    }
}

/// It survives printing, and is good for one role at least.
fn accepted(endpoint: &Endpoint) {
    let printed = endpoint.to_string();
    assert_eq!(printed.parse().as_ref(), Ok(endpoint));
    assert!(printed.starts_with(&format!("{}://", endpoint.scheme())));
    assert_eq!(endpoint.port().is_some(), endpoint.scheme() == "tcp");
    if let Some(address) = endpoint.socket_addr() {
        let again = address.into_endpoint().expect("an address is an endpoint");
        assert_eq!(again.socket_addr(), Some(address));
        accepted_once(&again);
    }
    if let Some(path) = endpoint.path() {
        assert_eq!(path.into_endpoint().as_ref(), Ok(endpoint));
    }
    let (bind, connect) = (endpoint.check_bind(), endpoint.check_connect());
    assert!(bind.is_ok() || connect.is_ok() || printed.contains(';'));
    bind.err().iter().chain(&connect.err()).for_each(refused);
}

fn accepted_once(endpoint: &Endpoint) {
    assert_eq!(endpoint.to_string().parse().as_ref(), Ok(endpoint));
}

/// It says how it would be right, in text that is fit to print.
fn refused(error: &EndpointError) {
    let example = error.example().parse::<Endpoint>().expect("an example is right");
    accepted_once(&example);
    let printed = error.to_string();
    assert!(printed.len() < 4096, "{} octets", printed.len());
    assert!(!printed.contains(char::is_control), "{printed:?}");
    assert!(printed.contains(error.example()));
}
