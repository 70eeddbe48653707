//! The inner loop of the multiplication: some rows by one panel.

use super::lanes::Lanes;
use super::packed::PANEL;

/// Where the sums of a tile begin.
#[derive(Clone, Copy)]
pub(super) enum Start {
    /// At zero.
    Zero,
    /// At these numbers, one a column.
    Bias(*const f32),
    /// At what the output already holds.
    Resume,
}

/// Rows that are computed together: six times four registers of sums leave room for what they are made of.
pub(super) const ROWS: usize = 6;

/// One panel's share of a product: out[r][c] = start + Σₖ a[r][k] · b[k][c].
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) a: *const f32,
    /// From one row of `a` to the next.
    pub(super) a_row: usize,
    /// From one depth of `a` to the next.
    pub(super) a_step: usize,
    /// From six rows of `a` to the next six.
    pub(super) a_rows: usize,
    pub(super) rows: usize,
    /// A panel: at each depth the wanted columns can be read, and as many more as fill up a register.
    pub(super) b: *const f32,
    pub(super) b_step: usize,
    /// Where the first six rows, which must be there, leave a copy of the panel, for the others to read; or null.
    pub(super) copy: *mut f32,
    pub(super) depth: usize,
    pub(super) out: *mut f32,
    pub(super) out_row: usize,
    /// Columns that are wanted, 64 at most.
    pub(super) columns: usize,
    pub(super) start: Start,
}

/// Computes the tile: four registers of columns at a time, or however many are wanted.
///
/// # Safety
/// The tile's pointers must be good for its shape; the processor must have L.
#[inline(always)]
pub(super) unsafe fn run<L: Lanes>(tile: &Tile) {
    // SAFETY: handed on; the columns below stay within the tile's.
    unsafe {
        let mut column = 0;
        while column < tile.columns {
            let registers = (tile.columns - column).div_ceil(L::COUNT).min(L::WIDE);
            match registers {
                1 => all_rows::<L, 1>(tile, column),
                2 => all_rows::<L, 2>(tile, column),
                3 => all_rows::<L, 3>(tile, column),
                _ => all_rows::<L, 4>(tile, column),
            }
            column += registers * L::COUNT;
        }
    }
}

#[inline(always)]
unsafe fn all_rows<L: Lanes, const WIDE: usize>(tile: &Tile, column: usize) {
    // SAFETY: handed on; the rows below stay within the tile's.
    unsafe {
        let mut row = 0;
        let mut copied = *tile;
        if !tile.copy.is_null() {
            some_rows::<L, ROWS, WIDE, true>(tile, row, column);
            row = ROWS;
            (copied.b, copied.b_step) = (tile.copy, PANEL);
        }
        let tile = &copied;
        while row + ROWS <= tile.rows {
            some_rows::<L, ROWS, WIDE, false>(tile, row, column);
            row += ROWS;
        }
        match tile.rows - row {
            1 => one_row::<L, WIDE>(tile, row, column),
            2 => some_rows::<L, 2, WIDE, false>(tile, row, column),
            3 => some_rows::<L, 3, WIDE, false>(tile, row, column),
            4 => some_rows::<L, 4, WIDE, false>(tile, row, column),
            5 => some_rows::<L, 5, WIDE, false>(tile, row, column),
            _ => {}
        }
    }
}

#[inline(always)]
unsafe fn some_rows<L: Lanes, const ROWS: usize, const WIDE: usize, const COPY: bool>(
    tile: &Tile,
    row: usize,
    column: usize,
) {
    // SAFETY: as above.
    unsafe {
        let a = tile.a.add(row / self::ROWS * tile.a_rows);
        let mut sums = [[L::splat(0.0); WIDE]; ROWS];
        for (r, sums) in sums.iter_mut().enumerate() {
            *sums = begin::<L, WIDE>(tile, row + r, column);
        }
        let mut b = tile.b.add(column);
        for k in 0..tile.depth {
            let a = a.add(k * tile.a_step);
            let mut weights = [L::splat(0.0); WIDE];
            for (w, weight) in weights.iter_mut().enumerate() {
                *weight = L::load(b.add(w * L::COUNT));
                if COPY {
                    L::store(tile.copy.add(k * PANEL + column + w * L::COUNT), *weight);
                }
            }
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = L::splat(*a.add(r * tile.a_row));
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = L::fma(x, weight, *sum);
                }
            }
            b = b.add(tile.b_step);
        }
        for (r, sums) in sums.into_iter().enumerate() {
            end::<L, WIDE>(tile, row + r, column, sums);
        }
    }
}

/// One row: twice as many sums as registers, even depths and odd, so that each addition need not wait for the one
/// before it.
#[inline(always)]
unsafe fn one_row<L: Lanes, const WIDE: usize>(tile: &Tile, row: usize, column: usize) {
    // SAFETY: as above.
    unsafe {
        let mut even = begin::<L, WIDE>(tile, row, column);
        let mut odd = [L::splat(0.0); WIDE];
        let (a, b) = (tile.a.add(row / ROWS * tile.a_rows), tile.b.add(column));
        let mut k = 0;
        while k + 2 <= tile.depth {
            let (x, y) = (L::splat(*a.add(k * tile.a_step)), L::splat(*a.add((k + 1) * tile.a_step)));
            let (here, next) = (b.add(k * tile.b_step), b.add((k + 1) * tile.b_step));
            for w in 0..WIDE {
                even[w] = L::fma(x, L::load(here.add(w * L::COUNT)), even[w]);
                odd[w] = L::fma(y, L::load(next.add(w * L::COUNT)), odd[w]);
            }
            k += 2;
        }
        if k < tile.depth {
            let x = L::splat(*a.add(k * tile.a_step));
            for (w, sum) in even.iter_mut().enumerate() {
                *sum = L::fma(x, L::load(b.add(k * tile.b_step + w * L::COUNT)), *sum);
            }
        }
        for (even, odd) in even.iter_mut().zip(odd) {
            *even = L::add(*even, odd);
        }
        end::<L, WIDE>(tile, row, column, even);
    }
}

#[inline(always)]
unsafe fn begin<L: Lanes, const WIDE: usize>(tile: &Tile, row: usize, column: usize) -> [L::Vector; WIDE] {
    // SAFETY: as above; heads end where the wanted columns do.
    unsafe {
        let from = match tile.start {
            Start::Zero => return [L::splat(0.0); WIDE],
            Start::Bias(bias) => bias,
            Start::Resume => tile.out.add(row * tile.out_row).cast_const(),
        };
        let mut sums = [L::splat(0.0); WIDE];
        for (w, sum) in sums.iter_mut().enumerate() {
            let at = column + w * L::COUNT;
            if at + L::COUNT <= tile.columns {
                *sum = L::load(from.add(at));
            } else if at < tile.columns {
                *sum = L::load_head(from.add(at), tile.columns - at);
            }
        }
        sums
    }
}

#[inline(always)]
unsafe fn end<L: Lanes, const WIDE: usize>(tile: &Tile, row: usize, column: usize, sums: [L::Vector; WIDE]) {
    // SAFETY: as above.
    unsafe {
        let to = tile.out.add(row * tile.out_row);
        for (w, sum) in sums.into_iter().enumerate() {
            let at = column + w * L::COUNT;
            if at + L::COUNT <= tile.columns {
                L::store(to.add(at), sum);
            } else if at < tile.columns {
                L::store_head(to.add(at), sum, tile.columns - at);
            }
        }
    }
}
