//! Where a suite leaves its results, when that is not its standard output.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use super::{CommandError, CommandSuite, Parse, Results};
use crate::domain::{BenchmarkName, Outcome};

/// The places where the results may stand; none when they come on standard output.
pub(super) fn places(suite: &CommandSuite) -> Result<Vec<PathBuf>, CommandError> {
    let Some(output) = &suite.output else { return Ok(Vec::new()) };
    let elsewhere = || CommandError::OutputElsewhere(output.clone());
    let mut parts = output.components();
    if parts.clone().next().is_none() || !parts.clone().all(|part| matches!(part, Component::Normal(_))) {
        return Err(elsewhere());
    }
    let mut places = vec![(suite.tree.as_path(), suite.tree.join(output))];
    if parts.next() == Some(Component::Normal("target".as_ref())) && !parts.as_path().as_os_str().is_empty() {
        places.push((suite.target.as_path(), suite.target.join(parts.as_path())));
    }
    // The commit may hold symbolic links that lead out of its folder; what is removed must be ours.
    if places.iter().all(|(root, place)| stays_within(root, place)) {
        Ok(places.into_iter().map(|(_, place)| place).collect())
    } else {
        Err(elsewhere())
    }
}

/// Whether the deepest folder on the way to `place` that is there at all stands in `root`.
fn stays_within(root: &Path, place: &Path) -> bool {
    let Ok(root) = root.canonicalize() else { return true };
    let mut folders = place.ancestors().skip(1);
    folders.find_map(|folder| folder.canonicalize().ok()).is_none_or(|folder| folder.starts_with(root))
}

/// Removes old results, so that a process that writes none is not taken for one that did.
pub(super) fn clear(places: &[PathBuf]) -> Result<(), CommandError> {
    for place in places {
        let removed = match fs::symlink_metadata(place) {
            Ok(data) if data.is_dir() => fs::remove_dir_all(place),
            Ok(_) => fs::remove_file(place),
            Err(error) => Err(error),
        };
        match removed {
            Err(source) if !matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(CommandError::OldOutput { path: place.clone(), source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Hands what stands at the first place that holds something to the parser.
pub(super) fn read(
    places: &[PathBuf],
    most_bytes: u64,
    parse: &Parse<'_>,
) -> Result<BTreeMap<BenchmarkName, Outcome>, String> {
    let found = places.iter().find_map(|place| Some((place, fs::symlink_metadata(place).ok()?)));
    match found {
        None => Err("it wrote none where they should be".to_owned()),
        Some((place, data)) if data.is_dir() => parse(Results::Folder(place)),
        Some((place, data)) if data.is_file() => parse(Results::Bytes(&bytes(place, most_bytes)?)),
        Some(_) => Err("it left neither a file nor a folder".to_owned()),
    }
}

fn bytes(file: &Path, most_bytes: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(file).map_err(|error| error.to_string())?;
    file.take(most_bytes + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most_bytes { Err(format!("more than {most_bytes} bytes")) } else { Ok(bytes) }
}
