//! The harnesses of Rust projects: criterion, divan, gungraun.

use std::process::Command;

use super::{found, has};
use crate::world::World;

const LIBRARY: &str = "pub fn work(n: u64) -> u64 {\n    (0..n).fold(1, |x: u64, i| std::hint::black_box(x.wrapping_mul(6364136223846793005)\
                       .wrapping_add(i)))\n}\n\npub fn touched() -> u64 {\n    work(1000)\n}\n";

/// The first time such a crate is gated nothing of it is built yet.
const SLOWER: (&str, &str, &str) = ("src/lib.rs", "work(1000)", "work(2000)");

/// A crate with one bench target that uses a harness by its recipe.
fn package(dependency: &str, bench: &str, recipe: &str) -> World {
    let world = World::new();
    let manifest = format!(
        "[package]\nname = \"mine\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dev-dependencies]\n{dependency}\n\
         [[bench]]\nname = \"sums\"\nharness = false\n[profile.bench]\ndebug = true\n"
    );
    world.write("Cargo.toml", &manifest);
    world.write("src/lib.rs", LIBRARY);
    world.write("benches/sums.rs", bench);
    world.write(".gitignore", "target/\n.tachograph/\n");
    let suite = format!(
        "[suite.sums]\nrecipe = \"{recipe}\"\ncargo = {{ package = \"mine\", bench = \"sums\" }}\nbudget = \"60s\"\n"
    );
    world.write("tachograph.toml", &suite);
    world
}

#[test]
fn criterion() {
    if !has("criterion", &[&["cargo", "--version"]]) {
        return;
    }
    let bench = "use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion};\nfn all(c: &mut Criterion) {\n    \
                 c.bench_function(\"touched\", |b| b.iter(mine::touched));\n    \
                 let mut group = c.benchmark_group(\"un touched/x\");\n    for n in [600u64, 800] {\n        \
                 group.bench_with_input(BenchmarkId::from_parameter(n), &n, |b, &n| b.iter(|| mine::work(n)));\n    }\n}\n\
                 criterion_group!(benches, all);\ncriterion_main!(benches);\n";
    let world = package("criterion = { version = \"0.5\", default-features = false }", bench, "criterion");
    found(&world, SLOWER, &[("sums", "touched", "time")]);
}

#[test]
fn divan() {
    if !has("divan", &[&["cargo", "--version"]]) {
        return;
    }
    let bench = "fn main() {\n    divan::main();\n}\n#[divan::bench]\nfn touched() -> u64 {\n    mine::touched()\n}\n\
                 #[divan::bench(args = [600, 800])]\nfn untouched(n: u64) -> u64 {\n    mine::work(n)\n}\n";
    let world = package("divan = \"0.1\"", bench, "divan");
    found(&world, SLOWER, &[("sums", "sums::touched", "time")]);
}

#[test]
fn gungraun() {
    if !has("gungraun", &[&["gungraun-runner", "--version"], &["valgrind", "--version"]]) {
        return;
    }
    // Library and runner must be of one version.
    let said = Command::new("gungraun-runner").arg("--version").output().expect("it runs").stdout;
    let version = String::from_utf8(said).expect("UTF-8").split_whitespace().last().expect("a version").to_owned();
    let bench = "use gungraun::{library_benchmark, library_benchmark_group, main};\nuse std::hint::black_box;\n\
                 #[library_benchmark]\nfn touched() -> u64 {\n    black_box(mine::touched())\n}\n#[library_benchmark]\n\
                 #[bench::small(600)]\n#[bench::large(800)]\nfn untouched(n: u64) -> u64 {\n    black_box(mine::work(n))\n}\n\
                 library_benchmark_group!(name = all; benchmarks = touched, untouched);\n\
                 main!(library_benchmark_groups = all);\n";
    let world = package(&format!("gungraun = \"={version}\""), bench, "gungraun");
    found(&world, SLOWER, &[("sums", "sums::all::touched", "instructions")]);
}
