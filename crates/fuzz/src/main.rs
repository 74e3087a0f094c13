//! `writ-fuzz`: drives targets for a time, each with mutations of its seeds and its corpus.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use writ_fuzz::{Mutator, TARGETS, Target, corpus, keep};

/// Inputs between two looks at the clock.
const ROUND: u64 = 200;
/// Inputs that are remembered to be mutated further.
const MOST_REMEMBERED: usize = 4_000;

/// Drives whatever reads bytes from outside with arbitrary ones.
///
/// An input that makes a target panic is added to the corpus in crates/fuzz/corpus, which `cargo test` runs.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Args {
    /// Names of targets; all of them if none is given
    targets: Vec<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seed of the mutations; of the clock if it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// The result as JSON
    #[arg(long)]
    json: bool,
}

/// What became of a target.
struct Driven {
    name: &'static str,
    inputs: u64,
    findings: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let targets = chosen(&args.targets)?;
    let seed = args.seed.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64));
    // The backtrace of a finding is printed when it is run again.
    panic::set_hook(Box::new(|_| {}));
    let driven: Result<Vec<Driven>> =
        targets.iter().map(|target| drive(target, seed, Duration::from_secs(args.seconds))).collect();
    let driven = driven?;
    show(&driven, seed, args.json);
    let clean = driven.iter().all(|target| target.findings.is_empty());
    Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> Result<Vec<Target>> {
    if names.is_empty() {
        return Ok(TARGETS.to_vec());
    }
    let known = || TARGETS.map(|target| target.name).join(", ");
    let find = |name: &String| TARGETS.into_iter().find(|target| target.name == name.as_str());
    names.iter().map(|name| find(name).with_context(|| format!("{name} is none of {}", known()))).collect()
}

fn drive(target: &Target, seed: u64, time: Duration) -> Result<Driven> {
    let (mut mutator, mut inputs) = (Mutator::new(seed), (target.seeds)());
    inputs.extend(corpus(target.name)?);
    let mut driven = Driven { name: target.name, inputs: 0, findings: Vec::new() };
    let (begun, bar) = (Instant::now(), ProgressBar::new(time.as_secs()));
    bar.set_style(ProgressStyle::with_template("{prefix:18} {bar:30.green} {pos}/{len} s  {msg}")?);
    bar.set_prefix(target.name);
    while begun.elapsed() < time {
        for _ in 0..ROUND {
            let input = mutator.next(&inputs);
            driven.inputs += 1;
            if panic::catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
                driven.findings.push(keep(target.name, &input)?.display().to_string());
            } else if driven.inputs.is_multiple_of(64) && inputs.len() < MOST_REMEMBERED {
                inputs.push(input);
            }
        }
        bar.set_position(begun.elapsed().as_secs());
        bar.set_message(format!("{} inputs, {} findings", driven.inputs, driven.findings.len()));
    }
    bar.finish();
    Ok(driven)
}

#[expect(clippy::print_stdout, reason = "the result")]
fn show(driven: &[Driven], seed: u64, as_json: bool) {
    if as_json {
        let each = driven
            .iter()
            .map(|target| json!({"target": target.name, "inputs": target.inputs, "findings": target.findings}));
        println!("{:#}", json!({"seed": seed, "targets": each.collect::<Vec<_>>()}));
        return;
    }
    for Driven { name, inputs, findings } in driven {
        println!("{name:18} {inputs:>12} inputs, {} findings", findings.len());
        findings.iter().for_each(|finding| println!("  {finding}"));
    }
    println!("seed {seed}");
}
