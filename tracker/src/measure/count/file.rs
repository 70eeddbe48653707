//! Callgrind's file, as far as it tells how much was counted: parts, each with a trigger and a total.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;

/// The trigger of a part that the harness asked for.
const MARK: &str = "desc: Trigger: Client Request: tachograph";

/// No file of ours is longer; a worker might make it so.
const MOST_BYTES: u64 = 1 << 30;

/// The totals of the parts that the worker asked for, in order.
pub(super) fn marked(place: &Path) -> io::Result<Vec<u64>> {
    let parts = parts(BufReader::new(File::open(place)?))?;
    Ok(parts.into_iter().filter(|part| part.is_marked).map(|part| part.total).collect())
}

/// What was counted in all.
pub(super) fn whole(place: &Path) -> io::Result<u64> {
    let parts = parts(BufReader::new(File::open(place)?))?;
    let sum = parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.total));
    sum.filter(|sum| *sum > 0).ok_or_else(|| wrong("it has no total"))
}

struct Part {
    is_marked: bool,
    total: u64,
}

/// A part begins with what triggered it and ends with its total.
fn parts(file: impl BufRead) -> io::Result<Vec<Part>> {
    let (mut parts, mut is_marked) = (Vec::new(), false);
    for line in file.take(MOST_BYTES).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if line.starts_with("desc: Trigger:") {
            is_marked = line.trim_end() == MARK;
        } else if let Some(total) = line.strip_prefix("totals:") {
            let total = total.trim().parse().map_err(|_| wrong("a total is no number"))?;
            parts.push(Part { is_marked: std::mem::take(&mut is_marked), total });
        }
    }
    Ok(parts)
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_that_the_worker_asked_for_are_told_from_the_last_one() {
        let text = "part: 1\ndesc: Trigger: Client Request: tachograph\nevents: Ir\nsummary: 0\nfn=(1) x\n0 6006\n\ntotals: 6006\n\
                    part: 2\ndesc: Trigger: Client Request: other\ntotals: 5\n\
                    part: 3\ndesc: Trigger: Client Request: tachograph\ntotals: 12006\n\
                    part: 4\ndesc: Trigger: Program termination\ntotals: 3\n";
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out.7");
        std::fs::write(&place, text).unwrap();
        assert_eq!(marked(&place).unwrap(), [6006, 12_006]);
        assert_eq!(whole(&place).unwrap(), 18_020);
        for wrong in ["", "totals: many\n", "totals: 0\n"] {
            std::fs::write(&place, wrong).unwrap();
            assert!(whole(&place).is_err(), "{wrong}");
        }
        assert!(marked(&folder.path().join("none")).is_err());
    }
}
