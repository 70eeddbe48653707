//! Where a job of this repository gets the program from.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::world::World;

/// In place of cargo: builds a program that says what its source was.
const CARGO: &str = r#"#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" != --root ] || root=$2; shift; done
[ -n "$root" ] || root=$1
mkdir -p "$root/bin"
printf '#!/bin/sh\necho "%s"\n' "$(cat tracker/source)" >"$root/bin/tachograph"
chmod +x "$root/bin/tachograph"
"#;

/// What `install.sh` leaves on the path, with a pull request's base if one is given.
fn installed(world: &World, base: Option<&str>) -> String {
    let (root, path) = (world.root(), world.path("github-path"));
    let folders = format!("{}:{}", world.path("tools").display(), std::env::var("PATH").expect("a path"));
    let mut command = Command::new("bash");
    command.arg(root.join(".github/actions/tachograph/install.sh")).env_clear().env("PATH", folders);
    command.env("HOME", world.path("home")).env("GITHUB_PATH", &path).env("GITHUB_WORKSPACE", &root);
    command.envs(base.map(|base| ("GITHUB_BASE_REF", base)));
    let output = command.current_dir(&root).output().expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let on_path = fs::read_to_string(&path).expect("a path was written");
    let program = Command::new(format!("{}/tachograph", on_path.lines().last().expect("a line"))).output();
    String::from_utf8(program.expect("it runs").stdout).expect("UTF-8").trim().to_owned()
}

#[test]
fn a_change_to_the_program_is_measured_by_the_program_of_its_base_where_the_cache_has_that_one() {
    let world = World::new();
    fs::create_dir_all(world.path("tools")).expect("a folder");
    fs::write(world.path("tools/cargo"), CARGO).expect("a cargo");
    fs::set_permissions(world.path("tools/cargo"), fs::Permissions::from_mode(0o755)).expect("it may run");
    world.write(
        ".github/actions/tachograph/install.sh",
        include_str!("../../../../.github/actions/tachograph/install.sh"),
    );
    for part in ["Cargo.toml", "Cargo.lock", "migrations/1.sql", "dashboards/1.json", "tachograph.toml"] {
        world.write(part, "1");
    }
    world.write("tracker/source", "of base");
    world.commit("base");
    world.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    assert_eq!(installed(&world, None), "of base");
    world.write("tracker/source", "of the change");
    world.commit("a change");
    assert_eq!(installed(&world, Some("main")), "of base");
    world.write("tachograph.toml", "2");
    world.commit("a change of what is measured");
    assert_eq!(installed(&world, Some("main")), "of the change", "base's may not understand it");
    world.git(&["checkout", "--quiet", "HEAD~1"]);
    assert_eq!(installed(&world, Some("main")), "of the change", "it is there already");
    world.write("tracker/source", "of another change");
    world.commit("another change");
    assert_eq!(installed(&world, Some("main")), "of another change", "base's is not there");
    world.write("tracker/source", "of a push");
    world.commit("a push");
    assert_eq!(installed(&world, None), "of a push");
}
