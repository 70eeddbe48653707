//! `tachograph serve`: the site over HTTP, for this machine alone.

use std::process::ExitCode;

use clap::Args;

use super::publish::Project;
use super::stored::StoreArgs;
use crate::failure::{Classify, Outcome};
use crate::flow::serve::Door;
use crate::measure::interrupt::Stop;

/// Show the site to a browser on this machine, drawn again as runs arrive
///
/// Listens at 127.0.0.1 only, answers GET and HEAD, and serves nothing but the site's own files. Open pages load anew by
/// themselves. Ctrl-C ends it.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The port to listen at; 0 takes any that is free
    #[arg(long, value_name = "PORT", default_value_t = 7340)]
    port: u16,
    #[command(flatten)]
    project: Project,
    #[command(flatten)]
    store: StoreArgs,
}

pub(super) fn run(args: &ServeArgs) -> Outcome<ExitCode> {
    let stop = Stop::on_signals().or_environment("watching for signals")?;
    let door = Door::open(args.port)?;
    let out = &args.project.out;
    let site = std::path::absolute(out).or_usage(format_args!("{} is no folder", out.display()))?;
    let address = args.store.address()?;
    let draw = || args.project.publish(&mut args.store.open_to_read()?, &site).map(drop);
    draw()?;
    super::answer(&format!("{}  (Ctrl-C ends it)\n", door.address()))?;
    door.serve(&site, &address, &stop, draw, super::complain)?;
    Ok(ExitCode::SUCCESS)
}
