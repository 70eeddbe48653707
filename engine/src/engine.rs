//! The engine: a model, the threads that compute it, and the sequences that are under way.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::arena::{Arena, Pooling};
use crate::forward::{MOST_ROWS, MOST_SEQUENCES, Member, Step, Stretch};
use crate::kernels::{HeadCache, Kernels, Seat};
use crate::model::Model;
use crate::share;
use crate::threads::{Note, Team, allowed_cores};

/// How an engine computes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Threads, the caller's among them. More than there are cores, or than the model can be divided among, are not
    /// started.
    pub threads: usize,
    /// The cores that they may run on; the calling thread is kept on the first, if there are several threads.
    pub cores: Vec<usize>,
    /// Whether scratch is kept.
    pub pooling: Pooling,
    /// The instruction set.
    pub kernels: Kernels,
}

/// One thread, on whatever core, with the fastest kernels.
impl Default for Settings {
    fn default() -> Self {
        Self { threads: 1, cores: allowed_cores(), pooling: Pooling::Pooled, kernels: Kernels::detect() }
    }
}

/// A sequence that is under way: where its keys and values are, and how many there are.
#[derive(Debug)]
pub struct Session {
    cache: usize,
    position: usize,
}

impl Session {
    /// How many tokens it has seen.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Forgets all tokens but the first few.
    pub fn truncate(&mut self, position: usize) {
        self.position = self.position.min(position);
    }
}

/// Tokens that continue a sequence.
#[derive(Debug)]
pub struct Turn<'a> {
    /// The sequence.
    pub session: &'a mut Session,
    /// What follows in it.
    pub tokens: &'a [u32],
}

/// Why tokens could not be computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepError {
    /// There were none.
    NoTokens,
    /// The sequence would become longer than the model's context.
    ContextFull {
        /// The model's context.
        context: usize,
    },
    /// A token that the model does not have.
    UnknownToken {
        /// Its number.
        token: u32,
        /// How many there are.
        vocabulary: usize,
    },
    /// More sequences at once than an engine takes.
    TooManySequences,
    /// The session belongs to another engine.
    ForeignSession,
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTokens => f.write_str("no tokens to continue with; a prompt needs at least one"),
            Self::ContextFull { context } => {
                write!(f, "the model sees {context} tokens at most; shorten the prompt or ask for fewer tokens")
            }
            Self::UnknownToken { token, vocabulary } => {
                write!(f, "token {token} is not among the {vocabulary} of the model; was the text encoded for another?")
            }
            Self::TooManySequences => write!(f, "more than {MOST_SEQUENCES} sequences in one step; split them"),
            Self::ForeignSession => f.write_str("the session belongs to another engine"),
        }
    }
}

impl Error for StepError {}

/// What a worker is to do next. Each has a letterbox of its own, which nobody else looks into while it works.
#[derive(Default)]
struct Task {
    /// Make room for one more sequence first.
    open: bool,
    step: Step,
}

/// Copied into the letterboxes, whose vectors are used again.
impl Clone for Task {
    fn clone(&self) -> Self {
        Self { open: self.open, step: self.step.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        self.open = source.open;
        self.step.tokens.clone_from(&source.step.tokens);
        self.step.stretches.clone_from(&source.step.stretches);
    }
}

impl Task {
    /// A step of one token, in a few words; most are. Or zeros for whatever does not fit: that is in the letterbox.
    ///
    /// A note comes with the signal to begin. What is in a letterbox comes from the leader's cache too, line after line,
    /// and a token of a small model takes no longer than a few tens of those.
    fn note(&self) -> Note {
        match (self.open, &*self.step.tokens, &*self.step.stretches) {
            (false, [token], [Stretch { cache, position, rows: 1, wanted: Some(0) }]) => {
                [u64::from(*token) + 1, *cache as u64, *position as u64]
            }
            _ => Note::default(),
        }
    }

    /// Makes it the task that a note tells of.
    fn follow(&mut self, [token, cache, position]: Note) {
        let (cache, position) = (cache as usize, position as usize);
        self.open = false;
        self.step.tokens.clear();
        self.step.tokens.push((token - 1) as u32);
        self.step.stretches.clear();
        self.step.stretches.push(Stretch { cache, position, rows: 1, wanted: Some(0) });
    }
}

type Letterbox = Arc<Mutex<Task>>;

/// The engine.
pub struct Engine {
    model: Arc<Model>,
    leader: Member,
    team: Team,
    letterboxes: Vec<Letterbox>,
    /// The leader's own task; its vectors are used again.
    task: Task,
    caches: usize,
    free_caches: Vec<usize>,
}

impl Engine {
    /// Starts an engine.
    ///
    /// With several threads, the one that calls this is kept on a core until the engine is dropped, and should be the one
    /// that computes: two threads that look out for each other on one core would wait for time slices.
    #[must_use]
    pub fn new(model: Arc<Model>, settings: &Settings) -> Self {
        let shape = model.shape();
        let members = settings.threads.min(settings.cores.len()).min(share::most_members(shape)).max(1);
        let shares = share::divide(shape, members);
        let logits = MOST_SEQUENCES * shares.iter().map(|share| share.tokens.len()).max().unwrap_or(0);
        let rows = MOST_ROWS.min(MOST_SEQUENCES * shape.context());
        let seats = Seat::of_an_exchange(members, logits.max(rows * shape.width()));
        let member = |seat| {
            let arena = Arena::new(settings.pooling);
            Member::new(Arc::clone(&model), settings.kernels, shares.clone(), seat, arena)
        };
        let mut members = seats.into_iter().map(member);
        let Some(leader) = members.next() else { unreachable!("there is at least one member") };
        let mut letterboxes = Vec::new();
        let work = |mut member: Member| {
            let letterbox = Letterbox::default();
            letterboxes.push(Arc::clone(&letterbox));
            move |note: Note| {
                let mut task = letterbox.lock().unwrap_or_else(PoisonError::into_inner);
                if note != Note::default() {
                    task.follow(note);
                }
                member.perform(&task);
            }
        };
        let team = Team::new(members.map(work).collect(), &settings.cores);
        Self { model, leader, team, letterboxes, task: Task::default(), caches: 0, free_caches: Vec::new() }
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// How many threads compute.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.team.size()
    }

    /// Begins a sequence.
    pub fn open(&mut self) -> Session {
        let cache = self.free_caches.pop().unwrap_or_else(|| {
            self.task.open = true;
            self.everyone();
            self.task.open = false;
            self.caches += 1;
            self.caches - 1
        });
        Session { cache, position: 0 }
    }

    /// Ends a sequence; its memory is used for the next one.
    #[allow(clippy::needless_pass_by_value, reason = "a session that has ended cannot be used again")]
    pub fn close(&mut self, session: Session) {
        self.free_caches.push(session.cache);
    }

    /// Continues one sequence, and returns the logits of what may follow.
    pub fn advance(&mut self, session: &mut Session, tokens: &[u32]) -> Result<&[f32], StepError> {
        self.advance_all(&mut [Turn { session, tokens }])
    }

    /// Continues several sequences together, and returns a row of logits for each.
    pub fn advance_all(&mut self, turns: &mut [Turn<'_>]) -> Result<&[f32], StepError> {
        self.check(turns)?;
        self.leader.make_room_for_logits(turns.len());
        for (index, turn) in turns.iter_mut().enumerate() {
            let mut left = turn.tokens;
            while !left.is_empty() {
                let step = &mut self.task.step;
                let (now, later) = left.split_at(left.len().min(MOST_ROWS - step.tokens.len()));
                left = later;
                step.tokens.extend_from_slice(now);
                step.stretches.push(Stretch {
                    cache: turn.session.cache,
                    position: turn.session.position,
                    rows: now.len(),
                    wanted: left.is_empty().then_some(index),
                });
                turn.session.position += now.len();
                if step.tokens.len() == MOST_ROWS {
                    self.walk();
                }
            }
        }
        if !self.task.step.tokens.is_empty() {
            self.walk();
        }
        Ok(&self.leader.logits()[..turns.len() * self.model.shape().vocabulary()])
    }

    /// Bytes of scratch and logits that the leading thread holds.
    #[must_use]
    pub fn scratch_bytes(&self) -> usize {
        self.leader.scratch_bytes() + self.leader.logits().len() * 4
    }

    /// Bytes of one sequence's keys and values, were it to fill its context.
    #[must_use]
    pub fn cache_bytes(&self) -> usize {
        let shape = self.model.shape();
        shape.layers() * shape.heads() * HeadCache::bytes_for(shape.context(), shape.head_width())
    }

    fn check(&self, turns: &[Turn<'_>]) -> Result<(), StepError> {
        let shape = self.model.shape();
        if turns.len() > MOST_SEQUENCES {
            return Err(StepError::TooManySequences);
        }
        for turn in turns {
            if turn.tokens.is_empty() {
                return Err(StepError::NoTokens);
            }
            if turn.session.cache >= self.caches {
                return Err(StepError::ForeignSession);
            }
            if turn.session.position + turn.tokens.len() > shape.context() {
                return Err(StepError::ContextFull { context: shape.context() });
            }
            if let Some(token) = turn.tokens.iter().find(|token| **token as usize >= shape.vocabulary()) {
                return Err(StepError::UnknownToken { token: *token, vocabulary: shape.vocabulary() });
            }
        }
        Ok(())
    }

    /// Sends the step through the model, and empties it.
    fn walk(&mut self) {
        self.everyone();
        self.task.step.tokens.clear();
        self.task.step.stretches.clear();
    }

    /// Everyone performs the task, the calling thread with them.
    fn everyone(&mut self) {
        // Workers are done with the last task soon after they met, and nobody waits for that before it matters.
        self.team.finish();
        let note = self.task.note();
        if note == Note::default() {
            for letterbox in &self.letterboxes {
                letterbox.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.task);
            }
        }
        self.team.begin(note);
        self.leader.perform(&self.task);
    }
}

impl Member {
    fn perform(&mut self, task: &Task) {
        if task.open {
            self.add_cache();
        }
        if !task.step.tokens.is_empty() {
            self.walk(&task.step);
        }
    }
}
