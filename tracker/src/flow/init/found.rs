//! What a look at a repository finds, and how files are read for it.

use std::fs;
use std::path::Path;

/// The largest file that is looked into.
const MOST_BYTES: u64 = 1 << 20;

/// A suite that can be measured as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub what: String,
    /// Its keys in the configuration.
    pub keys: Vec<String>,
}

/// What a repository has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// What can be measured.
    pub suites: Vec<Suite>,
    /// What was seen and needs a person.
    pub remarks: Vec<String>,
}

impl Found {
    /// A name that no other suite has.
    pub(super) fn add(&mut self, name: &str, what: &str, keys: Vec<String>) {
        let taken = |name: &str| self.suites.iter().any(|suite| suite.name == name);
        let mut free = name.to_owned();
        for number in 2..=self.suites.len() + 1 {
            if !taken(&free) {
                break;
            }
            free = format!("{name}-{number}");
        }
        let name = free;
        self.suites.push(Suite { name, what: what.to_owned(), keys });
    }

    pub(super) fn go(&mut self, folder: &Path) {
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

/// A file's text; nothing where it is too large, is none, or is a link that may lead anywhere.
pub(super) fn text(root: &Path, file: &Path) -> String {
    let place = root.join(file);
    match place.symlink_metadata() {
        Ok(about) if about.is_file() && about.len() <= MOST_BYTES => fs::read_to_string(place).unwrap_or_default(),
        _ => String::new(),
    }
}

/// A text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A name of a suite, whatever stood there.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|sign| if sign.is_ascii_alphanumeric() || sign == '_' { sign } else { '-' }).collect()
}
