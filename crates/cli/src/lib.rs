//! The `writ` command line, a module for each subcommand. The whole-system tests use the story of the demo as a library.

#![allow(clippy::print_stdout, reason = "results go to standard output")]

mod args;
mod bench;
mod chains;
mod database;
mod demo;
mod doctor;
mod down;
mod logs;
mod organization;
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
