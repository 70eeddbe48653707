//! Files that were damaged: an error or the truth, never a panic and never a run that nobody recorded.

use tachograph::domain::Run;
use tachograph::record::{RecordError, Store, Wanted};

use super::again::{rounds, tell};
use super::shelf::{Shelf, commit, full_run, small_run};

/// Reads everything that can be read; counts runs.
fn read_all(shelf: &Shelf, truth: &[Run]) -> Result<usize, RecordError> {
    let mut store = Store::open_to_read(&shelf.address())?;
    let mut count = 0;
    store.each_run(|_, run| -> Result<(), RecordError> {
        assert!(truth.contains(&run), "a run that nobody recorded");
        count += 1;
        Ok(())
    })?;
    store.newest_runs(100)?;
    for series in store.series(&Wanted::all())? {
        for point in store.points(&series, usize::MAX)? {
            store.lives(&series, &point.run)?;
        }
    }
    store.each_commit(|_| -> Result<(), RecordError> { Ok(()) })?;
    Ok(count)
}

#[test]
fn a_damaged_store_gives_an_error_or_the_truth() {
    let shelf = Shelf::new();
    let mut truth = vec![full_run()];
    truth.extend((1..40).map(|number| small_run(commit(number, &[number - 1], 100), &[f64::from(number); 50])));
    let mut store = shelf.store();
    for run in &truth {
        store.record(run).unwrap();
    }
    drop(store);
    let sound = std::fs::read(shelf.address().file()).unwrap();
    let (tries, mut errors, mut state) = (rounds(60, 5000), 0, 17_u64);
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for kind in 0..tries {
        let mut bytes = sound.clone();
        match kind % 4 {
            0 => bytes.truncate(random(sound.len())),
            1 => bytes[..100].fill(u8::try_from(random(256)).unwrap()),
            2 => {
                let page = random(sound.len() / 4096) * 4096;
                bytes[page..page + 4096].iter_mut().for_each(|byte| *byte ^= 0x5a);
            }
            _ => (0..=random(20)).for_each(|_| bytes[random(sound.len())] ^= 1 << random(8)),
        }
        std::fs::write(shelf.address().file(), &bytes).unwrap();
        match read_all(&shelf, &truth) {
            Ok(count) => assert!(count <= truth.len()),
            Err(error) => {
                errors += 1;
                assert!(!error.to_string().is_empty());
            }
        }
        // Writing to it must not panic either.
        let _ = shelf.open().and_then(|mut store| store.record(&small_run(commit(77, &[], 1), &[1.0])));
        for name in shelf.names() {
            std::fs::remove_file(shelf.folder().join(name)).unwrap();
        }
    }
    assert!(errors > tries / 4, "{errors} of {tries}");
    tell(&format!("{tries} damaged stores: {errors} refused, the others told the truth, no panic"));
}
