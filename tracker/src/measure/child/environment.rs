//! The environment that a child gets: an allow-list, never what happens to be there.
//!
//! That keeps a secret out of the child, its children, their crash reports and their output. It is no wall against code
//! that looks for secrets: on most systems a process may read the environment that another process of the same user was
//! started with, the tracker's and that of the shell above it too. Where untrusted code is measured, the job must hold
//! no secret.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// What every child may see. No user name, no token, no path of a CI job's files.
const EVERYONE: [&str; 5] = ["PATH", "HOME", "LANG", "TMPDIR", "TZ"];

/// Where toolchains stand, for builds, and for commands that find their program through one (`go test`, `pytest`).
const TOOLCHAINS: [&str; 14] = [
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOROOT",
    "GOPATH",
    "GOCACHE",
    "GOMODCACHE",
    "GOTOOLCHAIN",
    "JAVA_HOME",
    "VIRTUAL_ENV",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "SDKROOT",
    "DEVELOPER_DIR",
];

/// What no child gets, not even by name: through these a child speaks to the CI system in the job's place.
const NEVER: [&str; 8] = [
    "GITHUB_ENV",
    "GITHUB_OUTPUT",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
];

/// Asks the allocator of a worker that is linked with glibc to have its large pieces made of huge pages, where the system
/// leaves that to programs. Where a worker's small pages happen to land makes lives of one program differ by a percent or
/// two in what streams through memory.
const HUGE_PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

/// Why a variable cannot be passed on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// It lets a child act as the CI job.
    #[error("{0} cannot be passed to a build: with it a build could act in the CI job's place")]
    Refused(String),
    /// It is no name of a variable.
    #[error("{0:?} is no name of an environment variable")]
    NoName(String),
}

/// The variables of a child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    /// Those that were passed by name and may be secret.
    passed: Vec<OsString>,
}

impl Environment {
    /// For a worker: what every program needs, and nothing else, and huge pages for its heap.
    #[must_use]
    pub fn worker() -> Environment {
        let (name, value) = HUGE_PAGES;
        Environment::of_worker(std::env::vars_os()).with(name, value)
    }

    /// For a measured command: a worker's, and where the toolchains stand.
    #[must_use]
    pub fn command() -> Environment {
        Environment::of_command(std::env::vars_os())
    }

    /// For a build: a command's, and the variables that the configuration names, as far as they are set.
    pub fn build(pass: &[String]) -> Result<Environment, EnvironmentError> {
        Environment::of_build(std::env::vars_os(), pass)
    }

    fn of_worker(all: impl Iterator<Item = (OsString, OsString)>) -> Environment {
        Environment::chosen(all, |name| EVERYONE.contains(&name) || name.starts_with("LC_"))
    }

    fn of_command(all: impl Iterator<Item = (OsString, OsString)>) -> Environment {
        let chosen = |name: &str| EVERYONE.contains(&name) || name.starts_with("LC_") || TOOLCHAINS.contains(&name);
        Environment::chosen(all, chosen)
    }

    fn of_build(
        all: impl Iterator<Item = (OsString, OsString)>,
        pass: &[String],
    ) -> Result<Environment, EnvironmentError> {
        for name in pass {
            if NEVER.contains(&name.as_str()) {
                return Err(EnvironmentError::Refused(name.clone()));
            }
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(EnvironmentError::NoName(name.clone()));
            }
        }
        let (named, rest): (Vec<_>, Vec<_>) =
            all.partition(|(name, _)| pass.iter().any(|wanted| name == OsStr::new(wanted)));
        let mut environment = Environment::of_command(rest.into_iter());
        for (name, value) in named {
            environment.passed.push(name.clone());
            environment.variables.insert(name, value);
        }
        Ok(environment)
    }

    fn chosen(all: impl Iterator<Item = (OsString, OsString)>, keep: impl Fn(&str) -> bool) -> Environment {
        let variables = all.filter(|(name, _)| name.to_str().is_some_and(&keep)).collect();
        Environment { variables, passed: Vec::new() }
    }

    /// Adds or replaces a variable that the tracker itself decides, such as a target directory.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Environment {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// What was taken apart by [`Environment::into_variables`].
    pub(super) fn of_variables(variables: Vec<(OsString, OsString)>) -> Environment {
        Environment { variables: variables.into_iter().collect(), passed: Vec::new() }
    }

    /// The variables alone, to be sent elsewhere.
    pub(super) fn into_variables(self) -> Vec<(OsString, OsString)> {
        self.variables.into_iter().collect()
    }

    /// The variables, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// One variable.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The variables that were passed by name: what a child prints of their values is not for keeping.
    pub(super) fn passed(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.passed.iter().filter_map(|name| Some((name.as_os_str(), self.variables.get(name)?.as_os_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (OsString, OsString)> {
        [
            ("PATH", "/bin"),
            ("LC_TIME", "C"),
            ("USER", "ada"),
            ("GITHUB_TOKEN", "secret-1"),
            ("GITHUB_ENV", "/tmp/env"),
            ("CARGO_HOME", "/cargo"),
            ("CARGO_REGISTRY_TOKEN", "secret-2"),
            ("REGISTRY", "internal"),
        ]
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
    }

    fn names(environment: &Environment) -> Vec<&str> {
        environment.variables().map(|(name, _)| name.to_str().unwrap()).collect()
    }

    #[test]
    fn a_child_sees_only_what_is_allowed() {
        assert_eq!(names(&Environment::of_worker(all())), ["LC_TIME", "PATH"]);
        assert_eq!(names(&Environment::of_command(all())), ["CARGO_HOME", "LC_TIME", "PATH"]);
    }

    #[test]
    fn a_build_sees_the_named_variables_that_are_set() {
        let pass = ["REGISTRY".to_owned(), "ABSENT".to_owned()];
        let environment = Environment::of_build(all(), &pass).unwrap();
        assert_eq!(names(&environment), ["CARGO_HOME", "LC_TIME", "PATH", "REGISTRY"]);
        assert_eq!(environment.passed().collect::<Vec<_>>(), [(OsStr::new("REGISTRY"), OsStr::new("internal"))]);
    }

    #[test]
    fn what_speaks_for_the_ci_job_is_refused_even_by_name() {
        let refused = Environment::of_build(all(), &["GITHUB_ENV".to_owned()]);
        assert_eq!(refused, Err(EnvironmentError::Refused("GITHUB_ENV".to_owned())));
        assert_eq!(Environment::of_build(all(), &["A=B".to_owned()]), Err(EnvironmentError::NoName("A=B".to_owned())));
    }
}
