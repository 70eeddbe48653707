//! Filling a model from a source: each panel of weights is read, checked and put in the order of the kernels on its own, so
//! several threads can share the work.

use std::sync::{Mutex, PoisonError};

use super::{Embedding, Layer, Model, Packed};
use crate::kernels::{PANEL, PanelMut, Q8PanelMut};
use crate::q8::{BLOCK, Block};
use crate::shape::{Head, Part, Shape, Tensor};
use crate::threads::allowed_cores;
use crate::weights::Source;

/// Bytes of weights from which a second thread gains more than its start costs.
const WORTH_A_THREAD: usize = 1 << 20;

/// More threads than this wait for the memory, not for each other's work.
const MOST_THREADS: usize = 8;

/// Rows of a panel that are read together: as many as fill a cache line of each of its inputs.
const ROWS_AT_ONCE: usize = 16;

/// A part of the model that is still zero, and where in its tensor it begins.
struct Blank<'a> {
    tensor: Tensor,
    first_row: usize,
    place: Place<'a>,
}

enum Place<'a> {
    Exact(&'a mut [f32]),
    Blocks(&'a mut [Block]),
    Panel(PanelMut<'a>),
    Q8Panel(Q8PanelMut<'a>),
}

/// Reads everything that the model consists of.
pub(super) fn fill<S>(model: &mut Model, source: &S) -> Result<(), S::Error>
where
    S: Source + Clone + Send,
    S::Error: Send,
{
    let threads = (model.bytes() / WORTH_A_THREAD).min(MOST_THREADS).min(allowed_cores().len()).max(1);
    let blanks = Mutex::new(blanks(model));
    let next = || blanks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |mut source: S| {
        let mut scratch = Scratch::default();
        std::iter::from_fn(next).try_for_each(|blank| scratch.fill(&mut source, blank))
    };
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads)
            .map(|_| {
                let source = source.clone();
                scope.spawn(|| work(source))
            })
            .collect();
        let own = work(source.clone());
        let theirs =
            helpers.into_iter().map(|helper| helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        theirs.fold(own, Result::and)
    })
}

/// Rows on their way.
#[derive(Default)]
struct Scratch {
    rows: Vec<f32>,
    blocks: Vec<Block>,
}

impl Scratch {
    fn fill<S: Source>(&mut self, source: &mut S, blank: Blank<'_>) -> Result<(), S::Error> {
        let Blank { tensor, first_row, place } = blank;
        let rows = (source.shape().extent(tensor).rows - first_row).min(PANEL);
        match place {
            Place::Exact(values) => source.read_rows(tensor, first_row, values),
            Place::Blocks(blocks) => source.read_blocks(tensor, first_row, blocks),
            Place::Panel(mut panel) => {
                for first in (0..rows).step_by(ROWS_AT_ONCE) {
                    self.rows.resize((rows - first).min(ROWS_AT_ONCE) * panel.inputs(), 0.0);
                    source.read_rows(tensor, first_row + first, &mut self.rows)?;
                    panel.set(first, &self.rows);
                }
                Ok(())
            }
            Place::Q8Panel(mut panel) => {
                self.blocks.resize(rows * panel.inputs() / BLOCK, Block::ZERO);
                source.read_blocks(tensor, first_row, &mut self.blocks)?;
                panel.set(&self.blocks);
                Ok(())
            }
        }
    }
}

/// All parts of the model, in the order of memory.
fn blanks(model: &mut Model) -> impl Iterator<Item = Blank<'_>> {
    let shape = model.shape;
    // A tied head is read by the name that it has in files.
    let head = if shape.head() == Head::Tied { Tensor::TokenEmbedding } else { Tensor::Head };
    let tokens = match &mut model.tokens {
        Embedding::Exact(values) => Some(Place::Exact(values)),
        Embedding::Blocks(blocks) => Some(Place::Blocks(blocks)),
        Embedding::Tied => None,
    };
    let layers = (0..).zip(&mut model.layers).flat_map(move |(index, layer)| of_layer(shape, index, layer));
    panels(shape, head, &mut model.head)
        .chain(layers)
        .chain(tokens.map(|place| Blank { tensor: Tensor::TokenEmbedding, first_row: 0, place }))
        .chain([
            exact(Tensor::PositionEmbedding, &mut model.positions),
            exact(Tensor::FinalNormGain, &mut model.final_norm.gain),
            exact(Tensor::FinalNormBias, &mut model.final_norm.bias),
        ])
}

fn of_layer(shape: Shape, index: usize, layer: &mut Layer) -> impl Iterator<Item = Blank<'_>> {
    let at = move |part| Tensor::Layer(index, part);
    let exacts = [
        exact(at(Part::AttentionNormGain), &mut layer.attention_norm.gain),
        exact(at(Part::AttentionNormBias), &mut layer.attention_norm.bias),
        exact(at(Part::QkvBias), &mut layer.qkv.bias),
        exact(at(Part::ProjectionBias), &mut layer.projection.bias),
        exact(at(Part::ForwardNormGain), &mut layer.forward_norm.gain),
        exact(at(Part::ForwardNormBias), &mut layer.forward_norm.bias),
        exact(at(Part::UpBias), &mut layer.up.bias),
        exact(at(Part::DownBias), &mut layer.down.bias),
    ];
    panels(shape, at(Part::QkvWeight), &mut layer.qkv.weights)
        .chain(panels(shape, at(Part::ProjectionWeight), &mut layer.projection.weights))
        .chain(panels(shape, at(Part::UpWeight), &mut layer.up.weights))
        .chain(panels(shape, at(Part::DownWeight), &mut layer.down.weights))
        .chain(exacts)
}

fn exact(tensor: Tensor, values: &mut [f32]) -> Blank<'_> {
    Blank { tensor, first_row: 0, place: Place::Exact(values) }
}

fn panels(shape: Shape, tensor: Tensor, packed: &mut Packed) -> impl Iterator<Item = Blank<'_>> {
    let (exact, q8) = match packed {
        Packed::Exact(weights) => (Some(weights.panels_mut()), None),
        Packed::Q8(weights) => (None, Some(weights.panels_mut())),
    };
    let exact = exact.into_iter().flatten().map(Place::Panel);
    let places = exact.chain(q8.into_iter().flatten().map(Place::Q8Panel));
    let first_rows = (0..shape.extent(tensor).rows).step_by(PANEL);
    first_rows.zip(places).map(move |(first_row, place)| Blank { tensor, first_row, place })
}
