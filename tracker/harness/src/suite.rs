//! The suite: what a program offers, and its doorway.

use std::fmt;
use std::fmt::Display;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;

use serde_json::Value;

use crate::benchmark::{Benchmark, require_name};
use crate::body::Typed;
use crate::offer::{Hook, Offer};
use crate::{counts, layout, person, worker};

/// The benchmarks that a program offers.
///
/// What benchmarks borrow must be made before the suite.
pub struct Suite<'a> {
    pub(crate) name: String,
    pub(crate) offers: Vec<Offer<'a>>,
    pub(crate) profile: Option<Hook<'a>>,
    /// Whether the program's allocator counts.
    pub(crate) counting: bool,
}

impl<'a> Suite<'a> {
    /// A suite without benchmarks.
    pub fn new(name: impl Into<String>) -> Suite<'a> {
        // Before anything is made that benchmarks work on.
        layout::settle();
        Suite { name: name.into(), offers: Vec::new(), profile: None, counting: counts::installed() }
    }

    /// Offers a benchmark: `setup` makes ready and returns the work, and only the work is timed.
    ///
    /// `setup` runs on the first use and again after the benchmark was freed. What the work returns is dropped inside
    /// the clock, for making it and freeing it belong together; what it captured is dropped outside.
    ///
    /// ```
    /// # let mut suite = tachograph_harness::Suite::new("sort");
    /// suite
    ///     .benchmark("sort/1000", || {
    ///         let shuffled: Vec<u32> = (0..1000).map(|i| i * 7919 % 1000).collect();
    ///         move || {
    ///             let mut numbers = shuffled.clone();
    ///             numbers.sort_unstable();
    ///             numbers
    ///         }
    ///     })
    ///     .elements(1000)
    ///     .expect((0..1000).collect::<Vec<u32>>());
    /// ```
    ///
    /// # Panics
    /// If the name is empty, has control characters, is longer than 4096 bytes, or is taken.
    #[track_caller]
    pub fn benchmark<S, W, T>(&mut self, name: impl Display, setup: S) -> Benchmark<'_, 'a, T>
    where
        S: FnMut() -> W + 'a,
        W: FnMut() -> T + 'a,
        T: 'a,
    {
        let name = name.to_string();
        require_name(&name);
        assert!(self.names().all(|taken| taken != name), "there is a benchmark named {name:?} already");
        let wishes = Rc::default();
        let body = Box::new(Typed::new(setup, Rc::clone(&wishes)));
        self.offers.push(Offer {
            name,
            cores: 1,
            throughput: None,
            from_answer: Vec::new(),
            latency: false,
            meters: Vec::new(),
            profile: None,
            body,
        });
        let last = self.offers.len() - 1;
        Benchmark::new(&mut self.offers[last], wishes)
    }

    /// A path under which benchmarks stand; parameters become its last parts.
    ///
    /// ```
    /// # let mut suite = tachograph_harness::Suite::new("kernels");
    /// let mut fills = suite.group("kernel/fill");
    /// for size in [64_usize, 256, 1024] {
    ///     fills
    ///         .benchmark(size, move || {
    ///             let mut bytes = vec![0_u8; size];
    ///             move || bytes.fill(1)
    ///         })
    ///         .bytes(size);
    /// }
    /// assert!(suite.names().eq(["kernel/fill/64", "kernel/fill/256", "kernel/fill/1024"]));
    /// ```
    pub fn group(&mut self, path: impl Display) -> Group<'_, 'a> {
        Group { path: path.to_string(), suite: self }
    }

    /// Gives the suite a profiler: `hook` switches it on, calls what it is given, which runs the iterations, and returns
    /// what the profiler saw as a JSON object. A worker with a profiler offers the request `profile`.
    ///
    /// ```
    /// # let mut suite = tachograph_harness::Suite::new("sums");
    /// use tachograph_harness::serde_json::json;
    ///
    /// suite.profile(|run| {
    ///     let begin = std::time::Instant::now();
    ///     run();
    ///     json!({ "scopes": [{ "name": "all", "ns": begin.elapsed().as_nanos() as u64 }] })
    /// });
    /// ```
    pub fn profile(&mut self, hook: impl FnMut(&mut dyn FnMut()) -> Value + 'a) -> &mut Self {
        self.profile = Some(Box::new(hook));
        self
    }

    /// The names of the benchmarks, in the order in which they were offered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.offers.iter().map(|offer| offer.name.as_str())
    }

    /// Does what the program's arguments ask for, and gives the status to exit with: serves a tracker when asked to by
    /// `--worker`, else measures and prints a table. `--help` tells the rest.
    #[must_use = "return it from `main`, or the program always exits with status 0"]
    pub fn main(self) -> ExitCode {
        let arguments: Vec<String> =
            std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
        if arguments.iter().any(|argument| argument == "--worker") {
            return worker::serve(self, io::stdin().lock(), io::stdout().lock());
        }
        person::main(self, &arguments)
    }
}

impl fmt::Debug for Suite<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.names().collect();
        f.debug_struct("Suite").field("name", &self.name).field("benchmarks", &names).finish_non_exhaustive()
    }
}

/// Benchmarks of a suite under one path; see [`Suite::group`].
#[derive(Debug)]
pub struct Group<'s, 'a> {
    suite: &'s mut Suite<'a>,
    path: String,
}

impl<'a> Group<'_, 'a> {
    /// Offers a benchmark under the group's path; as [`Suite::benchmark`].
    ///
    /// # Panics
    /// As [`Suite::benchmark`].
    #[track_caller]
    pub fn benchmark<S, W, T>(&mut self, name: impl Display, setup: S) -> Benchmark<'_, 'a, T>
    where
        S: FnMut() -> W + 'a,
        W: FnMut() -> T + 'a,
        T: 'a,
    {
        let name = format!("{}/{name}", self.path);
        self.suite.benchmark(name, setup)
    }

    /// A path further down.
    pub fn group(&mut self, path: impl Display) -> Group<'_, 'a> {
        Group { path: format!("{}/{path}", self.path), suite: self.suite }
    }
}
