//! The site in a real browser: opened from disk, used by mouse and keyboard, on paper, in the dark, on a phone, and without
//! its script.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::browser::Browser;
use crate::drawn::Size;
use crate::showing::{accept, with_past};
use crate::world::{World, skip};

/// A dashboard of it.
const BOARD: &str = "title = \"Kernels\"\nabout = \"How the kernels of this made-up past compare, on one machine\"
[[chart]]\ntitle = \"All\"\nseries = \"kernel/*\"\nscale = \"log\"
[[chart]]\ntitle = \"Since they began\"\nseries = [\"kernel/matmul/*\", \"kernel/gelu/*\"]\nvalues = \"relative\"\n";

/// A past large enough to be searched and zoomed into.
pub(crate) fn site() -> (World, PathBuf) {
    let world = with_past(Size { series: 45, commits: 120, changes: 6 });
    world.write("dashboards/kernels.toml", BOARD);
    accept(&world, "=kernel/matmul/16", "HEAD~40");
    world.ended(0, &["publish", "--name", "a made-up past"]);
    let folder = world.root().join(".tachograph/site");
    (world, folder)
}

pub(crate) fn browser() -> Option<Browser> {
    let browser = Browser::open();
    if browser.is_none() {
        skip("pages in a browser", "this machine has no Chromium (Debian: apt install chromium)");
    }
    browser
}

/// The page asked for nothing but files, and complained of nothing.
pub(crate) fn was_quiet(browser: &Browser) {
    assert_eq!(browser.complaints, Vec::<String>::new());
    let foreign = browser.asked.iter().filter(|address| !address.starts_with("file://") && *address != "about:blank");
    assert_eq!(foreign.collect::<Vec<_>>(), Vec::<&String>::new());
}

const SHOWN: &str = "document.querySelectorAll('#rows tbody tr').length";

fn series_page(folder: &Path, browser: &mut Browser) -> PathBuf {
    browser.visit(&folder.join("index.html"), "");
    let href = browser.evaluate("document.querySelector('#rows tbody a').getAttribute('href')");
    folder.join(href.as_str().expect("a link"))
}

#[test]
fn the_list_is_searched_sorted_and_filtered_and_the_way_back_works() {
    let (_world, folder) = site();
    let Some(mut browser) = browser() else { return };
    browser.visit(&folder.join("index.html"), "");
    let all = browser.evaluate(SHOWN).as_u64().expect("rows");
    assert_eq!(all, 45);
    browser.picture("overview");

    browser.press("/");
    assert_eq!(browser.evaluate("document.activeElement.name"), json!("q"));
    browser.type_in("matmul");
    browser.until(&format!("{SHOWN} > 0 && {SHOWN} < {all}"));
    assert_eq!(browser.evaluate("location.hash"), json!("#q=matmul"));
    let named = "[...document.querySelectorAll('#rows tbody th')].every((cell) => cell.textContent.includes('matmul'))";
    assert_eq!(browser.evaluate(named), json!(true));

    browser.visit(&folder.join("index.html"), "#metric=allocated");
    let metrics = "new Set([...document.querySelectorAll('#rows tbody tr')].map((row) => row.cells[2].textContent))";
    assert_eq!(browser.evaluate(&format!("[...{metrics}]")), json!(["allocated"]));
    browser.visit(&folder.join("index.html"), "#group=decode");
    let groups =
        "new Set([...document.querySelectorAll('#rows tbody th')].map((cell) => cell.textContent.split('/')[0]))";
    assert_eq!(browser.evaluate(&format!("[...{groups}]")), json!(["decode"]));
    browser.visit(&folder.join("index.html"), "#metric=allocated");

    browser.evaluate("document.querySelectorAll('#rows thead button')[1].click()");
    browser.until("document.querySelector('#rows th[aria-sort=descending]') !== null");
    let keys = "[...document.querySelectorAll('#rows tbody tr')].map((row) => Number(row.dataset.k.split(' ')[0]))";
    assert_eq!(browser.evaluate(&format!("{keys}.every((key, at, all) => !at || all[at - 1] >= key)")), json!(true));
    browser.evaluate("history.back()");
    browser.until("document.querySelector('#rows th[aria-sort]') === null");
    assert_eq!(browser.evaluate("location.hash"), json!("#metric=allocated"));
    was_quiet(&browser);
}

#[test]
fn a_chart_is_pointed_at_zoomed_and_read_by_keyboard() {
    let (_world, folder) = site();
    let Some(mut browser) = browser() else { return };
    let page = series_page(&folder, &mut browser);
    browser.visit(&page, "");
    browser.picture("series");
    let at = |browser: &mut Browser, share: f64| {
        let box_of = format!(
            "(() => {{ const box = document.querySelector('#chart svg').getBoundingClientRect(); \
             return [box.x + box.width * {share}, box.y + box.height / 2]; }})()"
        );
        let place = browser.evaluate(&box_of);
        (place[0].as_f64().expect("x"), place[1].as_f64().expect("y"))
    };
    let middle = at(&mut browser, 0.5);
    browser.mouse("mouseMoved", middle);
    browser
        .until("/\\d\\d\\d\\d-\\d\\d-\\d\\d · [0-9a-f]{10} · /.test(document.getElementById('readout').textContent)");

    let (from, to) = (at(&mut browser, 0.3), at(&mut browser, 0.6));
    browser.mouse("mousePressed", from);
    browser.mouse("mouseMoved", to);
    browser.mouse("mouseReleased", to);
    browser.until("/from=\\d+&to=\\d+/.test(location.hash)");
    browser.until("document.querySelectorAll('#chart .dots path').length === 1");
    browser.picture("zoomed");
    let deep = browser.evaluate("location.hash");

    browser.evaluate("document.getElementById('chart').focus()");
    let before = browser.evaluate("document.getElementById('readout').textContent");
    browser.press("ArrowLeft");
    browser.until(&format!("document.getElementById('readout').textContent !== {before}"));
    browser.press("Escape");
    browser.until("location.hash === ''");
    browser.evaluate("history.back()");
    browser.until(&format!("location.hash === {deep}"));

    browser.visit(&page, "#x=date");
    assert_eq!(browser.evaluate("document.querySelector('#zoom [name=date]').checked"), json!(true));
    browser.picture("by-date");
    let metric = browser.evaluate("document.querySelectorAll('.switch a:not([aria-current])').length");
    assert!(metric.as_u64().expect("a number") >= 2, "other machines are one click away");
    browser.evaluate("document.querySelector('.switch a:not([aria-current])').click()");
    browser.until("document.querySelector('#chart svg') !== null");
    was_quiet(&browser);
}

#[test]
fn what_was_accepted_is_seen_by_day_by_night_without_the_script_and_when_zoomed_into() {
    let (_world, folder) = site();
    let Some(mut browser) = browser() else { return };
    browser.visit(&folder.join("index.html"), "");
    let time = "[...document.querySelectorAll('#rows tbody tr')].find((row) => row.cells[0].textContent === \
                'kernel/matmul/16' && row.cells[2].textContent === 'time').querySelector('a').getAttribute('href')";
    let page = folder.join(browser.evaluate(time).as_str().expect("a link"));
    // Every mark is wholly within the picture, and darker or lighter than the paper by far.
    let marks = "[...document.querySelectorAll('#chart svg .accepted')]";
    let ours = "find((mark) => mark.querySelector('title').textContent.includes('checks <its> input now'))";
    let is_seen = format!(
        "(() => {{ const mark = {marks}.{ours}; if (!mark) return false; \
         const sum = (text) => text.match(/\\d+/g).slice(0, 3).reduce((all, part) => all + Number(part), 0); \
         const [inside, all] = [mark.querySelector('path:last-of-type'), mark.ownerSVGElement].map((one) => one.getBoundingClientRect()); \
         const ink = sum(getComputedStyle(mark.querySelector('path:last-of-type')).stroke); \
         const paper = sum(getComputedStyle(document.body).backgroundColor); \
         return inside.height > 5 && inside.left >= all.left && inside.bottom <= all.bottom && Math.abs(ink - paper) > 380; }})()"
    );
    for (scheme, scripts) in [("light", true), ("dark", true), ("light", false), ("dark", false)] {
        browser.looks(scheme, "");
        browser.scripts(scripts);
        browser.visit(&page, "");
        assert_eq!(browser.evaluate(&is_seen), json!(true), "{scheme} {scripts}");
        browser.picture(&format!("accepted-{scheme}"));
        let table = browser.evaluate("document.body.innerText");
        let table = table.as_str().unwrap_or_default();
        assert!(table.contains("checks <its> input now") && table.contains("up to 5 %"), "{table}");
    }
    browser.scripts(true);
    browser.visit(&page, "#from=60&to=100");
    browser.until("document.querySelectorAll('#chart .dots path').length === 1");
    assert_eq!(browser.evaluate(&is_seen), json!(true), "zoomed");
    browser.picture("accepted-zoomed");
    browser.visit(&page, "#from=10&to=40");
    browser.until("document.querySelectorAll('#chart .dots path').length === 1");
    assert_eq!(browser.evaluate(&is_seen), json!(false), "it lies elsewhere");
    was_quiet(&browser);
}

#[test]
fn pages_fit_a_phone_look_right_in_the_dark_and_say_all_without_their_script() {
    let (_world, top) = site();
    let Some(mut browser) = browser() else { return };
    let page = series_page(&top, &mut browser);
    let first = |folder: &str, browser: &mut Browser| {
        browser.visit(&top.join("runs.html"), "");
        let href =
            browser.evaluate(&format!("document.querySelector('main a[href^=\"{folder}/\"]').getAttribute('href')"));
        top.join(href.as_str().expect("a link"))
    };
    let (run, duel) = (first("run", &mut browser), first("duel", &mut browser));
    browser.visit(&top.join("compare.html"), "");
    let pair = browser.evaluate("document.querySelector('.pairs a').getAttribute('href')");
    let pages = [
        ("overview", top.join("index.html")),
        ("series", page),
        ("changes", top.join("changes.html")),
        ("board", top.join("board-kernels.html")),
        ("runs", top.join("runs.html")),
        ("run", run),
        ("duel", duel),
        ("compare", top.join("compare.html")),
        ("release", top.join(pair.as_str().expect("a link"))),
    ];
    for (name, page) in pages {
        browser.window(360, 740);
        browser.looks("dark", "");
        browser.visit(&page, "");
        assert_eq!(
            browser.evaluate("document.documentElement.scrollWidth <= innerWidth"),
            json!(true),
            "{name} on a phone"
        );
        let dark = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((part) => part < 60)";
        assert_eq!(browser.evaluate(dark), json!(true), "{name} in the dark");
        browser.picture(&format!("{name}-phone-dark"));
        browser.looks("dark", "print");
        assert_eq!(
            browser.evaluate("getComputedStyle(document.body).backgroundColor"),
            json!("rgb(255, 255, 255)"),
            "{name} on paper"
        );
        browser.looks("light", "");
        browser.window(1280, 900);
        browser.scripts(false);
        browser.visit(&page, "");
        browser.picture(&format!("{name}-without-script"));
        let words = "document.body.innerText.length > 300 && [...document.querySelectorAll('.tools')].every((tools) => !tools.offsetParent)";
        assert_eq!(browser.evaluate(words), json!(true), "{name} without its script");
        browser.scripts(true);
    }
    was_quiet(&browser);
}
