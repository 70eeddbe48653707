//! As much of the style sheet as a chart needs: rules for classes and elements, and variables, as they are in the light.

use super::canvas::Rgb;

/// The rules, the weakest first.
pub(super) struct Sheet {
    rules: Vec<Rule>,
    variables: Vec<(String, String)>,
}

struct Rule {
    classes: Vec<String>,
    element: Option<String>,
    is_last: bool,
    properties: Vec<(String, String)>,
}

/// How an element looks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Look {
    pub(super) fill: Option<Rgb>,
    pub(super) fill_opacity: f64,
    pub(super) stroke: Option<Rgb>,
    pub(super) stroke_opacity: f64,
    pub(super) width: f64,
    pub(super) dashes: Vec<f64>,
    pub(super) is_bold: bool,
}

impl Sheet {
    /// Reads a sheet; what stands under `@media` is for the dark and for print, and left out.
    pub(super) fn parse(css: &str) -> Sheet {
        let mut rules = Vec::new();
        let mut variables = Vec::new();
        for (selectors, body) in blocks(&without_comments(css)) {
            let pairs = body.split(';').filter_map(|pair| pair.split_once(':'));
            let properties: Vec<(String, String)> =
                pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
            variables.extend(properties.iter().filter(|(name, _)| name.starts_with("--")).cloned());
            rules.extend(selectors.split(',').map(|selector| rule(selector, &properties)));
        }
        rules.sort_by_key(|rule| (rule.classes.len() + usize::from(rule.is_last), rule.element.is_some()));
        Sheet { rules, variables }
    }

    /// How an element of a chart looks, whose group has these classes. The last path of a group may look otherwise.
    pub(super) fn look(&self, classes: &[&str], element: &str, is_last: bool) -> Look {
        let mut look = Look {
            fill: Some([0; 3]),
            fill_opacity: 1.0,
            stroke: None,
            stroke_opacity: 1.0,
            width: 1.0,
            dashes: Vec::new(),
            is_bold: false,
        };
        for rule in self.rules.iter().filter(|rule| {
            rule.element.as_deref() == Some(element)
                && (is_last || !rule.is_last)
                && rule.classes.iter().all(|class| classes.contains(&class.as_str()))
        }) {
            for (name, value) in &rule.properties {
                self.apply(&mut look, name, value);
            }
        }
        look
    }

    fn apply(&self, look: &mut Look, name: &str, value: &str) {
        let number = value.trim_end_matches("px").parse::<f64>();
        match (name, number) {
            ("fill", _) => look.fill = self.colour(value),
            ("stroke", _) => look.stroke = self.colour(value),
            ("fill-opacity", Ok(opacity)) => look.fill_opacity = opacity,
            ("stroke-opacity", Ok(opacity)) => look.stroke_opacity = opacity,
            ("stroke-width", Ok(width)) => look.width = width,
            ("stroke-dasharray", _) => {
                look.dashes = value.split_whitespace().filter_map(|part| part.parse().ok()).collect();
            }
            ("font-weight", Ok(weight)) => look.is_bold = weight >= 600.0,
            _ => {}
        }
    }

    /// A colour by its six digits or by the name of a variable; none where nothing is to be drawn.
    pub(super) fn colour(&self, value: &str) -> Option<Rgb> {
        let variable = value.strip_prefix("var(").and_then(|rest| rest.strip_suffix(')'));
        let known = variable.and_then(|name| self.variables.iter().find(|(other, _)| other == name));
        let digits = known.map_or(value, |(_, value)| value.as_str()).strip_prefix('#')?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        Some([part(0)?, part(2)?, part(4)?])
    }
}

fn without_comments(css: &str) -> String {
    css.split("/*").map(|piece| piece.split_once("*/").map_or(piece, |(_, rest)| rest)).collect()
}

/// Selectors with what stands in their braces; blocks within blocks are left out.
fn blocks(css: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let (mut depth, mut name, mut body) = (0_u32, String::new(), String::new());
    for sign in css.chars() {
        match sign {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let (name, body) = (std::mem::take(&mut name), std::mem::take(&mut body));
                    if !name.trim_start().starts_with('@') {
                        blocks.push((name.trim().to_owned(), body));
                    }
                }
            }
            sign if depth == 0 => name.push(sign),
            sign => body.push(sign),
        }
    }
    blocks
}

/// `.chart .mark path:last-of-type`, say.
fn rule(selector: &str, properties: &[(String, String)]) -> Rule {
    let mut rule = Rule { classes: Vec::new(), element: None, is_last: false, properties: properties.to_vec() };
    for word in selector.split_whitespace() {
        let (word, pseudo) = word.split_once(':').unwrap_or((word, ""));
        rule.is_last |= pseudo == "last-of-type";
        let mut parts = word.split('.');
        if let Some(element) = parts.next().filter(|element| !element.is_empty()) {
            rule.element = Some(element.to_owned());
        }
        rule.classes.extend(parts.map(str::to_owned));
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_particular_rule_wins_and_dark_is_left_out() {
        let sheet = Sheet::parse(
            "/* a { } */ .chart { --ink: #010203; } @media (dark) { .chart { --ink: #ffffff; } .chart path { stroke: #ffffff; } }
             .chart .mark path:last-of-type { stroke: none; fill: var(--ink); } .chart .mark path { stroke-width: 3; }
             .chart path, .spark path { fill: none; stroke: #0a0b0c; stroke-width: 1; stroke-dasharray: 2 4 }",
        );
        let line = sheet.look(&["chart", "mark"], "path", false);
        assert_eq!((line.fill, line.stroke, line.width), (None, Some([10, 11, 12]), 3.0));
        assert_eq!(line.dashes, [2.0, 4.0]);
        let head = sheet.look(&["chart", "mark"], "path", true);
        assert_eq!((head.fill, head.stroke), (Some([1, 2, 3]), None));
        assert_eq!(sheet.look(&["chart"], "rect", false).fill, Some([0; 3]));
    }

    #[test]
    fn our_own_sheet_is_understood() {
        let sheet = Sheet::parse(crate::show::chart::STYLE);
        let dots = sheet.look(&["chart", "dots"], "path", true);
        assert_eq!((dots.fill, dots.stroke, dots.width), (None, sheet.colour("var(--line)"), 3.4));
        assert_eq!(sheet.look(&["chart", "k1"], "path", true).fill, sheet.colour("var(--l1)"));
        assert!(sheet.look(&["chart", "mark", "worse"], "text", false).is_bold);
        assert_eq!(sheet.colour("var(--paper)"), Some([255; 3]));
    }
}
