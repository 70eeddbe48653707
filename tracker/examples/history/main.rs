//! Makes a project with a past: a git repository and in it a store of runs, for trying out what shows them.
//!
//! ```text
//! cargo run --release --example history -- FOLDER [SERIES] [COMMITS]
//! ```
//!
//! Everything in it is drawn from a fixed seed, so the same sizes always make the same runs.

mod drawn;
mod duels;
mod made;

use std::path::Path;

use drawn::Size;
use made::Past;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: history FOLDER [SERIES] [COMMITS]; FOLDER must not be there yet";
    let folder = arguments.next().ok_or(usage)?;
    let number = |given: Option<String>, default| given.map_or(Ok(default), |text| text.parse());
    let series = number(arguments.next(), 500)?;
    let commits = number(arguments.next(), 1000)?;
    if Path::new(&folder).exists() {
        return Err(usage.into());
    }
    let past = Past::new(Size { series, commits, changes: 40 });
    // Git runs inside of the folder, where a path from here would lead elsewhere.
    past.write(&std::path::absolute(&folder)?)
}
