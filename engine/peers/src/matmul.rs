//! Products as crates for linear algebra have them, on one thread: `peer-matmul gemm|faer`, then operators in, times out.

use std::collections::HashMap;
use std::time::Instant;

use engine_peers::{Failure, answer, say, version};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use gemm::Parallelism;
use serde::Deserialize;
use serde_json::json;

const SLICE_NS: f64 = 1e6;

#[derive(Deserialize)]
struct Request {
    operator: String,
    seconds: f64,
}

fn main() -> Result<(), Failure> {
    let package = std::env::args().nth(1).unwrap_or_default();
    match package.as_str() {
        "gemm" => serve::<Gemm>("gemm"),
        "faer" => serve::<Faer>("faer"),
        _ => Err("usage: peer-matmul gemm|faer".into()),
    }
}

fn serve<P: Product>(package: &str) -> Result<(), Failure> {
    say(&json!({ "version": version(package) }))?;
    let mut made = HashMap::new();
    answer(|request: Request| {
        let times = match request.operator.strip_prefix("kernel/matmul/") {
            Some(size) => {
                measure(made.entry(size.parse()?).or_insert_with_key(|size| checked::<P>(*size)), request.seconds)
            }
            None => Vec::new(),
        };
        Ok(json!({ "times_ns": times }))
    })
}

/// Slices of about a millisecond, as nanoseconds a call.
fn measure(product: &mut impl Product, seconds: f64) -> Vec<f64> {
    let (mut slices, mut spent, mut calls) = (Vec::new(), 0.0, 1.0);
    while spent < seconds * 1e9 || slices.len() < 2 {
        let begun = Instant::now();
        for _ in 0..calls as usize {
            product.multiply();
        }
        let elapsed = begun.elapsed().as_nanos() as f64;
        spent += elapsed;
        slices.push(elapsed / calls);
        calls = (SLICE_NS * calls / elapsed).floor().max(1.0);
    }
    slices.split_off(1)
}

/// Two square matrices and their product.
trait Product {
    fn new(n: usize) -> Self;
    fn multiply(&mut self);
    fn at(&self, row: usize, column: usize) -> f32;
}

/// A product that is right: times a vector it is what the factors are times that vector (Freivalds, 1977).
fn checked<P: Product>(n: usize) -> P {
    let mut product = P::new(n);
    product.multiply();
    let vector: Vec<f64> = (0..n).map(|index| (index % 7) as f64).collect();
    let times = |matrix: &dyn Fn(usize, usize) -> f32, vector: &[f64]| -> Vec<f64> {
        (0..n).map(|row| (0..n).map(|column| f64::from(matrix(row, column)) * vector[column]).sum()).collect()
    };
    let truth = times(&left, &times(&right, &vector));
    let found = times(&|row, column| product.at(row, column), &vector);
    let off = truth.iter().zip(found).map(|(truth, found)| (truth - found).abs()).fold(0.0, f64::max);
    assert!(off < 1e-4 * n as f64, "the product of {n} is off by {off}");
    product
}

fn left(row: usize, column: usize) -> f32 {
    ((row * 31 + column * 17) % 101) as f32 / 101.0 - 0.4
}

fn right(row: usize, column: usize) -> f32 {
    ((row * 13 + column * 43) % 97) as f32 / 97.0 - 0.6
}

/// Row by row, as in our engine.
struct Gemm {
    n: usize,
    left: Vec<f32>,
    right: Vec<f32>,
    out: Vec<f32>,
}

impl Product for Gemm {
    fn new(n: usize) -> Self {
        let matrix = |entry: fn(usize, usize) -> f32| (0..n * n).map(|index| entry(index / n, index % n)).collect();
        Self { n, left: matrix(left), right: matrix(right), out: vec![0.0; n * n] }
    }

    fn multiply(&mut self) {
        let (n, rows) = (self.n, self.n as isize);
        let (out, left, right) = (self.out.as_mut_ptr(), self.left.as_ptr(), self.right.as_ptr());
        // SAFETY: each of the three has n rows of n numbers, and `out` is borrowed by nobody else.
        unsafe {
            gemm::gemm(
                n,
                n,
                n,
                out,
                1,
                rows,
                false,
                left,
                1,
                rows,
                right,
                1,
                rows,
                0.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        self.out[row * self.n + column]
    }
}

/// Column by column, as its matrices are.
struct Faer {
    left: Mat<f32>,
    right: Mat<f32>,
    out: Mat<f32>,
}

impl Product for Faer {
    fn new(n: usize) -> Self {
        Self { left: Mat::from_fn(n, n, left), right: Mat::from_fn(n, n, right), out: Mat::zeros(n, n) }
    }

    fn multiply(&mut self) {
        matmul(self.out.as_mut(), Accum::Replace, self.left.as_ref(), self.right.as_ref(), 1.0, Par::Seq);
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        self.out[(row, column)]
    }
}
