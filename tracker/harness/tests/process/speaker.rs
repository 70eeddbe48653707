//! A tracker in miniature: starts a worker, asks, and reads replies.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than anything here takes, on the most overloaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program among this package's examples, which cargo builds before it runs its tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("examples").join(name);
    assert!(path.is_file(), "{} is not built: add `--examples` where you choose among the tests", path.display());
    path
}

/// The example worker in Python.
pub(crate) fn python() -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/worker.py");
    let mut command = Command::new("python3");
    command.arg(script);
    command
}

/// A worker and the pipes to it.
pub(crate) struct Speaker {
    child: Child,
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

impl Speaker {
    /// Starts a worker; nothing was said yet.
    pub(crate) fn start(mut command: Command) -> Speaker {
        command.arg("--worker").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let requests = child.stdin.take();
        let replies = BufReader::new(child.stdout.take().unwrap());
        Speaker { child, requests, replies }
    }

    /// The number of its process.
    #[cfg(target_os = "linux")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts a worker and greets it.
    pub(crate) fn greeted(command: Command) -> Speaker {
        let mut speaker = Speaker::start(command);
        let hello = speaker.ask(&json!({ "request": "hello", "versions": [1] }));
        assert_eq!(hello["version"], 1, "{hello}");
        speaker
    }

    /// Says a line as it is, and reads one reply.
    pub(crate) fn say(&mut self, line: &[u8]) -> Value {
        let requests = self.requests.as_mut().unwrap();
        requests.write_all(line).unwrap();
        requests.write_all(b"\n").unwrap();
        requests.flush().unwrap();
        let mut reply = String::new();
        self.replies.read_line(&mut reply).unwrap();
        serde_json::from_str(&reply).unwrap_or_else(|error| panic!("{reply:?} is no reply: {error}"))
    }

    /// Asks, and reads the reply.
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        self.say(request.to_string().as_bytes())
    }

    /// Runs iterations of a benchmark.
    pub(crate) fn run(&mut self, benchmark: &str, iterations: u64) -> Value {
        self.ask(&json!({ "request": "run", "benchmark": benchmark, "iterations": iterations }))
    }

    /// Asks something about a benchmark.
    pub(crate) fn about(&mut self, request: &str, benchmark: &str) -> Value {
        self.ask(&json!({ "request": request, "benchmark": benchmark }))
    }

    /// Ends the worker's input, waits for its end; its status, what more it said, and its standard error.
    pub(crate) fn end(mut self) -> (ExitStatus, String, String) {
        drop(self.requests.take());
        let (done, ended) = mpsc::channel();
        let mut child = self.child;
        let mut replies = self.replies;
        std::thread::spawn(move || {
            let (mut rest, mut errors) = (String::new(), String::new());
            replies.read_to_string(&mut rest).unwrap();
            child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
            done.send((child.wait().unwrap(), rest, errors)).unwrap();
        });
        ended.recv_timeout(PATIENCE).expect("the worker did not end")
    }
}
