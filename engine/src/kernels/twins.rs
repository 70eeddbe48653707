//! Every kernel of every instruction set against its plain twin, on generated and on nasty input.

use super::*;
use crate::q8::Block;
use crate::seeded::Random;

/// Lengths around every register, unrolling and chunk size.
const LENGTHS: [usize; 22] =
    [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 2049];

type Plain2 = fn(Kernels, &[f32], &[f32], &mut [f32]);
type InPlace2 = fn(Kernels, &mut [f32], &[f32]);

/// The kernels that have a plain twin; none on a processor without such instructions.
fn fast() -> impl Iterator<Item = Kernels> {
    let all = Kernels::available();
    if all.len() == 1 {
        use std::io::Write as _;
        // Looked for in another way than the kernels do.
        let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let has = |flag| told.split_whitespace().any(|word| word == flag);
        assert!(!["avx2", "fma", "f16c"].into_iter().all(has), "this processor has what fast kernels need");
        // Past the test harness, which keeps what succeeds to itself.
        let _ = writeln!(std::io::stderr(), "skipped: this processor has no fast kernels to compare with their twins");
    }
    all.into_iter().skip(1)
}

fn bell(random: &mut Random, count: usize, deviation: f32) -> Vec<f32> {
    (0..count).map(|_| random.bell() * deviation).collect()
}

#[track_caller]
fn assert_close(got: &[f32], truth: &[f32], relative: f32, absolute: f32, what: &str) {
    assert_eq!(got.len(), truth.len());
    for (index, (got, truth)) in got.iter().zip(truth).enumerate() {
        let same = got == truth || (got.is_nan() && truth.is_nan());
        let near = (got - truth).abs() <= absolute + relative * truth.abs();
        assert!(same || near, "{what}: {got} for {truth} at {index}");
    }
}

#[test]
fn two_operand_kernels_equal_their_twins_to_the_bit() {
    let truth = Kernels::scalar();
    let mut random = Random::new(1);
    for kernels in fast() {
        for length in LENGTHS {
            let mut a = bell(&mut random, length, 3.0);
            let b = bell(&mut random, length, 3.0);
            a[length / 2] = f32::INFINITY;
            let add: (Plain2, InPlace2) = (Kernels::add, Kernels::add_in_place);
            let mul: (Plain2, InPlace2) = (Kernels::mul, Kernels::mul_in_place);
            for (operation, in_place) in [add, mul] {
                let (mut got, mut want) = (vec![0.0; length], vec![0.0; length]);
                operation(truth, &a, &b, &mut want);
                operation(kernels, &a, &b, &mut got);
                assert_eq!(got, want, "{} {length}", kernels.name());
                got.copy_from_slice(&a);
                in_place(kernels, &mut got, &b);
                assert_eq!(got, want, "{} {length} in place", kernels.name());
            }
        }
    }
}

#[test]
fn sums_that_are_streamed_past_the_caches_are_the_same() {
    let length = (8 << 20) / 4 + 77;
    let mut random = Random::new(2);
    let (a, b) = (bell(&mut random, length, 1.0), bell(&mut random, length, 1.0));
    let (mut got, mut want) = (vec![0.0; length], vec![0.0; length]);
    Kernels::scalar().add(&a, &b, &mut want);
    for kernels in fast() {
        got.fill(0.0);
        kernels.add(&a, &b, &mut got);
        assert!(got == want, "{}", kernels.name());
    }
}

#[test]
fn a_bias_is_added_to_each_row() {
    for kernels in Kernels::available() {
        let mut rows = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut out = vec![0.0; 6];
        kernels.broadcast_add(&rows, &[10.0, 20.0, 30.0], &mut out);
        assert_eq!(out, [11.0, 22.0, 33.0, 14.0, 25.0, 36.0]);
        kernels.broadcast_add_in_place(&mut rows, &[10.0, 20.0, 30.0]);
        assert_eq!(rows, out);
    }
}

#[test]
fn relu_and_gelu_follow_their_twins_from_the_smallest_to_the_largest_numbers() {
    let nasty = [0.0, -0.0, 1e-38, -1e-38, 1e-45, 1e30, -1e30, f32::MAX, f32::MIN, 20.0, -20.0, -5.5, f32::INFINITY];
    let mut random = Random::new(3);
    for kernels in fast() {
        for length in LENGTHS {
            let mut x = bell(&mut random, length, 3.0);
            for (value, nasty) in x.iter_mut().step_by(3).zip(nasty) {
                *value = nasty;
            }
            let (mut got, mut want) = (vec![0.0; length], vec![0.0; length]);
            kernels.gelu(&x, &mut got);
            Kernels::scalar().gelu(&x, &mut want);
            assert_close(&got, &want, 2e-6, 4e-7, kernels.name());
            kernels.relu(&x, &mut got);
            Kernels::scalar().relu(&x, &mut want);
            assert_eq!(got, want);
        }
    }
}

#[test]
fn in_place_forms_equal_the_others() {
    let mut random = Random::new(4);
    for kernels in Kernels::available() {
        let x = bell(&mut random, 75, 2.0);
        let mut out = vec![0.0; 75];
        let mut place = x.clone();
        kernels.gelu(&x, &mut out);
        kernels.gelu_in_place(&mut place);
        assert_eq!(out, place);
        place.copy_from_slice(&x);
        kernels.relu(&x, &mut out);
        kernels.relu_in_place(&mut place);
        assert_eq!(out, place);
    }
}

#[test]
fn a_number_that_is_none_stays_so() {
    for kernels in Kernels::available() {
        let mut x = vec![0.5; 40];
        x[21] = f32::NAN;
        let mut out = vec![0.0; 40];
        kernels.gelu(&x, &mut out);
        assert!(out[21].is_nan() && out[20].is_finite(), "{}", kernels.name());
        kernels.softmax_in_place(&mut x);
        assert!(x[21].is_nan(), "{}", kernels.name());
        assert!(kernels.dot(&[1.0, f32::NAN], &[1.0, 1.0]).is_nan());
    }
}

#[test]
fn dot_products_agree_within_the_rounding_of_their_sums() {
    let mut random = Random::new(5);
    for kernels in fast() {
        for length in LENGTHS {
            let (a, b) = (bell(&mut random, length, 1.0), bell(&mut random, length, 1.0));
            let truth = Kernels::scalar().dot(&a, &b);
            let size: f32 = a.iter().zip(&b).map(|(a, b)| (a * b).abs()).sum();
            assert!((kernels.dot(&a, &b) - truth).abs() <= 1e-6 * size, "{} {length}", kernels.name());
        }
    }
}

#[test]
fn softmax_follows_its_twin_and_sums_to_one() {
    let mut random = Random::new(6);
    for kernels in fast() {
        for length in LENGTHS {
            for (deviation, shift) in [(1.0, 0.0), (30.0, 0.0), (1.0, 1e4), (1.0, -1e4), (0.0, 0.0)] {
                let x: Vec<f32> = bell(&mut random, length, deviation).iter().map(|x| x + shift).collect();
                let (mut got, mut want) = (x.clone(), x.clone());
                kernels.softmax_in_place(&mut got);
                Kernels::scalar().softmax_in_place(&mut want);
                assert_close(&got, &want, 2e-6, 1e-30, kernels.name());
                let mut apart = vec![0.0; length];
                kernels.softmax(&x, &mut apart);
                assert_eq!(apart, got, "{} {length}", kernels.name());
                let sum: f64 = got.iter().map(|x| f64::from(*x)).sum();
                assert!((sum - 1.0).abs() < 1e-5, "{sum}");
            }
        }
        let mut masked = [f32::NEG_INFINITY, 1.0, f32::NEG_INFINITY];
        kernels.softmax_in_place(&mut masked);
        assert!(masked[1] == 1.0 && masked[0] < 1e-37, "{masked:?}");
        kernels.softmax_in_place(&mut []);
    }
}

#[test]
fn layer_norm_follows_its_twin_even_far_from_zero() {
    let mut random = Random::new(7);
    for kernels in fast() {
        for length in LENGTHS {
            for (deviation, shift) in [(1.0, 0.0), (1e-4, 0.0), (1e4, 0.0), (1.0, 1e3), (0.0, 5.0)] {
                let x: Vec<f32> = bell(&mut random, 3 * length, deviation).iter().map(|x| x + shift).collect();
                let (gain, bias) = (bell(&mut random, length, 1.0), bell(&mut random, length, 1.0));
                let (mut got, mut want) = (vec![0.0; 3 * length], vec![0.0; 3 * length]);
                kernels.layer_norm(&x, &gain, &bias, &mut got);
                Kernels::scalar().layer_norm(&x, &gain, &bias, &mut want);
                // Each x is exact to half a unit in its last place, and the mean to a few.
                let rounding = 4.0 * f32::EPSILON * shift / deviation.max(3e-3);
                assert_close(&got, &want, 2e-5, 2e-5 + rounding, &format!("{} {shift}±{deviation}", kernels.name()));
            }
        }
    }
}

#[test]
fn products_of_every_small_shape_follow_their_twin() {
    let mut random = Random::new(8);
    let mut room = PanelRoom::default();
    for kernels in fast() {
        for rows in [1, 2, 3, 5, 6, 7, 12, 17] {
            for depth in [1, 2, 31, 64, 513] {
                for columns in [1, 16, 40, 64, 65, 130] {
                    let a = bell(&mut random, rows * depth, 1.0);
                    let b = bell(&mut random, depth * columns, 1.0);
                    let (left, right) = (Matrix::new(&a, rows, depth), Matrix::new(&b, depth, columns));
                    let mut want = vec![0.5; rows * columns];
                    let mut got = want.clone();
                    for onto in [Onto::Replace, Onto::Add] {
                        let truth = MatrixMut::new(&mut want, rows, columns);
                        Kernels::scalar().matmul(left, right, onto, truth, &mut room);
                        kernels.matmul(left, right, onto, MatrixMut::new(&mut got, rows, columns), &mut room);
                        assert_close(&got, &want, 1e-5, 1e-5 * depth as f32, kernels.name());
                    }
                }
            }
        }
    }
}

#[test]
fn transposed_operands_give_the_product_of_the_transposed() {
    let mut random = Random::new(9);
    let mut room = PanelRoom::default();
    // The second has several blocks of rows and of depths, and so many panels that they are taken in two groups.
    for (rows, depth, columns) in [(70, 90, 80), (259, 523, 1_050)] {
        let (a, b) = (bell(&mut random, rows * depth, 1.0), bell(&mut random, depth * columns, 1.0));
        for kernels in fast() {
            let lefts = [Matrix::new(&a, rows, depth), Matrix::new(&a, depth, rows).transposed()];
            let rights = [Matrix::new(&b, depth, columns), Matrix::new(&b, columns, depth).transposed()];
            for (left, right) in lefts.iter().flat_map(|left| rights.iter().map(move |right| (*left, *right))) {
                let (mut want, mut got) = (vec![0.0; rows * columns], vec![0.0; rows * columns]);
                let truth = MatrixMut::new(&mut want, rows, columns);
                Kernels::scalar().matmul(left, right, Onto::Replace, truth, &mut room);
                kernels.matmul(left, right, Onto::Replace, MatrixMut::new(&mut got, rows, columns), &mut room);
                assert_close(&got, &want, 1e-5, 1e-5 * depth as f32, kernels.name());
            }
        }
    }
}

#[test]
fn packed_weights_give_the_product_with_bias_for_any_part() {
    let mut random = Random::new(10);
    let (outputs, inputs) = (200, 600);
    let weights = bell(&mut random, outputs * inputs, 1.0);
    let bias = bell(&mut random, outputs, 1.0);
    let packed = PackedMatrix::of(&weights, outputs, inputs);
    for kernels in fast() {
        for rows in [1, 2, 4, 7, 13] {
            for (outs, ins) in [(0..200, 0..600), (64..128, 64..320), (128..200, 32..600), (64..70, 0..33)] {
                let x = bell(&mut random, rows * ins.len(), 1.0);
                let (mut got, mut want) = (vec![0.0; rows * outs.len()], vec![0.0; rows * outs.len()]);
                for bias in [None, Some(&bias[outs.clone()])] {
                    for (kernels, out) in [(Kernels::scalar(), &mut want), (kernels, &mut got)] {
                        kernels.matmul_packed(
                            Matrix::new(&x, rows, ins.len()),
                            &packed.part(outs.clone(), ins.clone()),
                            bias,
                            MatrixMut::new(out, rows, outs.len()),
                        );
                    }
                    assert_close(&got, &want, 1e-5, 1e-3, kernels.name());
                }
            }
        }
    }
}

#[test]
fn quantised_products_follow_their_twin_and_stay_near_the_exact_ones() {
    let mut random = Random::new(11);
    let (outputs, inputs) = (200, 320);
    let weights = bell(&mut random, outputs * inputs, 0.02);
    let blocks: Vec<Block> = weights.as_chunks().0.iter().map(Block::of).collect();
    let packed = PackedQ8::of(&blocks, outputs, inputs);
    let bias = bell(&mut random, outputs, 1.0);
    for kernels in fast() {
        for rows in [1, 2, 3, 4, 5, 7] {
            for (outs, ins) in [(0..200, 0..320), (64..128, 64..192), (128..200, 32..320), (64..70, 0..32)] {
                let x = bell(&mut random, rows * ins.len(), 3.0);
                let part = packed.part(outs.clone(), ins.clone());
                let product = |kernels: Kernels, bias| {
                    let mut quantised = Quantised::with_room_for(x.len());
                    kernels.quantise(Matrix::new(&x, rows, ins.len()), &mut quantised);
                    let mut out = vec![0.0; rows * outs.len()];
                    kernels.matmul_q8(&quantised, &part, bias, MatrixMut::new(&mut out, rows, outs.len()));
                    out
                };
                let want = product(Kernels::scalar(), Some(&bias[outs.clone()]));
                let got = product(kernels, Some(&bias[outs.clone()]));
                assert_close(&got, &want, 1e-5, 1e-5, kernels.name());
                let got = product(kernels, None);
                for (row, got) in got.chunks_exact(outs.len()).enumerate() {
                    for (output, got) in outs.clone().zip(got) {
                        let weights = &weights[output * inputs..][ins.clone()];
                        let exact: f32 = x[row * ins.len()..].iter().zip(weights).map(|(x, w)| x * w).sum();
                        // Two roundings of about 1/250 of the largest of 32, which for a bell is two deviations.
                        let deviation = 0.02 * 3.0 * (ins.len() as f32).sqrt() * 0.01;
                        assert!((got - exact).abs() < 6.0 * deviation, "{got} for {exact}");
                    }
                }
            }
        }
    }
}

#[test]
fn quantised_activations_are_the_same_bytes_as_the_twins() {
    let mut random = Random::new(12);
    for kernels in fast() {
        for size in [0.0, 1e-30, 1.0, 1e30] {
            let x = bell(&mut random, 3 * 96, size);
            let bytes = |kernels: Kernels| {
                let mut quantised = Quantised::with_room_for(3 * 96);
                kernels.quantise(Matrix::new(&x, 3, 96), &mut quantised);
                (0..9)
                    .map(|at| (quantised.at(at / 3, at % 3).0.to_vec(), quantised.at(at / 3, at % 3).1))
                    .collect::<Vec<_>>()
            };
            assert_eq!(bytes(kernels), bytes(Kernels::scalar()), "{} {size}", kernels.name());
        }
    }
}

#[test]
#[should_panic(expected = "21 blocks for 6 outputs")]
fn the_last_panel_takes_no_more_blocks_than_it_has_outputs() {
    let mut packed = PackedQ8::zeroed(70, 96);
    let mut last = packed.panels_mut().last().expect("a panel");
    last.set(&[Block::ZERO; 18]);
    last.set(&[Block::ZERO; 21]);
}

#[test]
fn packed_blocks_come_back_as_they_were() {
    let blocks: Vec<Block> = (0..70 * 3_u16)
        .map(|index| Block { scale: index, steps: std::array::from_fn(|at| (at as i8).wrapping_mul(index as i8)) })
        .collect();
    let packed = PackedQ8::of(&blocks, 70, 96);
    for (index, block) in blocks.iter().enumerate() {
        assert_eq!(packed.block(index / 3, index % 3), *block);
    }
}
