//! Files that are no store, stores of other versions, stores that cannot be written.

use tachograph::record::{Address, RecordError, Recorded, Store, Wanted};

use super::again::{in_own_mounts, mount};
use super::shelf::{Shelf, address, commit, full_run, small_run};

#[test]
fn reading_makes_no_store() {
    let shelf = Shelf::new();
    let error = Store::open_to_read(&shelf.address()).unwrap_err();
    assert!(matches!(error, RecordError::Absent(_)), "{error}");
    assert!(error.hint().is_some());
    assert_eq!(shelf.names(), Vec::<String>::new());
}

#[test]
fn a_store_that_was_closed_is_one_file() {
    let shelf = Shelf::new();
    shelf.store().record(&full_run()).unwrap();
    assert_eq!(shelf.names(), ["store.db"]);
    Store::open_to_read(&shelf.address()).unwrap().newest_runs(1).unwrap();
    assert_eq!(shelf.names(), ["store.db"]);
    assert_eq!(shelf.sqlite3("PRAGMA journal_mode"), "wal");
}

#[test]
fn a_store_of_a_newer_version_is_refused_with_the_version_to_install() {
    let shelf = Shelf::new();
    shelf.store().record(&full_run()).unwrap();
    shelf.sqlite3("PRAGMA user_version = 900; UPDATE about SET value = '7.8.9' WHERE key = 'written_by'");
    let before = std::fs::read(shelf.address().file()).unwrap();
    for opened in [shelf.open(), Store::open_to_read(&shelf.address())] {
        let error = opened.unwrap_err();
        assert!(matches!(error, RecordError::Newer { schema: 900, .. }), "{error}");
        assert_eq!(error.hint().unwrap(), "install tachograph 7.8.9 or newer");
    }
    assert_eq!(std::fs::read(shelf.address().file()).unwrap(), before);
    assert_eq!(shelf.names(), ["store.db"]);
}

#[test]
fn a_file_that_is_something_else_is_refused_and_not_touched() {
    let shelf = Shelf::new();
    let text = shelf.folder().join("notes.txt");
    std::fs::write(&text, "not a database at all, and long enough to have a header ".repeat(200)).unwrap();
    let other = shelf.folder().join("other.db");
    super::shelf::sqlite3(&other, "CREATE TABLE something (thing); INSERT INTO something VALUES (1)");
    for file in [text, other] {
        let before = std::fs::read(&file).unwrap();
        for opened in [Store::open(&address(&file)), Store::open_to_read(&address(&file))] {
            let error = opened.unwrap_err();
            assert!(matches!(error, RecordError::Foreign { .. }), "{error}");
        }
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
}

#[test]
fn an_empty_file_becomes_a_store_when_something_is_recorded() {
    let shelf = Shelf::new();
    std::fs::write(shelf.folder().join("store.db"), "").unwrap();
    assert!(matches!(Store::open_to_read(&shelf.address()).unwrap_err(), RecordError::Absent(_)));
    assert!(matches!(shelf.store().record(&full_run()).unwrap(), Recorded::New(_)));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let shelf = Shelf::new();
    let error = Store::open(&address(&shelf.folder().join("typo/store.db"))).unwrap_err();
    assert!(error.to_string().contains("typo"), "{error}");
    assert_eq!(shelf.names(), Vec::<String>::new());
}

#[test]
fn a_store_on_a_read_only_disk_is_read_and_nothing_is_written() {
    if !in_own_mounts("record::lifecycle::a_store_on_a_read_only_disk_is_read_and_nothing_is_written") {
        return;
    }
    let shelf = Shelf::new();
    let folder = shelf.folder().to_str().unwrap();
    mount(&["-t", "tmpfs", "-o", "size=8m", "none", folder]);
    shelf.store().record(&full_run()).unwrap();
    mount(&["-o", "remount,ro", folder]);

    let mut store = Store::open_to_read(&shelf.address()).unwrap();
    assert_eq!(store.run(&full_run().id()).unwrap(), Some(full_run()));
    assert_eq!(store.series(&Wanted::all()).unwrap().len(), 2);
    drop(store);
    assert_eq!(shelf.names(), ["store.db"]);

    let error = shelf.open().unwrap_err();
    assert!(matches!(error, RecordError::ReadOnly(_)), "{error}");
    assert!(error.hint().unwrap().contains("--store FILE"));
    let error = Store::open(&Address::of_repository(shelf.folder()).unwrap()).unwrap_err();
    assert!(matches!(error, RecordError::ReadOnly(_)), "{error}");
    assert_eq!(shelf.names(), ["store.db"]);
}

#[test]
fn a_store_that_a_crash_left_open_on_a_read_only_disk_is_not_read_without_its_newest_runs() {
    if !in_own_mounts(
        "record::lifecycle::a_store_that_a_crash_left_open_on_a_read_only_disk_is_not_read_without_its_newest_runs",
    ) {
        return;
    }
    let shelf = Shelf::new();
    let mut store = shelf.store();
    store.record(&full_run()).unwrap();
    let left = shelf.folder().join("left");
    std::fs::create_dir(&left).unwrap();
    mount(&["-t", "tmpfs", "-o", "size=8m", "none", left.to_str().unwrap()]);
    for name in ["store.db", "store.db-wal"] {
        std::fs::copy(shelf.folder().join(name), left.join(name)).unwrap();
    }
    mount(&["-o", "remount,ro", left.to_str().unwrap()]);
    match Store::open_to_read(&address(&left.join("store.db"))) {
        Ok(mut store) => assert_eq!(store.run(&full_run().id()).unwrap(), Some(full_run())),
        Err(error) => assert!(matches!(error, RecordError::ReadOnly(_)), "{error}"),
    }
}

#[test]
fn a_full_disk_is_told_and_what_was_recorded_stays() {
    if !in_own_mounts("record::lifecycle::a_full_disk_is_told_and_what_was_recorded_stays") {
        return;
    }
    let shelf = Shelf::new();
    let folder = shelf.folder().to_str().unwrap().to_owned();
    mount(&["-t", "tmpfs", "-o", "size=2m", "none", &folder]);
    let wide = |number: u32| {
        let values: Vec<f64> = (0..10_000).map(|n| f64::from(n) * 1.1 + f64::from(number)).collect();
        small_run(commit(number, &[], i64::from(number)), &values)
    };
    let mut recorded = Vec::new();
    let error = (1..1000).find_map(|number| {
        // Opened anew each time, so that the log is folded in between.
        let run = wide(number);
        match shelf.open().and_then(|mut store| store.record(&run)) {
            Ok(_) => {
                recorded.push(run);
                None
            }
            Err(error) => Some((run, error)),
        }
    });
    let (refused, error) = error.expect("the disk is small");
    assert!(matches!(error, RecordError::Full { .. }), "{error}");
    assert!(error.to_string().contains("bytes free") && error.hint().is_some(), "{error}");
    assert!(!recorded.is_empty());

    let check = |recorded: &[tachograph::domain::Run]| {
        let mut store = Store::open_to_read(&shelf.address()).unwrap();
        let mut seen = Vec::new();
        store
            .each_run(|_, run| -> Result<(), RecordError> {
                seen.push(run);
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, recorded);
    };
    check(&recorded);
    mount(&["-o", "remount,size=16m", &folder]);
    shelf.store().record(&refused).unwrap();
    recorded.push(refused);
    check(&recorded);
    assert_eq!(shelf.sqlite3("PRAGMA integrity_check"), "ok");
}

#[test]
fn a_disk_too_full_for_a_new_store_is_told() {
    if !in_own_mounts("record::lifecycle::a_disk_too_full_for_a_new_store_is_told") {
        return;
    }
    let shelf = Shelf::new();
    mount(&["-t", "tmpfs", "-o", "size=64k", "none", shelf.folder().to_str().unwrap()]);
    let error = shelf.open().unwrap_err();
    assert!(matches!(error, RecordError::Full { .. }), "{error}");
}
