//! A browser that tests drive: headless Chromium over its debugging protocol, spoken through two pipes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Nothing that a test waits for takes longer than this on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A browser with one open page.
pub(crate) struct Browser {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Receiver<Value>,
    last: u64,
    session: String,
    /// Everything that the page complained of.
    pub(crate) complaints: Vec<String>,
    /// Every address that the page asked for.
    pub(crate) asked: Vec<String>,
    loaded: bool,
    profile: tempfile::TempDir,
}

fn program() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

impl Browser {
    /// A browser, if this machine has one.
    pub(crate) fn open() -> Option<Browser> {
        let program = program()?;
        let profile = tempfile::tempdir().expect("a folder for the profile");
        // The browser reads its orders from descriptor 3 and answers on 4: the pipes of its standard input and output.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"])
            .arg(program)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--remote-debugging-pipe", "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the browser starts");
        let orders = child.stdin.take();
        let output = child.stdout.take().expect("a pipe");
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(output).split(0) {
                let Ok(message) = message else { return };
                let Ok(message) = serde_json::from_slice(&message) else { return };
                if send.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Browser {
            child,
            orders,
            answers,
            last: 0,
            session: String::new(),
            complaints: Vec::new(),
            asked: Vec::new(),
            loaded: false,
            profile,
        };
        let target = browser.order("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.order("Target.attachToTarget", &attach);
        session["sessionId"].as_str().expect("a session").clone_into(&mut browser.session);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            browser.order(domain, &json!({}));
        }
        browser.window(1280, 900);
        Some(browser)
    }

    /// Gives an order and waits for the answer.
    pub(crate) fn order(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let orders = self.orders.as_mut().expect("the browser is there");
        orders.write_all(format!("{message}\0").as_bytes()).expect("the browser listens");
        loop {
            let answer = self.answers.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no answer to {method}"));
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Page.loadEventFired" => self.loaded = true,
            "Runtime.exceptionThrown" => self.complaints.push(params["exceptionDetails"].to_string()),
            "Log.entryAdded" => self.complaints.push(params["entry"].to_string()),
            "Runtime.consoleAPICalled" => self.complaints.push(params["args"].to_string()),
            "Network.requestWillBeSent" => {
                self.asked.push(params["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }

    /// Opens a file of a site, with what follows its name in the address.
    pub(crate) fn visit(&mut self, file: &Path, rest: &str) {
        self.visit_address(&format!("file://{}{rest}", file.display()));
    }

    /// Opens an address.
    pub(crate) fn visit_address(&mut self, address: &str) {
        self.loaded = false;
        // Elsewhere first, so that an address that differs in its fragment alone is loaded as well.
        self.order("Page.navigate", &json!({ "url": "about:blank" }));
        self.wait_until_loaded();
        self.order("Page.navigate", &json!({ "url": address }));
        self.wait_until_loaded();
    }

    /// Waits until a page that was opened, or opens itself anew, is there.
    pub(crate) fn wait_until_loaded(&mut self) {
        let until = Instant::now() + PATIENCE;
        while !self.loaded {
            let left = until.saturating_duration_since(Instant::now());
            let event = self.answers.recv_timeout(left).expect("the page loads");
            self.note(&event);
        }
        self.loaded = false;
    }

    /// What an expression in the page gives.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.order("Runtime.evaluate", &asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true; the browser tells when, so nothing sleeps here.
    pub(crate) fn until(&mut self, expression: &str) {
        let watch = format!(
            "new Promise((done) => {{ const look = (left) => ({expression}) ? done(true) : left ? \
             requestAnimationFrame(() => look(left - 1)) : done(false); look(600); }})"
        );
        assert_eq!(self.evaluate(&watch), json!(true), "{expression}");
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: &str) {
        let text = if key.chars().count() == 1 { key } else { "" };
        self.order("Input.dispatchKeyEvent", &json!({ "type": "keyDown", "key": key, "text": text }));
        self.order("Input.dispatchKeyEvent", &json!({ "type": "keyUp", "key": key }));
    }

    /// Types a text into what has the focus.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.order("Input.insertText", &json!({ "text": text }));
    }

    /// Moves, presses or releases the mouse.
    pub(crate) fn mouse(&mut self, kind: &str, (x, y): (f64, f64)) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let params = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": 1 });
        self.order("Input.dispatchMouseEvent", &params);
    }

    /// Gives the window a size.
    pub(crate) fn window(&mut self, width: u32, height: u32) {
        let params = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.order("Emulation.setDeviceMetricsOverride", &params);
    }

    /// Asks for light or dark, or for paper.
    pub(crate) fn looks(&mut self, scheme: &str, medium: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.order("Emulation.setEmulatedMedia", &json!({ "media": medium, "features": features }));
    }

    /// Lets pages run their script, or not.
    pub(crate) fn scripts(&mut self, allowed: bool) {
        self.order("Emulation.setScriptExecutionDisabled", &json!({ "value": !allowed }));
    }

    /// Keeps a picture of the page with the build, for a person to look at.
    pub(crate) fn picture(&mut self, name: &str) {
        let shot = self.order("Page.captureScreenshot", &json!({ "format": "png" }));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
        std::fs::create_dir_all(&folder).expect("a folder for pictures");
        let bytes = decoded(shot["data"].as_str().expect("a picture"));
        assert!(bytes.starts_with(b"\x89PNG"), "a picture");
        std::fs::write(folder.join(format!("{name}.png")), bytes).expect("the picture is kept");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without its pipe the browser ends by itself; if it does not, it is ended.
        self.orders = None;
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until && self.answers.recv_timeout(Duration::from_millis(200)).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(self.profile.path());
    }
}

/// Base64 (RFC 4648) back to bytes.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |sign: u8| match sign {
        b'A'..=b'Z' => sign - b'A',
        b'a'..=b'z' => sign - b'a' + 26,
        b'0'..=b'9' => sign - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let signs: Vec<u8> = text.bytes().filter(|sign| *sign != b'=').map(digit).collect();
    let bytes = signs.chunks(4).flat_map(|four| {
        let whole = four.iter().fold(0_u32, |whole, sign| whole << 6 | u32::from(*sign)) << (6 * (4 - four.len()));
        whole.to_be_bytes()[1..four.len()].to_vec()
    });
    bytes.collect()
}
