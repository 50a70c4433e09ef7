//! The archive (NAR) of a store path on this disk, of which any part can be read.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

/// The most files of a path that is read. What is known of each takes some hundred bytes.
const FILES: usize = 1 << 16;

/// A part of an archive, and where it begins.
#[derive(Debug)]
struct Segment {
    offset: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Words(Vec<u8>),
    File(PathBuf),
}

/// The archive of a path.
#[derive(Debug, Default)]
pub struct Archive {
    segments: Vec<Segment>,
    files: usize,
    length: u64,
    /// The file that was read last, by its segment.
    open: Option<(usize, File)>,
    /// Where [`Read`] goes on.
    at: u64,
}

impl Archive {
    /// Looks at all files of the path, and reads none.
    ///
    /// # Errors
    /// When it cannot be read, has something in it that no archive has, or has too many files.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut archive = Self::default();
        archive.word(b"nix-archive-1");
        archive.node(path)?;
        Ok(archive)
    }

    /// An archive that is in a file, or the begin of one.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let length = fs::metadata(path)?.len();
        let content = Content::File(path.to_owned());
        Ok(Self { segments: vec![Segment { offset: 0, content }], length, ..Self::default() })
    }

    /// The bytes of the archive.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Fills `to` with what is at `offset`.
    ///
    /// # Errors
    /// When a file cannot be read, is shorter than it was, or the archive is.
    pub fn read_at(&mut self, mut offset: u64, mut to: &mut [u8]) -> io::Result<()> {
        if self.length < offset || self.length - offset < to.len() as u64 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        while !to.is_empty() {
            let number = self.segments.partition_point(|part| part.offset <= offset) - 1;
            let next = self.segments.get(number + 1).map_or(self.length, |part| part.offset);
            let length = to.len().min(usize::try_from(next - offset).unwrap_or(usize::MAX));
            let (piece, rest) = to.split_at_mut(length);
            let within = offset - self.segments[number].offset;
            match &self.segments[number].content {
                Content::Words(words) => {
                    let from = within as usize;
                    piece.copy_from_slice(&words[from..from + length]);
                }
                Content::File(path) => {
                    let file = match &mut self.open {
                        Some((open, file)) if *open == number => file,
                        open => &mut open.insert((number, File::open(path)?)).1,
                    };
                    file.read_exact_at(piece, within)?;
                }
            }
            (to, offset) = (rest, offset + length as u64);
        }
        Ok(())
    }

    fn node(&mut self, path: &Path) -> io::Result<()> {
        let is = fs::symlink_metadata(path)?;
        self.files += 1;
        if self.files > FILES {
            return Err(io::Error::other("it has too many files"));
        }
        self.word(b"(");
        self.word(b"type");
        if is.is_file() {
            self.word(b"regular");
            if is.mode() & 0o100 != 0 {
                self.word(b"executable");
                self.word(b"");
            }
            self.word(b"contents");
            self.raw(&is.len().to_le_bytes());
            if is.len() > 0 {
                let content = Content::File(path.to_owned());
                self.segments.push(Segment { offset: self.length, content });
                self.length += is.len();
            }
            self.pad(is.len());
        } else if is.is_symlink() {
            self.word(b"symlink");
            self.word(b"target");
            self.word(fs::read_link(path)?.as_os_str().as_bytes());
        } else if is.is_dir() {
            self.word(b"directory");
            let entries: io::Result<Vec<_>> =
                fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect();
            let mut names = entries?;
            names.sort();
            for name in names {
                self.word(b"entry");
                self.word(b"(");
                self.word(b"name");
                self.word(name.as_bytes());
                self.word(b"node");
                self.node(&path.join(name))?;
                self.word(b")");
            }
        } else {
            return Err(io::Error::other("it has something in it that is no file"));
        }
        self.word(b")");
        Ok(())
    }

    fn word(&mut self, word: &[u8]) {
        self.raw(&(word.len() as u64).to_le_bytes());
        self.raw(word);
        self.pad(word.len() as u64);
    }

    fn pad(&mut self, length: u64) {
        let padding = length.next_multiple_of(8) - length;
        self.raw(&[0; 8][..padding as usize]);
    }

    fn raw(&mut self, bytes: &[u8]) {
        match self.segments.last_mut() {
            _ if bytes.is_empty() => {}
            Some(Segment { content: Content::Words(words), .. }) => words.extend_from_slice(bytes),
            _ => {
                let content = Content::Words(bytes.to_vec());
                self.segments.push(Segment { offset: self.length, content });
            }
        }
        self.length += bytes.len() as u64;
    }
}

impl Read for Archive {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length - self.at).unwrap_or(usize::MAX);
        let length = left.min(to.len());
        self.read_at(self.at, &mut to[..length])?;
        self.at += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn word(text: &str) -> Vec<u8> {
        let mut bytes = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// The order of names is that of their bytes; a large file, an empty one, a link, a program.
    fn tree() -> (tempfile::TempDir, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("a")).unwrap();
        fs::write(at("a/empty"), "").unwrap();
        fs::write(at("B"), "contents!").unwrap();
        fs::set_permissions(at("B"), fs::Permissions::from_mode(0o555)).unwrap();
        symlink("B", at("c")).unwrap();
        let words = |text: &str| text.split(' ').flat_map(word).collect::<Vec<u8>>();
        let archive = [
            words("nix-archive-1 ( type directory entry ( name B node ( type regular executable"),
            word(""),
            words("contents contents! ) )"),
            words("entry ( name a node ( type directory entry ( name empty node ("),
            words("type regular contents"),
            word(""),
            words(") ) ) ) entry ( name c node ( type symlink target B ) ) )"),
        ];
        (folder, archive.concat())
    }

    #[test]
    fn an_archive_is_nix_s() {
        let (folder, expected) = tree();
        let mut read = Vec::new();
        let mut archive = Archive::of(folder.path()).unwrap();
        archive.read_to_end(&mut read).unwrap();
        assert_eq!(read, expected);
        assert_eq!(archive.length(), expected.len() as u64);
    }

    #[test]
    fn any_part_can_be_read_and_what_is_not_there_is_an_error() {
        let (folder, expected) = tree();
        let mut archive = Archive::of(folder.path()).unwrap();
        for from in 0..expected.len() {
            for length in [0, 1, 9, 100, expected.len() - from] {
                let mut part = vec![0; length.min(expected.len() - from)];
                archive.read_at(from as u64, &mut part).unwrap();
                assert_eq!(part, expected[from..from + part.len()]);
            }
        }
        let mut more = [0; 9];
        assert!(archive.read_at(expected.len() as u64 - 8, &mut more).is_err());
        assert!(archive.read_at(u64::MAX, &mut more).is_err());
        // A file that became shorter.
        fs::set_permissions(folder.path().join("B"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::write(folder.path().join("B"), "c").unwrap();
        let mut archive = Archive { open: None, at: 0, ..archive };
        assert!(archive.read_to_end(&mut Vec::new()).is_err());
    }

    #[test]
    fn an_archive_in_a_file_is_read_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("nar");
        fs::write(&file, "the begin of one").unwrap();
        let mut archive = Archive::of_file(&file).unwrap();
        let mut part = [0; 5];
        archive.read_at(4, &mut part).unwrap();
        assert_eq!(&part, b"begin");
        let mut all = String::new();
        archive.read_to_string(&mut all).unwrap();
        assert_eq!(all, "the begin of one");
        assert!(Archive::of_file(&folder.path().join("none")).is_err());
    }

    #[test]
    fn what_is_no_file_has_no_archive() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(Archive::of(folder.path()).is_err());
        assert!(Archive::of(&folder.path().join("nothing")).is_err());
    }
}
