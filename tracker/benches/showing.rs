//! Charts, pages, and a whole site of a made-up past.

use std::fs;
use std::path::{Path, PathBuf};

use tachograph::domain::{BenchmarkName, CommitId, Metric, RecordId, SuiteName, Unit};
use tachograph::flow::publish::{Plan, Published, publish};
use tachograph::record::{Address, Store};
use tachograph::show::chart::series::{self, Dot};
use tachograph::show::page::Site;
use tachograph::show::page::links::Links;
use tachograph::show::page::overview::{self, Beside};
use tachograph::show::page::row::Row;
use tachograph_harness::Suite;

use crate::drawn::Size;
use crate::made::Past;

const POINTS: u32 = 10_000;
const ROWS: usize = 500;

/// Series and commits of the site that is published.
const SITE: Size = Size { series: 60, commits: 60, changes: 4 };

pub(crate) fn offer(suite: &mut Suite<'_>) {
    suite
        .benchmark("show/chart/10k", || {
            let dot = |at: u32| {
                let y = 1000.0 + f64::from(at * 7919 % 101);
                Dot { x: f64::from(at), y, interval: Some((y - 9.0, y + 9.0)) }
            };
            let dots: Vec<Dot> = (0..POINTS).map(dot).collect();
            let times: Vec<(f64, i64)> = dots.iter().map(|dot| dot.x).zip((1_700_000_000..).step_by(7200)).collect();
            let unit = Unit::nanoseconds();
            move || {
                let chart = series::Series {
                    title: "a chart",
                    unit: &unit,
                    dots: &dots,
                    steps: &[],
                    marks: &[],
                    tags: &[],
                    accepted: &[],
                    references: &[],
                    lanes: &[],
                    times: &times,
                };
                series::draw(&chart).as_str().matches("class=\"dots\"").count()
            }
        })
        .expect(1);

    suite
        .benchmark("show/overview/500", || {
            let rows: Vec<Row> = (0..ROWS).map(row).collect();
            let site = Site { name: "a site".to_owned(), version: "1".to_owned() };
            let links = Links::default();
            move || {
                overview::pages(&site, None, &rows, Beside { links: &links, pairs: &[] })[0]
                    .1
                    .matches("<tr data-k")
                    .count()
            }
        })
        .elements(ROWS)
        .expect(ROWS);

    suite
        .benchmark("publish/cold/60x60", || {
            let mut bench = Bench::new("cold");
            move || {
                let _ = fs::remove_dir_all(&bench.site);
                bench.publish().drawn
            }
        })
        .expect(SITE.series);

    suite
        .benchmark("publish/unchanged/60x60", || {
            let mut bench = Bench::new("unchanged");
            bench.publish();
            move || bench.publish().drawn
        })
        .expect(0);
}

fn row(number: usize) -> Row {
    Row {
        id: RecordId::of("series", &number),
        suite: SuiteName::new("engine").expect("a name"),
        benchmark: BenchmarkName::new(format!("kernel/matmul/{number}")).expect("a name"),
        metric: Metric::time(),
        machine: "lorry".to_owned(),
        spark: (0..24).map(|at| 1000.0 + f64::from(at * 7 % 5)).collect(),
        level: 1000.0,
        noise: Some(0.01),
        over: [Some(0.02), None, Some(-0.1), Some(0.0)],
        changes: Vec::new(),
        last: CommitId::new("ab".repeat(20)).expect("a hash"),
        last_at_s: 1_790_000_000,
    }
}

/// A made-up past with its store and the place of its site, in the build's scratch folder; it goes with the benchmark.
struct Bench {
    folder: PathBuf,
    site: PathBuf,
    store: Store,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("site-{name}-{}", std::process::id()));
        Past::new(SITE).write(&folder).expect("a past is made");
        let file = folder.join(".tachograph/store.db");
        let address = Address::parse(&file.to_string_lossy(), Path::new("/")).expect("an address");
        let store = Store::open_to_read(&address).expect("the store");
        Bench { site: folder.join("site"), folder, store }
    }

    fn publish(&mut self) -> Published {
        publish(&mut self.store, &Plan { name: "a past", repository: None, boards: &[] }, &self.site)
            .expect("published")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The next one has another name.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
