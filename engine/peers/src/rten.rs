//! rten on the ONNX file that `onnx_graph.py` writes: keys and values go in and come out.

use engine_peers::{Failure, Peer, serve};
use rten::{Dimension, Model, NodeId, Value};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

fn main() -> Result<(), Failure> {
    serve::<Rten>("rten")
}

struct Rten {
    model: Model,
    given: Given,
    made: [NodeId; 2],
    past: NdTensor<f32, 4>,
    empty: [usize; 4],
}

/// The inputs of the graph.
struct Given {
    tokens: NodeId,
    positions: NodeId,
    mask: NodeId,
    past: NodeId,
}

impl Peer for Rten {
    fn open(path: &str) -> Result<Self, Failure> {
        let model = Model::load_file(path)?;
        let [tokens, positions, mask, past] = ["tokens", "positions", "mask", "past"].map(|name| model.node_id(name));
        let given = Given { tokens: tokens?, positions: positions?, mask: mask?, past: past? };
        let made = [model.node_id("logits")?, model.node_id("present")?];
        let shape =
            model.node_info(given.past).and_then(|info| info.shape()).ok_or("the file does not tell its cache")?;
        let sizes = shape.iter().map(|size| if let Dimension::Fixed(size) = size { *size } else { 0 });
        let empty = sizes.collect::<Vec<_>>().try_into().map_err(|_| "the cache has not four dimensions")?;
        Ok(Self { model, given, made, past: NdTensor::zeros(empty), empty })
    }

    fn forget(&mut self) {
        self.past = NdTensor::zeros(self.empty);
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Vec<f32>, Failure> {
        let past = std::mem::replace(&mut self.past, NdTensor::zeros(self.empty));
        let (begin, count) = (past.size(2), tokens.len());
        let seen = |[row, column]: [usize; 2]| if column > begin + row { -1e30 } else { 0.0 };
        let inputs = vec![
            (self.given.tokens, NdTensor::from_fn([count], |[index]| tokens[index] as i32).into()),
            (self.given.positions, NdTensor::from_fn([count], |[index]| (begin + index) as i32).into()),
            (self.given.mask, NdTensor::from_fn([count, begin + count], seen).into()),
            (self.given.past, Value::from(past).into()),
        ];
        let [logits, present] = self.model.run_n(inputs, self.made, None)?;
        self.past = present.try_into()?;
        let logits: Tensor<f32> = logits.try_into()?;
        Ok(logits.into_data())
    }
}
