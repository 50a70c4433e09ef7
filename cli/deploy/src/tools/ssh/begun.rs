//! Removes the output of start-up files from a command's output.

use std::{
    io::{self, BufRead, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::tools::{bounded, shell::BEGINS};

/// Reads the output after the line that ends with [`BEGINS`].
pub struct Begun<R> {
    inner: R,
    before: Before,
}

enum Before {
    /// The part of the current line that has arrived.
    Line(Vec<u8>),
    Over,
}

impl<R> Begun<R> {
    /// Wraps the output of a command.
    pub fn of(inner: R) -> Self {
        Self { inner, before: Before::Line(Vec::new()) }
    }
}

/// Whether the line is the first one of a command. Output of a start-up file without a line end
/// comes before it in the same line.
pub fn begins(line: &str) -> bool {
    line.trim_end().ends_with(BEGINS)
}

/// Copies the output after the line that ends with [`BEGINS`] to `to`. If that line is missing, the
/// output explains why, and goes to `instead`.
pub fn pass_on(from: impl Read, to: &mut impl Write, instead: &mut impl Write) -> io::Result<()> {
    let mut from = io::BufReader::new(from);
    let (mut before, mut line) = (Vec::new(), Vec::new());
    while !(line.ends_with(b"\n") && begins(&String::from_utf8_lossy(&line))) {
        before.append(&mut line);
        let left = u64::try_from(bounded::ANSWER.saturating_sub(before.len()));
        let mut some = (&mut from).take(left.unwrap_or(u64::MAX));
        if some.read_until(b'\n', &mut line)? == 0 {
            return instead.write_all(&before);
        }
    }
    loop {
        let found = from.fill_buf()?;
        let length = found.len();
        if length == 0 {
            return Ok(());
        }
        to.write_all(found)?;
        to.flush()?;
        from.consume(length);
    }
}

impl<R: AsyncBufRead + Unpin> Begun<R> {
    fn poll_begin(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Before::Line(line) = &mut self.before {
            let found = ready!(Pin::new(&mut self.inner).poll_fill_buf(context))?;
            let end = found.iter().position(|byte| *byte == b'\n');
            let length = end.map_or(found.len(), |end| end + 1);
            if line.len() + length > bounded::ANSWER {
                return Poll::Ready(Err(bounded::too_much(bounded::ANSWER)));
            }
            line.extend_from_slice(&found[..length]);
            Pin::new(&mut self.inner).consume(length);
            if length == 0 || begins(&String::from_utf8_lossy(line)) && end.is_some() {
                self.before = Before::Over;
            } else if end.is_some() {
                line.clear();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncBufRead + Unpin> AsyncBufRead for Begun<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_begin(context))?;
        Pin::new(&mut this.inner).poll_fill_buf(context)
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        Pin::new(&mut self.get_mut().inner).consume(amount);
    }
}

impl<R: AsyncBufRead + Unpin> AsyncRead for Begun<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let found = ready!(self.as_mut().poll_fill_buf(context))?;
        let length = found.len().min(buffer.remaining());
        buffer.put_slice(&found[..length]);
        self.consume(length);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, BufReader};

    use super::*;

    #[tokio::test]
    async fn what_start_up_files_print_is_passed_over() {
        for noise in ["", "welcome\n", "no end of the line: ", "a\n\n@deploy beg\n\u{fffd}\nb"] {
            let text = format!("{noise}{BEGINS}\n{{\"is\":\"done\"}}\n{BEGINS}\nmore");
            for size in [1, 2, 7, 4096] {
                let reader = BufReader::with_capacity(size, text.as_bytes());
                let mut said = String::new();
                Begun::of(reader).read_to_string(&mut said).await.unwrap();
                assert_eq!(said, format!("{{\"is\":\"done\"}}\n{BEGINS}\nmore"), "{noise:?}");
            }
        }
    }

    #[test]
    fn what_is_passed_on_to_nix_is_what_comes_behind_the_noise() {
        for noise in ["", "welcome\n", "no end of the line: ", "a\n\n@deploy beg\n\u{fffd}\nb"] {
            let nix = [b"nixc\0\0\xff\n", BEGINS.as_bytes(), b"\n\xfe"].concat();
            let text = [noise.as_bytes(), BEGINS.as_bytes(), b"\n", &nix].concat();
            let (mut passed, mut instead) = (Vec::new(), Vec::new());
            pass_on(text.as_slice(), &mut passed, &mut instead).unwrap();
            assert_eq!((passed, instead), (nix, Vec::new()), "{noise:?}");
        }
        let (mut passed, mut instead) = (Vec::new(), Vec::new());
        let never = format!("not available\nmore of {BEGINS}");
        pass_on(never.as_bytes(), &mut passed, &mut instead).unwrap();
        assert_eq!((passed, instead), (Vec::new(), never.into_bytes()));
        let flood = vec![b'x'; bounded::ANSWER + 1];
        let (mut passed, mut instead) = (Vec::new(), Vec::new());
        pass_on(flood.as_slice(), &mut passed, &mut instead).unwrap();
        assert_eq!((passed.len(), instead.len()), (0, bounded::ANSWER));
    }

    #[tokio::test]
    async fn a_command_that_never_begins_says_nothing() {
        let mut said = String::new();
        Begun::of("This account is not available.\n".as_bytes())
            .read_to_string(&mut said)
            .await
            .unwrap();
        assert_eq!(said, "");
    }
}
