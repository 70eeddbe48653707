//! Two profiles of the same work: what got slower, what faster.
//!
//! Both are times of one token, so that profiles of different lengths can be compared; and methods are ranked by what
//! their change adds to a token, since a small method that doubled matters less than a large one that grew by a tenth.

use std::collections::BTreeMap;
use std::fmt;

use super::saved::{Profile, Subject};
use super::show::time;

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns for a terminal.
    Text,
    /// Tables for a comment.
    Markdown,
}

/// Which rows it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Each model, and each method of it.
    All,
    /// Each model.
    Models,
}

/// A change of one time; in nanoseconds a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The method's path; for a model, its name.
    pub name: String,
    /// Before; nothing where there was no such method.
    pub old: Option<f64>,
    /// After; nothing where there is no such method any more.
    pub new: Option<f64>,
    /// By how much the bytes of a token changed.
    pub bytes: f64,
}

impl Change {
    /// What it adds to a token's time.
    #[must_use]
    pub fn added(&self) -> f64 {
        self.new.unwrap_or(0.0) - self.old.unwrap_or(0.0)
    }
}

/// What became of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The whole.
    pub whole: Change,
    /// Its methods, likewise, by what a token of each takes longer.
    pub methods: Vec<Change>,
}

/// What two sets of profiles say.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Models that both have, from the one that got most slower to the one that got most faster.
    pub models: Vec<Model>,
    /// What one side alone has.
    pub alone: Vec<String>,
}

impl Comparison {
    /// Compares profiles of the same subjects.
    #[must_use]
    pub fn of(old: &[Profile], new: &[Profile]) -> Self {
        let find = |among: &[Profile], subject: &Subject| among.iter().position(|other| other.subject == *subject);
        let pairs = old.iter().filter_map(|old| Some((old, &new[find(new, &old.subject)?])));
        let mut models: Vec<Model> = pairs.map(|(old, new)| compared(old, new)).collect();
        let ratio = |model: &Model| model.whole.added() / model.whole.old.unwrap_or(1.0).max(f64::MIN_POSITIVE);
        models.sort_by(|a, b| ratio(b).total_cmp(&ratio(a)));
        let only = |side: &str, these: &[Profile], those: &[Profile]| -> Vec<String> {
            let alone = these.iter().filter(|one| find(those, &one.subject).is_none());
            alone.map(|one| format!("{} is in the {side} profiles alone", one.subject)).collect()
        };
        let alone = [only("old", old, new), only("new", new, old)].concat();
        Self { models, alone }
    }

    /// Writes it.
    #[must_use]
    pub fn written(&self, form: Form, rows: Rows) -> impl fmt::Display {
        Written { comparison: self, form, rows }
    }
}

fn compared(old: &Profile, new: &Profile) -> Model {
    let of = |profile: &Profile| -> BTreeMap<String, (f64, f64)> {
        let method = |method: &super::Method| {
            let each = (profile.per_token(method.exclusive_ns), profile.per_token(method.bytes));
            (method.path.clone(), each)
        };
        profile.methods.iter().map(method).collect()
    };
    let (before, after) = (of(old), of(new));
    let mut names: Vec<&String> =
        before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    names.sort();
    let change = |name: &String| {
        let (old, new) = (before.get(name).copied(), after.get(name).copied());
        let bytes = new.map_or(0.0, |new| new.1) - old.map_or(0.0, |old| old.1);
        Change { name: name.clone(), old: old.map(|old| old.0), new: new.map(|new| new.0), bytes }
    };
    let mut methods: Vec<Change> = names.into_iter().map(change).collect();
    methods.sort_by(|a, b| b.added().total_cmp(&a.added()));
    let whole = Change {
        name: old.subject.to_string(),
        old: Some(old.per_token(old.total_ns())),
        new: Some(new.per_token(new.total_ns())),
        bytes: methods.iter().map(|method| method.bytes).sum(),
    };
    Model { whole, methods }
}

struct Written<'a> {
    comparison: &'a Comparison,
    form: Form,
    rows: Rows,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { comparison, form, rows } = *self;
        if comparison.models.is_empty() {
            writeln!(f, "The profiles have no model in common.")?;
        } else {
            let wholes: Vec<&Change> = comparison.models.iter().map(|model| &model.whole).collect();
            table(f, form, "model", &wholes)?;
        }
        for model in comparison.models.iter().filter(|_| rows == Rows::All) {
            match form {
                Form::Text => writeln!(f, "\n{}", model.whole.name)?,
                Form::Markdown => writeln!(f, "\n### {}\n", model.whole.name)?,
            }
            table(f, form, "method", &model.methods.iter().collect::<Vec<_>>())?;
        }
        for line in &comparison.alone {
            writeln!(f, "\n{line}")?;
        }
        Ok(())
    }
}

/// A row for each change; times are of one token.
fn table(f: &mut fmt::Formatter<'_>, form: Form, of: &str, changes: &[&Change]) -> fmt::Result {
    if form == Form::Markdown {
        writeln!(f, "| {of} | old | new | change | bytes |\n| --- | ---: | ---: | ---: | ---: |")?;
    } else {
        writeln!(f, "{:>10} {:>10} {:>10} {:>9} {:>10}  {of}", "old", "new", "added", "change", "bytes")?;
    }
    for change in changes {
        let one = |ns: Option<f64>| ns.map_or_else(|| "none".to_owned(), time);
        let (old, new, added) = (one(change.old), one(change.new), time(change.added()));
        let share = match (change.old, change.new) {
            (Some(old), Some(new)) if old > 0.0 => format!("{:+.1} %", 100.0 * (new / old - 1.0)),
            (None, _) => "new".to_owned(),
            (_, None) => "gone".to_owned(),
            _ => String::new(),
        };
        let bytes = if change.bytes == 0.0 { "0".to_owned() } else { format!("{:+.0}", change.bytes) };
        let name = &change.name;
        match form {
            Form::Text => writeln!(f, "{old:>10} {new:>10} {added:>10} {share:>9} {bytes:>10}  {name}")?,
            Form::Markdown => writeln!(f, "| `{name}` | {old} | {new} | {share} | {bytes} |")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::saved::tests::profile;
    use super::*;

    fn before() -> Vec<Profile> {
        let methods = [("all", 10_000, 1_000, 0), ("all/up", 6_000, 6_000, 0), ("all/gelu", 3_000, 3_000, 0)];
        vec![profile("small", &methods), profile("medium", &[("all", 50_000, 50_000, 0)])]
    }

    #[test]
    fn a_method_that_was_slowed_is_named_first() {
        let methods = [("all", 11_100, 1_100, 0), ("all/up", 4_100, 4_100, 0), ("all/gelu", 3_900, 3_900, 640)];
        let after = [profile("small", &methods), profile("medium", &[("all", 50_100, 50_100, 0)])];
        let comparison = Comparison::of(&before(), &after);
        assert_eq!(comparison.models[0].whole.name, "small f32, 1 thread");
        let first = &comparison.models[0].methods[0];
        assert_eq!(
            (first.name.as_str(), first.old, first.new, first.bytes),
            ("all/gelu", Some(300.0), Some(390.0), 64.0)
        );
        let text = comparison.written(Form::Text, Rows::All).to_string();
        assert!(text.contains("+30.0 %") && text.contains("90.0 ns"), "{text}");
        let models = comparison.written(Form::Markdown, Rows::Models).to_string();
        assert!(models.contains("| `small f32, 1 thread` | 1.00 µs | 1.11 µs | +11.0 % | +64 |"), "{models}");
        assert!(!models.contains("gelu"), "{models}");
    }

    #[test]
    fn what_came_what_went_and_what_has_no_counterpart_is_said() {
        let methods = [("all", 10_000, 1_000, 0), ("all/up", 6_000, 6_000, 0), ("all/relu", 3_000, 3_000, 0)];
        let after = [profile("small", &methods), profile("large", &[("all", 1, 1, 0)])];
        let comparison = Comparison::of(&before(), &after);
        let text = comparison.written(Form::Text, Rows::All).to_string();
        assert!(text.contains("gone") && text.contains("new  ") && text.contains("none"), "{text}");
        assert!(text.contains("medium f32, 1 thread is in the old profiles alone"), "{text}");
        assert!(text.contains("large f32, 1 thread is in the new profiles alone"), "{text}");
        let nothing = Comparison::of(&before()[1..], &after).written(Form::Text, Rows::All).to_string();
        assert!(nothing.contains("no model in common"));
    }
}
