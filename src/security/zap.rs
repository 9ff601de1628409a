//! What goes to the ZAP handler and back (RFC 27).
//!
//! ```text
//! request  "" "1.0" id domain address identity mechanism credentials…
//! reply    "" "1.0" id status text user-id metadata
//! ```

use bytes::Bytes;

use super::{Candidate, Credentials, Denial, Verdict};
use crate::fault::PeerFault;
use crate::message::Message;
use crate::properties::Properties;

const VERSION: &[u8] = b"1.0";
/// Each question has a socket of its own, so that all of them may be the first.
const REQUEST_ID: &[u8] = b"1";

/// What the handler is asked.
pub(crate) fn request(candidate: &Candidate) -> Message {
    let Candidate { credentials, peer, ip, domain, own_id } = candidate;
    // RFC 27 and libzmq: the host alone, without its port.
    let address = ip.map_or_else(|| peer.address.clone(), |ip| ip.to_string());
    let identity = own_id.as_ref().map(|id| id.as_bytes().clone()).unwrap_or_default();
    // A new message is one empty frame: the delimiter.
    let mut request = Message::new();
    for frame in [VERSION, REQUEST_ID, domain.as_bytes(), address.as_bytes()] {
        request.push_back(Bytes::copy_from_slice(frame));
    }
    request.push_back(identity);
    request.push_back(peer.mechanism.as_str());
    match credentials {
        Credentials::None => {}
        #[cfg(feature = "plain")]
        Credentials::Plain(who) => {
            request.push_back(Bytes::copy_from_slice(who.username()));
            request.push_back(Bytes::copy_from_slice(who.password()));
        }
        #[cfg(feature = "curve")]
        Credentials::Curve(key) => request.push_back(Bytes::copy_from_slice(key.as_bytes())),
    }
    request
}

/// What a reply says; nothing, if it does not fit the RFC.
pub(crate) fn verdict(reply: Message) -> Option<Verdict> {
    let frames: Vec<Bytes> = reply.into_iter().collect();
    let [delimiter, version, id, status, text, user_id, metadata] = &frames[..] else {
        return None;
    };
    if !delimiter.is_empty() || version != VERSION || id != REQUEST_ID {
        return None;
    }
    // It may quote what the peer presented, and goes to the log.
    let text = PeerFault::text(text);
    match &status[..] {
        b"200" => {
            let verdict = match &user_id[..] {
                // It MAY be there, and none is not one that is empty.
                [] => Verdict::accept(),
                user_id => Verdict::accept_as(String::from_utf8_lossy(user_id)),
            };
            let properties = properties(metadata)?;
            Some(
                properties
                    .into_iter()
                    .fold(verdict, |verdict, (name, value)| verdict.with_property(name, value)),
            )
        }
        b"300" => Some(Verdict::deny_with(Denial::Temporary, text)),
        b"400" => Some(Verdict::deny_with(Denial::Unauthorized, text)),
        b"500" => Some(Verdict::deny_with(Denial::Internal, text)),
        _ => None,
    }
}

/// All properties of a list; nothing, if it does not add up or a name is no text.
fn properties(octets: &[u8]) -> Option<Vec<(String, Bytes)>> {
    let property = |property: Result<(&[u8], &[u8]), _>| {
        let (name, value) = property.ok()?;
        Some((std::str::from_utf8(name).ok()?.to_owned(), Bytes::copy_from_slice(value)))
    };
    Properties::new(octets).map(property).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(text: &[u8]) -> Option<Verdict> {
        let frames = [VERSION, REQUEST_ID, b"400", text, b"", b""];
        let mut reply = Message::new();
        frames.iter().for_each(|frame| reply.push_back(Bytes::copy_from_slice(frame)));
        verdict(reply)
    }

    #[test]
    fn the_text_of_a_refusal_can_be_logged_as_it_is() {
        let expected = Some(Verdict::deny("no \\x1b[2J\\n\\xff"));
        assert_eq!(denied(b"no \x1b[2J\n\xff"), expected);
        assert_eq!(denied(&[b'a'; 300]), Some(Verdict::deny("a".repeat(255))));
    }
}
