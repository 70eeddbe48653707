//! What was accepted, as marks of a series' chart.

use super::ink::{Anchor, Frame, LETTER, Paper};

/// Of a reason that is longer at least so many characters are told, or none.
const LEAST_REASON: usize = 8;

/// Something that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The commit's place.
    pub at: f64,
    /// Why, as long as it may be; it is shortened to what there is room for.
    pub label: String,
    /// A line about it, shown when it is pointed at.
    pub title: String,
}

/// What was accepted: a dotted line, beneath it a check mark in a lane of its own, and beside that the reason as far as there
/// is room for it. `middle` is the height of the lane's middle.
pub(super) fn draw(paper: &mut Paper, accepted: &[Accepted], (frame, page): (&Frame, &Frame), middle: f64) {
    if accepted.is_empty() {
        return;
    }
    let inside: Vec<&Accepted> = accepted.iter().filter(|one| frame.x.contains(&one.at)).collect();
    paper.group("lane", page, |pen| pen.text((frame.left - 8.0, middle + 4.0), Anchor::End, "accepted"));
    let mut free = frame.left;
    for (number, one) in inside.iter().enumerate() {
        let x = frame.across(one.at);
        let next = inside.get(number + 1).map_or(page.right, |next| frame.across(next.at) - 8.0);
        let behind = letters(next - x - 9.0);
        let before = letters(x - 9.0 - free);
        let whole = one.label.chars().count();
        // Where there is no room behind its mark the reason stands before it.
        let (place, side, room) = if behind < whole.min(LEAST_REASON) && before > behind {
            (x - 9.0, Anchor::End, before)
        } else {
            (x + 9.0, Anchor::Start, behind)
        };
        let label = cut(&one.label, room);
        let is_told = room >= whole.min(LEAST_REASON);
        paper.group_with("accepted", &one.title, page, |pen| {
            if is_told {
                pen.text((place, middle + 4.0), side, &label);
            }
            pen.line(&[(x, frame.top), (x, frame.bottom)]);
            pen.line(&[(x - 5.0, middle), (x - 1.5, middle + 4.0), (x + 5.0, middle - 5.0)]);
        });
        free = if is_told && side == Anchor::Start { x + 9.0 + label.chars().count() as f64 * LETTER } else { x + 9.0 };
    }
}

/// The beginning of a text that is too long.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// How many letters fit.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width on a page, not below nought")]
fn letters(width: f64) -> usize {
    (width.max(0.0) / LETTER) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Unit;
    use crate::show::chart::series::{self, Dot, Series};

    /// The chart of four hundred commits.
    fn drawn(accepted: &[Accepted]) -> String {
        let dots: Vec<Dot> =
            (0..400).map(|at| Dot { x: f64::from(at), y: 1000.0 + f64::from(at * 7 % 13), interval: None }).collect();
        let (unit, times) = (Unit::nanoseconds(), [(0.0, 1_704_067_200), (399.0, 1_714_067_200)]);
        let (steps, marks, tags, references, lanes) = (&[], &[], &[], &[], &[]);
        let series = Series {
            title: "t",
            unit: &unit,
            dots: &dots,
            steps,
            marks,
            tags,
            accepted,
            references,
            lanes,
            times: &times,
        };
        series::draw(&series).as_str().to_owned()
    }

    fn accepted(at: f64, label: &str) -> Accepted {
        Accepted { at, label: label.to_owned(), title: format!("accepted, up to 5 %: {label}") }
    }

    #[test]
    fn what_was_accepted_has_a_mark_of_its_own_with_its_reason() {
        let plain = drawn(&[]);
        let svg = drawn(&[accepted(200.0, "checks <b> now")]);
        assert!(!plain.contains("accepted"));
        let group = svg.split("<g class=\"accepted\">").nth(1).unwrap().split("</g>").next().unwrap();
        assert!(group.starts_with("<title>accepted, up to 5 %: checks &lt;b&gt; now</title><text "), "{group}");
        assert!(group.contains(">checks &lt;b&gt; now</text>") && group.matches("<path").count() == 2, "{group}");
        let height = |svg: &str| svg.split("viewBox=\"0 0 960 ").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!((height(&plain).as_str(), height(&svg).as_str()), ("334", "360"), "it has a lane of its own");
    }

    #[test]
    fn reasons_give_way_to_the_next_mark_and_to_the_edge_and_none_reaches_beyond() {
        let all = [
            accepted(100.0, "a reason that is longer than the way to the next"),
            accepted(110.0, "no room"),
            accepted(111.0, "at all"),
            accepted(398.0, "before its mark"),
        ];
        let svg = drawn(&all);
        let told: Vec<&str> = svg
            .split("<g class=\"accepted\">")
            .skip(1)
            .map(|group| group.split("</g>").next().unwrap())
            .map(|group| group.split("</text>").next().filter(|text| text.contains("<text")).unwrap_or_default())
            .map(|text| text.rsplit('>').next().unwrap())
            .collect();
        assert_eq!(told, ["a reason that is longer than…", "", "at all", "before its mark"]);
        assert!(svg.contains("text-anchor=\"end\">before its mark"), "{svg}");
    }
}
