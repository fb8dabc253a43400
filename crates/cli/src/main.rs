//! The `trapheus` binary: restores Amazon RDS databases from snapshots, behind the same name.

mod arguments;
mod aws;
mod blueprints;
mod children;
mod commands;
mod demo;
mod engines;
mod error;
mod exit;
mod follow;
mod home;
mod login;
mod logs;
mod printer;
mod protect;
mod settings;
mod story;

use std::process::ExitCode;

fn main() -> ExitCode {
    logs::begin();
    commands::run(arguments::parse()).into()
}
