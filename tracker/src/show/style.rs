//! What the terminal can do.

/// How a text is to be laid out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Whether colours and bold are understood and wanted.
    pub colour: bool,
    /// The characters in a line; none where nothing is cut off.
    pub width: Option<usize>,
}

/// What a piece of text is, so that it can be told apart by colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing particular.
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// Of second rank.
    Faint,
    /// Something is wrong.
    Bad,
}

impl Style {
    /// The text in the tone; as it is where colour is not wanted.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            _ if !self.colour => return text.to_owned(),
            Tone::Plain => return text.to_owned(),
            Tone::Heading => "1",
            Tone::Faint => "2",
            Tone::Bad => "31",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_a_text_stays_as_it_is() {
        assert_eq!(Style::default().paint(Tone::Bad, "crashed"), "crashed");
        let colourful = Style { colour: true, width: None };
        assert_eq!(colourful.paint(Tone::Bad, "crashed"), "\u{1b}[31mcrashed\u{1b}[0m");
        assert_eq!(colourful.paint(Tone::Plain, "fine"), "fine");
    }
}
