//! What benchmarks a repository has, by the files that say so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::elsewhere;
use super::found::{Found, plain, quoted, text};
use crate::failure::{Classify, Outcome};

/// How deep and how widely is looked.
const MOST_DEPTH: usize = 6;
const MOST_FILES: usize = 20_000;

/// Folders that hold others' code, or what was built.
const SKIPPED: [&str; 8] = ["target", "node_modules", "vendor", "venv", "dist", "build", "third_party", "__pycache__"];

/// The Rust harnesses that are known, each by the crate that a bench links.
const CRATES: [(&str, &str); 5] = [
    ("tachograph-harness", "cargo"),
    ("criterion", "criterion"),
    ("codspeed-criterion-compat", "criterion"),
    ("divan", "divan"),
    ("codspeed-divan-compat", "divan"),
];

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
            "package.json" => elsewhere::node(root, file, &mut found),
            "CMakeLists.txt" => elsewhere::cpp(root, file, &mut found),
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
        if names("gungraun") || names("iai-callgrind") {
            let what = format!("bench {} of package {}", bench.name, package.name);
            found
                .remarks
                .push(format!("{what} counts with gungraun: its results can be taken in with `tachograph import`"));
            continue;
        }
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

fn has_extension(file: &Path, wanted: &str) -> bool {
    file.extension().is_some_and(|extension| extension == wanted)
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
