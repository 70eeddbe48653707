//! Runs the steps of our composite actions as a host's runner does: what it fills in comes from a table, artifacts are
//! folders, and a cache is left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::yaml::{Yaml, parse};
use super::{Job, Step, top};

/// What a host knows of a run.
pub(super) type Context<'a> = [(&'a str, &'a str)];

impl Job<'_> {
    /// Runs an action of ours to its end, or to its first step that fails but for those that run in any case.
    pub(super) fn action(&self, name: &str, inputs: &Context<'_>, context: &Context<'_>) -> Step {
        let folder = top().join(".github/actions").join(name);
        let action = parse(&fs::read_to_string(folder.join("action.yml")).expect("an action"));
        let table = self.table(&action, inputs, context);
        let mut whole = Step { code: 0, said: String::new() };
        for step in action.get("runs").and_then(|runs| runs.get("steps")).expect("steps").list() {
            let always = step.text("if").is_some_and(|condition| condition == "${{ !cancelled() }}");
            assert!(always || step.get("if").is_none(), "{step:?}");
            if whole.code != 0 && !always {
                continue;
            }
            if let Some(used) = step.text("uses") {
                self.artifacts(used, step.get("with"), &table);
                continue;
            }
            let env = step.get("env").map_or(&[][..], Yaml::entries);
            let env = env.iter().map(|(name, value)| (name.clone(), filled(value, &table)));
            let ended = self.run(step.text("run").expect("a command"), &folder, &env.collect::<Vec<_>>());
            whole.said += &ended.said;
            whole.code = if whole.code == 0 { ended.code } else { whole.code };
        }
        whole
    }

    /// Each expression that stands in the action, with its value.
    fn table(&self, action: &Yaml, inputs: &Context<'_>, context: &Context<'_>) -> BTreeMap<String, String> {
        let mut table = BTreeMap::from([("runner.temp".to_owned(), self.variable("RUNNER_TEMP"))]);
        table.extend(context.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        for (name, about) in action.get("inputs").map_or(&[][..], Yaml::entries) {
            let given = inputs.iter().find(|(input, _)| input == name).map(|(_, value)| (*value).to_owned());
            let value = given.unwrap_or_else(|| {
                assert_ne!(about.text("required"), Some("true"), "{name} must be given");
                about.get("default").map_or_else(String::new, |default| filled(default, &table))
            });
            table.insert(format!("inputs.{name}"), value);
        }
        assert!(inputs.iter().all(|(name, _)| table.contains_key(&format!("inputs.{name}"))), "{inputs:?}");
        table
    }

    /// Files on their way from job to job: a folder an artifact, those of one run of a workflow in one place.
    fn artifacts(&self, used: &str, with: Option<&Yaml>, table: &BTreeMap<String, String>) {
        let with = |key: &str| with.and_then(|with| with.get(key)).map(|value| filled(value, table));
        let place = self.world.path("artifacts");
        match used.split('@').next() {
            Some("actions/upload-artifact") => {
                let to = place.join(with("name").expect("a name"));
                let _ = fs::remove_dir_all(&to);
                copy(Path::new(&with("path").expect("a path")), &to);
            }
            Some("actions/download-artifact") => {
                let begin = with("pattern").expect("a pattern");
                let begin = begin.strip_suffix('*').expect("the beginning of names");
                let to = PathBuf::from(with("path").expect("a path"));
                for entry in fs::read_dir(&place).into_iter().flatten().map(|entry| entry.expect("an entry")) {
                    if entry.file_name().to_string_lossy().starts_with(begin) {
                        copy(&entry.path(), &to);
                    }
                }
            }
            Some("actions/cache") => {}
            other => panic!("{other:?}"),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).into_iter().flatten().map(|entry| entry.expect("an entry")) {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

/// A text with its expressions filled in; one that nobody gave a value has none on a host either, so it must not be there.
fn filled(value: &Yaml, table: &BTreeMap<String, String>) -> String {
    let Yaml::Text(text) = value else { panic!("{value:?}") };
    let (mut out, mut rest) = (String::new(), text.as_str());
    while let Some((before, behind)) = rest.split_once("${{") {
        let (expression, after) = behind.split_once("}}").expect("an end");
        out = out + before + &value_of(expression.trim(), table);
        rest = after;
    }
    out + rest
}

fn value_of(expression: &str, table: &BTreeMap<String, String>) -> String {
    if let Some((one, other)) = expression.split_once(" || ") {
        let one = value_of(one, table);
        return if one.is_empty() { other.trim_matches('\'').to_owned() } else { one };
    }
    table.get(expression).unwrap_or_else(|| panic!("nobody told what {expression} is")).clone()
}
