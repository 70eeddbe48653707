//! Looking at a repository and writing what makes it measured: a configuration, and workflows where the host takes such.
//!
//! Nothing is run, and no file that is there is changed. What was found goes into the configuration as suites; what is
//! found and cannot be measured without a person's word is said.

mod look;
mod write;

use std::path::{Path, PathBuf};

pub use look::{Found, look};

use crate::config::FILE_NAME;
use crate::failure::{Classify, Failure, Outcome};

/// Where workflows stand, and what they are called.
const WORKFLOWS: [&str; 2] = [".github/workflows/tachograph.yml", ".github/workflows/tachograph-report.yml"];

/// Where the jobs for GitLab stand.
const GITLAB: &str = ".gitlab/tachograph.yml";

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The files, seen from the top folder.
    pub files: Vec<PathBuf>,
    /// What the reader should know.
    pub remarks: Vec<String>,
}

/// Writes what was found, all of it or nothing.
pub fn init(root: &Path, branch: &str) -> Outcome<Written> {
    if let Some(there) =
        [FILE_NAME, GITLAB].iter().chain(&WORKFLOWS).find(|name| root.join(name).symlink_metadata().is_ok())
    {
        return Err(Failure::usage(anyhow::anyhow!("{there} is there already, and nothing is overwritten"))
            .hint("edit it, or move it away first"));
    }
    let found = look(root)?;
    if found.suites.is_empty() {
        if !found.remarks.is_empty() {
            let failure =
                Failure::usage(anyhow::anyhow!("no benchmarks were found here that can be measured as they are"));
            let place = write::address("README.md#the-benchmarks-that-you-have");
            return Err(failure.hint(format!("{}; {place} has examples", found.remarks.join("; "))));
        }
        let [rust, any] = ["tracker/harness/README.md", "tracker/harness/PROTOCOL.md"].map(write::address);
        return Err(Failure::usage(anyhow::anyhow!("no benchmarks were found here"))
            .hint(format!("write some first: {rust} shows how in Rust, and any program can speak {any}")));
    }
    let mut remarks = found.remarks.clone();
    let mut files = vec![(FILE_NAME, write::configuration(&found))];
    if root.join(".gitlab-ci.yml").exists() && !root.join(".github").exists() {
        files.push((GITLAB, write::gitlab()));
        remarks.push(format!("include {GITLAB} in .gitlab-ci.yml; its head says how, and what token it needs"));
    } else {
        files.push((WORKFLOWS[0], write::workflow(branch, &found)));
        files.push((WORKFLOWS[1], write::report_workflow()));
    }
    for (name, text) in &files {
        let place = root.join(name);
        let folder = place.parent().unwrap_or(root);
        std::fs::create_dir_all(folder).or_environment(format_args!("making {}", folder.display()))?;
        let mut file = std::fs::File::create_new(&place).or_environment(format_args!("writing {}", place.display()))?;
        std::io::Write::write_all(&mut file, text.as_bytes()).or_environment("writing a file")?;
    }
    Ok(Written { files: files.into_iter().map(|(name, _)| PathBuf::from(name)).collect(), remarks })
}
