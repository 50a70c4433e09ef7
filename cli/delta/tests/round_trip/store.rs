//! Trees in a folder, and what `nix-daemon` makes of the stream.

use std::{fs, io::Read, os::unix::fs::symlink, path::Path};

use deploy_wire::store_path::StorePath;
use sha2::{Digest, Sha256};

use super::push::Imported;

/// Numbers that look random and are the same in each run: xorshift.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// A store path with this name.
    pub fn path(&mut self, name: &str) -> StorePath {
        let characters = b"0123456789abcdfghijklmnpqrsvwxyz";
        let hash: String = (0..32).map(|_| characters[self.below(32)] as char).collect();
        StorePath::parse(&format!("/nix/store/{hash}-{name}")).unwrap()
    }
}

/// What files have in them: noise, and references by their numbers.
#[derive(Clone)]
pub enum Piece {
    Noise(Vec<u8>),
    Reference(usize),
}

/// The files of a path, before it has hashes.
#[derive(Clone)]
pub struct Tree {
    pub files: Vec<Vec<Piece>>,
}

impl Tree {
    pub fn random(random: &mut Random, bytes: usize, references: usize) -> Self {
        let mut files = vec![Vec::new()];
        let mut left = bytes;
        while left > 0 {
            let length = random.below(left.min(5000)) + 1;
            left -= length;
            let noise = (0..length).map(|_| random.next() as u8).collect();
            let file = files.last_mut().unwrap();
            file.push(Piece::Noise(noise));
            if random.below(2) == 0 {
                file.push(Piece::Reference(random.below(references)));
            }
            if random.below(3) == 0 {
                files.push(Vec::new());
            }
        }
        Self { files }
    }

    /// The same with some pieces replaced, added and removed.
    pub fn changed(&self, random: &mut Random) -> Self {
        let mut files = self.files.clone();
        for _ in 0..random.below(4) {
            let number = random.below(files.len());
            let file = &mut files[number];
            let at = random.below(file.len() + 1);
            let noise = (0..random.below(300)).map(|_| random.next() as u8).collect();
            match random.below(3) {
                0 => file.insert(at, Piece::Noise(noise)),
                1 => drop(file.pop()),
                _ => files.push(vec![Piece::Noise(noise), Piece::Reference(0)]),
            }
        }
        Self { files }
    }

    pub fn write(&self, folder: &Path, references: &[StorePath]) {
        fs::create_dir_all(folder.join("files")).unwrap();
        symlink(references[0].as_str(), folder.join("link")).unwrap();
        for (number, file) in self.files.iter().enumerate() {
            let bytes: Vec<u8> = file
                .iter()
                .flat_map(|piece| match piece {
                    Piece::Noise(bytes) => bytes.clone(),
                    Piece::Reference(which) => references[*which].as_str().as_bytes().to_vec(),
                })
                .collect();
            fs::write(folder.join("files").join(number.to_string()), bytes).unwrap();
        }
    }
}

pub fn hash(archive: &[u8]) -> [u8; 32] {
    Sha256::digest(archive).into()
}

fn number(from: &mut &[u8]) -> Option<u64> {
    let (first, rest) = from.split_first_chunk::<8>()?;
    *from = rest;
    Some(u64::from_le_bytes(*first))
}

/// Imports paths as the daemon does: those whose archive has the hash that comes before it. The
/// error has those from before the stream ended or had another path.
pub fn import(mut stream: &[u8]) -> Result<Vec<Imported>, Vec<Imported>> {
    let mut data = Vec::new();
    let mut is_whole = false;
    let from = &mut stream;
    while let Some(length) = number(from) {
        if length == 0 {
            is_whole = true;
            break;
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(from.len());
        data.extend_from_slice(&from[..length]);
        *from = &from[length..];
    }
    let mut imported = Vec::new();
    let mut from = &data[..];
    let count = number(&mut from);
    for _ in 0..count.unwrap_or_default() {
        match one(&mut from) {
            Some(path) if hash(&path.archive) == path.hash => imported.push(path),
            _ => return Err(imported),
        }
    }
    if is_whole && count.is_some() { Ok(imported) } else { Err(imported) }
}

fn one(from: &mut &[u8]) -> Option<Imported> {
    let mut text = [0; 96];
    from.read_exact(&mut text).ok()?;
    let end = text.iter().position(|byte| *byte == 0)?;
    let path = String::from_utf8(text[..end].to_vec()).ok()?;
    let mut expected = [0; 32];
    from.read_exact(&mut expected).ok()?;
    let length = usize::try_from(number(from)?).ok()?;
    let archive = from.get(..length)?.to_vec();
    *from = &from[length..];
    Some(Imported { path, hash: expected, archive })
}

/// What comes before an archive: a path, its hash and its length.
pub fn info(path: &StorePath, archive: &[u8]) -> Vec<u8> {
    let mut bytes = path.as_str().as_bytes().to_vec();
    bytes.resize(96, 0);
    bytes.extend_from_slice(&hash(archive));
    bytes.extend_from_slice(&(archive.len() as u64).to_le_bytes());
    bytes
}
