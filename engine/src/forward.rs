//! One step through the model: the walk of each token from its number to the scores of what may follow.
//!
//! Every member of a team takes the same walk with its [`Share`] of heads and columns. The residual stream is short, so
//! each keeps a copy of its own; where a sum runs over everybody's columns, they meet and add.

use std::ops::Range;
use std::sync::Arc;

use crate::arena::{Arena, Purpose};
use crate::kernels::{Buffer, Depot, HeadCache, Kernels, Matrix, MatrixMut, PANEL, Seat, score_room};
use crate::model::{Activations, Layer, Linear, Model};
use crate::profile::{scope, within};
use crate::share::Share;

/// Rows that go through the model together at most. More would not make a product faster, only its scratch larger.
pub(crate) const MOST_ROWS: usize = 256;

/// Sequences whose next token can be wanted in one step.
pub(crate) const MOST_SEQUENCES: usize = 64;

/// Consecutive tokens of one sequence.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    /// The cache of the sequence.
    pub(crate) cache: usize,
    /// The position of the first token.
    pub(crate) position: usize,
    /// How many of the step's rows are this sequence's.
    pub(crate) rows: usize,
    /// Where the logits after the last token go, if they are wanted.
    pub(crate) wanted: Option<usize>,
}

/// What goes through the model together: tokens of one or more sequences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub(crate) tokens: Vec<u32>,
    pub(crate) stretches: Vec<Stretch>,
}

/// Which rows of a step look at those before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looking {
    /// All, since the layer above reads each of them.
    All,
    /// Those whose logits are wanted: above the last layer nothing reads the others, whose keys and values are all that
    /// later tokens will ask for.
    Wanted,
}

impl Step {
    /// How many rows of a stretch look, which are its last.
    fn looking_in(stretch: &Stretch, looking: Looking) -> usize {
        match looking {
            Looking::All => stretch.rows,
            Looking::Wanted => usize::from(stretch.wanted.is_some()),
        }
    }

    fn looking(&self, looking: Looking) -> usize {
        self.stretches.iter().map(|stretch| Self::looking_in(stretch, looking)).sum()
    }

    /// Moves the rows that look to the front, in their order.
    fn gather(&self, looking: Looking, width: usize, rows: &mut [f32]) {
        let (mut end, mut place) = (0, 0);
        for stretch in &self.stretches {
            end += stretch.rows;
            let count = Self::looking_in(stretch, looking);
            rows.copy_within((end - count) * width..end * width, place * width);
            place += count;
        }
    }
}

/// One thread's part of the engine.
pub(crate) struct Member {
    model: Arc<Model>,
    shares: Vec<Share>,
    share: Share,
    seat: Seat,
    kernels: Kernels,
    arena: Arena,
    /// For each sequence, for each layer, for each head of the share.
    caches: Vec<Vec<HeadCache>>,
    logits: Buffer<f32>,
}

impl Member {
    pub(crate) fn new(model: Arc<Model>, kernels: Kernels, shares: Vec<Share>, seat: Seat, arena: Arena) -> Self {
        let share = shares[seat.index()].clone();
        Self { model, shares, share, seat, kernels, arena, caches: Vec::new(), logits: Buffer::zeroed(0) }
    }

    /// Room for one more sequence.
    pub(crate) fn add_cache(&mut self) {
        let shape = self.model.shape();
        let (context, width, heads) = (shape.context(), shape.head_width(), shape.layers() * self.share.heads.len());
        let mut depot = Depot::touched_bit_by_bit(heads * HeadCache::room_for(context, width));
        self.caches.push((0..heads).map(|_| HeadCache::in_depot(context, width, &mut depot)).collect());
    }

    /// Room for so many rows of logits.
    pub(crate) fn make_room_for_logits(&mut self, rows: usize) {
        let len = rows * self.model.shape().vocabulary();
        if self.logits.len() < len {
            self.logits = Buffer::zeroed(len);
        }
    }

    /// The logits of the last step, a row for each place that was wanted.
    pub(crate) fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// Bytes that the scratch pool holds.
    pub(crate) fn scratch_bytes(&self) -> usize {
        self.arena.bytes()
    }

    /// The walk.
    pub(crate) fn walk(&mut self, step: &Step) {
        let _scope = scope("walk");
        let model = Arc::clone(&self.model);
        let width = model.shape().width();
        let (len, last) = (step.tokens.len() * width, model.shape().layers() - 1);
        let mut stream = self.arena.take(Purpose::Stream, len);
        self.embed(step, &mut stream[..len]);
        for index in 0..last {
            self.attention(index, step, Looking::All, &mut stream[..len]);
            self.feed_forward(model.layer(index), &mut stream[..len]);
        }
        self.attention(last, step, Looking::Wanted, &mut stream[..len]);
        let len = step.looking(Looking::Wanted) * width;
        if len > 0 {
            self.feed_forward(model.layer(last), &mut stream[..len]);
            self.head(step, &stream[..len]);
        }
        self.arena.put(Purpose::Stream, stream);
    }

    /// stream = embedding of the token + embedding of its position
    fn embed(&self, step: &Step, stream: &mut [f32]) {
        let _scope = scope("embed");
        let mut rows = step.tokens.iter().zip(stream.chunks_exact_mut(self.model.shape().width()));
        for stretch in &step.stretches {
            for (position, (token, row)) in (stretch.position..).zip(rows.by_ref().take(stretch.rows)) {
                self.model.embed(self.kernels, *token as usize, position, row);
            }
        }
    }

    /// stream += projection(attention(norm(stream))), for the rows that look; they are at the front of it afterwards.
    fn attention(&mut self, index: usize, step: &Step, looking: Looking, stream: &mut [f32]) {
        let _scope = scope("attention");
        let model = Arc::clone(&self.model);
        let (layer, width, own) = (model.layer(index), model.shape().width(), self.share.columns.len());
        let (rows, asking) = (step.tokens.len(), step.looking(looking));

        let mut normed = self.arena.take(Purpose::Normed, rows * width);
        let mut qkv = self.arena.take(Purpose::Qkv, rows * 3 * own);
        layer.attention_norm.apply(self.kernels, stream, &mut normed[..rows * width]);
        self.qkv(layer, step, looking, &normed, &mut qkv);
        self.arena.put(Purpose::Normed, normed);

        let mut attended = self.arena.take(Purpose::Attended, asking * own);
        self.attend(index, step, looking, &qkv, &mut attended);
        self.arena.put(Purpose::Qkv, qkv);
        if asking > 0 {
            step.gather(looking, width, stream);
            let (columns, found) = (self.share.columns.clone(), Matrix::new(&attended, asking, own));
            within("projection", || self.add_product(&layer.projection, columns, found, &mut stream[..asking * width]));
        }
        self.arena.put(Purpose::Attended, attended);
    }

    /// Queries, keys and values of the heads of this share: a row of all three for each token, in which the queries of those
    /// that do not look are left out.
    fn qkv(&mut self, layer: &Layer, step: &Step, looking: Looking, normed: &[f32], qkv: &mut [f32]) {
        let model = Arc::clone(&self.model);
        let (width, columns) = (model.shape().width(), self.share.columns.clone());
        let (rows, own) = (step.tokens.len(), columns.len());
        let third = |this: usize| this * width + columns.start..this * width + columns.end;
        let all = Matrix::new(normed, rows, width);
        let x = Activations::prepare(all, &model, self.kernels, &mut self.arena);
        // Thirds of a narrow model begin at no panel.
        if own == width && (step.looking(looking) == rows || !width.is_multiple_of(PANEL)) {
            within("qkv", || layer.qkv.outputs(self.kernels, &x, 0..3 * width, MatrixMut::new(qkv, rows, 3 * width)));
            return x.release(&mut self.arena);
        }
        let everyone_looks = step.looking(looking) == rows;
        for this in usize::from(!everyone_looks)..3 {
            let out = MatrixMut::strided(&mut qkv[this * own..], rows, own, 3 * own);
            within("qkv", || layer.qkv.outputs(self.kernels, &x, third(this), out));
        }
        x.release(&mut self.arena);
        let mut end = 0;
        for stretch in step.stretches.iter().filter(|_| !everyone_looks) {
            end += stretch.rows;
            for row in end - Step::looking_in(stretch, looking)..end {
                let one = Matrix::new(all.row(row), 1, width);
                let x = Activations::prepare(one, &model, self.kernels, &mut self.arena);
                let out = MatrixMut::new(&mut qkv[row * 3 * own..], 1, own);
                within("qkv", || layer.qkv.outputs(self.kernels, &x, third(0), out));
                x.release(&mut self.arena);
            }
        }
    }

    /// For each sequence and head: keeps the new keys and values, then lets each query look at all that it may see.
    fn attend(&mut self, index: usize, step: &Step, looking: Looking, qkv: &[f32], attended: &mut [f32]) {
        let _scope = scope("attend");
        let shape = self.model.shape();
        let (width, own) = (shape.head_width(), self.share.columns.len());
        let mut scores = self.arena.take(Purpose::Scores, score_room(shape.context()));
        let (mut first_row, mut place) = (0, 0);
        for stretch in &step.stretches {
            let (heads, asking) = (self.share.heads.len(), Step::looking_in(stretch, looking));
            let caches = &mut self.caches[stretch.cache][index * heads..(index + 1) * heads];
            let before = stretch.rows - asking;
            for (column, cache) in (0..own).step_by(width).zip(caches) {
                let start = first_row * 3 * own + column;
                let third = |this: usize| Matrix::strided(&qkv[start + this * own..], stretch.rows, width, 3 * own);
                cache.set(stretch.position, third(1), third(2));
                if asking > 0 {
                    let queries = &qkv[(first_row + before) * 3 * own + column..];
                    let queries = Matrix::strided(queries, asking, width, 3 * own);
                    let out = MatrixMut::strided(&mut attended[place * own + column..], asking, width, own);
                    self.kernels.attend(queries, stretch.position + before, cache, &mut scores, out);
                }
            }
            (first_row, place) = (first_row + stretch.rows, place + asking);
        }
        self.arena.put(Purpose::Scores, scores);
    }

    /// stream += down(gelu(up(norm(stream))))
    fn feed_forward(&mut self, layer: &Layer, stream: &mut [f32]) {
        let _scope = scope("feed_forward");
        let (width, own) = (self.model.shape().width(), self.share.hidden.len());
        let rows = stream.len() / width;

        let mut normed = self.arena.take(Purpose::Normed, rows * width);
        let mut hidden = self.arena.take(Purpose::Hidden, rows * own);
        layer.forward_norm.apply(self.kernels, stream, &mut normed[..rows * width]);
        let x = Activations::prepare(Matrix::new(&normed, rows, width), &self.model, self.kernels, &mut self.arena);
        let out = MatrixMut::new(&mut hidden, rows, own);
        within("up", || layer.up.outputs(self.kernels, &x, self.share.hidden.clone(), out));
        x.release(&mut self.arena);
        self.arena.put(Purpose::Normed, normed);
        within("gelu", || self.kernels.gelu_in_place(&mut hidden[..rows * own]));

        let found = Matrix::new(&hidden, rows, own);
        within("down", || self.add_product(&layer.down, self.share.hidden.clone(), found, stream));
        self.arena.put(Purpose::Hidden, hidden);
    }

    /// The logits of what may follow each stretch that asked: head(norm(row)), for the rows that are left of the stream.
    fn head(&mut self, step: &Step, stream: &[f32]) {
        let _scope = scope("head");
        let shape = self.model.shape();
        let width = shape.width();
        let wanted = stream.len() / width;
        let mut last = self.arena.take(Purpose::Normed, stream.len());
        self.model.final_norm().apply(self.kernels, stream, &mut last[..stream.len()]);
        let own = self.share.tokens.len();
        let x = Activations::prepare(Matrix::new(&last, wanted, width), &self.model, self.kernels, &mut self.arena);
        let out = MatrixMut::new(self.seat.slot(), wanted, own);
        let (head, part) = (self.model.head(), (self.share.tokens.clone(), 0..width));
        within("logits", || head.apply(self.kernels, &x, part, None, out));
        x.release(&mut self.arena);
        self.arena.put(Purpose::Normed, last);

        let leads = self.seat.index() == 0;
        let met = within("meet", || self.seat.meet());
        if leads {
            let places = step.stretches.iter().filter_map(|stretch| stretch.wanted);
            let vocabulary = shape.vocabulary();
            for (row, place) in places.enumerate() {
                let logits = &mut self.logits[place * vocabulary..(place + 1) * vocabulary];
                let mut start = 0;
                for (slot, share) in met.slots().zip(&self.shares) {
                    let len = share.tokens.len();
                    logits[start..start + len].copy_from_slice(&slot[row * len..(row + 1) * len]);
                    start += len;
                }
            }
        }
    }

    /// stream += weights · x, where x is this share of the inputs: everybody's part of the sum, and the bias once.
    fn add_product(&mut self, linear: &Linear, inputs: Range<usize>, x: Matrix<'_>, stream: &mut [f32]) {
        let (rows, width) = (x.rows(), self.model.shape().width());
        let x = Activations::prepare(x, &self.model, self.kernels, &mut self.arena);
        let with_bias = self.seat.index() == 0;
        let out = MatrixMut::new(self.seat.slot(), rows, width);
        linear.inputs_of(self.kernels, &x, inputs, with_bias, out);
        x.release(&mut self.arena);
        for part in within("meet", || self.seat.meet()).slots() {
            self.kernels.add_in_place(stream, &part[..stream.len()]);
        }
    }
}
