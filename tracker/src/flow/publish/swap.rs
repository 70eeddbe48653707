//! Writing a folder beside its place and swapping it in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::kept::MEMORY;
use crate::failure::{Classify, Failure, Outcome};

/// Where a site is to stand.
#[derive(Debug)]
pub(super) struct Place {
    out: PathBuf,
}

impl Place {
    /// A place that is free, or holds a site. Anything else is somebody's folder and is refused.
    pub(super) fn open(out: &Path) -> Outcome<Place> {
        let out = std::path::absolute(out).or_usage(format_args!("{} is no folder to write to", out.display()))?;
        match fs::read_dir(&out) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).or_environment(format_args!("reading {}", out.display())),
            Ok(mut entries) => {
                if entries.next().is_some() && !out.join(MEMORY).is_file() {
                    let failure = Failure::usage(anyhow!("{} holds something else than a site", out.display()));
                    return Err(failure.hint("give a folder that is empty, or not there yet, with --out"));
                }
            }
        }
        Ok(Place { out })
    }

    /// Begins the new site, in a folder beside the place.
    pub(super) fn begin(&self) -> Outcome<Half> {
        let parent = self.out.parent().ok_or_else(|| Failure::usage(anyhow!("a site cannot stand at the root")))?;
        fs::create_dir_all(parent).or_environment(format_args!("making {}", parent.display()))?;
        let mut name = std::ffi::OsString::from(".");
        name.push(self.out.file_name().unwrap_or_default());
        name.push(format!(".{}.half", std::process::id()));
        let path = parent.join(name);
        // Nobody else has this process's number; what is there was left by one that is gone.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).or_environment(format_args!("making {}", path.display()))?;
        Ok(Half { path, out: self.out.clone() })
    }
}

/// A site on its way to its place. Dropped before that, or after, it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Half {
    path: PathBuf,
    out: PathBuf,
}

impl Half {
    /// Where to write.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts the site in its place at one stroke; what stood there goes.
    pub(super) fn swap_in(self) -> Outcome<()> {
        let swap = || -> io::Result<()> {
            if self.out.exists() { exchange(&self.path, &self.out) } else { fs::rename(&self.path, &self.out) }
        };
        swap().or_environment(format_args!("putting the site at {}", self.out.display()))
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        // The old site, or half of a new one.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Two folders change places. Where the system cannot do that at one stroke, the old one is moved away first.
fn exchange(new: &Path, old: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    let away = new.with_extension("old");
    fs::rename(old, &away)?;
    fs::rename(new, old)?;
    fs::rename(&away, new)
}

/// Takes a page over from the old site: a second name for the same file, or a copy where that cannot be. Says whether it is
/// there now.
pub(super) fn take_over(from: &Path, to: &Path) -> bool {
    fs::hard_link(from, to).is_ok() || fs::copy(from, to).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_site_takes_the_place_of_the_old_one_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("deep/site");
        for text in ["one", "two"] {
            let half = Place::open(&out).unwrap().begin().unwrap();
            fs::write(half.path().join(MEMORY), text).unwrap();
            half.swap_in().unwrap();
            assert_eq!(fs::read_to_string(out.join(MEMORY)).unwrap(), text);
        }
        assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
        let refused = Place::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("something else than a site") && refused.contains("--out"), "{refused}");
    }

    #[test]
    fn a_site_that_is_given_up_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("site");
        let begun = |text| {
            let half = Place::open(&out).unwrap().begin().unwrap();
            fs::write(half.path().join(MEMORY), text).unwrap();
            half
        };
        begun("one").swap_in().unwrap();
        drop(begun("two"));
        assert_eq!(fs::read_to_string(out.join(MEMORY)).unwrap(), "one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
