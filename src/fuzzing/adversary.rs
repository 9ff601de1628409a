//! Two of us, and an adversary between who does what it likes to either direction.
//!
//! ```text
//! input = cast(3) plan plan *operation
//! ```
//! With CURVE what arrives is a prefix of what was sent, whatever the adversary does.
//! Without, nothing but that nobody panics or holds more than it should.

use super::Input;
use super::ends::{Act, Cast, End};
use super::handshake::{knows, send};
use super::link::Link;
use crate::zmtp::Incoming;

const MAX_OPERATIONS: usize = 300;

pub(super) fn run(mut input: Input<'_>) {
    let cast = Cast::new(&mut input);
    let plans = [input.plan(), input.plan()];
    let mut numbers = 0..;
    let ends = cast.configs.clone().map(|config| {
        let number = numbers.next().unwrap_or_default();
        End::new(config, number as u64, plans[number])
    });
    let mut play = Play { ends, links: Default::default(), sent: Default::default(), octets: 0 };
    for end in [0, 1] {
        let said = play.ends[end].begin();
        play.links[end].say(&said);
    }
    for _ in 0..MAX_OPERATIONS {
        if input.is_empty() {
            break;
        }
        play.operation(&mut input);
        if cast.is_sealed() {
            play.is_prefix();
        }
    }
    play.finish();
    play.is_as_it_should(&cast);
}

struct Play {
    ends: [End; 2],
    /// What goes from each of them to the other.
    links: [Link; 2],
    /// What each of them has sent, as the other has to understand it.
    sent: [Vec<Incoming>; 2],
    octets: usize,
}

impl Play {
    fn happens(&mut self, end: usize, act: &Act) {
        let said = self.ends[end].act(act);
        self.links[end].say(&said);
    }

    fn operation(&mut self, input: &mut Input<'_>) {
        let operation = input.octet();
        let end = usize::from(operation >> 7);
        match operation % 16 {
            12 => {
                let choice = input.octet();
                self.happens(end, &Act::Answer(choice));
            }
            13 => {
                let is_welcome = input.octet() & 1 == 0;
                self.happens(end, &Act::Place(is_welcome));
            }
            14 | 15 => {
                let Some(sending) = self.ends[end].sending() else { return };
                let Some((frames, event)) = send(sending, input, &mut self.octets) else { return };
                self.links[end].put(frames);
                self.sent[end].push(event);
            }
            how => {
                if let Some(octets) = self.links[end].attack(how, input) {
                    self.happens(1 - end, &Act::Hear(octets));
                }
            }
        }
    }

    /// The rest goes well.
    fn finish(&mut self) {
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for end in [0, 1] {
                if self.ends[end].waits() {
                    self.happens(end, &Act::Answer(0));
                    self.happens(end, &Act::Place(true));
                    goes_on = true;
                } else if let Some(octets) = self.links[1 - end].pass() {
                    self.happens(end, &Act::Hear(octets));
                    goes_on = true;
                }
            }
        }
        assert!(self.links.iter().all(Link::is_empty));
    }

    fn is_prefix(&self) {
        for end in [0, 1] {
            let received = self.ends[end].received();
            assert!(self.sent[1 - end].starts_with(received), "what came is what was sent");
        }
    }

    fn is_as_it_should(&self, cast: &Cast) {
        let is_tampered = self.links.iter().any(|link| link.is_tampered);
        if cast.is_sealed() || !is_tampered {
            self.is_prefix();
        }
        for end in [0, 1] {
            knows(&self.ends[end], &cast.configs[1 - end], cast, is_tampered);
            if !is_tampered {
                let fault = &self.ends[end].fault;
                let is_through = cast.fits() && !self.ends.iter().any(|end| end.has_denied);
                assert_eq!(self.ends[end].peer.is_some(), is_through, "{fault:?}");
                assert_eq!(self.ends[end].received(), self.sent[1 - end]);
            }
        }
    }
}
