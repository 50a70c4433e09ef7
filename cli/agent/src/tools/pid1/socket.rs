//! Questions to PID 1 over its own socket, which answers root even where the system bus is
//! gone. `systemctl` asks over the same one, but is a program for each question, and for the
//! properties of a unit it asks for all of them, which costs PID 1 two milliseconds a unit:
//! here one is asked for by its name.
//!
//! The crate has D-Bus's types and how they are written; its connections refuse this socket,
//! whose answers come from a sender that is not a bus's.

use std::{
    io::{BufReader, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::{Serialize, Serializer, de::DeserializeOwned, ser::SerializeStruct};
use zbus::{
    ObjectPath, OwnedVariant, Signature, Type, Variant,
    wire::{
        DynamicType, LE,
        serialized::{Context, Data},
        to_bytes,
    },
};

use crate::tools::connect::connect;

const SOCKET: &str = "/run/systemd/private";
/// How long PID 1 may take for an answer; it is slow while it reloads.
pub const LIMIT: Duration = Duration::from_secs(25);
/// Bytes of a line of the handshake.
const LONGEST_LINE: usize = 4096;
/// No answer of PID 1 comes near it.
const LARGEST: usize = 64 << 20;

const RETURN: u8 = 2;

/// Fields of a header, by their number (D-Bus specification, "Header Fields").
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const REPLY_TO: u8 = 5;
const SIGNATURE: u8 = 8;

/// What begins each message: byte order, kind, flags, version, length of the body, serial,
/// fields.
type Header<'a> = (u8, u8, u8, u8, u32, u32, Vec<(u8, Variant<'a>)>);
/// Byte order to the length of the fields.
const FIXED: usize = 16;

/// One call of a method.
pub struct Call<'a, B> {
    /// The object.
    pub path: &'a str,
    /// The interface that has the method.
    pub interface: &'a str,
    /// The method.
    pub member: &'a str,
    /// Its arguments.
    pub body: B,
}

/// A connection. It is opened for a few questions and closed: one that is kept would be gone
/// after PID 1 executed itself anew.
pub struct Pid1 {
    stream: BufReader<UnixStream>,
    serial: u32,
    end: Instant,
}

impl Pid1 {
    /// Connects.
    pub fn open() -> Result<Self> {
        let stream = connect(SOCKET, LIMIT).with_context(|| format!("{SOCKET} is closed"))?;
        let mut pid1 =
            Self { stream: BufReader::new(stream), serial: 0, end: Instant::now() + LIMIT };
        // Whose process this is, the kernel says. All at once, as systemctl does: PID 1 does not
        // read on where `BEGIN` comes by itself.
        pid1.send(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")?;
        loop {
            let line = pid1.line()?;
            match line.split_whitespace().next() {
                Some("DATA") => {}
                Some("OK") => return Ok(pid1),
                _ => bail!("systemd rejected the authentication: {}", line.trim()),
            }
        }
    }

    /// Calls a method and reads its answer.
    pub fn call<B, R>(&mut self, call: &Call<'_, B>) -> Result<R>
    where
        B: Serialize + DynamicType,
        R: DeserializeOwned + Type,
    {
        let serial = self.ask(call)?;
        self.answer(serial)?.map_err(|said| anyhow!("PID 1 refuses {}: {said}", call.member))
    }

    /// Properties of one object, as `(interface, name)`, in their order: one that it does not
    /// have is none. All are asked for at once.
    pub fn properties(
        &mut self,
        path: &str,
        wanted: &[(&str, &str)],
    ) -> Result<Vec<Option<OwnedVariant>>> {
        let mut asked = Vec::new();
        for (interface, name) in wanted {
            let body = (format!("org.freedesktop.systemd1.{interface}"), *name);
            let interface = "org.freedesktop.DBus.Properties";
            asked.push(self.ask(&Call { path, interface, member: "Get", body })?);
        }
        asked.into_iter().map(|serial| Ok(self.answer(serial)?.ok())).collect()
    }

    fn ask<B: Serialize + DynamicType>(&mut self, call: &Call<'_, B>) -> Result<u32> {
        self.serial += 1;
        self.send(&message(self.serial, call)?)?;
        Ok(self.serial)
    }

    /// The answer to one question, or why PID 1 refuses it. Signals, which it sends to
    /// everybody here, are passed over.
    fn answer<R: DeserializeOwned + Type>(&mut self, to: u32) -> Result<Result<R, String>> {
        loop {
            let (header, body) = self.receive()?;
            let answer = Answer::of(&header)?;
            if answer.to == Some(to) {
                return match answer.kind {
                    RETURN => answer.read(body).map(Ok),
                    _ => Ok(Err(answer.read(body).unwrap_or_default())),
                };
            }
        }
    }

    fn receive(&mut self) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut header = vec![0; FIXED];
        self.read(&mut header)?;
        let (fields, body) = lengths(&header)?;
        header.resize(FIXED + fields, 0);
        self.read(&mut header[FIXED..])?;
        let mut rest = vec![0; body];
        self.read(&mut rest)?;
        Ok((header, rest))
    }

    /// A line that has no business being long.
    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') && line.len() < LONGEST_LINE {
            let mut byte = [0];
            self.read(&mut byte)?;
            line.extend(byte);
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// Each part of an answer has what is left of the limit, and no time of its own:
    /// `an_answer_that_drips_outlives_no_limit` proves it.
    fn read(&mut self, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            self.patient()?;
            match self.stream.read(bytes) {
                Ok(0) => bail!("PID 1 does not answer: it closed the connection"),
                Ok(count) => bytes = &mut bytes[count..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("PID 1 does not answer"),
            }
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.patient()?;
        self.stream.get_mut().write_all(bytes).context("PID 1 does not listen")
    }

    /// Nothing waits longer than what is left.
    fn patient(&mut self) -> Result<()> {
        let left = self.end.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "PID 1 has not answered within {} s", LIMIT.as_secs());
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(left))?;
        Ok(stream.set_write_timeout(Some(left))?)
    }
}

fn message<B: Serialize + DynamicType>(serial: u32, call: &Call<'_, B>) -> Result<Vec<u8>> {
    const CALL: u8 = 1;
    let context = Context::new(LE, 0);
    let body = to_bytes(context, &call.body)?;
    let signature = call.body.signature();
    let mut fields = vec![
        (PATH, Field::Of(Variant::new(ObjectPath::try_from(call.path)?))),
        (INTERFACE, Field::Of(Variant::new(call.interface))),
        (MEMBER, Field::Of(Variant::new(call.member))),
    ];
    if !body.is_empty() {
        fields.push((SIGNATURE, Field::Arguments(&signature)));
    }
    let length = u32::try_from(body.len())?;
    let header = (b'l', CALL, 0u8, 1u8, length, serial, fields);
    let mut message = to_bytes(context, &header)?.to_vec();
    message.resize(message.len().next_multiple_of(8), 0);
    message.extend_from_slice(&body);
    Ok(message)
}

/// A field of a header that is sent.
#[derive(Type)]
#[zbus(signature = "v")]
enum Field<'a> {
    Of(Variant<'a>),
    /// What the arguments are: several stand side by side there, while a signature of several
    /// is that of one structure, with parentheses.
    Arguments(&'a Signature),
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Of(value) => value.serialize(serializer),
            Self::Arguments(signature) => {
                let mut variant = serializer.serialize_struct("Variant", 2)?;
                variant.serialize_field("signature", &Signature::Signature)?;
                variant.serialize_field("value", &signature.to_string_no_parens())?;
                variant.end()
            }
        }
    }
}

/// How long the fields, with what fills them up, and the body are.
fn lengths(header: &[u8]) -> Result<(usize, usize)> {
    ensure!(header.first() == Some(&b'l'), "PID 1 answers in another byte order");
    let number = |at: usize| -> Result<usize> {
        let bytes = header.get(at..at + 4).context("a short header")?;
        Ok(usize::try_from(u32::from_le_bytes(bytes.try_into()?))?)
    };
    let (body, fields) = (number(4)?, number(12)?);
    ensure!(body <= LARGEST && fields <= LARGEST, "PID 1 answers with {body} bytes");
    Ok((fields.next_multiple_of(8), body))
}

/// What the header of a message says.
struct Answer {
    kind: u8,
    to: Option<u32>,
    signature: String,
}

impl Answer {
    fn of(header: &[u8]) -> Result<Self> {
        let data = Data::new(header, Context::new(LE, 0));
        let ((_, kind, _, _, _, _, fields), _): (Header<'_>, usize) = data.deserialize()?;
        let mut answer = Self { kind, to: None, signature: String::new() };
        for (number, value) in fields {
            match (number, value) {
                (REPLY_TO, Variant::U32(serial)) => answer.to = Some(serial),
                (SIGNATURE, Variant::Signature(signature)) => {
                    answer.signature = signature.to_string_no_parens();
                }
                _ => {}
            }
        }
        Ok(answer)
    }

    fn read<R: DeserializeOwned + Type>(&self, body: Vec<u8>) -> Result<R> {
        let expected = R::SIGNATURE.to_string_no_parens();
        ensure!(
            self.signature == expected,
            "PID 1 answers with {}, not with {expected}",
            self.signature
        );
        let data = Data::new(body, Context::new(LE, 0));
        Ok(data.deserialize()?.0)
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
