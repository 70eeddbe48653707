//! candle on the GGUF file, as its own models are written: its products for either format, its cache that is written in place.

use std::fs::File;

use candle_core::quantized::QMatMul;
use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Module, Result, Tensor};
use candle_nn::LayerNorm;
use candle_nn::kv_cache::KvCache;
use candle_nn::ops::softmax_last_dim;
use engine_peers::{Failure, Peer, serve};

const EPSILON: f64 = 1e-5;

fn main() -> std::result::Result<(), Failure> {
    serve::<Candle>("candle-core")
}

struct Candle {
    tokens: QMatMul,
    positions: Tensor,
    layers: Vec<Layer>,
    norm: LayerNorm,
    head: Option<QMatMul>,
    position: usize,
}

struct Layer {
    heads: usize,
    attention_norm: LayerNorm,
    qkv: Linear,
    projection: Linear,
    forward_norm: LayerNorm,
    up: Linear,
    down: Linear,
    cache: KvCache,
}

struct Linear {
    weights: QMatMul,
    bias: Tensor,
}

impl Peer for Candle {
    fn open(path: &str) -> std::result::Result<Self, Failure> {
        let mut file = File::open(path)?;
        let content = Content::read(&mut file)?;
        Ok(Source { content, file }.model()?)
    }

    fn forget(&mut self) {
        self.position = 0;
        self.layers.iter_mut().for_each(|layer| layer.cache.reset());
    }

    fn step(&mut self, tokens: &[u32]) -> std::result::Result<Vec<f32>, Failure> {
        Ok(self.logits(tokens)?.to_vec1()?)
    }
}

impl Candle {
    fn logits(&mut self, tokens: &[u32]) -> Result<Tensor> {
        let count = tokens.len();
        let positions = self.positions.narrow(0, self.position, count)?;
        let mut x = (self.tokens.embedding(&Tensor::new(tokens, &Device::Cpu)?)? + positions)?;
        self.position += count;
        let mask = (count > 1).then(|| causal(count, self.position)).transpose()?;
        for layer in &mut self.layers {
            x = (&x + layer.attention(&x, mask.as_ref())?)?;
            x = (&x + layer.feed_forward(&x)?)?;
        }
        let last = self.norm.forward(&x.narrow(0, count - 1, 1)?)?;
        self.head.as_ref().unwrap_or(&self.tokens).forward(&last)?.squeeze(0)
    }
}

/// What is added to scores: the last `count` of `all` tokens do not see those behind them.
fn causal(count: usize, all: usize) -> Result<Tensor> {
    let seen = |row: usize, column: usize| if column > all - count + row { f32::NEG_INFINITY } else { 0.0 };
    let mask: Vec<f32> = (0..count).flat_map(|row| (0..all).map(move |column| seen(row, column))).collect();
    Tensor::from_vec(mask, (count, all), &Device::Cpu)
}

impl Layer {
    fn attention(&mut self, x: &Tensor, mask: Option<&Tensor>) -> Result<Tensor> {
        let (count, width) = x.dims2()?;
        let columns = width / self.heads;
        let qkv = self.qkv.forward(&self.attention_norm.forward(x)?)?;
        let qkv = qkv.reshape((count, 3, self.heads, columns))?.permute((1, 2, 0, 3))?.contiguous()?;
        let (keys, values) = self.cache.append(&qkv.get(1)?, &qkv.get(2)?)?;
        let queries = (qkv.get(0)? / (columns as f64).sqrt())?;
        let scores = queries.matmul(&keys.t()?)?;
        let scores = mask.map_or(Ok(scores.clone()), |mask| scores.broadcast_add(mask))?;
        let found = softmax_last_dim(&scores)?.matmul(&values)?;
        self.projection.forward(&found.transpose(0, 1)?.contiguous()?.reshape((count, width))?)
    }

    fn feed_forward(&self, x: &Tensor) -> Result<Tensor> {
        self.down.forward(&self.up.forward(&self.forward_norm.forward(x)?)?.gelu()?)
    }
}

impl Module for Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.weights.forward(x)?.broadcast_add(&self.bias)
    }
}

/// The file with its table of contents.
struct Source {
    content: Content,
    file: File,
}

impl Source {
    fn model(&mut self) -> Result<Candle> {
        let layers =
            (0..self.size("block_count")?).map(|layer| self.layer(&format!("blk.{layer}"))).collect::<Result<_>>()?;
        let has_head = self.content.tensor_infos.contains_key("output.weight");
        Ok(Candle {
            tokens: self.product("token_embd.weight")?,
            positions: self.numbers("position_embd.weight")?,
            layers,
            norm: self.norm("output_norm")?,
            head: has_head.then(|| self.product("output.weight")).transpose()?,
            position: 0,
        })
    }

    fn layer(&mut self, name: &str) -> Result<Layer> {
        Ok(Layer {
            heads: self.size("attention.head_count")?,
            attention_norm: self.norm(&format!("{name}.attn_norm"))?,
            qkv: self.linear(&format!("{name}.attn_qkv"))?,
            projection: self.linear(&format!("{name}.attn_output"))?,
            forward_norm: self.norm(&format!("{name}.ffn_norm"))?,
            up: self.linear(&format!("{name}.ffn_up"))?,
            down: self.linear(&format!("{name}.ffn_down"))?,
            cache: KvCache::new(1, self.size("context_length")?),
        })
    }

    fn size(&self, key: &str) -> Result<usize> {
        match self.content.metadata.get(&format!("gpt2.{key}")) {
            Some(value) => Ok(value.to_u32()? as usize),
            None => candle_core::bail!("the file does not tell its {key}"),
        }
    }

    fn linear(&mut self, name: &str) -> Result<Linear> {
        Ok(Linear { weights: self.product(&format!("{name}.weight"))?, bias: self.numbers(&format!("{name}.bias"))? })
    }

    fn norm(&mut self, name: &str) -> Result<LayerNorm> {
        let (gain, bias) = (self.numbers(&format!("{name}.weight"))?, self.numbers(&format!("{name}.bias"))?);
        Ok(LayerNorm::new(gain, bias, EPSILON))
    }

    fn product(&mut self, name: &str) -> Result<QMatMul> {
        QMatMul::from_qtensor(self.content.tensor(&mut self.file, name, &Device::Cpu)?)
    }

    fn numbers(&mut self, name: &str) -> Result<Tensor> {
        self.content.tensor(&mut self.file, name, &Device::Cpu)?.dequantize(&Device::Cpu)
    }
}
