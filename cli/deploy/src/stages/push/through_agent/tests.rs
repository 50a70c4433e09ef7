//! What Nix sends comes out at the other end as it was, but for the borders of frames.

use std::{io::Read, time::Instant};

use deploy_delta::{
    answer::{Answer, Base},
    archive::Archive,
    decode::{Bases, Decoder},
    index,
    references::References,
    token::Token,
};
use deploy_wire::store_path::StorePath;

use super::*;

fn number(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

fn string(text: &str) -> Vec<u8> {
    let mut bytes = [number(text.len() as u64), text.as_bytes().to_vec()].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

fn strings(texts: &[&StorePath]) -> Vec<u8> {
    let texts: Vec<u8> = texts.iter().flat_map(|text| string(text.as_str())).collect();
    [number(texts_count(&texts)), texts].concat()
}

/// Each string takes as many bytes here.
fn texts_count(texts: &[u8]) -> u64 {
    (texts.len() / 64) as u64
}

fn path(hash: char) -> StorePath {
    StorePath::parse(&format!("/nix/store/{}-caddy-2.8", hash.to_string().repeat(32))).unwrap()
}

/// A path on the disk, and its archive.
struct OnDisk {
    folder: TempDir,
    archive: Vec<u8>,
}

impl OnDisk {
    /// A large file that names `path`, with some bytes of its own.
    fn new(path: &StorePath, own: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = |number: u64| format!("{} {path}\n", number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let text: String = (0..4000).map(line).collect();
        std::fs::write(folder.path().join("a"), format!("{}{own}", &text)).unwrap();
        let mut archive = Vec::new();
        Archive::of(folder.path()).unwrap().read_to_end(&mut archive).unwrap();
        Self { folder, archive }
    }
}

/// What comes before an archive.
fn info(path: &StorePath, references: &[&StorePath], length: usize) -> Vec<u8> {
    let length = length as u64;
    let hash = string("0".repeat(64).as_str());
    let before = [string(path.as_str()), string(""), hash, strings(references), number(1)];
    [before.concat(), number(length), number(1), number(0), string("")].concat()
}

fn frames(data: &[u8], length: usize) -> Vec<u8> {
    let frame = |piece: &[u8]| [number(piece.len() as u64), piece.to_vec()].concat();
    [data.chunks(length).flat_map(frame).collect(), number(0)].concat()
}

/// Nix's messages after its greeting: two obsolete numbers, settings, a question, the paths, and
/// another question.
fn messages(paths: &[(&StorePath, &OnDisk)], frame: usize) -> Vec<u8> {
    let all: Vec<&StorePath> = paths.iter().map(|(path, _)| *path).collect();
    let mut data = number(paths.len() as u64);
    for (path, on_disk) in paths {
        data.extend(info(path, &[path], on_disk.archive.len()));
        data.extend_from_slice(&on_disk.archive);
    }
    let settings = [number(19), (0..12).flat_map(number).collect(), number(1)].concat();
    [
        [number(0), number(0), settings, string("cores"), string("0")].concat(),
        [number(31), strings(&all), number(0)].concat(),
        [number(44), number(0), number(1), frames(&data, frame)].concat(),
        [number(46), strings(&all), number(0)].concat(),
    ]
    .concat()
}

/// The same with each run of frames as one.
fn flat(mut stream: &[u8]) -> Vec<u8> {
    let mut flat = Vec::new();
    let begin = stream.windows(8).position(|word| word == number(44)).unwrap_or(stream.len());
    let begin = (begin + 24).min(stream.len());
    flat.extend_from_slice(&stream[..begin]);
    stream = &stream[begin..];
    while let Some((length, rest)) = stream.split_first_chunk::<8>() {
        let length = u64::from_le_bytes(*length) as usize;
        if length == 0 {
            break;
        }
        let length = length.min(rest.len());
        flat.extend_from_slice(&rest[..length]);
        stream = &rest[length..];
    }
    flat.extend_from_slice(stream);
    flat
}

/// The machine, whose bases are the folder of this path.
struct Machine<'b>(&'b OnDisk, StorePath);

impl Bases for Machine<'_> {
    fn wanted(&mut self, _: Vec<StorePath>) -> io::Result<()> {
        Ok(())
    }
    fn ask(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }
    fn forget(&mut self, _: u32) {}
    fn open(&mut self, _: u32) -> io::Result<(Archive, References)> {
        Ok((Archive::of(self.0.folder.path())?, References::of(&self.1, &[])))
    }
    fn damaged(&mut self, _: u32, why: &str) {
        panic!("{why}");
    }
}

/// What the sender makes of a stream, and the bytes that the machine had. `bases` are those that
/// it names.
async fn sent(said: &[u8], bases: &KnownBases, is_slow: bool) -> (Vec<u8>, u64) {
    let (mut compressed, wire, reused) = (Vec::new(), Cell::new(0), Cell::new(0));
    let learnt = Cell::new(Some(is_slow));
    let line = MachineLine::new(Level::Fixed(3), &mut compressed, (&wire, &learnt)).unwrap();
    let messages = Messages::new(NixStream::new(said), line);
    Sender::new(messages, bases, &reused).run().await.unwrap();
    assert_eq!(learnt.get(), Some(is_slow));
    assert_eq!(wire.get(), compressed.len() as u64);
    (zstd::decode_all(&compressed[..]).unwrap(), reused.get())
}

fn received(tokens: &[u8], machine: Machine<'_>) -> Vec<u8> {
    let mut received = Vec::new();
    // A stream that was cut ends within a path.
    let _ = Decoder::new(tokens, machine).read_to_end(&mut received);
    received
}

/// A machine that has a base for the first wanted path, and its index.
fn known(base: &OnDisk, path: &StorePath) -> KnownBases {
    let known = KnownBases::default();
    let length = base.archive.len() as u64;
    let (hash, references) = ([0; 32], Vec::new());
    let named = Base { number: 0, path: path.clone(), references, hash, length };
    known.take(Answer::Bases(vec![named]));
    let of_base = References::of(path, &[]);
    let mut part = Vec::new();
    index::make(&mut &base.archive[..], length, &of_base, |_, entries| {
        part.extend_from_slice(entries);
        Ok(())
    })
    .unwrap();
    known.take(Answer::Index { number: 0, part, last: true });
    known
}

#[tokio::test(flavor = "current_thread")]
async fn what_nix_says_comes_out_again_and_what_the_machine_has_is_not_sent() {
    let (old, new, other) = (path('0'), path('1'), path('2'));
    let base = OnDisk::new(&old, "old");
    let (first, second) = (OnDisk::new(&new, "new"), OnDisk::new(&other, "other"));
    for frame in [1000, 32 << 10, 1 << 20] {
        let said = messages(&[(&new, &first), (&other, &second)], frame);
        let (tokens, reused) = sent(&said, &known(&base, &old), true).await;
        let whole = base.archive.len() as u64;
        assert!(reused > whole - 10_000 && reused < whole, "{reused} of {whole}");
        assert!(tokens.len() < said.len() - reused as usize + 2000, "{}", tokens.len());
        let out = received(&tokens, Machine(&base, old.clone()));
        assert!(flat(&out) == flat(&said), "frames of {frame}");
    }
}

/// Without a slow line, without a base, and where the machine never answers.
#[tokio::test(flavor = "current_thread")]
async fn whole_paths_are_sent_where_nothing_is_gained() {
    let (old, new) = (path('0'), path('1'));
    let (base, first) = (OnDisk::new(&old, "old"), OnDisk::new(&new, "new"));
    let said = messages(&[(&new, &first)], 32 << 10);
    let nothing = KnownBases::default();
    nothing.take(Answer::Bases(Vec::new()));
    let begun = Instant::now();
    for (bases, is_slow) in
        [(known(&base, &old), false), (nothing, true), (KnownBases::default(), true)]
    {
        let (tokens, reused) = sent(&said, &bases, is_slow).await;
        assert_eq!(reused, 0);
        let out = received(&tokens, Machine(&base, old.clone()));
        assert!(flat(&out) == flat(&said));
    }
    assert!(begun.elapsed().as_secs() < 5);
}

/// Nix may end anywhere. What was not said is not made up: above all no end of frames, which would
/// be the end of a push.
#[tokio::test(flavor = "current_thread")]
async fn a_stream_that_is_cut_anywhere_comes_out_as_far_as_it_came() {
    let (old, new) = (path('0'), path('1'));
    let (base, first) = (OnDisk::new(&old, "old"), OnDisk::new(&new, "new"));
    let said = messages(&[(&new, &first)], 32 << 10);
    let whole = flat(&said);
    let ends = (0..900).step_by(3).chain((900..said.len()).step_by(39_999));
    let ends = ends.chain(said.len() - 30..said.len());
    for end in ends {
        let (tokens, _) = sent(&said[..end], &known(&base, &old), true).await;
        let out = received(&tokens, Machine(&base, old.clone()));
        assert!(whole.starts_with(&flat(&out)), "cut at {end}");
        let is_ended = out.windows(16).any(|words| words == [number(0), number(46)].concat());
        assert!(!is_ended || end + 200 > said.len(), "cut at {end}");
    }
}

/// The agent refuses it, in its own words.
#[tokio::test(flavor = "current_thread")]
async fn what_is_no_message_of_a_push_is_sent_on_as_it_is() {
    let said = [number(0), number(0), number(20), string("--delete"), vec![7; 300_000]].concat();
    let (tokens, _) = sent(&said, &KnownBases::default(), true).await;
    let base = OnDisk::new(&path('0'), "");
    assert!(received(&tokens, Machine(&base, path('0'))) == said);
    let first = Token::read(&mut &tokens[..]).unwrap().unwrap();
    assert!(matches!(first, Token::Plain(_)), "{first:?}");
}
