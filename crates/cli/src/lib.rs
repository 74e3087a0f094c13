//! The `writ` command line: one module a subcommand. The story of the demo is a library too, so
//! that the whole-system tests tell the same one.

#![allow(clippy::print_stdout, reason = "results go to standard output")]

mod args;
mod bench;
mod chains;
mod database;
mod demo;
mod doctor;
mod down;
mod logs;
mod probe;
mod producer;
mod provision;
mod run;
mod status;
pub mod story;
mod table;
mod trace;
mod up;

pub use args::Cli;
