//! `engine train` and `engine profile`, as a person runs them.

use std::path::PathBuf;
use std::process::{Command, Output};

fn engine(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_engine")).args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder of a test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("engine-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path in UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn what_was_trained_on_a_text_has_a_lower_loss_and_can_be_generated_with() {
    let folder = Folder::new("train");
    let (told, model) = (folder.file("text.txt"), folder.file("model.gguf"));
    std::fs::write(&told, "the cat sat on the mat. ".repeat(40)).expect("a text");
    let arguments = ["train", "--text", &told, "--model", "tiny", "--steps", "30", "--rate", "0.01", "--out", &model];
    let output = engine(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let losses: Vec<f32> = printed
        .lines()
        .filter(|line| line.ends_with(" s"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse().ok())
        .collect();
    let (first, last) = (losses.first().expect("a loss"), losses.last().expect("a loss"));
    assert!(*last < 0.5 * first, "{printed}");
    let output = engine(&["generate", "--model", &model, "--prompt", "the ", "--tokens", "4"]);
    assert!(output.status.success() && output.stdout.starts_with(b"the "), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_trained_is_refused_with_its_reason() {
    let folder = Folder::new("refused");
    let short = folder.file("short.txt");
    std::fs::write(&short, "too short").expect("a text");
    let reason = |arguments: &[&str]| {
        let output = engine(arguments);
        assert!(!output.status.success());
        text(&output.stderr)
    };
    assert!(reason(&["train", "--text", &short]).contains("660 are needed"));
    assert!(reason(&["train", "--text", &short, "--model", "gpt2"]).contains("tiny, small or medium"));
    assert!(reason(&["train", "--text", &folder.file("none.txt")]).contains("none.txt"));
}

#[test]
fn a_profile_is_told_kept_and_compared() {
    let folder = Folder::new("profile");
    let (old, new) = (folder.file("old.json"), folder.file("new.json"));
    let profile = |json: &str, more: &[&str]| {
        let common = ["profile", "--model", "tiny", "--rounds", "3", "--json", json];
        let output = engine(&[&common[..], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    let report = profile(&old, &["--tokens", "20"]);
    assert!(report.starts_with("tiny f32, 1 thread") && report.contains("20 tokens"), "{report}");
    assert!(report.contains("generate/decode/walk/feed_forward/up"), "{report}");
    let json = profile("-", &["--tokens", "5", "--format", "q8"]);
    assert!(json.contains("\"path\": \"generate/decode/walk/attention/quantise\""), "{json}");
    profile(&new, &["--tokens", "5", "--model", "small"]);

    let compared = text(&engine(&["profile", "compare", &old, &new]).stdout);
    assert!(compared.contains("tiny f32, 1 thread\n") && compared.contains("generate/prompt/walk"), "{compared}");
    assert!(compared.contains("small f32, 1 thread is in the new profiles alone"), "{compared}");
    let models = text(&engine(&["profile", "compare", &old, &new, "--models", "--markdown"]).stdout);
    assert!(models.contains("| `tiny f32, 1 thread` |") && !models.contains("walk"), "{models}");
    let broken = engine(&["profile", "compare", &old, "/no/such.json"]);
    assert!(!broken.status.success() && text(&broken.stderr).contains("/no/such.json"));
}
