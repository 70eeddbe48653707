//! The pages of runs, duels and comparisons in a real browser.

use std::path::{Path, PathBuf};

use serde_json::json;
use tachograph::record::{Address, Store};

use crate::browser::Browser;
use crate::drawn::Size;
use crate::showing::{files, with_past};
use crate::site::{browser, site, was_quiet};

const SHOWN: &str = "document.querySelectorAll('#rows tbody tr').length";

/// Where the first link that a selector finds leads.
fn follow(browser: &mut Browser, page: &Path, selector: &str) -> PathBuf {
    browser.visit(page, "");
    let href = browser.evaluate(&format!("document.querySelector({selector:?}).getAttribute('href')"));
    page.parent().expect("a folder").join(href.as_str().expect("a link").split('#').next().expect("a file"))
}

#[test]
fn a_duel_is_reached_from_the_overview_and_leads_to_its_series_run_and_findings() {
    let (_world, folder) = site();
    let Some(mut browser) = browser() else { return };
    let duel = follow(&mut browser, &folder.join("index.html"), ".duels a");
    browser.visit(&duel, "");
    browser.picture("duel");
    let verdict = browser.evaluate("document.querySelector('h1').textContent");
    assert!(verdict.as_str().is_some_and(|words| words.contains(": ")), "{verdict}");
    assert_eq!(browser.evaluate("document.querySelectorAll('svg.forest').length"), json!(1));
    let all = browser.evaluate(SHOWN).as_u64().expect("rows");
    let chart_rows = browser.evaluate("document.querySelectorAll('svg.forest .row').length").as_u64().expect("rows");
    assert!(all >= 10 && chart_rows == all.min(40), "{all} {chart_rows}");

    browser.press("/");
    browser.type_in("matmul");
    browser.until(&format!("{SHOWN} > 0 && {SHOWN} < {all}"));
    browser.visit(&duel, "#metric=allocated&sort=-5");
    let metrics = "new Set([...document.querySelectorAll('#rows tbody tr')].map((row) => row.cells[2].textContent))";
    assert_eq!(browser.evaluate(&format!("[...{metrics}]")), json!(["allocated"]));
    assert_eq!(browser.evaluate("document.querySelector('#rows th[aria-sort=descending]').cellIndex"), json!(5));

    for (selector, wanted) in [("#rows tbody a", "series/"), (".facts a", "run/")] {
        let page = follow(&mut browser, &duel, selector);
        let inside = page.to_string_lossy().replace("/duel/../", "/");
        assert!(page.is_file() && inside.contains(wanted), "{inside}");
    }
    was_quiet(&browser);
}

#[test]
fn a_run_shows_its_values_and_leads_to_its_neighbours_and_back() {
    let (_world, folder) = site();
    let Some(mut browser) = browser() else { return };
    let run = follow(&mut browser, &folder.join("runs.html"), "main a[href^='run/']");
    browser.visit(&run, "");
    browser.picture("run");
    assert!(browser.evaluate("document.querySelectorAll('svg.distribution').length").as_u64() >= Some(1));
    assert!(browser.evaluate("document.querySelectorAll('#rows .spark .dots').length").as_u64() >= Some(5));
    let facts = browser.evaluate("document.body.innerText");
    for wanted in ["rustc", "tachograph show", "tachograph run", "load before"] {
        assert!(facts.as_str().is_some_and(|text| text.contains(wanted)), "{wanted} in {facts}");
    }
    browser.evaluate("document.querySelectorAll('#rows thead button')[2].click()");
    browser.until("document.querySelector('#rows th[aria-sort=descending]') !== null");
    browser.evaluate("history.back()");
    browser.until("document.querySelector('#rows th[aria-sort]') === null");
    let before = follow(&mut browser, &run, "main a[href^='../run/']");
    assert!(before.is_file() && before != run);
    was_quiet(&browser);
}

#[test]
fn any_two_commits_are_compared_from_the_address_and_by_hand() {
    let (_world, folder) = site();
    let Some(mut browser) = browser() else { return };
    let drawn = follow(&mut browser, &folder.join("compare.html"), ".pairs a");
    browser.visit(&drawn, "");
    browser.picture("compare-drawn");
    let told = "[...document.querySelectorAll('#rows tbody tr')].map((row) => row.cells[0].textContent + row.cells[2].textContent \
                + row.cells[3].textContent + row.cells[4].textContent + row.cells[5].textContent + row.cells[6].textContent + row.cells[8].textContent).sort()";
    let by_hand = browser.evaluate(told);
    let groups = "document.getElementById('groups').tBodies[0].innerText";
    let groups_drawn = browser.evaluate(groups);
    let anywhere = follow(&mut browser, &drawn, "main a[href*='compare.html#']");
    browser.visit(&drawn, "");
    let rest = browser.evaluate("document.querySelector('main a[href*=\"compare.html#\"]').hash");
    let rest = rest.as_str().expect("two commits").to_owned();

    browser.visit(&anywhere, &rest);
    browser.until(&format!("!document.getElementById('compared').hidden && {SHOWN} > 10"));
    browser.picture("compare");
    assert_eq!(browser.evaluate(told), by_hand, "the script comes to the same as what was drawn");
    assert_eq!(browser.evaluate(groups), groups_drawn);
    assert_eq!(browser.evaluate("document.querySelectorAll('#scatter svg').length"), json!(1));

    let all = browser.evaluate(SHOWN).as_u64().expect("rows");
    browser.evaluate(
        "(() => { const field = document.querySelector('#filter [name=factor]'); field.value = '1'; \
         field.dispatchEvent(new Event('input', { bubbles: true })); })()",
    );
    browser.until(&format!("{SHOWN} < {all}"));
    assert!(browser.evaluate("location.hash").as_str().is_some_and(|hash| hash.contains("factor=1")));
    browser.evaluate("document.querySelector('#export').open = true; document.querySelector('#export button').click()");
    let markdown = browser.evaluate("document.querySelector('#export textarea').value");
    assert!(markdown.as_str().is_some_and(|text| text.starts_with("| benchmark | suite |")), "{markdown}");

    // Another pair by hand, by release and by day, and the way back.
    browser.evaluate(
        "(() => { const form = document.getElementById('ends'); form.elements.a.value = 'v0.1.0'; \
         form.elements.b.value = 'v0.4.0'; form.requestSubmit(); })()",
    );
    browser
        .until("location.hash.includes('a=v0.1.0') && document.getElementById('hint').textContent.startsWith('From ')");
    browser.evaluate("history.back()");
    browser.until(&format!("!location.hash.includes('v0.1.0') && {SHOWN} > 0"));
    browser.visit(&anywhere, "#a=nothing&b=v0.4.0");
    browser.until("document.getElementById('hint').textContent.includes('nothing')");
    was_quiet(&browser);
}

#[test]
fn every_link_of_a_site_leads_to_a_file_of_it() {
    let (_world, folder) = site();
    let files = files(&folder);
    for (name, content) in files.iter().filter(|(name, _)| Path::new(name).extension() == Some("html".as_ref())) {
        let text = String::from_utf8(content.clone()).expect("text");
        assert!(text.len() < 400_000, "{name} has {} bytes", text.len());
        for href in text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let file = href.split('#').next().unwrap_or_default();
            let target = folder.join(name).parent().expect("a folder").join(file);
            assert!(file.is_empty() || target.exists(), "{name} leads to {href}");
            let id = href.split('#').nth(1).filter(|_| file.is_empty() && href != "#main");
            assert!(id.is_none_or(|id| text.contains(&format!("id=\"{id}\""))), "{name}: {href}");
        }
    }
    for folder in ["run/", "duel/", "compare/", "data/"] {
        assert!(files.keys().any(|name| name.starts_with(folder)), "{folder}");
    }
}

#[test]
fn a_new_run_and_a_new_judgement_leave_a_site_as_if_it_were_drawn_in_one_go() {
    let world = with_past(Size { series: 24, commits: 40, changes: 3 });
    world.ended(0, &["publish", "--name", "p"]);
    let address = Address::parse(&world.store().to_string_lossy(), &world.root()).expect("an address");
    let mut store = Store::open(&address).expect("the store");
    let newest = store.newest_runs(1).expect("runs").remove(0);
    let mut run = store.run(&newest.id).expect("a run").expect("it is there");
    run.started_at_s += 600;
    store.record(&run).expect("it is recorded");
    let duel = store.newest_duels(1).expect("duels").remove(0);
    let mut said = store.last_judgement(&duel.id).expect("a judgement").expect("it is there");
    said.remarks.extend((0..2000).map(|number| format!("judged once more, {number}")));
    store.record_judgement(&said, duel.started_at_s + 900).expect("it is recorded");
    drop(store);

    let again = world.ended(0, &["publish", "--name", "p"]);
    let drawn: usize =
        again.out.split(", ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("a number");
    assert!((1..24).contains(&drawn), "one suite on one machine: {}", again.out);
    let site = files(&world.root().join(".tachograph/site"));
    let judged = site.get(&format!("duel/{}.html", duel.id.short())).expect("the duel's page");
    assert!(String::from_utf8_lossy(judged).contains("judged once more, 0\n"));
    let behind = site.get(&format!("duel/{}-2.html", duel.id.short())).expect("the page behind it");
    assert!(String::from_utf8_lossy(behind).contains("judged once more, 1999<"));
    world.ended(0, &["publish", "--name", "p"]);
    assert!(files(&world.root().join(".tachograph/site")) == site, "pages behind a duel's are taken over with it");
    assert!(site.contains_key(&format!("run/{}.html", run.id().short())), "the new run has a page");
    let elsewhere = world.path("elsewhere");
    world.ended(0, &["publish", "--name", "p", "--out", elsewhere.to_str().expect("a path")]);
    let anew = files(&elsewhere);
    let differing: Vec<&String> = anew.keys().filter(|name| site.get(*name) != anew.get(*name)).collect();
    assert_eq!(differing, Vec::<&String>::new(), "taken over and drawn are the same");
    assert_eq!(site.len(), anew.len());
}
