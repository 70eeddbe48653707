//! History and worktrees, against real repositories.

use std::fs;
use std::path::PathBuf;

use tachograph::repo::{Absent, Bench, RepoError, Repository};

use crate::traps::Traps;
use crate::world::World;

pub(crate) fn open(world: &World) -> Repository {
    Repository::discover(&world.root()).expect("the repository opens")
}

pub(crate) fn bench(world: &World) -> Bench {
    Bench::open(&world.path("bench")).expect("the bench opens")
}

#[test]
fn a_range_means_what_git_means_by_it() {
    let world = World::new();
    world.write("a", "1");
    world.commit("one");
    world.git(&["checkout", "--quiet", "-b", "side"]);
    world.write("b", "2");
    world.commit("beside");
    world.git(&["checkout", "--quiet", "main"]);
    for n in 2..5 {
        world.write("a", &n.to_string());
        world.commit(&format!("number {n}"));
    }
    world.git(&["merge", "--quiet", "--no-ff", "-m", "merged", "side"]);
    let repository = open(&world);
    for range in ["HEAD~3..HEAD", "HEAD~3..", "side..main", "main~1..main", "main~2...side"] {
        let ours: Vec<String> = repository
            .requested(range)
            .expect("the range is read")
            .commits()
            .iter()
            .map(|commit| commit.id.to_string())
            .collect();
        let gits = world.git(&["rev-list", "--topo-order", "--reverse", range]);
        let mut gits: Vec<&str> = gits.lines().collect();
        let parents_come_first = ours.iter().enumerate().all(|(at, id)| {
            let parents = repository.commit(id).expect("it is a commit").parents;
            parents.iter().all(|parent| ours.iter().position(|other| other == parent.as_str()).is_none_or(|p| p < at))
        });
        assert!(parents_come_first, "{range}: {ours:?}");
        let mut sorted = ours.clone();
        sorted.sort();
        gits.sort_unstable();
        assert_eq!(sorted, gits, "{range}");
    }
}

#[test]
fn what_a_file_held_is_told_along_the_main_branch_with_the_commit_that_brought_it() {
    let world = World::new();
    let none = world.commit("without it");
    world.write("file", "one");
    let one = world.commit("with it");
    world.git(&["switch", "--quiet", "--create", "side"]);
    world.write("file", "two");
    world.commit("on a branch");
    world.git(&["switch", "--quiet", "main"]);
    world.git(&["merge", "--quiet", "--no-ff", "--message", "merged", "side"]);
    let merged = world.git(&["rev-parse", "HEAD"]);
    world.git(&["rm", "--quiet", "file"]);
    let gone = world.commit("without it again");
    world.git(&["checkout", "--quiet", "side"]);

    let told = |world_of: &Repository, since| {
        let versions = world_of.versions("file", since).expect("it can be read");
        let line: Vec<String> = versions.line.iter().map(|id| id.as_str().to_owned()).collect();
        let text = |content: Vec<u8>| String::from_utf8(content).expect("text");
        (line, versions.all.into_iter().map(|one| (one.brought_at, text(one.content))).collect::<Vec<_>>())
    };
    let all = [none, one, merged, gone];
    let content = |text: &str| text.to_owned();
    assert_eq!(told(&open(&world), 0), (all.to_vec(), vec![(Some(1), content("one")), (Some(2), content("two"))]));
    assert_eq!(told(&open(&world), i64::MAX), (vec![], vec![]), "no commit is that young");

    let address = format!("file://{}", world.root().display());
    let shallow = world.path("shallow");
    let into = shallow.to_str().expect("UTF-8");
    world.git_in(&world.path(""), &["clone", "--quiet", "--depth", "2", "--branch", "main", &address, into]);
    let shallow = Repository::discover(&shallow).expect("a repository");
    assert_eq!(told(&shallow, 0), (all[2..].to_vec(), vec![(None, content("two"))]), "who knows what brought it");
}

#[test]
fn a_commit_says_its_parents_its_time_and_its_subject() {
    let world = World::new();
    let first = world.commit("the first\n\nwith a body");
    world.commit("the second");
    let commit = open(&world).head().expect("HEAD is there");
    assert_eq!(commit.subject, "the second");
    assert_eq!(commit.parents.iter().map(ToString::to_string).collect::<Vec<_>>(), [first]);
    assert_eq!(commit.committed_at_s, 1_770_091_506);
}

#[test]
fn the_base_of_a_change_is_where_it_left_the_nearest_main_branch() {
    let world = World::new();
    let [first, second] = ["first", "second"].map(|subject| world.commit(subject));
    world.git(&["checkout", "--quiet", "-b", "change"]);
    let change = world.commit("change");
    world.git(&["checkout", "--quiet", "main"]);
    let third = world.commit("third");
    world.git(&["update-ref", "refs/remotes/origin/main", &first]);
    let repository = open(&world);
    let base = |tip: &str, with_itself| {
        let found = repository.merge_base(&repository.commit(tip).unwrap(), with_itself).unwrap();
        found.map(|(base, branch)| (base.id.to_string(), branch))
    };
    assert_eq!(base(&change, false), Some((second.clone(), "refs/heads/main")));
    // On main itself: what is not yet pushed, or, with changes upon it, itself.
    assert_eq!(base(&third, false), Some((first.clone(), "refs/remotes/origin/main")));
    assert_eq!(base(&third, true), Some((third, "refs/heads/main")));
    assert_eq!(base(&first, false), None);
    let parent = |tip: &str| repository.first_parent(&repository.commit(tip).unwrap()).unwrap();
    assert_eq!(parent(&change).map(|commit| commit.id.to_string()), Some(second));
    assert_eq!(parent(&first), None);
}

#[test]
fn what_names_no_commit_is_refused_with_its_name_and_a_hint() {
    let world = World::new();
    world.commit("one");
    let repository = open(&world);
    for revision in ["nowhere", "nowhere..HEAD", "HEAD~7", "--exec=touch x", "HEAD..."] {
        match repository.requested(revision) {
            Err(error @ (RepoError::NoSuchCommit(_) | RepoError::EmptyRange(_))) => {
                assert!(error.to_string().contains(revision), "{error}");
                assert!(error.hint().is_some());
            }
            other => panic!("{revision}: {other:?}"),
        }
    }
    assert!(matches!(repository.requested("HEAD..HEAD"), Err(RepoError::EmptyRange(_))));
    let outside = tempfile::tempdir().expect("a folder");
    assert!(matches!(Repository::discover(outside.path()), Err(RepoError::NotFound(_))));
}

#[test]
fn a_worktree_holds_the_commit_and_leaves_nothing_behind() {
    let world = World::new();
    world.write("folder/a.txt", "old");
    world.commit("one");
    world.git(&["tag", "v1.0"]);
    world.write("folder/a.txt", "new");
    world.commit("two");
    let before = listing(&world.root().join(".git"));
    let (repository, bench) = (open(&world), bench(&world));
    let commit = repository.commit("HEAD~1").expect("the parent is there");
    let worktree = bench.lay_out(&repository, &commit, None, Absent::default()).expect("it is laid out");
    let folder = worktree.path().to_owned();
    assert_eq!(fs::read_to_string(folder.join("folder/a.txt")).expect("the file is there"), "old");
    assert_eq!(world.git_in(&folder, &["status", "--porcelain"]), "");
    assert_eq!(world.git_in(&folder, &["describe", "--tags"]), "v1.0");
    drop(worktree);
    assert!(!folder.exists());
    assert_eq!(listing(&world.root().join(".git")), before, "the user's repository is not touched");
}

#[test]
fn two_worktrees_at_once_have_places_of_their_own_and_what_a_killed_process_left_is_cleared() {
    let world = World::new();
    world.write("a", "1");
    world.commit("one");
    let (repository, bench) = (open(&world), bench(&world));
    let commit = repository.head().expect("HEAD");
    let one = bench.lay_out(&repository, &commit, None, Absent::default()).expect("the first");
    let two = bench.lay_out(&repository, &commit, None, Absent::default()).expect("the second");
    assert_ne!(one.path(), two.path());
    let (first, second) = (one.path().to_owned(), two.path().to_owned());
    drop(two);
    // As a killed process leaves it: files, and a lock that nobody holds.
    fs::create_dir_all(second.join("half")).expect("a leftover");
    let _again = Bench::open(&world.path("bench")).expect("the bench opens again");
    assert!(!second.exists(), "what nobody holds is cleared");
    assert!(first.exists(), "what somebody holds stays");
}

#[test]
fn no_hook_filter_or_monitor_of_a_hostile_repository_runs() {
    let world = World::new();
    world.write(".gitattributes", "*.txt filter=evil\n");
    world.write("a.txt", "content");
    world.commit("one");
    let traps = Traps::set(&world);
    world.write("new.txt", "not committed");
    let (repository, bench) = (open(&world), bench(&world));
    let snapshot = repository.snapshot().expect("it is compared").expect("it is dirty");
    let commit = repository.head().expect("HEAD");
    let worktree = bench.lay_out(&repository, &commit, Some(&snapshot), Absent::default()).expect("laid out");
    assert_eq!(fs::read_to_string(worktree.path().join("a.txt")).expect("the file"), "content");
    traps.held_and_plain_git_springs_them();
}

#[test]
fn a_dirty_working_tree_is_laid_out_as_it_stands_and_not_touched() {
    let world = World::new();
    for (name, content) in [("kept", "k"), ("changed", "old"), ("removed", "r"), (".gitignore", "ignored\n")] {
        world.write(name, content);
    }
    world.commit("one");
    assert!(open(&world).snapshot().expect("compared").is_none(), "a clean tree has no snapshot");
    world.write("changed", "new");
    world.write("deep/untracked", "u");
    world.write("ignored", "i");
    world.write("staged", "s");
    world.git(&["add", "staged"]);
    fs::remove_file(world.root().join("removed")).expect("removed");
    std::os::unix::fs::symlink("kept", world.root().join("link")).expect("a link");
    let before = (world.git(&["status", "--porcelain"]), fs::read(world.root().join(".git/index")).expect("index"));
    let (repository, bench) = (open(&world), bench(&world));
    let snapshot = repository.snapshot().expect("compared").expect("dirty");
    assert_eq!(snapshot.len(), 5);
    let commit = repository.head().expect("HEAD");
    let worktree = bench.lay_out(&repository, &commit, Some(&snapshot), Absent::default()).expect("laid out");
    let mut names = listing(worktree.path());
    names.retain(|name| !name.to_string_lossy().contains(".git/"));
    let expected = [".gitignore", "changed", "deep/untracked", "kept", "link", "staged"].map(PathBuf::from);
    assert_eq!(names, expected);
    assert_eq!(fs::read_to_string(worktree.path().join("changed")).expect("the file"), "new");
    let after = (world.git(&["status", "--porcelain"]), fs::read(world.root().join(".git/index")).expect("index"));
    assert_eq!(before, after);
    world.write("changed", "newer");
    let other = repository.snapshot().expect("compared").expect("dirty");
    assert_ne!(other.digest(), snapshot.digest(), "another state has another digest");
}

#[test]
fn submodules_and_files_in_lfs_are_refused_by_name_until_the_project_says_it_can_do_without() {
    let world = World::new();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "ab".repeat(32));
    world.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    world.write("data/model.bin", &pointer);
    let lfs = world.commit("with lfs");
    world.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{lfs},vendor/thing")]);
    world.git(&["commit", "--quiet", "--message", "with a submodule"]);
    let (repository, bench) = (open(&world), bench(&world));
    let commit = repository.head().expect("HEAD");
    let refused = |absent| match bench.lay_out(&repository, &commit, None, absent) {
        Err(error) => format!("{error}; {}", error.hint().expect("a hint")),
        Ok(_) => panic!("it is laid out"),
    };
    let submodule = refused(Absent::default());
    assert!(submodule.contains("vendor/thing") && submodule.contains("submodules = \"empty\""), "{submodule}");
    let lfs = refused(Absent { submodules: true, lfs: false });
    assert!(lfs.contains("data/model.bin") && lfs.contains("lfs = \"pointers\""), "{lfs}");
    let absent = Absent { submodules: true, lfs: true };
    assert!(bench.lay_out(&repository, &commit, None, absent).is_ok());
}

#[test]
fn a_shallow_clone_is_laid_out_and_a_missing_commit_explained() {
    let world = World::new();
    world.write("a", "1");
    world.commit("one");
    world.write("a", "2");
    world.commit("two");
    let from = format!("file://{}", world.root().display());
    world.git_in(&world.path("home"), &["clone", "--quiet", "--depth=1", &from, "../shallow"]);
    let repository = Repository::discover(&world.path("shallow")).expect("it opens");
    assert!(repository.is_shallow());
    let commit = repository.head().expect("HEAD");
    let worktree = bench(&world).lay_out(&repository, &commit, None, Absent::default()).expect("laid out");
    assert_eq!(fs::read_to_string(worktree.path().join("a")).expect("the file"), "2");
    assert_eq!(world.git_in(worktree.path(), &["log", "--format=%s"]), "two");
    let error = repository.commit("HEAD~1").expect_err("it is not there");
    assert!(error.hint().expect("a hint").contains("unshallow"));
}

#[test]
fn a_linked_worktree_of_git_is_a_repository_too() {
    let world = World::new();
    world.write("a", "1");
    world.commit("one");
    world.git(&["worktree", "add", "--quiet", "../linked", "-b", "other"]);
    let repository = Repository::discover(&world.path("linked")).expect("it opens");
    let commit = repository.head().expect("HEAD");
    assert!(bench(&world).lay_out(&repository, &commit, None, Absent::default()).is_ok());
}

/// Every file below a folder, by name, in order.
fn listing(folder: &std::path::Path) -> Vec<PathBuf> {
    fn walk(folder: &std::path::Path, top: &std::path::Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
            if entry.file_type().expect("a kind").is_dir() {
                walk(&entry.path(), top, into);
            } else {
                into.push(entry.path().strip_prefix(top).expect("below").to_owned());
            }
        }
    }
    let mut names = Vec::new();
    walk(folder, folder, &mut names);
    names.sort();
    names
}
