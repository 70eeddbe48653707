//! Benchmarks in JavaScript and C++: what a suite must be told of them, as far as their own files tell it.

use std::path::Path;

use super::found::{Found, plain, quoted, text};

/// The suite of a `package.json`, where its harness writes results that are understood and a lock file says what it needs.
pub(super) fn node(root: &Path, file: &Path, found: &mut Found) {
    let manifest: serde_json::Value = serde_json::from_str(&text(root, file)).unwrap_or_default();
    let has = |tool: &str| ["dependencies", "devDependencies"].iter().any(|key| manifest[key].get(tool).is_some());
    let Some(tool) = ["vitest", "mitata", "tinybench", "benchmark"].into_iter().find(|tool| has(tool)) else { return };
    let folder = file.parent().unwrap_or(Path::new(""));
    let script = manifest["scripts"]["bench"].is_string();
    let (command, format) = match tool {
        "vitest" => (
            r#"["npx", "--no-install", "vitest", "bench", "--run", "--outputJson", ".tachograph-result.json"]"#,
            "vitest",
        ),
        "benchmark" if script => (r#"["npm", "run", "--silent", "bench"]"#, "benchmarkjs"),
        _ => {
            found.remarks.push(format!(
                "{} uses {tool}: say in a suite what command writes its results (`command`, `format = \"{tool}\"`, `output`)",
                file.display()
            ));
            return;
        }
    };
    if !root.join(folder).join("package-lock.json").is_file() {
        found.remarks.push(format!(
            "{} uses {tool}, and no package-lock.json beside it says what to install: commit one, or say in a suite what \
             builds it",
            file.display()
        ));
        return;
    }
    let mut keys = vec![
        r#"build = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]"#.to_owned(),
        format!("command = {command}"),
        format!("format = \"{format}\""),
    ];
    if format == "vitest" {
        keys.push(r#"output = ".tachograph-result.json""#.to_owned());
    }
    if folder != Path::new("") {
        keys.push(format!("folder = {}", quoted(&folder.display().to_string())));
    }
    found.add("node", &format!("the {tool} benchmarks of {}", file.display()), keys);
}

/// The suites of a `CMakeLists.txt`: each executable that links Google Benchmark.
pub(super) fn cpp(root: &Path, file: &Path, found: &mut Found) {
    let text = text(root, file);
    let code: String = text.lines().map(|line| line.split('#').next().unwrap_or_default().to_owned() + "\n").collect();
    let folder = file.parent().unwrap_or(Path::new(""));
    for (call, arguments) in calls(&code) {
        let mut words = arguments.split_whitespace();
        let (Some(name), true) = (words.next(), call == "target_link_libraries") else { continue };
        // A name that is put together from variables only cmake knows.
        let is_plain = name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign));
        if !words.any(|word| word.starts_with("benchmark::benchmark")) || !is_plain {
            continue;
        }
        // What the top folder's file takes in is built from there.
        let (source, below) =
            if root.join("CMakeLists.txt").is_file() { (Path::new("."), folder) } else { (folder, Path::new("")) };
        let program = Path::new("{target}/cmake").join(below).join(name);
        let quote = |path: &Path| quoted(&path.display().to_string());
        let keys = vec![
            r#"recipe = "google-benchmark""#.to_owned(),
            format!(
                "build = [\n    [\"cmake\", \"-S\", {}, \"-B\", \"{{target}}/cmake\", \"-DCMAKE_BUILD_TYPE=Release\"],\n    \
                 [\"cmake\", \"--build\", \"{{target}}/cmake\", \"--target\", {}],\n]",
                quote(source),
                quoted(name)
            ),
            format!("program = {}", quote(&program)),
        ];
        found.add(&plain(name), &format!("{name}, with Google Benchmark"), keys);
    }
    if code.contains("Catch2::") {
        found.remarks.push(format!(
            "{} builds tests with Catch2: if there are benchmarks among them, say in a suite what builds and what runs \
             them (`build`, `command`, `format = \"catch2-xml\"`)",
            file.display()
        ));
    }
}

/// The calls in a file of cmake's: the name of each command, in lower case, and what stands in its brackets.
fn calls(code: &str) -> impl Iterator<Item = (String, &str)> {
    code.match_indices('(').filter_map(|(at, _)| {
        let name = code[..at].trim_end().rsplit(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').next()?;
        let arguments = code[at + 1..].split(')').next()?;
        Some((name.to_ascii_lowercase(), arguments))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_a_cmake_file_are_told_with_their_arguments() {
        let all: Vec<_> = calls("project(x)\nTarget_Link_Libraries(bench\n  PRIVATE benchmark::benchmark)\n").collect();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].0, "target_link_libraries");
        assert_eq!(all[1].1.split_whitespace().next(), Some("bench"));
    }
}
