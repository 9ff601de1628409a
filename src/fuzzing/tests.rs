//! The corpus, replayed, and deterministic mutations of it: what the fuzzer
//! does, for a second, on any toolchain.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::seeds::{dictionaries, seeds};
use super::*;

/// How many of the mutated are kept to be mutated again.
const POOL: usize = 512;

/// No input takes so long, not even on a busy machine.
const HANGS: Duration = Duration::from_secs(20);

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

/// What is tried on a target: its corpus, parts of it, and what they were made into.
struct Tries {
    seeds: Vec<(String, Vec<u8>)>,
    words: Vec<Vec<u8>>,
    pool: Vec<Vec<u8>>,
    random: Random,
}

impl Tries {
    fn new(name: &str, seeds: Vec<(String, Vec<u8>)>) -> Self {
        let words = dictionaries().into_iter().find(|dictionary| dictionary.target == name);
        let words = words.map(|dictionary| dictionary.words).unwrap_or_default();
        let random = Random(number("FERROMQ_FUZZ_SEED").unwrap_or(0x5EED).max(1));
        Self { seeds, words, pool: Vec::new(), random }
    }

    fn any(&mut self) -> Vec<u8> {
        let random = &mut self.random;
        match self.pool.len() {
            pooled @ 1.. if random.below(2) == 0 => self.pool[random.below(pooled)].clone(),
            _ => self.seeds[random.below(self.seeds.len())].1.clone(),
        }
    }

    fn next(&mut self) -> Vec<u8> {
        let (mut octets, other) = (self.any(), self.any());
        for _ in 0..=self.random.below(4) {
            let word = &self.words[..].get(self.random.below(self.words.len()));
            let other = word.filter(|_| self.random.below(3) == 0).map_or(&other[..], |word| word);
            mutate(&mut octets, other, &mut self.random);
        }
        octets.truncate(MAX_INPUT);
        if self.random.below(16) == 0 {
            let at = self.random.below(POOL);
            if at < self.pool.len() {
                self.pool[at].clone_from(&octets);
            } else {
                self.pool.push(octets.clone());
            }
        }
        octets
    }
}

fn replay(name: &str, mutations: usize) {
    let Some(fuzz) = fuzz() else { return };
    let Some((_, target)) = TARGETS.iter().find(|target| target.0 == name) else { return };
    let corpus = files(&fuzz.join("corpus").join(name));
    assert!(!corpus.is_empty());
    let run = |what: &str, input: &[u8]| {
        let begun = Instant::now();
        let trial = Trial { target: name, what, input };
        target(input);
        assert!(begun.elapsed() < HANGS, "it does not come to an end");
        drop(trial);
    };
    run("empty", &[]);
    for (file, octets) in &corpus {
        run(file, octets);
    }
    let seconds = number("FERROMQ_FUZZ_SECONDS");
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut tries = Tries::new(name, corpus);
    let mut count = 0;
    while until.map_or(count < mutations, |until| Instant::now() < until) {
        run("mutated", &tries.next());
        count += 1;
    }
    if let Some(seconds) = seconds {
        println!("{name}: {count} mutations in {seconds} s, nothing found");
    }
}

/// A number in the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap())
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

/// So many mutations take a second or two with debug assertions.
macro_rules! replays {
    ($($test:ident $mutations:literal)*) => {
        mod replay {
            $(#[test]
            fn $test() {
                super::replay(stringify!($test), $mutations);
            })*
        }
    };
}

replays! {
    adversary 150
    certificate 1500
    command 1500
    connection 1500
    decoder 1500
    endpoint 1500
    greeting 1500
    handshake 150
    metadata 1500
    network 1500
    trie 1500
    z85 1500
    zap 1500
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
fn each_dictionary_is_there() {
    let Some(fuzz) = fuzz() else { return };
    let write = std::env::var_os("FERROMQ_WRITE_CORPUS").is_some();
    for dictionary in dictionaries() {
        let path = fuzz.join("dictionaries").join(dictionary.target).with_extension("dict");
        let text = dictionary.text();
        if write {
            fs::create_dir_all(fuzz.join("dictionaries")).unwrap();
            fs::write(&path, &text).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_default();
        assert!(there == text, "{} is out of date", path.display());
    }
}

/// Without the features, there are not all targets.
#[cfg(all(feature = "curve", feature = "plain"))]
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
        let dictionary = fuzz.join("dictionaries").join(format!("{name}.dict"));
        assert!(dictionary.is_file(), "{name} has no dictionary");
    }
}
