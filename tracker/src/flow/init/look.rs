//! What benchmarks a repository has, by the files that say so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::{Classify, Outcome};

/// The largest file that is looked into.
const MOST_BYTES: u64 = 1 << 20;

/// How deep and how widely is looked.
const MOST_DEPTH: usize = 6;
const MOST_FILES: usize = 20_000;

/// Folders that hold others' code, or what was built.
const SKIPPED: [&str; 8] = ["target", "node_modules", "vendor", "venv", "dist", "build", "third_party", "__pycache__"];

/// The Rust harnesses that are known, each by the crate that a bench links.
const CRATES: [(&str, &str); 7] = [
    ("tachograph-harness", "cargo"),
    ("criterion", "criterion"),
    ("codspeed-criterion-compat", "criterion"),
    ("divan", "divan"),
    ("codspeed-divan-compat", "divan"),
    ("gungraun", "gungraun"),
    ("iai-callgrind", "gungraun"),
];

/// A suite that can be measured as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub what: String,
    /// Its keys in the configuration.
    pub keys: Vec<String>,
    /// Seconds for measuring it: more where every process starts slowly.
    pub budget_s: u32,
}

/// What a suite gets whose processes start fast, and what one gets whose do not.
const BUDGET_S: u32 = 60;
const SLOW_BUDGET_S: u32 = 180;

/// What a repository has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// What can be measured.
    pub suites: Vec<Suite>,
    /// What was seen and needs a person.
    pub remarks: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Manifest {
    package: Option<Package>,
    #[serde(default)]
    bench: Vec<Bench>,
    #[serde(default, rename = "dev-dependencies")]
    dev: BTreeMap<String, toml::Value>,
    #[serde(default)]
    dependencies: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Bench {
    name: String,
    path: Option<String>,
    #[serde(default = "yes")]
    harness: bool,
}

fn yes() -> bool {
    true
}

/// Looks, and runs nothing.
pub fn look(root: &Path) -> Outcome<Found> {
    let mut files = Vec::new();
    walk(root, Path::new(""), 0, &mut files).or_environment("looking at the repository")?;
    files.sort();
    let mut found = Found::default();
    let mut go = std::collections::BTreeSet::new();
    let mut python = false;
    for file in &files {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let folder = file.parent().unwrap_or(Path::new(""));
        match name {
            "Cargo.toml" => cargo(root, file, &mut found),
            "package.json" => node(root, file, &files, &mut found),
            "asv.conf.json" => {
                let keys = vec![r#"recipe = "asv""#.to_owned()];
                found.add_slow(("asv", "the benchmarks that asv runs, on the python3 that is there"), file, keys);
            }
            "CMakeLists.txt" => cpp(root, file, &mut found),
            _ if name.ends_with("_test.go") && text(root, file).contains("func Benchmark") => {
                go.insert(folder.to_owned());
            }
            _ if name.starts_with("test_") && has_extension(file, "py") => {
                python |= text(root, file).contains("benchmark(") || text(root, file).contains("benchmark.pedantic");
            }
            _ => {}
        }
    }
    for folder in go {
        found.go(&folder);
    }
    if python {
        found.add("python", "the tests that use pytest-benchmark", vec![r#"recipe = "pytest-benchmark""#.to_owned()]);
    }
    Ok(found)
}

impl Found {
    /// A name that no other suite has.
    fn add(&mut self, name: &str, what: &str, keys: Vec<String>) {
        let taken = |name: &str| self.suites.iter().any(|suite| suite.name == name);
        let mut free = name.to_owned();
        for number in 2..=self.suites.len() + 1 {
            if !taken(&free) {
                break;
            }
            free = format!("{name}-{number}");
        }
        let name = free;
        self.suites.push(Suite { name, what: what.to_owned(), keys, budget_s: BUDGET_S });
    }

    /// The same, of a harness that starts slowly, in the folder of the file that configures it.
    fn add_slow(&mut self, (name, what): (&str, &str), file: &Path, mut keys: Vec<String>) {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        keys.extend(folder.map(|folder| format!("folder = {}", quoted(&folder.display().to_string()))));
        let place = folder.map_or_else(|| "the top folder".to_owned(), |folder| folder.display().to_string());
        self.add(name, &format!("{what} of {place}"), keys);
        if let Some(suite) = self.suites.last_mut() {
            suite.budget_s = SLOW_BUDGET_S;
        }
    }

    fn go(&mut self, folder: &Path) {
        let shown = folder.display().to_string();
        let (name, keys) = if shown.is_empty() {
            ("go".to_owned(), vec![r#"recipe = "go""#.to_owned()])
        } else {
            (
                format!("go-{}", plain(&shown)),
                vec![r#"recipe = "go""#.to_owned(), format!("folder = {}", quoted(&shown))],
            )
        };
        let place = if shown.is_empty() { "the top folder".to_owned() } else { shown };
        self.add(&name, &format!("the Go benchmarks of {place}"), keys);
    }
}

/// Each bench target by the crate that it names.
fn cargo(root: &Path, file: &Path, found: &mut Found) {
    let Ok(manifest) = toml::from_str::<Manifest>(&text(root, file)) else {
        found.remarks.push(format!("{} cannot be read as TOML", file.display()));
        return;
    };
    let Some(package) = manifest.package else { return };
    let folder = file.parent().unwrap_or(Path::new(""));
    for bench in manifest.bench.iter().filter(|bench| !bench.harness) {
        let own = bench.path.clone().unwrap_or_else(|| format!("benches/{}.rs", bench.name));
        let main = format!("benches/{}/main.rs", bench.name);
        let source = text(root, &folder.join(own)) + &text(root, &folder.join(main));
        let names = |name: &str| source.contains(&name.replace('-', "_"));
        let depends = |name: &str| manifest.dev.contains_key(name) || manifest.dependencies.contains_key(name);
        let known =
            CRATES.iter().find(|(name, _)| names(name)).or_else(|| CRATES.iter().find(|(name, _)| depends(name)));
        let target = format!("cargo = {{ package = {}, bench = {} }}", quoted(&package.name), quoted(&bench.name));
        let what = format!("bench {} of package {}", bench.name, package.name);
        match known {
            Some((_, "cargo")) => found.add(&plain(&bench.name), &what, vec![target]),
            Some((_, recipe)) => {
                found.add(
                    &plain(&bench.name),
                    &format!("{what}, with {recipe}"),
                    vec![format!("recipe = \"{recipe}\""), target],
                );
            }
            None => found.remarks.push(format!("{what} uses no harness that is known here")),
        }
    }
}

fn node(root: &Path, file: &Path, files: &[PathBuf], found: &mut Found) {
    let text = text(root, file);
    let folder = file.parent().unwrap_or(Path::new(""));
    let is_bench = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        file.starts_with(folder) && name.contains(".bench.")
    };
    if text.contains("\"vitest\"") && files.iter().any(is_bench) {
        let locked = files.iter().any(|file| *file == folder.join("package-lock.json"));
        let install = if locked { "ci" } else { "install" };
        let keys = vec![r#"recipe = "vitest""#.to_owned(), format!("build = [\"npm\", \"{install}\"]")];
        found.add_slow(("vitest", "the benchmarks that vitest runs"), file, keys);
        return;
    }
    if let Some(tool) =
        ["vitest", "tinybench", "mitata", "benchmark"].iter().find(|tool| text.contains(&format!("\"{tool}\"")))
    {
        found.remarks.push(format!(
            "{} uses {tool}: say in a suite what command runs its benchmarks (`command`, `format`, `output`)",
            file.display()
        ));
    }
}

fn cpp(root: &Path, file: &Path, found: &mut Found) {
    let text = text(root, file);
    if text.contains("benchmark::benchmark") || text.contains("Catch2") {
        found.remarks.push(format!(
            "{} builds C++ benchmarks: say in a suite what builds and what runs them (recipe = \"google-benchmark\")",
            file.display()
        ));
    }
}

fn has_extension(file: &Path, wanted: &str) -> bool {
    file.extension().is_some_and(|extension| extension == wanted)
}

/// A file's text; nothing where it is too large, is none, or is a link that may lead anywhere.
fn text(root: &Path, file: &Path) -> String {
    let place = root.join(file);
    match place.symlink_metadata() {
        Ok(about) if about.is_file() && about.len() <= MOST_BYTES => fs::read_to_string(place).unwrap_or_default(),
        _ => String::new(),
    }
}

fn walk(root: &Path, folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = entry.file_name();
        let shown = name.to_string_lossy();
        let kind = entry.file_type()?;
        if kind.is_file() && files.len() < MOST_FILES {
            files.push(folder.join(&name));
        } else if kind.is_dir() && depth < MOST_DEPTH && !shown.starts_with('.') && !SKIPPED.contains(&&*shown) {
            walk(root, &folder.join(&name), depth + 1, files)?;
        }
    }
    Ok(())
}

/// A text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A name of a suite, whatever stood there.
fn plain(text: &str) -> String {
    text.chars().map(|sign| if sign.is_ascii_alphanumeric() || sign == '_' { sign } else { '-' }).collect()
}
