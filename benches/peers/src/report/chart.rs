//! The chart, in SVG: for a few cells, how good each implementation is beside the best.
//! Its colours do on a light page and on a dark one.

use std::error::Error;
use std::fmt::Write;
use std::fs;

use super::{Series, rate};
use crate::cell::Cell;
use crate::options::Options;
use crate::peer::Kind;

/// The cells to show. If none of them was measured, all are shown.
const CELLS: [&str; 6] = [
    "push-pull/tcp/64",
    "push-pull/tcp/16384",
    "req-rep/tcp/64",
    "pub-sub:32/tcp/64",
    "fan-in:32/tcp/64",
    "dealer-router:32/tcp/64",
];

const WIDTH: u32 = 760;
/// Where bars begin, and how long the best is.
const LEFT: u32 = 150;
const LONGEST: f64 = 480.0;
const BAR: u32 = 18;
/// Above each cell, for its name.
const HEAD: u32 = 34;

const STYLE: &str = "text{font:13px sans-serif;fill:#57606a}.cell{font-weight:bold}\
    .ours{fill:#e8710a}.peer{fill:#5b8def}.raw{fill:#9aa0a6}\
    @media(prefers-color-scheme:dark){text{fill:#c9d1d9}}";

pub fn write(options: &Options, all: &[Series]) -> Result<(), Box<dyn Error>> {
    let path = options.json.with_extension("svg");
    fs::write(&path, svg(&shown(options), all)?)?;
    eprintln!("written: {}", path.display());
    Ok(())
}

fn shown(options: &Options) -> Vec<Cell> {
    let is_shown = |cell: &Cell| CELLS.contains(&cell.to_string().as_str());
    let shown: Vec<Cell> = options.cells.iter().copied().filter(is_shown).collect();
    if shown.is_empty() { options.cells.clone() } else { shown }
}

fn svg(cells: &[Cell], all: &[Series]) -> Result<String, std::fmt::Error> {
    let (mut body, mut y) = (String::new(), 0);
    for &cell in cells {
        let of_cell = all.iter().filter(|series| series.cell == cell);
        let mut ranked: Vec<(f64, &Series)> =
            of_cell.filter_map(|series| Some((series.merit()?, series))).collect();
        ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        y += HEAD;
        writeln!(body, r#"<text class="cell" x="4" y="{}">{}</text>"#, y - 10, title(cell))?;
        for (merit, series) in &ranked {
            bar(&mut body, y, series, merit / ranked[0].0)?;
            y += BAR + 4;
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n<style>{STYLE}</style>\n{body}</svg>\n",
        height = y + 8
    ))
}

fn title(cell: Cell) -> String {
    let figure =
        if cell.is_trip() { "median round trip, longer is faster" } else { "messages per second" };
    format!("{cell}: {figure}")
}

/// One implementation, so good beside the best.
fn bar(body: &mut String, y: u32, series: &Series, part: f64) -> std::fmt::Result {
    let class = match series.contestant.kind {
        Kind::Raw => "raw",
        Kind::Ferromq => "ours",
        _ => "peer",
    };
    let (length, text) = ((LONGEST * part).max(1.0), y + 14);
    let median = series.main().map_or(0.0, |main| main.median);
    let figure = match series.cell.is_trip() {
        true => format!("{median:.1} µs"),
        false => format!("{}/s", rate(median)),
    };
    let contestant = series.contestant;
    writeln!(body, r#"<text x="{}" y="{text}" text-anchor="end">{contestant}</text>"#, LEFT - 8)?;
    writeln!(
        body,
        r#"<rect class="{class}" x="{LEFT}" y="{y}" width="{length:.1}" height="{BAR}" rx="2"/>"#
    )?;
    let after = f64::from(LEFT) + length + 8.0;
    writeln!(body, r#"<text x="{after:.1}" y="{text}">{figure}</text>"#)
}
