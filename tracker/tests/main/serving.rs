//! The site served to this machine: what it answers, that it follows the store, and how it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::drawn::Size;
use crate::showing::with_past;
use crate::site::browser;
use crate::world::World;

/// Nothing that is waited for takes longer than this on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server in a world, ended with the test.
struct Served {
    child: Child,
    port: u16,
}

impl Served {
    fn begin(world: &World) -> Served {
        let mut child = world
            .tachograph(&["serve", "--port", "0", "--name", "a made-up past"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("it says where it is");
        let port = line.split(['/', ':']).find_map(|part| part.parse().ok()).expect("a port");
        assert!(line.starts_with(&format!("http://127.0.0.1:{port}/ ")), "{line}");
        Served { child, port }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.port);
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    /// Ends it by a signal and says how it ended.
    fn end(mut self, signal: &str) -> Option<i32> {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn stamp(answer: &str) -> &str {
    answer.split("tachographStamp(\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a stamp")
}

/// One run more: what some other tool measured at the newest commit.
fn one_more(world: &World) {
    world.write("more.json", "{\"late/arrival\":{\"latency\":{\"value\":1234.5}}}");
    world.ended(0, &["import", "--format", "bmf", "--commit", "HEAD", "--machine", "lorry", "more.json"]);
}

#[test]
fn a_run_that_arrives_is_served_and_a_signal_ends_it_in_peace() {
    let world = with_past(Size { series: 6, commits: 12, changes: 1 });
    let served = Served::begin(&world);
    let page = served.get("/");
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("kernel/matmul/16"), "{page}");
    assert!(served.get("/series/../../store.db").starts_with("HTTP/1.1 404"));
    let first = served.get("/live.js");
    one_more(&world);
    let began = Instant::now();
    while stamp(&served.get("/live.js")) == stamp(&first) {
        assert!(began.elapsed() < PATIENCE, "the site is drawn again");
    }
    assert!(served.get("/").contains("late/arrival"));
    assert_eq!(served.end("-TERM"), Some(0));
    let again = Served::begin(&world);
    assert!(again.get("/badge.svg").contains("image/svg+xml"));
    assert_eq!(again.end("-INT"), Some(0));
}

#[test]
fn a_port_that_is_taken_is_refused_with_what_to_do() {
    let world = with_past(Size { series: 3, commits: 12, changes: 1 });
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let refused = world.ended(3, &["serve", "--port", &port]);
    assert!(refused.err.contains("--port 0"), "{}", refused.err);
}

#[test]
fn an_open_page_loads_anew_when_the_site_was_drawn_again() {
    let world = with_past(Size { series: 6, commits: 12, changes: 1 });
    let Some(mut browser) = browser() else { return };
    let served = Served::begin(&world);
    browser.visit_address(&format!("http://127.0.0.1:{}/index.html#q=late", served.port));
    browser.until("document.querySelectorAll('#rows tbody tr').length === 0");
    one_more(&world);
    browser.wait_until_loaded();
    browser.until("document.querySelectorAll('#rows tbody tr').length === 1");
    assert_eq!(browser.evaluate("location.hash"), json!("#q=late"), "where one was, one stays");
    assert_eq!(browser.complaints, Vec::<String>::new());
    let here = format!("http://127.0.0.1:{}/", served.port);
    let foreign: Vec<&String> =
        browser.asked.iter().filter(|address| !address.starts_with(&here) && *address != "about:blank").collect();
    assert_eq!(foreign, Vec::<&String>::new());
    assert_eq!(served.end("-TERM"), Some(0));
}
