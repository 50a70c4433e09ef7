//! A push that leaves out what the machine has.

use std::{
    cell::Cell,
    collections::HashMap,
    io,
    time::{Duration, Instant},
};

use deploy_delta::{
    answer::Base,
    bytes::PATHS,
    encode::PathEncoder,
    index::Index,
    operations::{ADD_MULTIPLE_TO_STORE, QUERY_VALID_PATHS},
    references::References,
    token::Token,
};
use deploy_wire::store_path::StorePath;
use tokio::{io::AsyncRead, time::timeout};

use super::{
    bases::KnownBases,
    messages::{Messages, NixEnded, ReadResult, some},
    own,
    patience::Patience,
};

/// The smallest path that is sent beside a base.
const LEAST: u64 = 16 << 10;

/// The tokens that are put on the line at once.
const READY: usize = 64 << 10;

/// What Nix says of a path before its archive.
struct PathInfo {
    path: Option<StorePath>,
    references: Vec<StorePath>,
    length: u64,
}

/// Sends one push.
pub struct Sender<'a, 'l, R> {
    messages: Messages<'l, R>,
    bases: &'a KnownBases,
    /// The bytes of archives that the machine had.
    reused: &'a Cell<u64>,
    numbers: HashMap<StorePath, u32>,
    /// Whether the machine was asked for the indexes of which there is no copy here.
    has_asked: bool,
    patience: Patience,
}

impl<'a, 'l, R: AsyncRead + Unpin> Sender<'a, 'l, R> {
    /// Begins behind Nix's greeting.
    pub fn new(messages: Messages<'l, R>, bases: &'a KnownBases, reused: &'a Cell<u64>) -> Self {
        let patience = Patience::new(Instant::now());
        Self { messages, bases, reused, numbers: HashMap::new(), has_asked: false, patience }
    }

    /// Sends everything until Nix ends.
    ///
    /// # Errors
    /// When the socket or the line breaks.
    pub async fn run(mut self) -> io::Result<()> {
        let Err(NixEnded) = self.all().await?;
        self.messages.send().await?;
        self.messages.line.finish().await
    }

    async fn all(&mut self) -> ReadResult<std::convert::Infallible> {
        some!(self.messages.greeted().await?);
        loop {
            match some!(self.messages.number().await?) {
                QUERY_VALID_PATHS => {
                    let asked = some!(self.messages.strings().await?);
                    some!(self.messages.number().await?);
                    self.want(asked).await?;
                }
                ADD_MULTIPLE_TO_STORE => some!(self.paths().await?),
                other => some!(self.messages.pass(other).await?),
            }
        }
    }

    /// Whether it is the line that holds the push back.
    fn is_slow(&self) -> bool {
        self.messages.line.pace.is_slow == Some(true) && self.bases.wait_for_the_line()
    }

    /// Tells the machine which paths may come, so that it looks for bases and reads them while Nix
    /// waits for the daemon's answer. On a line that is known to be fast there is nothing to gain.
    async fn want(&mut self, paths: Vec<StorePath>) -> io::Result<()> {
        let too_many = paths.len() as u64 > PATHS;
        let is_slow = self.messages.line.pace.is_slow;
        if too_many || is_slow == Some(false) || !self.numbers.is_empty() {
            return Ok(());
        }
        self.numbers = (0..).zip(&paths).map(|(number, path)| (path.clone(), number)).collect();
        self.messages.tokenize();
        Token::Wanted(paths).write(&mut self.messages.tokens);
        if is_slow == Some(true) {
            self.wait_for_names().await?;
            self.ask_for_indexes();
        }
        Ok(())
    }

    async fn wait_for_names(&mut self) -> io::Result<()> {
        let patience = self.patience.for_names();
        self.wait(patience, |bases| bases.are_named().then_some(())).await.map(drop)
    }

    async fn paths(&mut self) -> ReadResult<()> {
        let messages = &mut self.messages;
        some!(messages.number().await?);
        some!(messages.number().await?);
        messages.begin_frames();
        // Where the frames end early, the daemon says so.
        let (Ok(()) | Err(NixEnded)) = self.framed().await?;
        self.messages.frames().await?;
        Ok(Ok(()))
    }

    async fn framed(&mut self) -> ReadResult<()> {
        for _ in 0..some!(self.messages.number().await?) {
            let info = some!(self.info().await?);
            some!(self.archive(info).await?);
        }
        Ok(Ok(()))
    }

    /// Sends on what Nix says of a path: path, deriver, hash, references, time, size, whether it
    /// was built here, signatures, content address.
    async fn info(&mut self) -> ReadResult<PathInfo> {
        let messages = &mut self.messages;
        let path = StorePath::parse(&some!(messages.string().await?)).ok();
        some!(messages.string().await?);
        some!(messages.string().await?);
        let references = some!(messages.strings().await?);
        some!(messages.number().await?);
        let length = some!(messages.number().await?);
        some!(messages.number().await?);
        some!(messages.strings().await?);
        some!(messages.string().await?);
        Ok(Ok(PathInfo { path, references, length }))
    }

    async fn archive(&mut self, info: PathInfo) -> ReadResult<()> {
        let PathInfo { path, references, length } = info;
        let number = path.as_ref().and_then(|path| self.numbers.get(path)).copied();
        let base = match number {
            Some(number) if length >= LEAST => self.base(number, length).await?,
            _ => None,
        };
        let (Some(path), Some((base, index))) = (path, base) else {
            let sent = self.whole(length).await?;
            self.patience.was_sent(length, 0);
            return Ok(sent);
        };
        let of_path = References::of(&path, &references);
        self.messages.tokenize();
        Token::Path { number: base.number, path, references }.write(&mut self.messages.tokens);
        self.bases.will_be_read();
        self.messages.line.pace.has_copies = true;
        let mut encoder = PathEncoder::new(&of_path, &index);
        let mut left = length;
        while left > 0 {
            let piece = self.messages.take(usize::try_from(left).unwrap_or(usize::MAX)).await?;
            if piece.is_empty() {
                break;
            }
            left -= piece.len() as u64;
            // The tokens are behind the messages: nothing of them may be sent in between.
            let piece = piece.to_vec();
            encoder.push(&piece, &mut self.messages.tokens);
            if self.messages.tokens.len() >= READY {
                self.messages.send().await?;
            }
        }
        let reused = encoder.finish(&mut self.messages.tokens);
        self.reused.set(self.reused.get() + reused);
        self.patience.was_sent(length - reused, reused);
        Ok(if left > 0 { Err(NixEnded) } else { Ok(()) })
    }

    /// Sends an archive as it is.
    async fn whole(&mut self, length: u64) -> ReadResult<()> {
        let mut left = length;
        while left > 0 {
            let piece = self.messages.take(usize::try_from(left).unwrap_or(usize::MAX)).await?;
            let piece = piece.to_vec();
            if piece.is_empty() {
                return Ok(Err(NixEnded));
            }
            left -= piece.len() as u64;
            self.messages.keep(&piece).await?;
        }
        Ok(Ok(()))
    }

    /// The base of a path and its index, where a path is sooner there with it.
    async fn base(&mut self, number: u32, length: u64) -> io::Result<Option<(Base, Index)>> {
        if !self.is_slow() {
            self.forget(number);
            return Ok(None);
        }
        if !self.bases.are_named() {
            self.wait_for_names().await?;
        }
        self.ask_for_indexes();
        let Some(base) = self.bases.get(number) else { return Ok(None) };
        if self.may_be_here(&base) {
            if let Some(index) = own::index(base.clone()).await {
                return Ok(Some((base, index)));
            }
            Token::Ask(number).write(&mut self.messages.tokens);
        }
        let found = match self.bases.take_index(&base) {
            Some(found) => Some(found),
            None => {
                Token::Ask(number).write(&mut self.messages.tokens);
                let patience = self.patience.for_index(length, Instant::now());
                self.wait(patience, |bases| bases.take_index(&base)).await?
            }
        };
        if found.is_none() {
            self.forget(number);
        }
        Ok(found.flatten().map(|index| (base, index)))
    }

    /// Whether this computer may have the whole base. It has not what the machine kept of the wanted
    /// path itself, when an earlier push was cut off.
    fn may_be_here(&self, base: &Base) -> bool {
        self.numbers.get(&base.path) != Some(&base.number) && own::may_exist(base)
    }

    /// Asks for all indexes that the machine has to make, so that it reads while others are sent.
    fn ask_for_indexes(&mut self) {
        if self.has_asked || !self.bases.are_named() {
            return;
        }
        self.has_asked = true;
        self.messages.tokenize();
        let mut bases = self.bases.all();
        bases.retain(|base| !self.may_be_here(base));
        for base in bases {
            Token::Ask(base.number).write(&mut self.messages.tokens);
        }
    }

    fn forget(&mut self, number: u32) {
        self.messages.tokenize();
        Token::Forget(number).write(&mut self.messages.tokens);
    }

    /// Waits until there is something. The machine gets all that is to be sent before.
    async fn wait<T>(
        &mut self,
        limit: Duration,
        ready: impl Fn(&KnownBases) -> Option<T>,
    ) -> io::Result<Option<T>> {
        self.messages.send().await?;
        self.messages.line.flush().await?;
        let begun = Instant::now();
        let found = timeout(limit, async {
            loop {
                if let Some(found) = ready(self.bases) {
                    return found;
                }
                self.bases.changed().await;
            }
        });
        let found = found.await.ok();
        self.patience.has_waited(begun.elapsed());
        Ok(found)
    }
}
