//! [`Log`]: what was measured so far, in a file of JSON lines, so that a command that
//! was cut off continues. The first line is the plan, the others are runs.

use std::error::Error;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::run::Figures;

/// One run that has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    pub cell: String,
    pub contestant: String,
    /// From 1; 0 is the one that counts system calls.
    pub round: usize,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome {
    Figures(Figures),
    /// System calls per message.
    Calls(f64),
    Failed(String),
}

pub struct Log {
    path: PathBuf,
    file: File,
    pub runs: Vec<Run>,
}

impl Log {
    /// Opens the log of this plan, or a new one.
    pub fn open(path: PathBuf, plan: &str, fresh: bool) -> Result<Self, Box<dyn Error>> {
        let plan = serde_json::to_string(plan)?;
        let runs = if fresh { Vec::new() } else { read(&path, &plan)? };
        // Written anew: the last line may have been cut off.
        let mut file = File::create(&path)?;
        writeln!(file, "{plan}")?;
        let mut log = Self { path, file, runs: Vec::new() };
        for run in runs {
            log.append(run)?;
        }
        Ok(log)
    }

    pub fn append(&mut self, run: Run) -> Result<(), Box<dyn Error>> {
        writeln!(self.file, "{}", serde_json::to_string(&run)?)?;
        self.runs.push(run);
        Ok(())
    }

    pub fn has(&self, cell: &str, contestant: &str, round: usize) -> bool {
        let is_same =
            |run: &Run| run.cell == cell && run.contestant == contestant && run.round == round;
        self.runs.iter().any(is_same)
    }

    /// Removes the file: the plan is done.
    pub fn done(self) -> Result<(), Box<dyn Error>> {
        Ok(fs::remove_file(self.path)?)
    }
}

/// The runs in the file, whose plan must be this.
fn read(path: &Path, plan: &str) -> Result<Vec<Run>, Box<dyn Error>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let mut lines = text.lines();
    if lines.next() != Some(plan) && lines.next().is_some() {
        let path = path.display();
        return Err(format!(
            "{path} has the runs of another command that was cut off, or of another build: \
             finish that, or give --fresh to forget them"
        )
        .into());
    }
    Ok(lines.map_while(|line| serde_json::from_str(line).ok()).collect())
}
