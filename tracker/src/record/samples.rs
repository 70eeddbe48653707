//! Samples as compact bytes, without loss of a bit, life boundaries kept.
//!
//! Readings of one benchmark lie close together, so their bit patterns, taken as integers, do too: a frame of reference
//! (the least of them) and the differences to it in as few bits as the largest needs. Times that are whole nanoseconds,
//! and counts, end in many zero bits that all differences share and that are left out; equal values take no bits at all.
//! A float's bit pattern grows with the logarithm of its value, so a sample that is ten times the others widens
//! every difference by two bits, not more.
//!
//! ```text
//! form (1 byte: 1, or 2 for a sketch) · lives (varint) · values in each life (varints)
//! frame (8 bytes, little-endian) · shift (1 byte) · width (1 byte) · differences (width bits each, low bits first)
//! ```

use crate::domain::Life;

/// Every sample, as it was read.
const FORM: u8 = 1;

/// A sketch: a few numbers that stand for the samples, which another store has. Laid out in the same way.
const SKETCH: u8 = 2;

/// The most samples that one reading may hold: a reader never reserves more than this on a file's word.
const MOST: usize = 1 << 25;

/// Why bytes are no samples, or samples no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SamplesError {
    #[error("the samples end too early")]
    Short,
    #[error("the samples have form {0}, of which this version knows nothing")]
    Form(u8),
    #[error("more than {MOST} samples in one reading")]
    TooMany,
    #[error("the samples are damaged")]
    Damaged,
}

/// Packs the lives of a reading.
pub(super) fn pack(lives: &[Life]) -> Result<Vec<u8>, SamplesError> {
    let count: usize = lives.iter().map(|life| life.values().len()).sum();
    if count > MOST {
        return Err(SamplesError::TooMany);
    }
    let keys = || lives.iter().flat_map(Life::values).map(|&value| key(value));
    let frame = keys().min().unwrap_or(0);
    let all = keys().fold(0, |all, key| all | (key - frame));
    let shift = if all == 0 { 0 } else { all.trailing_zeros() };
    let width = u64::BITS - (all >> shift).leading_zeros();

    let mut bytes = Vec::with_capacity(16 + lives.len() * 2 + count * width as usize / 8);
    bytes.push(FORM);
    put_varint(&mut bytes, lives.len() as u64);
    for life in lives {
        put_varint(&mut bytes, life.values().len() as u64);
    }
    bytes.extend_from_slice(&frame.to_le_bytes());
    bytes.extend_from_slice(&[low_byte(shift.into()), low_byte(width.into())]);
    put_bits(&mut bytes, width, keys().map(|key| (key - frame) >> shift));
    Ok(bytes)
}

/// Packs lives that only stand for the samples.
pub(super) fn pack_sketch(lives: &[Life]) -> Result<Vec<u8>, SamplesError> {
    let mut bytes = pack(lives)?;
    bytes[0] = SKETCH;
    Ok(bytes)
}

/// Whether these are packed samples that only stand for others.
pub(super) fn is_sketch(bytes: &[u8]) -> bool {
    bytes.first() == Some(&SKETCH)
}

/// Unpacks what [`pack`] packed. Any bytes give lives or an error.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Life>, SamplesError> {
    let mut rest = bytes;
    let form = take(&mut rest)?;
    if form != FORM && form != SKETCH {
        return Err(SamplesError::Form(form));
    }
    let counts = take_counts(&mut rest)?;
    let (frame, after) = rest.split_first_chunk::<8>().ok_or(SamplesError::Short)?;
    rest = after;
    let frame = u64::from_le_bytes(*frame);
    let (shift, width) = (u32::from(take(&mut rest)?), u32::from(take(&mut rest)?));
    if shift + width > u64::BITS {
        return Err(SamplesError::Damaged);
    }
    let total: usize = counts.iter().sum();
    if rest.len() != (total * width as usize).div_ceil(8) {
        return Err(SamplesError::Short);
    }

    let mut differences = Bits { bytes: rest, at: 0, width };
    let mut lives = Vec::with_capacity(counts.len());
    for count in counts {
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            // A shift that its width allows loses nothing: checked above.
            let difference = if width == 0 { 0 } else { differences.next() << shift };
            values.push(value(frame.checked_add(difference).ok_or(SamplesError::Damaged)?));
        }
        lives.push(Life::new(values).map_err(|_| SamplesError::Damaged)?);
    }
    Ok(lives)
}

/// Maps floats to integers that have the same order.
fn key(value: f64) -> u64 {
    let bits = value.to_bits();
    if value.is_sign_negative() { !bits } else { bits | 1 << 63 }
}

/// The inverse of [`key`].
fn value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    bytes.push(low_byte(value));
}

fn take(rest: &mut &[u8]) -> Result<u8, SamplesError> {
    let (&first, after) = rest.split_first().ok_or(SamplesError::Short)?;
    *rest = after;
    Ok(first)
}

fn take_varint(rest: &mut &[u8]) -> Result<usize, SamplesError> {
    let mut value = 0_u64;
    for place in 0..5 {
        let byte = take(rest)?;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return usize::try_from(value).map_err(|_| SamplesError::TooMany);
        }
    }
    Err(SamplesError::Damaged)
}

fn take_counts(rest: &mut &[u8]) -> Result<Vec<usize>, SamplesError> {
    let lives = take_varint(rest)?;
    if lives > rest.len() {
        return Err(SamplesError::Short);
    }
    let mut counts = Vec::with_capacity(lives);
    let mut total = 0;
    for _ in 0..lives {
        let count = take_varint(rest)?;
        total += count;
        if total > MOST {
            return Err(SamplesError::TooMany);
        }
        counts.push(count);
    }
    Ok(counts)
}

fn put_bits(bytes: &mut Vec<u8>, width: u32, values: impl Iterator<Item = u64>) {
    let (mut waiting, mut held) = (0_u128, 0);
    for value in values {
        waiting |= u128::from(value) << held;
        held += width;
        while held >= 8 {
            bytes.push(waiting.to_le_bytes()[0]);
            waiting >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        bytes.push(waiting.to_le_bytes()[0]);
    }
}

/// Reads integers of a fixed width one after the other; the caller has made sure that there are enough bytes.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    width: u32,
}

impl Bits<'_> {
    fn next(&mut self) -> u64 {
        let (byte, offset) = (self.at / 8, self.at % 8);
        let mut window = [0; 16];
        let near = &self.bytes[byte..self.bytes.len().min(byte + 9)];
        window[..near.len()].copy_from_slice(near);
        self.at += self.width as usize;
        let shifted = u128::from_le_bytes(window) >> offset;
        let low = u64::from_le_bytes(shifted.to_le_bytes().first_chunk().copied().unwrap_or_default());
        low & (u64::MAX >> (u64::BITS - self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lives(values: &[&[f64]]) -> Vec<Life> {
        values.iter().map(|life| Life::new(life.to_vec()).unwrap()).collect()
    }

    fn bits(lives: &[Life]) -> Vec<Vec<u64>> {
        lives.iter().map(|life| life.values().iter().map(|value| value.to_bits()).collect()).collect()
    }

    /// Whatever is read from these bytes are lives as good as any, which survive being packed anew.
    fn assert_sound(bytes: &[u8]) {
        let Ok(read) = unpack(bytes) else { return };
        assert!(
            read.iter().all(|life| !life.values().is_empty() && life.values().iter().all(|value| value.is_finite()))
        );
        assert_eq!(bits(&unpack(&pack(&read).unwrap()).unwrap()), bits(&read));
    }

    #[test]
    fn equal_values_take_no_room_and_whole_numbers_little() {
        let equal = pack(&lives(&[&[640.0; 100], &[640.0; 100]])).unwrap();
        assert_eq!(equal.len(), 1 + 3 + 10);
        let whole: Vec<f64> = (0..100).map(|n| f64::from(1_000_000 + n * 37 % 5000)).collect();
        assert!(pack(&lives(&[&whole])).unwrap().len() < 200, "two bytes a sample");
    }

    #[test]
    fn every_kind_of_finite_number_comes_back_bit_for_bit() {
        let odd = [0.0, -0.0, 5e-324, -5e-324, f64::MIN_POSITIVE, f64::MAX, f64::MIN, 0.1, -0.1, 1e300];
        let packed = pack(&lives(&[&odd[..3], &odd[3..4], &odd[4..]])).unwrap();
        assert_eq!(bits(&unpack(&packed).unwrap()), bits(&lives(&[&odd[..3], &odd[3..4], &odd[4..]])));
    }

    #[test]
    fn a_sketch_is_known_from_samples() {
        let life = lives(&[&[1.5, 2.5]]);
        let (whole, sketch) = (pack(&life).unwrap(), pack_sketch(&life).unwrap());
        assert!(!is_sketch(&whole) && is_sketch(&sketch));
        assert_eq!(unpack(&sketch), unpack(&whole));
    }

    #[test]
    fn a_count_that_the_bytes_cannot_hold_reserves_nothing() {
        // One life that claims 2^34 equal values.
        let bomb = [FORM, 1, 0x80, 0x80, 0x80, 0x80, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0];
        assert_eq!(unpack(&bomb), Err(SamplesError::TooMany));
        assert_eq!(unpack(&[3]), Err(SamplesError::Form(3)));
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back_bit_for_bit(
            values in prop::collection::vec(prop::collection::vec(prop::num::f64::ANY, 1..40), 0..6)
        ) {
            let finite: Vec<Life> = values.into_iter().filter_map(|life| Life::new(life).ok()).collect();
            prop_assert_eq!(bits(&unpack(&pack(&finite).unwrap()).unwrap()), bits(&finite));
        }

        #[test]
        fn close_values_come_back_bit_for_bit_and_take_less_room(
            values in prop::collection::vec(5000.0..5200.0_f64, 50..200)
        ) {
            let life = lives(&[&values]);
            let packed = pack(&life).unwrap();
            prop_assert!(packed.len() <= 16 + values.len() * 51 / 8);
            prop_assert_eq!(bits(&unpack(&packed).unwrap()), bits(&life));
        }

        #[test]
        fn any_bytes_give_lives_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            assert_sound(&bytes);
        }

        #[test]
        fn a_flipped_byte_gives_lives_or_an_error(
            values in prop::collection::vec(5000.0..5200.0_f64, 1..50), at in 0..400_usize, with in 1..=255_u8
        ) {
            let mut packed = pack(&lives(&[&values])).unwrap();
            let at = at % packed.len();
            packed[at] ^= with;
            assert_sound(&packed);
        }
    }
}
