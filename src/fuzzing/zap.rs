//! ```text
//! input = *( kind length *octet )        one frame of a reply each
//! ```
//! The first kinds are what a frame has to be in its place, so that most replies are
//! nearly right.

use bytes::Bytes;

use super::Input;
use crate::message::Message;
use crate::properties::Properties;
use crate::security::zap::{request, verdict};
use crate::security::{Candidate, Credentials, Denial};
use crate::{Grant, PeerInfo};

const MAX_FRAMES: usize = 12;

pub(super) fn run(mut input: Input<'_>) {
    let mut frames = Vec::new();
    while !input.is_empty() && frames.len() < MAX_FRAMES {
        frames.push(frame(&mut input, frames.len()));
    }
    let decided = verdict(frames.iter().cloned().collect());
    assert_eq!(decided.map(|verdict| verdict.0), expected(&frames));
    if let Some(first) = frames.first() {
        asked(first);
    }
}

/// A frame as the input has it, or as the RFC wants it at this place.
fn frame(input: &mut Input<'_>, place: usize) -> Bytes {
    let right: &[&[&[u8]]] = &[
        &[b""],
        &[b"1.0"],
        &[b"1"],
        &[b"200", b"300", b"400", b"500"],
        &[b"OK"],
        &[b"", b"alice"],
        &[b"", b"\x01a\0\0\0\x01b"],
    ];
    let kind = usize::from(input.octet());
    match right.get(place) {
        Some(choices) if kind < 0x80 => Bytes::from_static(choices[kind % choices.len()]),
        _ => {
            let length = usize::from(input.octet());
            Bytes::copy_from_slice(input.take(length))
        }
    }
}

/// RFC 27, read another way.
fn expected(frames: &[Bytes]) -> Option<Result<Grant, (Denial, String)>> {
    let frames: Vec<&[u8]> = frames.iter().map(|frame| &frame[..]).collect();
    let [b"", b"1.0", b"1", status, text, user_id, metadata] = frames[..] else { return None };
    let text = text[..text.len().min(255)].escape_ascii().to_string();
    let how = match status {
        b"200" => {
            let mut grant = Grant::default();
            grant.user_id = Some(String::from_utf8_lossy(user_id).into_owned());
            grant.user_id = grant.user_id.filter(|user_id| !user_id.is_empty());
            for property in Properties::new(metadata) {
                let (name, value) = property.ok()?;
                let name = String::from_utf8(name.to_vec()).ok()?;
                grant.properties.push((name, Bytes::copy_from_slice(value)));
            }
            return Some(Ok(grant));
        }
        b"300" => Denial::Temporary,
        b"400" => Denial::Unauthorized,
        b"500" => Denial::Internal,
        _ => return None,
    };
    Some(Err((how, text)))
}

/// What is asked has its place for each thing, whatever that is.
fn asked(octets: &[u8]) {
    let domain = String::from_utf8_lossy(octets).into_owned();
    let peer = PeerInfo { address: domain.clone(), ..PeerInfo::default() };
    let mut all = vec![(Credentials::None, 0)];
    #[cfg(feature = "plain")]
    all.push((Credentials::Plain(crate::PlainCredentials::new(octets, octets)), 2));
    for (credentials, frames) in all.drain(..) {
        let candidate = Candidate {
            credentials,
            peer: peer.clone(),
            ip: None,
            domain: domain.clone(),
            own_id: None,
        };
        let request: Message = request(&candidate);
        assert_eq!(request.len(), 7 + frames);
        assert_eq!((&request[3][..], &request[4][..]), (domain.as_bytes(), domain.as_bytes()));
        assert!(request.size() <= 64 + 2 * domain.len() + frames * 255);
    }
}
