//! One step through the model: the walk of each token from its number to the scores of what may follow.
//!
//! Every member of a team takes the same walk with its [`Share`] of heads and columns. The residual stream is short, so
//! each keeps a copy of its own; where a sum runs over everybody's columns, they meet and add.

use std::ops::Range;
use std::sync::Arc;

use crate::arena::{Arena, Purpose};
use crate::kernels::{Buffer, Depot, HeadCache, Kernels, Matrix, MatrixMut, Seat, score_room};
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
        let len = step.tokens.len() * width;
        let mut stream = self.arena.take(Purpose::Stream, len);
        self.embed(step, &mut stream[..len]);
        for index in 0..model.shape().layers() {
            self.attention(index, model.layer(index), step, &mut stream[..len]);
            self.feed_forward(model.layer(index), &mut stream[..len]);
        }
        self.head(step, &stream[..len]);
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

    /// stream += projection(attention(norm(stream)))
    fn attention(&mut self, index: usize, layer: &Layer, step: &Step, stream: &mut [f32]) {
        let _scope = scope("attention");
        let (width, own) = (self.model.shape().width(), self.share.columns.len());
        let rows = step.tokens.len();

        let mut normed = self.arena.take(Purpose::Normed, rows * width);
        let mut qkv = self.arena.take(Purpose::Qkv, rows * 3 * own);
        layer.attention_norm.apply(self.kernels, stream, &mut normed[..rows * width]);
        let x = Activations::prepare(Matrix::new(&normed, rows, width), &self.model, self.kernels, &mut self.arena);
        let qkv_scope = scope("qkv");
        if own == width {
            layer.qkv.outputs(self.kernels, &x, 0..3 * width, MatrixMut::new(&mut qkv, rows, 3 * width));
        } else {
            // Queries, keys and values of the heads of this share.
            for third in 0..3 {
                let outputs = third * width + self.share.columns.start..third * width + self.share.columns.end;
                let out = MatrixMut::strided(&mut qkv[third * own..], rows, own, 3 * own);
                layer.qkv.outputs(self.kernels, &x, outputs, out);
            }
        }
        drop(qkv_scope);
        x.release(&mut self.arena);
        self.arena.put(Purpose::Normed, normed);

        let mut attended = self.arena.take(Purpose::Attended, rows * own);
        self.attend(index, step, &qkv, &mut attended);
        self.arena.put(Purpose::Qkv, qkv);

        let found = Matrix::new(&attended, rows, own);
        let projection = &layer.projection;
        within("projection", || self.add_product(projection, self.share.columns.clone(), found, stream));
        self.arena.put(Purpose::Attended, attended);
    }

    /// For each sequence and head: keeps the new keys and values, then lets each query look at all that it may see.
    fn attend(&mut self, index: usize, step: &Step, qkv: &[f32], attended: &mut [f32]) {
        let _scope = scope("attend");
        let shape = self.model.shape();
        let (width, own) = (shape.head_width(), self.share.columns.len());
        let mut scores = self.arena.take(Purpose::Scores, score_room(shape.context()));
        let mut first_row = 0;
        for stretch in &step.stretches {
            let heads = self.share.heads.len();
            let caches = &mut self.caches[stretch.cache][index * heads..(index + 1) * heads];
            for (column, cache) in (0..own).step_by(width).zip(caches) {
                for row in 0..stretch.rows {
                    let start = (first_row + row) * 3 * own + column;
                    cache.set(stretch.position + row, &qkv[start + own..], &qkv[start + 2 * own..]);
                }
                let queries = Matrix::strided(&qkv[first_row * 3 * own + column..], stretch.rows, width, 3 * own);
                let out = MatrixMut::strided(&mut attended[first_row * own + column..], stretch.rows, width, own);
                self.kernels.attend(queries, stretch.position, cache, &mut scores, out);
            }
            first_row += stretch.rows;
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

    /// The logits of what may follow each stretch that asked: head(norm(the stretch's last row of the stream)).
    fn head(&mut self, step: &Step, stream: &[f32]) {
        let _scope = scope("head");
        let shape = self.model.shape();
        let width = shape.width();
        let mut last = self.arena.take(Purpose::Last, MOST_SEQUENCES * width);
        let (mut end, mut wanted) = (0, 0);
        for stretch in &step.stretches {
            end += stretch.rows;
            if stretch.wanted.is_some() {
                let row = &stream[(end - 1) * width..end * width];
                self.model.final_norm().apply(self.kernels, row, &mut last[wanted * width..(wanted + 1) * width]);
                wanted += 1;
            }
        }
        let own = self.share.tokens.len();
        let x = Activations::prepare(Matrix::new(&last, wanted, width), &self.model, self.kernels, &mut self.arena);
        let out = MatrixMut::new(self.seat.slot(), wanted, own);
        let (head, part) = (self.model.head(), (self.share.tokens.clone(), 0..width));
        within("logits", || head.apply(self.kernels, &x, part, None, out));
        x.release(&mut self.arena);
        self.arena.put(Purpose::Last, last);

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
