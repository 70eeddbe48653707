//! Tango loads another build of its benchmark as a library, so that must show its symbols.

fn main() {
    println!("cargo:rustc-link-arg-benches=-rdynamic");
    println!("cargo:rerun-if-changed=build.rs");
}
