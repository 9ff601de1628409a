//! [`Options`]: what to measure, from the command line. See `main.rs`.

use std::path::PathBuf;
use std::str::FromStr;

use crate::cell::Cell;
use crate::contestant::{Contestant, Mode};
use crate::peer::Kind;

pub struct Options {
    pub cells: Vec<Cell>,
    pub contestants: Vec<Contestant>,
    pub reps: usize,
    /// How long a run measures.
    pub seconds: f64,
    /// Whether system calls are counted too.
    pub syscalls: bool,
    /// Whether to forget what an earlier command has measured.
    pub fresh: bool,
    pub json: PathBuf,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let (mut cells, mut kinds, mut modes) = (Vec::new(), Kind::ALL.to_vec(), None);
        let (mut reps, mut seconds) = (5, 1.0);
        let (mut all, mut syscalls, mut fresh) = (false, false, false);
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut json = program.with_extension("json");
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{option} what?"));
            match option.as_str() {
                "--all" => all = true,
                "--quick" => (reps, seconds) = (3, 0.5),
                "--syscalls" => syscalls = true,
                "--fresh" => fresh = true,
                "--cell" => cells = list::<String>(value()?)?,
                "--impl" => kinds = list(value()?)?,
                "--mode" => modes = Some(list(value()?)?),
                "--reps" => reps = list(value()?)?[0],
                "--seconds" => seconds = list(value()?)?[0],
                "--json" => json = value()?.into(),
                _ => return Err(format!("no such option: {option} (see src/main.rs)")),
            }
        }
        let selection = if all { Cell::all() } else { Cell::quick() };
        let modes = modes.unwrap_or(match all {
            true => vec![Mode::CurrentThread, Mode::MultiThread, Mode::BlockOn],
            false => vec![Mode::CurrentThread],
        });
        let cells = choose(selection, &cells)?;
        let contestants = Contestant::all(&kinds, &modes);
        Ok(Self { cells, contestants, reps: reps.max(1), seconds, syscalls, fresh, json })
    }
}

fn list<T: FromStr>(list: &str) -> Result<Vec<T>, String> {
    let parse = |item: &str| item.parse().map_err(|_| format!("what is {item}? (see src/main.rs)"));
    list.split(',').map(parse).collect()
}

/// Each wanted is the name of a cell, or how those begin that are wanted of
/// the selection.
fn choose(selection: Vec<Cell>, wanted: &[String]) -> Result<Vec<Cell>, String> {
    if wanted.is_empty() {
        return Ok(selection);
    }
    let mut chosen = Vec::new();
    for wanted in wanted {
        match wanted.parse() {
            Ok(cell) => chosen.push(cell),
            Err(wrong) => {
                let begins = |cell: &&Cell| cell.to_string().starts_with(wanted);
                let before = chosen.len();
                chosen.extend(selection.iter().filter(begins));
                if chosen.len() == before {
                    return Err(wrong);
                }
            }
        }
    }
    Ok(chosen)
}
