//! The verbs that read, as a person and as a program sees them.

use std::io::Read as _;
use std::process::{Command, Output, Stdio};

use tachograph::domain::{Life, Outcome, Run, Subject};

use super::shelf::{Shelf, commit, full_run, small_run};

impl Shelf {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tachograph"));
        command.args(args).arg("--store").arg(self.folder().join("store.db")).env_remove("TACHOGRAPH_STORE");
        command.current_dir(self.folder());
        command
    }

    fn ask(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program")
    }

    fn answer(&self, args: &[&str]) -> String {
        let output = self.ask(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn complaint(&self, args: &[&str], code: i32) -> String {
        let output = self.ask(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }

    fn with_history() -> Shelf {
        let shelf = Shelf::new();
        let mut store = shelf.store();
        for number in 1..=30_u32 {
            let level = if number > 20 { 5100.0 } else { 5000.0 };
            let parents: Vec<u32> = (number > 1).then(|| number - 1).into_iter().collect();
            let mut run = small_run(commit(number, &parents, 1_780_000_000), &[level, level + f64::from(number)]);
            run.started_at_s += i64::from(number);
            store.record(&run).expect("recorded");
        }
        drop(store);
        shelf
    }
}

#[test]
fn log_shows_a_series_in_the_order_of_history() {
    let shelf = Shelf::with_history();
    let text = shelf.answer(&["log", "matmul", "--limit", "2"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "engine · kernel/matmul/64 · time  lorry");
    assert!(lines[1].ends_with('⠐'), "one series is drawn as a chart, whose newest points are the highest: {text}");
    let (rows, axis) = (&lines[1..11], lines[11]);
    let edge = |line: &str| line.chars().position(|sign| "│└".contains(sign)).expect("an edge");
    assert!(rows.iter().all(|row| edge(row) == edge(axis)), "ten rows and their axis: {text}");
    assert_eq!((rows[0].chars().count(), axis.chars().count()), (79, 79), "within the usual width of 80: {text}");
    assert!(axis.contains("└2026-05-28─") && axis.ends_with("─2026-05-28") && lines[12].is_empty(), "{text}");
    let points = lines.iter().position(|line| line.starts_with("commit ")).expect("a table of points");
    assert_eq!(lines[points], "commit      date           value   change");
    assert_eq!(lines[points + 2], "0000000000  2026-05-28  5.115 µs  +0.01 %");
    assert_eq!(lines.len(), points + 3);
    assert!(lines[12..points].iter().any(|line| line.contains("level")) && lines[points - 1].is_empty(), "{text}");
}

#[test]
fn log_for_programs_is_a_series_a_line() {
    let shelf = Shelf::with_history();
    shelf.store().record(&full_run()).unwrap();
    let text = shelf.answer(&["log", "matmul", "--format", "json", "--limit", "3", "--metric", "=time"]);
    let series: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(series.len(), 1 + 1);
    let levels: Vec<f64> =
        series[0]["points"].as_array().unwrap().iter().map(|point| point["level"].as_f64().unwrap()).collect();
    assert_eq!(levels, [5114.0, 5114.5, 5115.0]);
    assert_eq!(series[1]["points"].as_array().unwrap().len(), 0, "a working tree with changes is no history");
}

#[test]
fn log_of_nothing_says_what_there_would_be() {
    let shelf = Shelf::with_history();
    let told = shelf.complaint(&["log", "kernel/matmul/46"], 2);
    assert!(told.contains("no series matches \"kernel/matmul/46\"") && told.contains("kernel/matmul/64"), "{told}");
}

#[test]
fn runs_are_listed_and_one_is_shown_by_the_beginning_of_its_identity() {
    let shelf = Shelf::with_history();
    let run = full_run();
    shelf.store().record(&run).unwrap();
    let listed = shelf.answer(&["runs", "--limit", "30"]);
    assert_eq!(listed.lines().count(), 31);
    assert!(listed.lines().any(|line| line.starts_with(run.id().short()) && line.contains("import criterion")));
    let json: serde_json::Value = serde_json::from_str(&shelf.answer(&["runs", "--format", "json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 20);

    let shown = shelf.answer(&["show", run.id().short()]);
    assert!(shown.contains("failed: kernel/crash: crashed (signal 11)\n    thread 'main' panicked"), "{shown}");
    let whole: serde_json::Value =
        serde_json::from_str(&shelf.answer(&["show", run.id().short(), "--format", "json"])).unwrap();
    assert_eq!(serde_json::from_value::<Run>(whole["content"].clone()).unwrap(), run);
    assert_eq!(whole["id"], run.id().as_str());
    assert!(shelf.complaint(&["show", "fffffffffffff"], 2).contains("tachograph runs"));
}

#[test]
fn an_export_gives_every_sample_back() {
    let shelf = Shelf::with_history();
    shelf.store().record(&full_run()).unwrap();
    let text = shelf.answer(&["export"]);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let runs: Vec<Run> = lines
        .iter()
        .filter(|line| line["record"] == "run")
        .map(|line| serde_json::from_value(line["content"].clone()).unwrap())
        .collect();
    assert_eq!(runs.len(), 31);
    assert_eq!(runs[30], full_run());
    assert_eq!(lines.iter().filter(|line| line["record"] == "commit").count(), 30);

    let file = shelf.folder().join("samples.csv");
    assert_eq!(shelf.answer(&["export", "--format", "csv", "--out", file.to_str().unwrap()]), "");
    let mut sheet = csv::Reader::from_path(&file).unwrap();
    let heads: Vec<String> = sheet.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(heads, tachograph::show::csv::COLUMNS);
    let rows: Vec<csv::StringRecord> = sheet.records().map(Result::unwrap).collect();
    let failed = rows.iter().filter(|row| !row[17].is_empty()).count();
    assert_eq!((rows.len() - failed, failed), (30 * 2 + 7, 4));
    let total: f64 = rows.iter().filter_map(|row| row[16].parse::<f64>().ok()).sum();
    let sum = |run: &Run| -> f64 {
        let measured = run.outcomes.values().filter_map(|outcome| match outcome {
            Outcome::Measured(measured) => Some(measured),
            Outcome::Failed(_) => None,
        });
        measured.flat_map(|it| &it.readings).flat_map(|it| &it.lives).flat_map(Life::values).sum()
    };
    assert!((total - runs.iter().map(sum).sum::<f64>()).abs() < 1e-6);
}

#[test]
fn an_export_that_fails_leaves_what_was_there() {
    let shelf = Shelf::with_history();
    let told = shelf.complaint(&["export", "--out", "no/such/folder.json"], 3);
    assert!(told.contains("no/such/folder.json"), "{told}");
    std::fs::write(shelf.folder().join("old.json"), "old").unwrap();
    shelf.sqlite3("UPDATE runs SET elapsed_ns = 17 WHERE id = 30");
    let told = shelf.complaint(&["export", "--out", "old.json"], 3);
    assert!(told.contains("damaged") && told.contains("not what was recorded"), "{told}");
    assert_eq!(std::fs::read_to_string(shelf.folder().join("old.json")).unwrap(), "old");
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_in_peace() {
    let shelf = Shelf::new();
    let mut store = shelf.store();
    let many: Vec<f64> = (0..200_000).map(f64::from).collect();
    store.record(&small_run(commit(1, &[], 1), &many)).unwrap();
    drop(store);
    for args in [&["export"][..], &["export", "--format", "csv"]] {
        let mut child = shelf.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut some = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn hostile_names_reach_no_terminal_as_they_are() {
    let shelf = Shelf::new();
    let mut run = small_run(commit(1, &[], 1), &[1.0, 2.0]);
    run.subject = Subject::Commit(tachograph::domain::Commit {
        subject: "\u{1b}]0;title\u{7}".to_owned(),
        ..run.subject.commit().clone()
    });
    let nasty = tachograph::domain::BenchmarkName::new("a\u{1b}]52;c;aGk=\u{7}\u{202e}b\r\n").unwrap();
    let outcome = run.outcomes.pop_first().unwrap().1;
    run.outcomes.insert(nasty, outcome);
    run.source = "im\u{9b}31mport".to_owned();
    shelf.store().record(&run).unwrap();
    for args in [&["log", "a"][..], &["runs"], &["show", run.id().short()], &["log", "=none"]] {
        let output = shelf.ask(args);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let unseen = |sign: char| (sign.is_control() && sign != '\n') || sign == '\u{202e}';
        assert!(!text.contains(unseen) && !text.is_empty(), "{args:?}: {text:?}");
    }
}

#[test]
fn the_store_is_found_at_the_root_of_the_repository() {
    let shelf = Shelf::new();
    let below = shelf.folder().join("repo/deep/down");
    std::fs::create_dir_all(&below).unwrap();
    let ask = |folder: &std::path::Path, variable: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tachograph"));
        command
            .arg("runs")
            .current_dir(folder)
            .env_remove("TACHOGRAPH_STORE")
            .env("GIT_CEILING_DIRECTORIES", shelf.folder());
        command.envs(variable.map(|value| ("TACHOGRAPH_STORE", value)));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, told) = ask(&below, None);
    assert!(code == Some(3) && told.contains("--store FILE"), "{told}");

    assert!(Command::new("git").args(["init", "-q"]).arg(shelf.folder().join("repo")).status().unwrap().success());
    let (code, told) = ask(&below, None);
    assert!(code == Some(3) && told.contains("repo/.tachograph/store.db") && told.contains("tachograph run"), "{told}");
    assert!(!shelf.folder().join("repo/.tachograph").exists(), "reading makes nothing");

    let address = tachograph::record::Address::of_repository(&shelf.folder().join("repo")).unwrap();
    tachograph::record::Store::open(&address).unwrap().record(&full_run()).unwrap();
    assert!(ask(&below, None).1.contains(full_run().id().short()));

    shelf.store().record(&small_run(commit(1, &[], 1), &[1.0])).unwrap();
    let elsewhere = shelf.folder().join("store.db");
    assert!(!ask(&below, elsewhere.to_str()).1.contains(full_run().id().short()));
}
