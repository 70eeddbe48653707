//! The program as a person runs it.

use std::process::{Command, Output};

use engine::gguf::write;
use engine::model::Format;
use engine::shape::Shape;
use engine::tokenizer::Vocabulary;
use engine::weights::Seeded;

fn engine(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_engine")).args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn info_prints_the_shape_and_every_tensor() {
    let output = engine(&["info", "--model", "small"]);
    let printed = text(&output.stdout);
    assert!(output.status.success());
    assert!(printed.contains("parameters        470528"), "{printed}");
    assert!(printed.contains("blk.1.ffn_down.weight"), "{printed}");
}

#[test]
fn generate_continues_the_prompt_the_same_way_from_a_shape_and_from_its_file() {
    let path = std::env::temp_dir().join(format!("engine-{}.gguf", std::process::id()));
    let mut bytes = Vec::new();
    write(&mut Seeded::new(Shape::TINY, 1), Format::F32, &Vocabulary::bytes(256), &mut bytes)
        .expect("writing to memory");
    std::fs::write(&path, bytes).expect("a file");
    let file = path.to_str().expect("a path in UTF-8");
    let common = ["--prompt", "Once upon", "--tokens", "12", "--temperature", "0.9", "--seed", "3"];
    let from_shape = engine(&[&["generate", "--model", "tiny"][..], &common].concat());
    let from_file = engine(&[&["generate", "--model", file][..], &common].concat());
    let info = engine(&["info", "--model", file]);
    std::fs::remove_file(&path).expect("the file is there");
    assert!(from_shape.status.success(), "{}", text(&from_shape.stderr));
    assert!(from_shape.stdout.starts_with(b"Once upon") && from_shape.stdout.len() > b"Once upon".len() + 12);
    assert_eq!(from_shape.stdout, from_file.stdout);
    assert!(text(&from_shape.stderr).contains("tokens in"));
    assert!(text(&info.stdout).contains("F32"));
}

#[test]
fn a_model_that_is_not_there_is_named_with_what_there_is() {
    let output = engine(&["info", "--model", "/no/such.gguf"]);
    let said = text(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("/no/such.gguf") && said.contains("tiny, small, medium, gpt2"), "{said}");
}

#[test]
fn a_prompt_that_is_too_long_is_refused_with_the_limit() {
    let output = engine(&["generate", "--model", "tiny", "--prompt", &"x".repeat(40)]);
    assert!(!output.status.success() && text(&output.stderr).contains("32 tokens at most"));
}
