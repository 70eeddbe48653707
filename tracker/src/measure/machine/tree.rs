//! The files in which the kernel tells of itself, under a root that tests can choose.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The most that is read of one file: `/proc/cpuinfo` of a thousand processors and some.
const MOST_BYTES: u64 = 4 << 20;

/// A file system of the kernel's.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// This machine's.
    pub(super) fn here() -> Tree {
        Tree::at("/")
    }

    /// One that looks like a machine's.
    pub(super) fn at(root: impl Into<PathBuf>) -> Tree {
        Tree { root: root.into() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// A file's text, trimmed; none if it cannot be read or is empty.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let mut bytes = Vec::new();
        File::open(self.path(path)).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// A file that holds one number or word.
    pub(super) fn value<T: FromStr>(&self, path: &str) -> Option<T> {
        self.text(path)?.parse().ok()
    }

    /// A file that holds a switch: `0` or `1`.
    pub(super) fn switch(&self, path: &str) -> Option<bool> {
        match self.text(path)?.as_str() {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    /// Whether there is such a file or folder.
    pub(super) fn exists(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    /// The names in a folder, in order.
    pub(super) fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// A field of the form `name : value`, the first of that name in a file.
    pub(super) fn field(&self, path: &str, name: &str) -> Option<String> {
        let text = self.text(path)?;
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        let mut values = fields.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned());
        values.next()
    }

    /// The control group's file of that name that applies to us: in our group or the nearest above that has it.
    pub(super) fn control(&self, version: Control, name: &str) -> Option<String> {
        let groups = self.text("proc/self/cgroup")?;
        let (mount, group) = groups.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':');
            let (_, controllers, group) = (parts.next()?, parts.next()?, parts.next()?);
            match version {
                Control::Unified if controllers.is_empty() => Some(("sys/fs/cgroup".to_owned(), group)),
                Control::Legacy(wanted) if controllers.split(',').any(|name| name == wanted) => {
                    Some((format!("sys/fs/cgroup/{wanted}"), group))
                }
                _ => None,
            }
        })?;
        let group = Path::new(group.trim_start_matches('/'));
        // A container sees the path of its host but the files of its own group at the top.
        group.ancestors().find_map(|group| self.text(&format!("{mount}/{}/{name}", group.display())))
    }
}

/// The two generations of control groups.
#[derive(Debug, Clone, Copy)]
pub(super) enum Control {
    /// One tree for all controllers.
    Unified,
    /// A tree for the named controller.
    Legacy(&'static str),
}

#[cfg(test)]
pub(super) mod fake {
    use super::*;

    /// A tree with these files.
    pub(in super::super) fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let tree = Tree::at(folder.path());
        (folder, tree)
    }
}
