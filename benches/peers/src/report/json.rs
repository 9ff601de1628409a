//! The JSON: every run of every series.

use std::error::Error;
use std::fs;

use serde_json::{Value, json};

use super::{Series, Spread, circumstances};
use crate::options::Options;

pub fn write(options: &Options, all: &[Series]) -> Result<(), Box<dyn Error>> {
    let series: Vec<Value> = all.iter().map(|series| value(all, series)).collect();
    let json = json!({
        "circumstances": circumstances(options),
        "seconds": options.seconds,
        "series": series,
    });
    fs::write(&options.json, serde_json::to_string_pretty(&json)?)?;
    eprintln!("written: {}", options.json.display());
    Ok(())
}

fn value(all: &[Series], series: &Series) -> Value {
    let main = series.main().map(|Spread { median, min, max }| {
        let unit = if series.cell.is_trip() { "us" } else { "per_second" };
        json!({ "unit": unit, "median": median, "min": min, "max": max })
    });
    json!({
        "cell": series.cell.to_string(),
        "implementation": series.contestant.to_string(),
        "main": main,
        "to_raw": series.raw(all).and_then(|raw| series.ratio(raw)),
        "to_best_peer": series.best_peer(all).and_then(|best| series.ratio(best)),
        "runs": series.runs,
        "system_calls": series.calls,
        "failures": series.failures,
    })
}
