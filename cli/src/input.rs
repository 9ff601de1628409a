//! [`Source`]: the messages to be sent, from arguments, files or standard input.

use std::io::{BufRead as _, Read as _};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use ferromq::Message;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior};

use crate::args::{Input, Sending};
use crate::failure::Failure;

/// Messages in order, at the pace that was asked for.
pub(crate) struct Source {
    from: From,
    /// How many more there may be, if that is bounded.
    left: Option<u64>,
    pace: Option<Interval>,
}

enum From {
    /// Arguments and files; if they repeat, they begin again after the last.
    Fixed {
        messages: Vec<Message>,
        next: usize,
        repeats: bool,
    },
    Stdin(mpsc::Receiver<Result<Message, Failure>>),
}

impl Source {
    /// What is sent by itself: each once, or as many as the count says, 0 being for ever.
    pub(crate) fn new(args: &Sending, count: Option<u64>) -> Result<Self, Failure> {
        let repeats = count.is_some();
        Self::of(args, repeats, count.filter(|count| *count > 0))
    }

    /// What is sent in reply: from the beginning again and again.
    pub(crate) fn of_replies(args: &Sending) -> Result<Self, Failure> {
        Self::of(args, true, None)
    }

    fn of(args: &Sending, repeats: bool, left: Option<u64>) -> Result<Self, Failure> {
        let pace = args.interval.map(pace).transpose()?;
        if args.data.is_empty() && args.file.is_empty() {
            let cut = Cut { how: args.input.unwrap_or(Input::Lines), split: args.split.clone() };
            return Ok(Self { from: From::Stdin(stdin(cut)), left, pace });
        }
        let split = args.split.as_deref();
        let mut messages: Vec<_> =
            args.data.iter().map(|text| frames(text.as_bytes(), split)).collect();
        let cut = Cut { how: args.input.unwrap_or(Input::Whole), split: args.split.clone() };
        for file in &args.file {
            read(file, &cut, &mut messages)?;
        }
        Ok(Self { from: From::Fixed { messages, next: 0, repeats }, left, pace })
    }

    /// The next message, when it is time for it; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>, Failure> {
        if self.left == Some(0) {
            return Ok(None);
        }
        let Some(message) = self.from.next().await? else { return Ok(None) };
        if let Some(pace) = &mut self.pace {
            pace.tick().await;
        }
        self.left = self.left.map(|left| left - 1);
        Ok(Some(message))
    }
}

impl From {
    async fn next(&mut self) -> Result<Option<Message>, Failure> {
        match self {
            Self::Fixed { messages, next, repeats } => {
                if *next == messages.len() && *repeats {
                    *next = 0;
                }
                let message = messages.get(*next).cloned();
                *next += usize::from(message.is_some());
                Ok(message)
            }
            Self::Stdin(lines) => lines.recv().await.transpose(),
        }
    }
}

fn pace(interval: Duration) -> Result<Interval, Failure> {
    if interval.is_zero() {
        return Err(Failure::said("an interval is longer than nothing"));
    }
    let mut pace = tokio::time::interval(interval);
    // After a send that had to wait, the pause is kept rather than made up for.
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(pace)
}

/// How octets are made messages.
struct Cut {
    how: Input,
    split: Option<String>,
}

impl Cut {
    fn message(&self, octets: &[u8]) -> Result<Message, Failure> {
        match self.how {
            Input::Json => json(octets),
            Input::Lines | Input::Whole => Ok(frames(octets, self.split.as_deref())),
        }
    }
}

fn read(file: &Path, cut: &Cut, messages: &mut Vec<Message>) -> Result<(), Failure> {
    let cannot = |error| Failure::said(format!("cannot read {}: {error}", file.display()));
    let octets = std::fs::read(file).map_err(cannot)?;
    if cut.how == Input::Whole {
        messages.push(cut.message(&octets)?);
        return Ok(());
    }
    let octets = octets.strip_suffix(b"\n").unwrap_or(&octets);
    for line in octets.split(|octet| *octet == b'\n') {
        messages.push(cut.message(line)?);
    }
    Ok(())
}

/// Reads standard input in a thread of its own: a task that waits for it would keep the
/// program from ending.
fn stdin(cut: Cut) -> mpsc::Receiver<Result<Message, Failure>> {
    // Of what is read ahead, no more than a socket queues.
    let (sender, receiver) = mpsc::channel(1000);
    std::thread::spawn(move || {
        let cannot = |error| Failure::said(format!("cannot read standard input: {error}"));
        let mut input = std::io::stdin().lock();
        loop {
            let mut octets = Vec::new();
            let got = match cut.how {
                Input::Whole => input.read_to_end(&mut octets),
                Input::Lines | Input::Json => input.read_until(b'\n', &mut octets),
            };
            let ends = cut.how == Input::Whole;
            let message = match got {
                Ok(0) if !ends => return,
                Ok(_) if ends => cut.message(&octets),
                Ok(_) => cut.message(octets.strip_suffix(b"\n").unwrap_or(&octets)),
                Err(error) => Err(cannot(error)),
            };
            let ends = ends || message.is_err();
            if sender.blocking_send(message).is_err() || ends {
                return;
            }
        }
    });
    receiver
}

/// Octets cut into frames wherever the separator stands.
fn frames(octets: &[u8], split: Option<&str>) -> Message {
    let Some(separator) = split.map(str::as_bytes) else {
        return Message::from(Bytes::copy_from_slice(octets));
    };
    let (mut frames, mut rest) = (Vec::new(), octets);
    while let Some(at) = rest.windows(separator.len()).position(|here| here == separator) {
        frames.push(Bytes::copy_from_slice(&rest[..at]));
        rest = &rest[at + separator.len()..];
    }
    frames.push(Bytes::copy_from_slice(rest));
    Message::from(frames)
}

/// A message as a line of JSON.
#[derive(Deserialize)]
struct Line {
    frames: Vec<Frame>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Frame {
    Text(String),
    Hex { hex: String },
}

fn json(octets: &[u8]) -> Result<Message, Failure> {
    let wrong = |why: String| {
        Failure::said(format!("this is no message in JSON: {}: {why}", octets.escape_ascii()))
    };
    let line: Line = serde_json::from_slice(octets).map_err(|error| wrong(error.to_string()))?;
    if line.frames.is_empty() {
        return Err(wrong("a message has a frame at least".into()));
    }
    let frame = |frame| match frame {
        Frame::Text(text) => Ok(Bytes::from(text)),
        Frame::Hex { hex } => unhex(&hex).ok_or_else(|| wrong("hex is pairs of digits".into())),
    };
    let frames: Vec<_> = line.frames.into_iter().map(frame).collect::<Result<_, _>>()?;
    Ok(Message::from(frames))
}

fn unhex(text: &str) -> Option<Bytes> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let octet = |pair: &[u32]| u8::try_from(pair[0] << 4 | pair[1]).ok();
    digits.chunks(2).map(octet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_where_the_separator_stands() {
        assert_eq!(frames(b"a b", None), Message::from("a b"));
        assert_eq!(frames(b"a b", Some(" ")), Message::from(["a", "b"]));
        assert_eq!(frames(b"::a::", Some("::")), Message::from(["", "a", ""]));
        assert_eq!(frames(b"", Some("::")), Message::from(""));
    }

    #[test]
    fn json_is_text_or_hex() {
        let message = json(br#"{"frames": ["a", {"hex": "00fF"}]}"#).unwrap();
        assert_eq!(message, Message::from([&b"a"[..], b"\x00\xff"]));
        for wrong in [r#"{"frames": []}"#, r#"{"frames": [{"hex": "0"}]}"#, "[]", "", "{"] {
            assert!(json(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
