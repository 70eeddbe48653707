//! What a gate needs around it: a repository of two commits, and busy neighbours.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The argument by which this program is one of the busy neighbours.
pub(crate) const SPIN: &str = "--spin";

/// How a gate is asked.
pub(crate) struct Wish<'a> {
    pub(crate) filter: &'a str,
    pub(crate) budget: &'a str,
    pub(crate) seed: u64,
}

/// A repository whose head does a known percentage more than its base.
pub(crate) struct World {
    folder: Folder,
    tachograph: PathBuf,
}

impl World {
    pub(crate) fn new(this: &Path, percent: f64, limit: f64) -> Result<World, Box<dyn Error>> {
        let folder = Folder::new()?;
        let tachograph = this.parent().and_then(Path::parent).ok_or("no folder above this program")?.join("tachograph");
        let worker = this.to_str().ok_or("this program's path is no UTF-8")?;
        let config = format!(
            "false_reds = \"1 in 1000\"\n[suite.truth]\nworker = [{worker:?}, \"--worker\"]\n[[policy]]\nlimit = \"{limit} %\"\nwiden = false\n",
        );
        fs::write(folder.0.join("tachograph.toml"), config)?;
        git(&folder.0, &["init", "--quiet", "-b", "main"])?;
        for percent in [0.0, percent] {
            fs::write(folder.0.join("percent"), percent.to_string())?;
            git(&folder.0, &["add", "."])?;
            let author = ["-c", "user.name=truth", "-c", "user.email=truth@localhost"];
            git(&folder.0, &[&author[..], &["commit", "--quiet", "--allow-empty", "-m", "the work"]].concat())?;
        }
        Ok(World { folder, tachograph })
    }

    /// What the gate says of each benchmark, and the whole of its answer.
    pub(crate) fn gate(&self, wish: &Wish<'_>) -> Result<Value, Box<dyn Error>> {
        let folder = &self.folder.0;
        // A store of its own for each, so that no duel learns from another or goes on with it.
        let store = folder.join(format!("{}.db", wish.seed));
        let ended = Command::new(&self.tachograph)
            .current_dir(folder)
            .args(["gate", "--measure-anyway", "--base", "HEAD~1", "--head", "HEAD", "--format", "json"])
            .args(["--filter", wish.filter, "--budget", wish.budget, "--seed", &wish.seed.to_string(), "--store"])
            .args([&store, Path::new("--cache"), &folder.join(".cache")])
            .output()?;
        let error = || format!("duel {}: {}: {}", wish.seed, ended.status, String::from_utf8_lossy(&ended.stderr));
        Ok(serde_json::from_slice(&ended.stdout).map_err(|_| error())?)
    }
}

fn git(folder: &Path, args: &[&str]) -> Result<(), Box<dyn Error>> {
    let ended = Command::new("git").current_dir(folder).args(args).status()?;
    if ended.success() { Ok(()) } else { Err(format!("git {args:?}: {ended}").into()) }
}

/// A folder that goes when this does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Folder> {
        let path = std::env::temp_dir().join(format!("tachograph-truth-{}", std::process::id()));
        fs::create_dir(&path).map(|()| Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that computes; it ends when its input does.
pub(crate) struct Busy(Child);

impl Busy {
    pub(crate) fn new(this: &Path) -> std::io::Result<Busy> {
        Command::new(this).arg(SPIN).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().map(Busy)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
