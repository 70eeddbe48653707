//! Hundreds of hostile names through everything that shows names: no element, attribute, link or escape sequence is ever
//! made by data. What a page is made of with a hostile name is compared with what it is made of with a harmless one.

#[path = "hostile_names/corpus.rs"]
mod corpus;
#[path = "hostile_names/measured.rs"]
mod measured;

use std::collections::BTreeSet;

use corpus::corpus;
use tachograph::domain::{
    Acceptance, BenchmarkName, CommitId, Level, Line, Machine, Metric, Order, Pattern, Point, RawAcceptance, RecordId,
    Series, SeriesTrend, SuiteName, Trend, Turn, Unit, Until,
};
use tachograph::show::accepted::Entry;
use tachograph::show::chart::accepted::Accepted;
use tachograph::show::chart::lanes::Lane;
use tachograph::show::chart::lines::{self, Curve, Lines, Scale};
use tachograph::show::chart::reference::Reference;
use tachograph::show::chart::series::{self as chart, Dot, Mark, Step, Tag};
use tachograph::show::page::board::{self, Board, Panel};
use tachograph::show::page::overview::{self, Beside, Newest};
use tachograph::show::page::row::{ChangeLine, Row};
use tachograph::show::page::series::{self, Page, Reading, Sibling};
use tachograph::show::page::{self, Site, changes, feed};
use tachograph::show::style::Style;
use tachograph::show::{badge, escape, log, peers, report};

const HARMLESS: &str = "harmless";

fn commit(digit: &str) -> CommitId {
    CommitId::new(digit.repeat(40)).expect("a hash")
}

/// An acceptance in which every text that data can choose is the name.
fn accepted(name: &str) -> Entry {
    let acceptance = Acceptance::try_from(RawAcceptance {
        pattern: Pattern::new(name),
        metric: Some(name.to_owned()),
        allowed: Some("5 %".parse().expect("a limit")),
        gone: false,
        reason: name.to_owned(),
        commit: commit("e"),
        base: commit("f"),
        until: Until::Rebased,
    });
    let acceptance = acceptance.expect("it has a reason");
    Entry { place: 1, commit: commit("a"), at_s: 1_780_000_000, acceptance }
}

/// A row in which every text that data can choose is the name.
fn row(name: &str) -> Row {
    let change = |place: usize, turn: Turn| ChangeLine {
        place,
        commit: commit("a"),
        at_s: 1_780_000_000,
        subject: name.to_owned(),
        within: (commit("b"), commit("c")),
        turn,
        drifts: false,
        size: "+3.0 %".to_owned(),
        relative: Some(0.03),
        interval: Some((0.02, 0.04)),
        levels: (100.0, 103.0),
        accepted: vec![name.to_owned(), name.to_owned()],
    };
    Row {
        id: RecordId::of("series", &1),
        suite: SuiteName::new(name).expect("a name"),
        benchmark: BenchmarkName::new(name).expect("a name"),
        metric: Metric { name: name.to_owned(), unit: Unit::new(name), ..Metric::time() },
        machine: name.to_owned(),
        spark: vec![100.0, 103.0],
        level: 103.0,
        noise: Some(0.01),
        over: [Some(0.03); 4],
        changes: vec![change(1, Turn::Regression), change(9, Turn::Moved)],
        last: commit("d"),
        last_at_s: 1_780_000_000,
    }
}

fn drawing(name: &str) -> tachograph::show::chart::Svg {
    let dots: Vec<Dot> =
        (0..40_u32).map(|at| Dot { x: f64::from(at), y: 100.0 + f64::from(at % 3), interval: None }).collect();
    chart::draw(&chart::Series {
        title: name,
        unit: &Unit::new(name),
        dots: &dots,
        steps: &[Step { from: 0.0, to: 39.0, value: 101.0, within: (100.0, 102.0) }],
        marks: &[Mark {
            at: 9.0,
            within: (8.0, 10.0),
            turn: Turn::Moved,
            rose: true,
            label: name.to_owned(),
            title: name.to_owned(),
        }],
        tags: &[Tag { at: 5.0, name: name.to_owned() }],
        accepted: &[Accepted { at: 7.0, label: name.to_owned(), title: name.to_owned() }],
        // A lane's text is left out where it has no room; its title stays.
        references: &[],
        lanes: &[Lane { name: name.to_owned(), spans: vec![(0.0, 1.0, name.to_owned())] }],
        times: &[(0.0, 1_780_000_000), (39.0, 1_790_000_000)],
    })
}

/// A chart of several lines, and a dashboard with it.
fn dashboard(name: &str) -> Board {
    let dots = |level: f64| (0..9_u32).map(move |at| Dot { x: f64::from(at), y: level, interval: None }).collect();
    let curve = |level: f64| Curve { name: name.to_owned(), dots: dots(level) };
    let chart = lines::draw(&Lines {
        title: name,
        unit: &Unit::new(name),
        scale: Scale::Linear,
        curves: &[curve(100.0), curve(110.0)],
        references: &[
            Reference { name: name.to_owned(), value: 105.0 },
            Reference { name: name.to_owned(), value: 1e9 },
        ],
        times: &[(0.0, 1_780_000_000), (8.0, 1_790_000_000)],
    });
    let row = board::Line {
        id: RecordId::of("series", &1),
        name: name.to_owned(),
        unit: Unit::new(name),
        first: 100.0,
        now: 110.0,
        of_best: Some(1.1),
        peers: vec![(name.to_owned(), 105.0)],
    };
    let panel = Panel { title: name.to_owned(), notes: vec![name.to_owned()], chart, rows: vec![row] };
    Board { stem: "plain".to_owned(), title: name.to_owned(), about: name.to_owned(), panels: vec![panel] }
}

/// A report in which every text that data can choose is the name.
fn since(name: &str) -> report::Report {
    let end = |digit: &str| report::End { name: name.to_owned(), commit: commit(digit), at_s: 1_780_000_000 };
    let line = |before: Option<f64>| report::Line {
        row: row(name),
        before,
        changes: 2,
        is_there: true,
        way: vec![before, Some(103.0)],
        releases: vec![before],
    };
    report::Report {
        name: name.to_owned(),
        from: end("a"),
        to: end("b"),
        commits: 7,
        releases: vec![end("c")],
        lines: vec![line(Some(100.0)), line(None)],
        failed: vec![(name.to_owned(), name.to_owned(), name.to_owned())],
        hot: vec![report::Hot {
            benchmark: name.to_owned(),
            machine: name.to_owned(),
            path: name.to_owned(),
            before: Some(0.1),
            now: 0.2,
        }],
        peers: vec![peers::Row {
            benchmark: name.to_owned(),
            metric: name.to_owned(),
            unit: name.to_owned(),
            machine: name.to_owned(),
            commit: "a".repeat(40),
            ours: 1.0,
            peer: name.to_owned(),
            theirs: 2.0,
            ratio: 0.5,
            interval: None,
        }],
        machines: vec![(name.to_owned(), name.to_owned())],
    }
}

fn newest(name: &str, failed: u64) -> Newest {
    Newest {
        commit: name.to_owned(),
        subject: name.to_owned(),
        at_s: 1_780_000_000,
        failed,
        release: Some(name.to_owned()),
    }
}

/// A badge that names a release; one of a commit with failures does not.
fn badge(name: &str) -> String {
    badge::svg(Some(&newest(name, 0)), &[row(name)])
}

/// Everything that a browser or a feed reader gets to see of a name.
fn pages(name: &str) -> Vec<String> {
    let site = Site { name: name.to_owned(), version: name.to_owned() };
    let rows = [row(name)];
    let newest = newest(name, 1);
    let reading = |place: usize| Reading {
        place,
        commit: "abc".to_owned(),
        at_s: 1_780_000_000,
        subject: name.to_owned(),
        level: 103.0,
        interval: Some((102.0, 104.0)),
        lives: 3,
        run: (place > 1).then(|| "abc.html".to_owned()),
    };
    let chart = drawing(name);
    let sibling = |file: &str| Sibling { file: file.to_owned(), metric: name.to_owned(), machine: name.to_owned() };
    let series = series::render(
        &site,
        &Page {
            row: &rows[0],
            chart: &chart,
            readings: &[reading(1), reading(2)],
            levels: &[Level { from: 0, to: 2, value: 103.0, low: 102.0, high: 104.0 }],
            siblings: &[sibling(&series::file(&rows[0])), sibling("other.html")],
            tags: &[(1, name.to_owned())],
            accepted: &[accepted(name)],
        },
    );
    let links = measured::links(name, &rows[0]);
    let pair = measured::pair(name);
    let beside = Beside { links: &links, pairs: std::slice::from_ref(&pair) };
    let mut pages: Vec<String> =
        overview::pages(&site, Some(&newest), &rows, beside).into_iter().map(|(_, page)| page).collect();
    pages.extend([series, changes::page_of(&site, &rows, &links), feed::atom(&site, &rows), chart.into_file()]);
    pages.extend(measured::pages(&site, name, &rows[0], &links));
    let board = dashboard(name);
    pages.extend([board::page_of(&site, &board), badge(name), page::report::page_of(&since(name))]);
    pages.extend([board.panels[0].chart.clone().into_file(), board::list(&site, &[board])]);
    pages
}

/// What markup is made of: every tag with the names of its attributes, and the values of those that lead somewhere. Text and
/// other values are left out. Anything that is no well-formed tag is told as it is.
fn bones(markup: &str) -> Vec<String> {
    let mut bones = Vec::new();
    let mut rest = markup;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let mut quoted = false;
        let end = rest.find(|sign| {
            quoted ^= sign == '"';
            sign == '>' && !quoted
        });
        let Some(end) = end else {
            bones.push(format!("a tag that does not end: {rest}"));
            return bones;
        };
        // Outside of quotes nothing comes from data.
        for (number, piece) in rest[..end].split('"').enumerate() {
            let leads = bones.last().is_some_and(|last: &String| last.ends_with("href=") || last.ends_with("src="));
            if number % 2 == 0 || leads {
                bones.push(piece.to_owned());
            }
        }
        rest = &rest[end + 1..];
    }
    bones
}

#[test]
fn no_page_feed_or_chart_is_made_otherwise_by_a_name() {
    let corpus = corpus();
    assert!(corpus.len() >= 300, "{}", corpus.len());
    let harmless: Vec<Vec<String>> = pages(HARMLESS).iter().map(|page| bones(page)).collect();
    for name in corpus {
        let pages = pages(&name);
        assert_eq!(pages.len(), harmless.len(), "{name:?}");
        for (page, expected) in pages.iter().zip(&harmless) {
            let found = bones(page);
            // A long label may have no room, and is left out with its element: of what remains nothing may be new.
            let known: BTreeSet<&String> = expected.iter().collect();
            let numbers = |bone: &&String| !known.contains(bone) && !is_geometry(bone);
            let strange: Vec<&String> = found.iter().filter(numbers).collect();
            assert_eq!(strange, Vec::<&String>::new(), "{name:?}");
            let tags =
                |bones: &[String], name: &str| bones.iter().filter(|bone| bone.split(' ').next() == Some(name)).count();
            for element in ["a", "script", "tr", "td", "th", "g", "svg", "path", "option", "link", "entry", "meta"] {
                assert_eq!(tags(&found, element), tags(expected, element), "{element} with {name:?}");
            }
        }
    }
}

/// The numbers of an element that stands where a text's width put it stand within quotes and are left out; what remains of
/// such an element are the names of its attributes.
fn is_geometry(bone: &str) -> bool {
    ["text x=", " y=", " text-anchor=", "/text", ""].contains(&bone)
}

#[test]
fn charts_and_feeds_with_hostile_names_are_well_formed_xml() {
    for name in corpus() {
        let site = Site { name: name.clone(), version: "1".to_owned() };
        let lines = dashboard(&name).panels[0].chart.clone().into_file();
        let badge = badge(&name);
        assert!(badge.contains("since"), "a badge names the release: {badge}");
        for text in [drawing(&name).into_file(), feed::atom(&site, &[row(&name)]), lines, badge] {
            let mut reader = quick_xml::Reader::from_str(&text);
            loop {
                match reader.read_event() {
                    Ok(quick_xml::events::Event::Eof) => break,
                    Ok(quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag)) => {
                        for attribute in tag.attributes() {
                            let attribute = attribute.unwrap_or_else(|error| panic!("{name:?}: {error}"));
                            assert!(!attribute.value.contains('<'), "{name:?}");
                        }
                    }
                    Ok(_) => {}
                    Err(error) => panic!("{name:?}: {error}"),
                }
            }
            assert!(!text.chars().any(|sign| sign.is_control() && sign != '\n'), "{name:?}");
        }
    }
}

/// Markdown without its code spans and the lines of code blocks: what remains is what Markdown reads.
fn outside_of_code(markdown: &str) -> String {
    let mut out = String::new();
    for line in markdown.lines().filter(|line| !line.starts_with("    ")) {
        let mut rest = line;
        while let Some(start) = rest.find('`') {
            out.push_str(&rest[..start]);
            let fence = rest[start..].len() - rest[start..].trim_start_matches('`').len();
            rest = &rest[start + fence..];
            // The span ends at the next run of as many.
            let mut at = 0;
            loop {
                let Some(next) = rest[at..].find('`') else { panic!("a span without an end: {line}") };
                let run = rest[at + next..].len() - rest[at + next..].trim_start_matches('`').len();
                at += next + run;
                if run == fence {
                    break;
                }
            }
            assert!(!rest[..at].replace("\\|", "").contains('|'), "a cell within a span: {line}");
            rest = &rest[at..];
            out.push_str("CODE");
        }
        out.push_str(rest);
        out.push('\n');
    }
    out
}

#[test]
fn no_name_is_read_as_markdown_in_a_report() {
    let expected = outside_of_code(&report::markdown(&since(HARMLESS)));
    for name in corpus() {
        let found = outside_of_code(&report::markdown(&since(&name)));
        assert_eq!(found, expected, "{name:?}");
    }
}

#[test]
fn no_name_steers_a_terminal() {
    for name in corpus() {
        let text = report::text(&since(&name), Style::default());
        assert!(text.lines().all(|line| escape::line(line) == line), "{name:?}: {text:?}");
        let series = Series {
            suite: SuiteName::new(name.as_str()).expect("a name"),
            benchmark: BenchmarkName::new(name.as_str()).expect("a name"),
            metric: Metric { name: name.clone(), ..Metric::time() },
            machine: Machine::Named(name.clone()),
        };
        let point = Point {
            run: RecordId::of("run", &1),
            commit: commit("a"),
            committed_at_s: 1_780_000_000,
            level: 100.0,
            interval: None,
            lives: 1,
            samples: 1,
        };
        let trend = SeriesTrend {
            series: series.clone(),
            marks: vec![],
            trend: Trend::default(),
            toolchains: vec![],
            brought: 0,
            left_out: 0,
        };
        let line = Line::new(vec![], Order::Date);
        let accepted = [accepted(&name)];
        let past = log::Past { points: &[point], rows: 5, trend: &trend, line: &line, accepted: &accepted };
        let text = log::text(&series, past, Style::default());
        assert_eq!(text.lines().count(), 6, "{name:?}: {text}");
        assert!(text.lines().all(|line| escape::line(line) == line), "{name:?}: {text:?}");
    }
}
