//! How several threads divide a model among themselves: by heads, by columns of the feed-forward layer, by tokens.
//!
//! Attention and the feed-forward layer are then each thread's own from their first matrix to their last, and threads
//! meet only to add up what they found: twice in a layer, and once for the logits.

use std::ops::Range;

use crate::kernels::PANEL;
use crate::shape::Shape;

/// What one member of a team computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// Attention heads.
    pub(crate) heads: Range<usize>,
    /// The columns of these heads.
    pub(crate) columns: Range<usize>,
    /// Columns of the feed-forward layer.
    pub(crate) hidden: Range<usize>,
    /// Tokens whose logits it computes.
    pub(crate) tokens: Range<usize>,
}

/// Heads that are given away together, so that a share begins at a panel; all of them if that is not possible.
const fn heads_together(shape: Shape) -> usize {
    let mut together = 1;
    while !(together * shape.head_width()).is_multiple_of(PANEL) {
        together += 1;
    }
    if shape.heads().is_multiple_of(together) { together } else { shape.heads() }
}

/// The most members that can have a share of their own.
pub(crate) fn most_members(shape: Shape) -> usize {
    (shape.heads() / heads_together(shape)).min(shape.vocabulary().div_ceil(PANEL))
}

/// The shares of so many members.
pub(crate) fn divide(shape: Shape, members: usize) -> Vec<Share> {
    let cut = |units: usize, unit: usize, member: usize| units * member / members * unit;
    let together = heads_together(shape);
    let range = |units: usize, unit: usize, end: usize, member: usize| {
        cut(units, unit, member)..cut(units, unit, member + 1).min(end)
    };
    (0..members)
        .map(|member| {
            let heads = range(shape.heads() / together, together, shape.heads(), member);
            Share {
                columns: heads.start * shape.head_width()..heads.end * shape.head_width(),
                heads,
                hidden: range(shape.hidden() / PANEL, PANEL, shape.hidden(), member),
                tokens: range(shape.vocabulary().div_ceil(PANEL), PANEL, shape.vocabulary(), member),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Dimensions, Head};

    type Part = fn(&Share) -> Range<usize>;

    #[test]
    fn shares_cover_everything_once_and_begin_at_panels() {
        let odd = Dimensions { vocabulary: 1_000, context: 8, width: 480, layers: 1, heads: 10, head: Head::Own };
        let odd = Shape::new(odd).expect("a shape");
        assert_eq!(most_members(odd), 1, "480 columns in heads of 48 begin at no panel");
        for shape in Shape::NAMED.map(|(_, shape)| shape).into_iter().chain([odd]) {
            for members in 1..=most_members(shape) {
                let shares = divide(shape, members);
                let parts: [(Part, usize); 4] = [
                    (|share| share.heads.clone(), shape.heads()),
                    (|share| share.columns.clone(), shape.width()),
                    (|share| share.hidden.clone(), shape.hidden()),
                    (|share| share.tokens.clone(), shape.vocabulary()),
                ];
                for (index, (part, end)) in parts.into_iter().enumerate() {
                    let mut at = 0;
                    for share in &shares {
                        assert_eq!(part(share).start, at);
                        assert!(index == 0 || at.is_multiple_of(PANEL));
                        at = part(share).end;
                    }
                    assert_eq!(at, end);
                }
            }
        }
        assert_eq!(most_members(Shape::SMALL), 2);
        assert_eq!(most_members(Shape::GPT2), 12);
    }
}
