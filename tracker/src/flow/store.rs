//! Which store a verb means.

use std::path::Path;

use crate::config::{Config, FILE_NAME};
use crate::failure::{Classify, Failure, Outcome};
use crate::record::Address;
use crate::repo::Repository;

/// The store that was named on the command line or in the environment; else the one that the project names; else the one
/// at the repository's root.
pub fn address(named: Option<&str>) -> Outcome<Address> {
    let here = std::env::current_dir().or_environment("finding the current folder")?;
    if let Some(named) = named {
        return Ok(Address::parse(named, &here)?);
    }
    let repository = Repository::discover(&here).map_err(|error| {
        Failure::environment(error).hint("run inside a repository, or name a store with --store FILE")
    })?;
    match configured(repository.root())? {
        Some(store) => Ok(Address::parse(&store, repository.root())?),
        None => Ok(Address::of_repository(repository.root())?),
    }
}

fn configured(root: &Path) -> Outcome<Option<String>> {
    let file = root.join(FILE_NAME);
    let text = match std::fs::read_to_string(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.or_usage(format_args!("reading {}", file.display()))?,
    };
    let config = Config::parse(&text).or_usage(format_args!("reading {}", file.display()))?;
    Ok(config.store.map(|store| store.to_string_lossy().into_owned()))
}
