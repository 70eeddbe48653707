//! Real builds of tiny packages that depend on nothing.

use std::fs;

use super::*;

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(bench: &str) -> World {
        let world = World { folder: tempfile::tempdir().unwrap() };
        let manifest = "[package]\nname = \"tiny\"\nedition = \"2021\"\n[workspace]\n[[bench]]\nname = \"suite\"\n\
                        harness = false\n[features]\nloud = []\n";
        world.write("Cargo.toml", manifest);
        world.write("src/lib.rs", "");
        world.write("benches/suite.rs", bench);
        world
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join("tree").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn site(&self) -> Site {
        Site {
            tree: self.folder.path().join("tree"),
            target: self.folder.path().join("target"),
            environment: Environment::build(&[]).unwrap(),
            limits: Limits::default(),
        }
    }

    fn build(&self, package: &str, features: &[&str]) -> Result<Built, BuildError> {
        let features = features.iter().map(|&feature| feature.to_owned()).collect();
        let bench = CargoBench { package: package.to_owned(), bench: "suite".to_owned(), features };
        cargo_bench(&self.site(), &bench, &Stop::by_hand().unwrap(), &mut |_| ())
    }
}

#[test]
fn a_bench_target_is_built_and_found() {
    let world = World::new("#[cfg(feature = \"loud\")] fn main() {}");
    let built = world.build("tiny", &["loud"]).unwrap();
    assert!(built.executable.starts_with(world.folder.path().join("target")));
    assert_eq!(built.size_bytes, size(&built.executable).unwrap());
    assert!(built.size_bytes > 0);
}

#[test]
fn a_commit_that_does_not_build_shows_the_compiler_error() {
    let error = World::new("fn main() { let x: u32 = \"no number\"; }").build("tiny", &[]).unwrap_err();
    let BuildError::Failed { command, finished, said } = &error else { panic!("{error}") };
    assert!(command.starts_with("cargo bench --no-run"), "{command}");
    assert_eq!(finished.ended, crate::domain::Ended::Status(101));
    assert!(said.starts_with("error[E0308]: mismatched types") && said.contains("benches/suite.rs:1:26"), "{said}");
}

#[test]
fn what_cargo_itself_refuses_is_shown_too() {
    let error = World::new("fn main() {}").build("absent", &[]).unwrap_err();
    let BuildError::Failed { said, .. } = &error else { panic!("{error}") };
    assert!(said.contains("absent"), "{said}");
}

#[test]
fn build_commands_run_in_order_in_the_tree_and_find_the_target_folder() {
    let world = World::new("fn main() {}");
    let words = |text: &[&str]| text.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let all = [words(&["sh", "-c", "echo \"$CARGO_TARGET_DIR\" > where"]), words(&["cp", "where", "copy"])];
    commands(&world.site(), &all, &Stop::by_hand().unwrap(), &mut |_| ()).unwrap();
    let copy = fs::read_to_string(world.site().tree.join("copy")).unwrap();
    assert_eq!(copy.trim(), world.site().target.to_str().unwrap());
    let all = [words(&["sh", "-c", "echo no such header >&2; exit 2"])];
    let error = commands(&world.site(), &all, &Stop::by_hand().unwrap(), &mut |_| ()).unwrap_err();
    assert!(error.to_string().ends_with("exited with status 2\nno such header\n"), "{error}");
}

#[test]
fn a_build_that_a_signal_stops_is_no_failure_of_the_commit() {
    let world = World::new("fn main() {}");
    let stop = Stop::by_hand().unwrap();
    stop.raise(15);
    let all = [vec!["sleep".to_owned(), "60".to_owned()]];
    assert!(matches!(commands(&world.site(), &all, &stop, &mut |_| ()), Err(BuildError::Stopped)));
}

#[test]
fn the_compiler_is_noted() {
    let notes = rust_notes(&World::new("").site(), &Stop::by_hand().unwrap()).unwrap();
    assert!(notes["rustc"].starts_with("1."), "{notes:?}");
    assert!(notes.contains_key("llvm") && notes.contains_key("rustc host"), "{notes:?}");
    assert_eq!(notes_of("release: 1.2.3\nbinary: rustc\n").len(), 1);
}
