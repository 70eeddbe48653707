//! Our own SVG, element by element, onto a canvas.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::canvas::{Canvas, Place};
use super::font;
use super::style::Sheet;

/// The size of text in a chart.
const TEXT: f64 = 12.0;

/// Something within a group.
enum Element {
    Path(Vec<(Vec<Place>, bool)>),
    Rect([f64; 4]),
    Text { place: Place, anchor: f64, text: String },
}

/// A group in the making.
#[derive(Default)]
struct Group {
    classes: Vec<String>,
    elements: Vec<Element>,
}

/// Draws a chart. What is no chart of ours comes out as far as it is understood.
pub(super) fn draw(svg: &str, sheet: &Sheet, zoom: f64) -> Canvas {
    let mut canvas = Canvas::new(1, 1, [255; 3]);
    let mut root = String::from("chart");
    let mut group = Group::default();
    let mut reader = Reader::from_str(svg);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag)) => match tag.local_name().as_ref() {
                "svg" => {
                    root = attribute(&tag, "class").unwrap_or(root);
                    canvas = paper(&tag, sheet, zoom);
                }
                "g" => {
                    let classes = attribute(&tag, "class").unwrap_or_default();
                    group = Group { classes: classes.split(' ').map(str::to_owned).collect(), elements: Vec::new() };
                }
                _ => group.elements.extend(element(&tag)),
            },
            Ok(Event::Text(words)) => add_text(&mut group, &words),
            Ok(Event::GeneralRef(name)) => add_text(&mut group, reference(&name)),
            Ok(Event::End(tag)) if tag.local_name().as_ref() == "g" => {
                lay(&mut canvas, sheet, &root, &std::mem::take(&mut group), zoom);
            }
            Ok(Event::Eof) | Err(_) => return canvas,
            Ok(_) => {}
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.try_get_attribute(name).ok()??;
    Some(found.value.into_owned())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within what a picture may be")]
fn paper(tag: &BytesStart<'_>, sheet: &Sheet, zoom: f64) -> Canvas {
    let view = attribute(tag, "viewBox").unwrap_or_default();
    let sizes: Vec<f64> = view.split(' ').filter_map(|part| part.parse().ok()).collect();
    let size = |at: usize| (sizes.get(at).copied().unwrap_or(1.0) * zoom).clamp(1.0, 8000.0) as usize;
    Canvas::new(size(2), size(3), sheet.colour("var(--paper)").unwrap_or([255; 3]))
}

fn element(tag: &BytesStart<'_>) -> Option<Element> {
    let number = |name: &str| attribute(tag, name).and_then(|value| value.parse::<f64>().ok());
    match tag.local_name().as_ref() {
        "path" => Some(Element::Path(path(&attribute(tag, "d")?))),
        "rect" => Some(Element::Rect([number("x")?, number("y")?, number("width")?, number("height")?])),
        "text" => {
            let anchor = match attribute(tag, "text-anchor").as_deref() {
                Some("middle") => 0.5,
                Some("end") => 1.0,
                _ => 0.0,
            };
            Some(Element::Text { place: (number("x")?, number("y")?), anchor, text: String::new() })
        }
        // A title is not seen. It ends what was before it, so that its words belong to nothing.
        _ => None,
    }
}

/// Words belong to the text element before them that is not closed, which is the last one.
fn add_text(group: &mut Group, words: &str) {
    if let Some(Element::Text { text, .. }) = group.elements.last_mut() {
        text.push_str(words);
    }
}

fn reference(name: &str) -> &str {
    match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "#39" => "'",
        _ => "\u{fffd}",
    }
}

/// The pieces of a path, and whether each is closed: absolute and relative moves and lines, as Ink writes them.
fn path(text: &str) -> Vec<(Vec<Place>, bool)> {
    let mut pieces: Vec<(Vec<Place>, bool)> = Vec::new();
    let mut at = (0.0, 0.0);
    for (command, numbers) in commands(text) {
        match command {
            'M' | 'm' => {
                let [x, y, ..] = numbers[..] else { continue };
                at = if command == 'M' { (x, y) } else { (at.0 + x, at.1 + y) };
                pieces.push((vec![at], false));
            }
            'l' => {
                for two in numbers.chunks_exact(2) {
                    at = (at.0 + two[0], at.1 + two[1]);
                    pieces.last_mut().into_iter().for_each(|piece| piece.0.push(at));
                }
            }
            'h' => {
                at.0 += numbers.first().copied().unwrap_or_default();
                // A line of no length is a dot.
                let moved = numbers.first().is_some_and(|step| *step != 0.0);
                pieces.last_mut().filter(|_| moved).into_iter().for_each(|piece| piece.0.push(at));
            }
            'z' => pieces.last_mut().into_iter().for_each(|piece| piece.1 = true),
            _ => {}
        }
    }
    pieces
}

/// Each command with its numbers; the sign of a number parts it from the one before.
fn commands(text: &str) -> Vec<(char, Vec<f64>)> {
    let mut commands: Vec<(char, Vec<f64>)> = Vec::new();
    let mut number = String::new();
    let end = |commands: &mut Vec<(char, Vec<f64>)>, number: &mut String| {
        if let (Some(last), Ok(value)) = (commands.last_mut(), number.parse()) {
            last.1.push(value);
        }
        number.clear();
    };
    for sign in text.chars() {
        if sign.is_ascii_digit() || sign == '.' {
            number.push(sign);
            continue;
        }
        end(&mut commands, &mut number);
        match sign {
            '-' => number.push(sign),
            sign if sign.is_ascii_alphabetic() => commands.push((sign, Vec::new())),
            _ => {}
        }
    }
    end(&mut commands, &mut number);
    commands
}

fn lay(canvas: &mut Canvas, sheet: &Sheet, root: &str, group: &Group, zoom: f64) {
    let classes: Vec<&str> = std::iter::once(root).chain(group.classes.iter().map(String::as_str)).collect();
    let last_path = group.elements.iter().rposition(|element| matches!(element, Element::Path(_)));
    let grown = |place: &Place| (place.0 * zoom, place.1 * zoom);
    for (number, element) in group.elements.iter().enumerate() {
        match element {
            Element::Path(pieces) => {
                let look = sheet.look(&classes, "path", Some(number) == last_path);
                let outlines: Vec<Vec<Place>> =
                    pieces.iter().map(|(piece, _)| piece.iter().map(grown).collect()).collect();
                if let Some(fill) = look.fill {
                    canvas.fill(&outlines, fill, look.fill_opacity);
                }
                if let Some(stroke) = look.stroke {
                    let lines = outlines.into_iter().zip(pieces).map(|(mut line, (_, closed))| {
                        line.extend(closed.then(|| line[0]));
                        line
                    });
                    let dashes: Vec<f64> = look.dashes.iter().map(|dash| dash * zoom).collect();
                    let lines: Vec<Vec<Place>> = lines.flat_map(|line| dashed(line, &dashes)).collect();
                    canvas.stroke(&lines, look.width * zoom, stroke, look.stroke_opacity);
                }
            }
            Element::Rect([x, y, width, height]) => {
                let look = sheet.look(&classes, "rect", false);
                let corners = [(*x, *y), (x + width, *y), (x + width, y + height), (*x, y + height)];
                if let Some(fill) = look.fill {
                    canvas.fill(&[corners.iter().map(grown).collect()], fill, look.fill_opacity);
                }
            }
            Element::Text { place, anchor, text } => {
                let look = sheet.look(&classes, "text", false);
                let lines = font::lines(text, grown(place), *anchor, TEXT * zoom);
                let width = TEXT * zoom * if look.is_bold { 0.13 } else { 0.095 };
                canvas.stroke(&lines, width, look.fill.unwrap_or_default(), 1.0);
            }
        }
    }
}

/// The dashes of a line, on and off in turns.
fn dashed(line: Vec<Place>, dashes: &[f64]) -> Vec<Vec<Place>> {
    if dashes.is_empty() || dashes.iter().any(|dash| *dash <= 0.0) {
        return vec![line];
    }
    let mut pieces = Vec::new();
    let mut turn = 0;
    let mut left = dashes[0];
    let mut piece: Vec<Place> = line.first().copied().into_iter().collect();
    for two in line.windows(2) {
        let (mut from, to) = (two[0], two[1]);
        let mut length = (to.0 - from.0).hypot(to.1 - from.1);
        while length > left {
            let share = left / length;
            from = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            length -= left;
            if turn % 2 == 0 {
                piece.push(from);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![from];
            }
            turn += 1;
            left = dashes[turn % dashes.len()];
        }
        left -= length;
        if turn % 2 == 0 {
            piece.push(to);
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_it_is_written() {
        assert_eq!(path("M10 45l40-40 40 20"), [(vec![(10.0, 45.0), (50.0, 5.0), (90.0, 25.0)], false)]);
        assert_eq!(path("M18 25h0m8 10h0"), [(vec![(18.0, 25.0)], false), (vec![(26.0, 35.0)], false)]);
        assert_eq!(path("M1.5 2l-.5-1.5z"), [(vec![(1.5, 2.0), (1.0, 0.5)], true)]);
        assert!(path("").is_empty() && path("l5 5").is_empty());
    }

    #[test]
    fn dashes_are_as_long_as_they_are_said_to_be() {
        let pieces = dashed(vec![(0.0, 0.0), (10.0, 0.0)], &[2.0, 4.0]);
        assert_eq!(pieces, [vec![(0.0, 0.0), (2.0, 0.0)], vec![(6.0, 0.0), (8.0, 0.0)]]);
        assert_eq!(dashed(vec![(0.0, 0.0)], &[]), [vec![(0.0, 0.0)]]);
    }

    #[test]
    fn marks_come_out_where_they_stand_in_the_colours_of_the_sheet() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 40 20\" role=\"img\"><title>a &amp; b</title>\
                   <g class=\"gap\"><rect x=\"0\" y=\"0\" width=\"10\" height=\"20\"/></g>\
                   <g class=\"steps\"><title>t</title><path d=\"M20 10h10\"/></g></svg>";
        let canvas = draw(
            svg,
            &Sheet::parse(".chart .gap rect { fill: #ff0000 } .chart .steps path { stroke: #0000ff; stroke-width: 4 }"),
            2.0,
        );
        assert_eq!((canvas.width(), canvas.height()), (80, 40));
        let rgb = canvas.rgb();
        let pixel = |x: usize, y: usize| &rgb[(y * 80 + x) * 3..][..3];
        assert_eq!(
            (pixel(5, 20), pixel(50, 20), pixel(70, 5)),
            (&[255, 0, 0][..], &[0, 0, 255][..], &[255, 255, 255][..])
        );
    }
}
