//! The model as the papers define it, in 64-bit numbers, one plain loop after the other: the truth about logits.

use engine::shape::{Part, Tensor};
use engine::weights::Weights;

/// The logits after the last token.
pub(crate) fn logits(weights: &Weights, tokens: &[u32]) -> Vec<f64> {
    let shape = weights.shape();
    let (width, heads, head_width) = (shape.width(), shape.heads(), shape.head_width());
    let exact = |tensor: Tensor| -> Vec<f64> { weights.tensor(tensor).iter().map(|w| f64::from(*w)).collect() };

    let (token_rows, position_rows) = (exact(Tensor::TokenEmbedding), exact(Tensor::PositionEmbedding));
    let mut stream: Vec<Vec<f64>> = tokens
        .iter()
        .enumerate()
        .map(|(position, token)| {
            let token = &token_rows[*token as usize * width..][..width];
            token.iter().zip(&position_rows[position * width..]).map(|(t, p)| t + p).collect()
        })
        .collect();

    for layer in 0..shape.layers() {
        let part = |part| exact(Tensor::Layer(layer, part));
        let (gain, bias) = (part(Part::AttentionNormGain), part(Part::AttentionNormBias));
        let (weight, shift) = (part(Part::QkvWeight), part(Part::QkvBias));
        let qkv: Vec<Vec<f64>> =
            stream.iter().map(|row| linear(&norm(row, &gain, &bias), &weight, Some(&shift))).collect();
        let (weight, shift) = (part(Part::ProjectionWeight), part(Part::ProjectionBias));
        for (position, row) in stream.iter_mut().enumerate() {
            let mut found = vec![0.0; width];
            for head in 0..heads {
                let columns = head * head_width..(head + 1) * head_width;
                let query = &qkv[position][columns.clone()];
                let scores: Vec<f64> = (0..=position)
                    .map(|other| dot(query, &qkv[other][width..][columns.clone()]) / (head_width as f64).sqrt())
                    .collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let exps: Vec<f64> = scores.iter().map(|score| (score - largest).exp()).collect();
                let sum: f64 = exps.iter().sum();
                for (other, exp) in exps.iter().enumerate() {
                    for column in columns.clone() {
                        found[column] += exp / sum * qkv[other][2 * width + column];
                    }
                }
            }
            add(row, &linear(&found, &weight, Some(&shift)));
        }

        let (gain, bias) = (part(Part::ForwardNormGain), part(Part::ForwardNormBias));
        let (up, up_bias) = (part(Part::UpWeight), part(Part::UpBias));
        let (down, down_bias) = (part(Part::DownWeight), part(Part::DownBias));
        for row in &mut stream {
            let mut hidden = linear(&norm(row, &gain, &bias), &up, Some(&up_bias));
            for x in &mut hidden {
                let u = (2.0 / std::f64::consts::PI).sqrt() * (*x + 0.044_715 * x.powi(3));
                *x = 0.5 * *x * (1.0 + u.tanh());
            }
            add(row, &linear(&hidden, &down, Some(&down_bias)));
        }
    }

    let (gain, bias) = (exact(Tensor::FinalNormGain), exact(Tensor::FinalNormBias));
    let last = stream.last().expect("at least one token");
    linear(&norm(last, &gain, &bias), &exact(Tensor::Head), None)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(row: &mut [f64], more: &[f64]) {
    for (x, more) in row.iter_mut().zip(more) {
        *x += more;
    }
}

fn linear(x: &[f64], weights: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
    let rows = weights.chunks_exact(x.len()).enumerate();
    rows.map(|(output, row)| dot(row, x) + bias.map_or(0.0, |bias| bias[output])).collect()
}

fn norm(x: &[f64], gain: &[f64], bias: &[f64]) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    let scale = 1.0 / (variance + 1e-5).sqrt();
    x.iter().zip(gain).zip(bias).map(|((x, gain), bias)| (x - mean) * scale * gain + bias).collect()
}
