//! A client for PID 1's own socket, which answers root even when the system bus is gone.
//! `systemctl` uses the same socket, but starts a program for each query and reads all properties
//! of a unit, which costs PID 1 two milliseconds per unit. This client reads single properties.
//!
//! The crate supplies D-Bus's types and encoding. Its connections reject this socket, because the
//! sender of the replies is not a bus.

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
/// How long PID 1 may take to answer. It is slow during a reload.
pub const LIMIT: Duration = Duration::from_secs(25);
/// The limit of a line in the handshake, in bytes.
const LONGEST_LINE: usize = 4096;
/// The limit of a message in bytes. Replies of PID 1 are far smaller.
const LARGEST: usize = 64 << 20;

const RETURN: u8 = 2;

/// The numbers of header fields (D-Bus specification, "Header Fields").
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const REPLY_TO: u8 = 5;
const SIGNATURE: u8 = 8;

/// The start of each message: byte order, type, flags, version, length of the body, serial, fields.
type Header<'a> = (u8, u8, u8, u8, u32, u32, Vec<(u8, Variant<'a>)>);
/// The length of the header up to the fields.
const FIXED: usize = 16;

/// A method call.
pub struct Call<'a, B> {
    /// The object path.
    pub path: &'a str,
    pub interface: &'a str,
    /// The method's name.
    pub member: &'a str,
    /// The arguments.
    pub body: B,
}

/// A connection for a few queries. A connection that stays open would break when PID 1 re-executes
/// itself.
pub struct Pid1 {
    stream: BufReader<UnixStream>,
    serial: u32,
    end: Instant,
}

impl Pid1 {
    pub fn open() -> Result<Self> {
        let stream = connect(SOCKET, LIMIT).with_context(|| format!("{SOCKET} is closed"))?;
        let mut pid1 =
            Self { stream: BufReader::new(stream), serial: 0, end: Instant::now() + LIMIT };
        // The kernel tells PID 1 the user of this process. Send all lines at once, as systemctl
        // does: PID 1 stops reading if `BEGIN` arrives separately.
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

    /// Calls a method and reads the reply.
    pub fn call<B, R>(&mut self, call: &Call<'_, B>) -> Result<R>
    where
        B: Serialize + DynamicType,
        R: DeserializeOwned + Type,
    {
        let serial = self.ask(call)?;
        self.answer(serial)?.map_err(|said| anyhow!("PID 1 refuses {}: {said}", call.member))
    }

    /// Reads properties of one object, given as `(interface, name)`, in order. A missing property
    /// is `None`. All queries are sent at once.
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

    /// Reads the reply to one call, or PID 1's error. Signals, which PID 1 sends to every client,
    /// are skipped.
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

    /// Reads a line of the handshake.
    fn line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') && line.len() < LONGEST_LINE {
            let mut byte = [0];
            self.read(&mut byte)?;
            line.extend(byte);
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// Reads bytes. All parts of a reply share one limit: `an_answer_that_drips_outlives_no_limit`
    /// proves it.
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

    /// Limits the next read or write to the remaining time.
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

/// A header field of an outgoing message.
#[derive(Type)]
#[zbus(signature = "v")]
enum Field<'a> {
    Of(Variant<'a>),
    /// The signature of the arguments. Several arguments stand side by side, while a signature of
    /// several values is otherwise that of one structure, in parentheses.
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

/// The lengths of the padded fields and of the body.
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

/// The parsed header of a message.
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
