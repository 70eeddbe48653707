//! `engine profile`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use engine::engine::{Engine, Session, Settings};
use engine::model::Format;
use engine::profile::{self, Comparison, Form, Method, Profile, Rows, Subject, within};
use engine::sampling::likeliest;
use engine::seeded::Random;

use super::Failure;
use super::named::{Named, Stored};

/// Measure where the time and the memory of a generation go.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Profiling {
    #[command(subcommand)]
    compare: Option<Verb>,
    /// A GGUF file, or tiny, small, medium or gpt2 for that shape with seeded weights; more than one can be given.
    #[arg(long, value_name = "FILE|SHAPE", required = true)]
    model: Vec<String>,
    /// How matrices are stored in memory; as in the file if not given, and f32 without a file.
    #[arg(long)]
    format: Option<Stored>,
    /// Tokens to generate.
    #[arg(long, default_value_t = 25)]
    tokens: usize,
    /// Tokens of the prompt, which are random.
    #[arg(long, default_value_t = 8)]
    prompt: usize,
    /// Threads to compute with.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Generations to record; of each time, the middle one is told.
    #[arg(long, default_value_t = 25)]
    rounds: usize,
    /// Write JSON to this file; to standard output instead of the report if it is `-`.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Verb {
    Compare(Compare),
}

/// Say what got slower and what faster from one profile to another, per token.
#[derive(Args)]
struct Compare {
    /// The JSON of the profile before.
    old: PathBuf,
    /// The JSON of the profile after.
    new: PathBuf,
    /// Only the rows of whole models.
    #[arg(long)]
    models: bool,
    /// Write tables in Markdown.
    #[arg(long)]
    markdown: bool,
}

impl Profiling {
    pub(super) fn run(&self) -> Result<(), Failure> {
        if let Some(Verb::Compare(compare)) = &self.compare {
            return compare.run();
        }
        let profiles = self.model.iter().map(|model| self.profile(model)).collect::<Result<Vec<_>, _>>()?;
        let json = serde_json::Value::Array(profiles.iter().map(Profile::to_json).collect());
        let mut out = io::stdout().lock();
        match self.json.as_deref() {
            Some(path) if path == Path::new("-") => writeln!(out, "{json:#}")?,
            path => {
                for profile in &profiles {
                    writeln!(out, "{}", profile.report())?;
                }
                if let Some(path) = path {
                    std::fs::write(path, format!("{json:#}\n"))
                        .map_err(|error| format!("{}: {error}", path.display()))?;
                }
            }
        }
        Ok(())
    }

    fn profile(&self, model: &str) -> Result<Profile, Failure> {
        let named = Named::new(model, self.format);
        let found = named.find()?;
        let format = named.format(&found);
        let settings = Settings { threads: self.threads, ..Settings::default() };
        let mut engine = Engine::new(Arc::new(found.load(format)?), &settings);
        let mut random = Random::new(1);
        let vocabulary = engine.model().shape().vocabulary();
        let prompt: Vec<u32> =
            (0..self.prompt).map(|_| u32::try_from(random.below(vocabulary))).collect::<Result<_, _>>()?;
        let mut session = engine.open();
        let mut rounds = Vec::new();
        // The first round finds everything cold, and fills the pool of scratch.
        for round in 0..=self.rounds.max(1) {
            session.truncate(0);
            let (done, methods) =
                profile::record("generate", || generate(&mut engine, &mut session, &prompt, self.tokens));
            done?;
            if round > 0 {
                rounds.push(methods);
            }
        }
        let format = match format {
            Format::F32 => "f32",
            Format::Q8 => "q8",
        };
        let subject =
            Subject { model: short(model), format: format.to_owned(), threads: u64::try_from(engine.threads())? };
        let tokens = u64::try_from(self.tokens)?;
        Ok(Profile { subject, kernels: settings.kernels.name().to_owned(), tokens, methods: middle(&rounds) })
    }
}

/// A prompt, then token after token, always the likeliest.
fn generate(engine: &mut Engine, session: &mut Session, prompt: &[u32], tokens: usize) -> Result<(), Failure> {
    let kernels = Settings::default().kernels;
    let mut token = {
        let logits = within("prompt", || engine.advance(session, prompt))?;
        within("choose", || likeliest(kernels, logits))
    };
    for _ in 1..tokens {
        let logits = within("decode", || engine.advance(session, &[token]))?;
        token = within("choose", || likeliest(kernels, logits));
    }
    Ok(())
}

/// The middle of each time over all rounds, which entered the same scopes. A neighbour's burst hits one scope of one
/// round, and the round that is the middle one as a whole may be hit too.
fn middle(rounds: &[Vec<Method>]) -> Vec<Method> {
    let across = |at: usize, of: fn(&Method) -> u64| {
        let mut times: Vec<u64> = rounds.iter().filter_map(|methods| methods.get(at)).map(of).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(0)
    };
    let methods = rounds.first().into_iter().flatten().enumerate();
    methods
        .map(|(at, method)| Method {
            inclusive_ns: across(at, |method| method.inclusive_ns),
            exclusive_ns: across(at, |method| method.exclusive_ns),
            ..method.clone()
        })
        .collect()
}

/// A file's name without its folders, so that profiles of one file in two places can be compared.
fn short(model: &str) -> String {
    Path::new(model).file_name().map_or_else(|| model.to_owned(), |name| name.to_string_lossy().into_owned())
}

impl Compare {
    fn run(&self) -> Result<(), Failure> {
        let read = |path: &Path| -> Result<Vec<Profile>, Failure> {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Profile::all_of(&text).map_err(|error| format!("{}: {error}", path.display()))?)
        };
        let comparison = Comparison::of(&read(&self.old)?, &read(&self.new)?);
        let form = if self.markdown { Form::Markdown } else { Form::Text };
        let rows = if self.models { Rows::Models } else { Rows::All };
        write!(io::stdout(), "{}", comparison.written(form, rows))?;
        Ok(())
    }
}
