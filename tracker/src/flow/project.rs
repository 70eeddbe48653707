//! The project that a verb works for: its repository, its configuration, its store, and the cache folder for builds.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::config::{Config, FILE_NAME};
use crate::domain::{Subject, hex};
use crate::failure::{Classify, Failure, Outcome};
use crate::repo::{Absent, Bench, Repository};

/// A repository with what Tachograph needs to know of it.
pub struct Project {
    /// The repository.
    pub repository: Repository,
    cache: PathBuf,
    /// A configuration that stands in for that of every commit.
    config: Option<PathBuf>,
}

impl Project {
    /// Opens the project that `start` lies in. `cache` is where builds are kept, `config` a file that is used instead of
    /// each commit's own.
    pub fn open(start: &Path, cache: Option<PathBuf>, config: Option<PathBuf>) -> Outcome<Project> {
        let repository = Repository::discover(start)?;
        let cache = cache.or_else(default_cache).unwrap_or_else(|| repository.root().join(".tachograph/cache"));
        let digest = Sha256::digest(repository.address().as_os_str().as_encoded_bytes());
        let cache = std::path::absolute(cache.join(&hex(&digest)[..16])).or_environment("finding the cache folder")?;
        Ok(Project { repository, cache, config })
    }

    /// Where commits are laid out.
    pub fn bench(&self) -> Outcome<Bench> {
        Ok(Bench::open(&self.cache.join("worktrees"))?)
    }

    /// The configuration under which `subject` is measured: the one given by hand; else that of the commit, or of the
    /// working tree if that is measured; else, for commits older than the configuration, that of the working copy.
    pub fn config_of(&self, subject: &Subject) -> Outcome<Config> {
        let commit = subject.commit();
        let found = match self.own_config(subject)? {
            None => self.config_here()?,
            found => found,
        };
        found.ok_or_else(|| {
            Failure::usage(anyhow::anyhow!(
                "no {FILE_NAME}, neither in commit {} nor in {}",
                commit.id.short(),
                self.repository.root().display()
            ))
            .hint(EXAMPLE)
        })
    }

    /// The configuration given by hand; else that of the commit, or of the working tree if that is measured; none if
    /// there is none.
    pub fn own_config(&self, subject: &Subject) -> Outcome<Option<Config>> {
        if let Some(path) = &self.config {
            let text = fs::read_to_string(path).or_usage(format!("reading {}", path.display()))?;
            return parse(&text, &path.display().to_string()).map(Some);
        }
        if subject.is_dirty() {
            return self.config_here();
        }
        let commit = subject.commit();
        let Some(bytes) = self.repository.file(&commit.id, FILE_NAME)? else { return Ok(None) };
        parse(&String::from_utf8_lossy(&bytes), &format!("{FILE_NAME} of {}", commit.id.short())).map(Some)
    }

    /// The configuration in the working copy.
    fn config_here(&self) -> Outcome<Option<Config>> {
        let path = self.repository.root().join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => parse(&text, &path.display().to_string()).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).or_usage(format!("reading {}", path.display())),
        }
    }
}

/// What the project says it can do without.
#[must_use]
pub fn absent(config: &Config) -> Absent {
    Absent { submodules: config.build.submodules_may_be_empty, lfs: config.build.lfs_may_be_pointers }
}

const EXAMPLE: &str = "write one that says what to measure, such as
    [suite.mine]
    cargo = { package = \"my-crate\", bench = \"suite\" }    # a bench target that links tachograph-harness
  or
    [suite.mine]
    worker = [\"python3\", \"bench/worker.py\"]              # any program that speaks the worker protocol";

fn parse(text: &str, place: &str) -> Outcome<Config> {
    Config::parse(text).or_usage(format!("reading {place}"))
}

fn default_cache() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("tachograph"))
}
