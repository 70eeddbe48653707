//! As much of YAML as our workflows need: maps and lists by indentation, plain and quoted scalars, `[a, b]`, and blocks of
//! text. Anything else is refused, so that what is read here is what a host reads.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Yaml {
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// The value of a key; nothing where there is none.
    pub(super) fn get(&self, key: &str) -> Option<&Yaml> {
        match self {
            Yaml::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Yaml::Text(text) => Some(text),
            other => panic!("{key} is {other:?}"),
        }
    }

    pub(super) fn entries(&self) -> &[(String, Yaml)] {
        match self {
            Yaml::Map(entries) => entries,
            Yaml::Text(text) if text.is_empty() => &[],
            other => panic!("no map: {other:?}"),
        }
    }

    pub(super) fn list(&self) -> &[Yaml] {
        match self {
            Yaml::List(items) => items,
            other => panic!("no list: {other:?}"),
        }
    }
}

/// The lines that say something, each with its indentation.
struct Lines<'a> {
    all: Vec<(usize, &'a str)>,
    at: usize,
}

pub(super) fn parse(text: &str) -> Yaml {
    assert!(!text.contains('\t'), "a tab");
    let all: Vec<(usize, &str)> = text.lines().map(|line| (line.len() - line.trim_start().len(), line)).collect();
    let mut lines = Lines { all, at: 0 };
    let value = lines.block(0);
    assert!(lines.peek().is_none(), "left over: {:?}", lines.peek());
    value
}

impl<'a> Lines<'a> {
    fn peek(&mut self) -> Option<(usize, &'a str)> {
        while let Some((indent, line)) = self.all.get(self.at) {
            let content = &line[*indent..];
            if !content.is_empty() && !content.starts_with('#') {
                return Some((*indent, content));
            }
            self.at += 1;
        }
        None
    }

    fn block(&mut self, least: usize) -> Yaml {
        match self.peek() {
            Some((indent, content)) if indent >= least => {
                if content.starts_with("- ") {
                    self.items(indent)
                } else {
                    self.map(indent)
                }
            }
            _ => Yaml::Text(String::new()),
        }
    }

    fn items(&mut self, indent: usize) -> Yaml {
        let mut items = Vec::new();
        while let Some((_, content)) = self.peek().filter(|(at, content)| *at == indent && content.starts_with("- ")) {
            let rest = content[2..].trim_start();
            if key_of(rest).is_some() {
                // The item is a map whose first key stands behind the dash.
                let inner = indent + content.len() - rest.len();
                let line = self.all[self.at].1;
                self.all[self.at] = (inner, line);
                items.push(self.map(inner));
            } else {
                self.at += 1;
                items.push(self.scalar(rest, indent));
            }
        }
        Yaml::List(items)
    }

    fn map(&mut self, indent: usize) -> Yaml {
        let mut entries: Vec<(String, Yaml)> = Vec::new();
        while let Some((_, content)) = self.peek().filter(|(at, _)| *at == indent) {
            let (key, rest) = key_of(content).unwrap_or_else(|| panic!("no key: {content:?}"));
            assert!(entries.iter().all(|(known, _)| known != key), "{key} stands twice");
            self.at += 1;
            let rest = without_comment(rest);
            let value = if rest.is_empty() {
                let is_list = self.peek().is_some_and(|(at, content)| at == indent && content.starts_with("- "));
                if is_list { self.items(indent) } else { self.block(indent + 1) }
            } else {
                self.scalar(rest, indent)
            };
            entries.push((key.to_owned(), value));
        }
        if let Some((at, content)) = self.peek() {
            assert!(at < indent, "{content:?} stands too far in");
        }
        Yaml::Map(entries)
    }

    fn scalar(&mut self, text: &str, indent: usize) -> Yaml {
        let text = without_comment(text);
        if text == "|" {
            let inner = self.peek().map(|(at, _)| at).filter(|at| *at > indent).expect("a block of text");
            let mut block = String::new();
            while let Some((at, line)) =
                self.all.get(self.at).filter(|(at, line)| *at >= inner || line.trim().is_empty())
            {
                block = block + line.get(inner.min(*at).min(line.len())..).unwrap_or_default() + "\n";
                self.at += 1;
            }
            return Yaml::Text(block.trim_end().to_owned() + "\n");
        }
        if let Some(inside) = text.strip_prefix('[') {
            let inside = inside.strip_suffix(']').expect("a list on one line");
            return Yaml::List(inside.split(',').map(|item| Yaml::Text(plain(item.trim()))).collect());
        }
        Yaml::Text(plain(text))
    }
}

fn key_of(content: &str) -> Option<(&str, &str)> {
    let (key, rest) = content.split_once(':')?;
    let is_key = !key.is_empty() && key.chars().all(|sign| sign.is_ascii_alphanumeric() || "-_.".contains(sign));
    (is_key && (rest.is_empty() || rest.starts_with(' '))).then_some((key, rest.trim_start()))
}

/// A comment begins behind a space.
fn without_comment(text: &str) -> &str {
    if text.starts_with('#') { "" } else { text.split(" #").next().unwrap_or_default().trim_end() }
}

fn plain(text: &str) -> String {
    for quote in ['\'', '"'] {
        if let Some(inside) = text.strip_prefix(quote) {
            let inside = inside.strip_suffix(quote).unwrap_or_else(|| panic!("{text} does not end"));
            assert!(!inside.contains([quote, '\\']), "{text} is more than this reader knows");
            return inside.to_owned();
        }
    }
    let odd = text.starts_with(['&', '*', '!', '>', '{', '}', '%', '@', '`', '|', '-', '?']);
    assert!(!odd && !text.contains(": "), "{text:?} must stand in quotes");
    text.to_owned()
}

#[test]
fn what_our_workflows_need_is_read_and_the_rest_refused() {
    let value =
        parse("a: 1 # one\nb:\n  - c: 'x: y'\n    d: [e, f]\n  - g\nh:\n- i\nj: |\n  one\n    two\n\n  three\nk:\n");
    assert_eq!(value.text("a"), Some("1"));
    let items = value.get("b").expect("b").list();
    assert_eq!((items[0].text("c"), items[0].get("d").expect("d").list().len()), (Some("x: y"), 2));
    assert_eq!(items[1], Yaml::Text("g".to_owned()));
    assert_eq!(value.get("h").expect("h").list().len(), 1);
    assert_eq!((value.text("j"), value.text("k")), (Some("one\n  two\n\nthree\n"), Some("")));
    for wrong in ["a: b: c\n", "a: 1\na: 2\n", "a: *b\n", "a: 1\n  b: 2\n", "a: 'b\n", "just words\n"] {
        assert!(std::panic::catch_unwind(|| parse(wrong)).is_err(), "{wrong:?}");
    }
}
