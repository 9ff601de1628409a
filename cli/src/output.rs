//! [`Output`]: messages as octets on standard output.

use std::io::{self, BufWriter, StdoutLock, Write};

use ferromq::Message;

use crate::args::{Format, Receiving};
use crate::failure::Failure;

/// Where messages are printed.
pub(crate) struct Output {
    to: BufWriter<StdoutLock<'static>>,
    format: Format,
    quiet: bool,
}

impl Output {
    pub(crate) fn new(args: &Receiving) -> Self {
        let to = BufWriter::new(io::stdout().lock());
        Self { to, format: args.format, quiet: args.quiet }
    }

    /// Prints a message; it may be in a buffer until [`flush`](Self::flush).
    pub(crate) fn print(&mut self, message: &Message) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        write(&mut self.to, self.format, message).map_err(written)
    }

    /// Hands what was printed to whoever reads it.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.to.flush().map_err(written)
    }
}

/// What it means that standard output could not be written to.
pub(crate) fn written(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::OutputClosed,
        _ => Failure::said(format!("cannot write to standard output: {error}")),
    }
}

/// A text and the end of its line, on standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut to = io::stdout().lock();
    writeln!(to, "{text}").and_then(|()| to.flush()).map_err(written)
}

fn write(to: &mut impl Write, format: Format, message: &Message) -> io::Result<()> {
    match format {
        Format::Raw => return message.iter().try_for_each(|frame| to.write_all(frame)),
        Format::Msgpack => return msgpack(to, message),
        Format::Json => json(to, message)?,
        Format::Text => apart(to, message, |to, frame| to.write_all(text(frame).as_bytes()))?,
        Format::Quoted => {
            apart(to, message, |to, frame| write!(to, "\"{}\"", frame.escape_ascii()))?;
        }
        Format::Hex => apart(to, message, |to, frame| to.write_all(hex(frame).as_bytes()))?,
    }
    to.write_all(b"\n")
}

/// Frames with a space between them.
fn apart<W: Write>(
    to: &mut W,
    message: &Message,
    write: impl Fn(&mut W, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    for (index, frame) in message.iter().enumerate() {
        if index > 0 {
            to.write_all(b" ")?;
        }
        write(to, frame)?;
    }
    Ok(())
}

/// What a terminal can be shown: a peer must not be able to move its cursor.
fn text(frame: &[u8]) -> String {
    let mut text = String::with_capacity(frame.len());
    for c in String::from_utf8_lossy(frame).chars() {
        match c {
            '\t' => text.push(c),
            c if c.is_control() => text.extend(c.escape_default()),
            c => text.push(c),
        }
    }
    text
}

fn hex(frame: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    frame.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

fn json(to: &mut impl Write, message: &Message) -> io::Result<()> {
    let frame = |frame: &[u8]| match std::str::from_utf8(frame) {
        Ok(text) => serde_json::Value::from(text),
        Err(_) => serde_json::json!({ "hex": hex(frame) }),
    };
    let frames: Vec<_> = message.iter().map(|each| frame(each)).collect();
    serde_json::to_writer(to, &serde_json::json!({ "frames": frames })).map_err(io::Error::from)
}

/// An array of `bin`, each number in as few octets as it needs (the specification of
/// MessagePack).
fn msgpack(to: &mut impl Write, message: &Message) -> io::Result<()> {
    match message.len() {
        len @ ..16 => to.write_all(&[0x90 | len as u8])?,
        len @ ..0x1_0000 => head(to, 0xdc, &(len as u16).to_be_bytes())?,
        len => head(to, 0xdd, &(len as u32).to_be_bytes())?,
    }
    for frame in message {
        match frame.len() {
            len @ ..0x100 => head(to, 0xc4, &[len as u8])?,
            len @ ..0x1_0000 => head(to, 0xc5, &(len as u16).to_be_bytes())?,
            len => {
                let len = u32::try_from(len).map_err(|_| io::ErrorKind::InvalidData)?;
                head(to, 0xc6, &len.to_be_bytes())?;
            }
        }
        to.write_all(frame)?;
    }
    Ok(())
}

fn head(to: &mut impl Write, kind: u8, len: &[u8]) -> io::Result<()> {
    to.write_all(&[kind])?;
    to.write_all(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, message: &Message) -> Vec<u8> {
        let mut octets = Vec::new();
        write(&mut octets, format, message).unwrap();
        octets
    }

    #[test]
    fn each_format() {
        let message = Message::from([&b"a \"b\"\n"[..], b"\x00\xff", b""]);
        let expected: [(_, &[u8]); 6] = [
            (Format::Text, "a \"b\"\\n \\u{0}\u{fffd} \n".as_bytes()),
            (Format::Raw, b"a \"b\"\n\x00\xff"),
            (Format::Quoted, b"\"a \\\"b\\\"\\n\" \"\\x00\\xff\" \"\"\n"),
            (Format::Hex, b"61202262220a 00ff \n"),
            (Format::Json, b"{\"frames\":[\"a \\\"b\\\"\\n\",{\"hex\":\"00ff\"},\"\"]}\n"),
            (Format::Msgpack, b"\x93\xc4\x06a \"b\"\n\xc4\x02\x00\xff\xc4\x00"),
        ];
        for (format, octets) in expected {
            let printed = printed(format, &message);
            assert_eq!(printed, octets, "{}", printed.escape_ascii());
        }
    }

    #[test]
    fn long_messages_as_msgpack() {
        let long = printed(Format::Msgpack, &Message::from(vec![0; 0x100]));
        assert_eq!(long[..4], [0x91, 0xc5, 1, 0]);
        let longer = printed(Format::Msgpack, &Message::from(vec![0; 0x1_0000]));
        assert_eq!(longer[..6], [0x91, 0xc6, 0, 1, 0, 0]);
        let many = printed(Format::Msgpack, &Message::from(vec![Vec::new(); 16]));
        assert_eq!(many[..5], [0xdc, 0, 16, 0xc4, 0]);
    }
}
