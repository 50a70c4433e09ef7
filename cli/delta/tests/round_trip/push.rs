//! A push from one folder to another.

use std::{
    cell::RefCell,
    fs,
    io::{self, Read},
    path::PathBuf,
};

use deploy_delta::{
    archive::Archive,
    decode::{Bases, Decoder},
    encode::PathEncoder,
    index::{self, ENTRY, Index},
    references::References,
    token::Token,
};
use deploy_wire::store_path::StorePath;
use tempfile::TempDir;

use super::store::{Random, Tree, hash, info};

/// A path as the daemon has it after an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub path: String,
    pub hash: [u8; 32],
    pub archive: Vec<u8>,
}

/// One path and its base.
struct Pair {
    path: StorePath,
    references: Vec<StorePath>,
    archive: Vec<u8>,
    base: (StorePath, Vec<StorePath>),
    index: Vec<u8>,
}

/// A push of some paths.
pub struct Push {
    pub folder: TempDir,
    pairs: Vec<Pair>,
    pub tokens: Vec<u8>,
    /// What is to come out.
    pub protocol: Vec<u8>,
    pub paths: Vec<Imported>,
    pub damaged: RefCell<Vec<u32>>,
}

impl Push {
    /// Of paths whose bases have other hashes, and other contents here and there.
    pub fn random(random: &mut Random, bytes: usize) -> Self {
        Self::of(random, bytes, Tree::changed)
    }

    /// Of paths whose bases have other hashes alone.
    pub fn rebuilt(random: &mut Random, bytes: usize) -> Self {
        Self::of(random, bytes, |tree, _| tree.clone())
    }

    fn of(random: &mut Random, bytes: usize, change: fn(&Tree, &mut Random) -> Tree) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut pairs = Vec::new();
        for number in 0..2 {
            let mut paths = || {
                let own = random.path("own-1.0");
                vec![random.path("libc"), random.path("libx"), random.path("libx-1.2"), own]
            };
            let (before, after) = (paths(), paths());
            let old = Tree::random(random, bytes, before.len());
            let new = change(&old, random);
            let (base, target) = (at(&folder, number), folder.path().join("target"));
            old.write(&base, &before);
            new.write(&target, &after);
            let mut archive = Vec::new();
            Archive::of(&target).unwrap().read_to_end(&mut archive).unwrap();
            fs::remove_dir_all(&target).unwrap();
            let references = References::of(&before[3], &before);
            let mut index = Vec::new();
            let mut from = Archive::of(&base).unwrap();
            let length = from.length();
            index::make(&mut from, length, &references, |_, entries| {
                index.extend_from_slice(entries);
                Ok(())
            })
            .unwrap();
            let base = (before[3].clone(), before);
            pairs.push(Pair { path: after[3].clone(), references: after, archive, base, index });
        }
        let paths = pairs.iter().map(|pair| Imported {
            path: pair.path.to_string(),
            hash: hash(&pair.archive),
            archive: pair.archive.clone(),
        });
        let paths = paths.collect();
        let (tokens, protocol, damaged) = Default::default();
        let mut push = Self { folder, pairs, tokens, protocol, paths, damaged };
        let indexes: Vec<Vec<u8>> = push.pairs.iter().map(|pair| pair.index.clone()).collect();
        push.tokens = push.encoded_with(&indexes);
        push.protocol = push.receive(&push.tokens).unwrap();
        push
    }

    /// The tokens of the push, with these indexes.
    pub fn encoded_with(&self, indexes: &[Vec<u8>]) -> Vec<u8> {
        let mut tokens = Vec::new();
        Token::Framed((self.pairs.len() as u64).to_le_bytes().into()).write(&mut tokens);
        for ((number, pair), index) in (0..).zip(&self.pairs).zip(indexes) {
            Token::Framed(info(&pair.path, &pair.archive)).write(&mut tokens);
            let index = Index::read(pair.archive.len() as u64, index).unwrap();
            let (path, references) = (pair.path.clone(), pair.references.clone());
            let mut encoder = PathEncoder::new(&References::of(&path, &references), &index);
            Token::Path { number, path, references }.write(&mut tokens);
            pair.archive.chunks(1500).for_each(|piece| encoder.push(piece, &mut tokens));
            encoder.finish(&mut tokens);
        }
        Token::Plain(0_u64.to_le_bytes().into()).write(&mut tokens);
        tokens
    }

    /// Indexes that say the truth but for some bytes.
    pub fn lying_index(&self, random: &mut Random) -> Vec<Vec<u8>> {
        let mut lie = |pair: &Pair| {
            let mut index = pair.index.clone();
            let at = random.below(index.len() / ENTRY) * ENTRY;
            let other = random.below(index.len() / ENTRY) * ENTRY;
            // A chunk where another one is, or of another length.
            match random.below(2) {
                0 => index.copy_within(at..at + 8, other),
                _ => index[at + 8] ^= 1 << random.below(8),
            }
            index
        };
        self.pairs.iter().map(&mut lie).collect()
    }

    /// The far end of a stream of tokens.
    pub fn decoder<'p>(&'p self, tokens: &'p [u8]) -> Decoder<&'p [u8], Far<'p>> {
        Decoder::new(tokens, Far(self))
    }

    /// What comes out.
    pub fn receive(&self, tokens: &[u8]) -> io::Result<Vec<u8>> {
        let mut received = Vec::new();
        self.decoder(tokens).read_to_end(&mut received)?;
        Ok(received)
    }

    /// The largest file of a base.
    pub fn largest_file(&self) -> PathBuf {
        let files = fs::read_dir(at(&self.folder, 0).join("files")).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        files.max_by_key(|file| file.metadata().unwrap().len()).unwrap()
    }
}

fn at(folder: &TempDir, number: u32) -> PathBuf {
    folder.path().join(format!("base-{number}"))
}

/// The bases in the folder.
pub struct Far<'p>(&'p Push);

impl Bases for Far<'_> {
    fn wanted(&mut self, _: Vec<StorePath>) -> io::Result<()> {
        Ok(())
    }

    fn ask(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn forget(&mut self, _: u32) {}

    fn open(&mut self, number: u32) -> io::Result<(Archive, References)> {
        let pair = self.0.pairs.get(number as usize);
        let (path, references) = &pair.ok_or(io::ErrorKind::NotFound)?.base;
        Ok((Archive::of(&at(&self.0.folder, number))?, References::of(path, references)))
    }

    fn damaged(&mut self, number: u32, _: &str) {
        self.0.damaged.borrow_mut().push(number);
    }
}
