//! The corpus, replayed, and deterministic mutations of it: what the fuzzer
//! does, for a second, on any toolchain.

use std::fs;
use std::path::{Path, PathBuf};

use super::seeds::seeds;
use super::*;

/// How many mutations of a corpus are tried.
const MUTATIONS: usize = 1500;

/// The largest mutated input.
const MAX_INPUT: usize = 4096;

/// The directory `fuzz`; it is not in the published package.
fn fuzz() -> Option<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    fuzz.exists().then_some(fuzz)
}

/// The files of a directory and their names, in an order that does not depend
/// on the machine.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let file = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    };
    let mut files: Vec<_> = entries.map(file).collect();
    files.sort();
    files
}

/// Names the input that a target panics on.
struct Trial<'a> {
    target: &'a str,
    what: &'a str,
    input: &'a [u8],
}

impl Drop for Trial<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { target, what, input } = self;
            eprintln!("{target}, {what}, as `printf`: '{}'", input.escape_ascii());
        }
    }
}

fn replay(name: &str) {
    let Some(fuzz) = fuzz() else { return };
    let target = TARGETS.iter().find(|target| target.0 == name).unwrap().1;
    let corpus = files(&fuzz.join("corpus").join(name));
    assert!(!corpus.is_empty());
    let run = |what: &str, input: &[u8]| {
        let trial = Trial { target: name, what, input };
        target(input);
        drop(trial);
    };
    run("empty", &[]);
    for (file, octets) in &corpus {
        run(file, octets);
    }
    let mut random = Random(0x5EED);
    for _ in 0..MUTATIONS {
        let (file, octets) = &corpus[random.below(corpus.len())];
        let (_, other) = &corpus[random.below(corpus.len())];
        let mut mutated = octets.clone();
        for _ in 0..=random.below(4) {
            mutate(&mut mutated, other, &mut random);
        }
        mutated.truncate(MAX_INPUT);
        run(&format!("{file} mutated"), &mutated);
    }
}

/// xorshift: the same inputs on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`; 0 if that is 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 16) as usize % limit.max(1)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        start..start + self.below((length - start).min(64) + 1)
    }
}

fn mutate(octets: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(octets.len());
    let noise = random.next() as u8;
    match random.below(8) {
        0 if !octets.is_empty() => octets[at] ^= 1 << (noise % 8),
        1 if !octets.is_empty() => octets[at] = noise,
        2 if !octets.is_empty() => octets[at] = [0, 1, 2, 4, 0x7F, 0x80, 0xFF][random.below(7)],
        3 => octets.insert(at, noise),
        4 => drop(octets.drain(random.range(octets.len()))),
        5 => {
            let copy = octets[random.range(octets.len())].to_vec();
            octets.splice(at..at, copy);
        }
        6 => {
            let copy = other[random.range(other.len())].to_vec();
            octets.splice(at..at, copy);
        }
        _ => octets.truncate(at + 1),
    }
}

#[test]
fn the_corpus_of_the_decoder_does_no_harm() {
    replay("decoder");
}

#[test]
fn the_corpus_of_the_connection_does_no_harm() {
    replay("connection");
}

#[test]
fn the_corpus_of_the_endpoint_does_no_harm() {
    replay("endpoint");
}

#[test]
fn the_corpus_of_the_trie_does_no_harm() {
    replay("trie");
}

#[test]
fn each_seed_is_in_the_corpus() {
    let Some(fuzz) = fuzz() else { return };
    let write = std::env::var_os("FERROMQ_WRITE_CORPUS").is_some();
    for seed in seeds() {
        let directory = fuzz.join("corpus").join(seed.target);
        let path = directory.join(&seed.name);
        if write {
            fs::create_dir_all(directory).unwrap();
            fs::write(&path, &seed.octets).unwrap();
        }
        let octets = fs::read(&path).unwrap_or_default();
        assert!(octets == seed.octets, "{} is out of date", path.display());
    }
}

#[test]
fn each_target_has_a_harness_and_a_corpus() {
    let Some(fuzz) = fuzz() else { return };
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let mut harnesses = files(&fuzz.join("fuzz_targets")).into_iter().map(|file| file.0);
    let mut names: Vec<&str> = TARGETS.iter().map(|target| target.0).collect();
    names.sort_unstable();
    assert!(harnesses.by_ref().eq(names.iter().map(|name| format!("{name}.rs"))));
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} is no [[bin]]");
        assert!(fuzz.join("corpus").join(name).is_dir(), "{name} has no corpus");
    }
}
