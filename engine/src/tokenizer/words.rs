//! Where GPT-2 cuts a text before it looks for longer tokens: a token never spans two words.
//!
//! A word is, whichever fits first: an English contraction ('s 't 're 've 'm 'll 'd); letters, digits, or other signs in
//! a row, with one blank before them if there is one; or blanks, of which the last is left to the word that follows.

/// What a letter of the text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Letter,
    Digit,
    Sign,
}

/// Marks that Unicode counts as alphabetic but not as letters count as letters here; that differs from GPT-2 only
/// in scripts with vowel signs, where it cuts less often.
fn kind(letter: char) -> Kind {
    if letter.is_whitespace() {
        Kind::Blank
    } else if letter.is_numeric() {
        Kind::Digit
    } else if letter.is_alphabetic() {
        Kind::Letter
    } else {
        Kind::Sign
    }
}

/// The words of a text; together they are the text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (word, after) = rest.split_at(first_word(rest));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

/// How many bytes the first word has.
fn first_word(text: &str) -> usize {
    if let Some(contraction) = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].iter().find(|c| text.starts_with(**c)) {
        return contraction.len();
    }
    let body = text.strip_prefix(' ').unwrap_or(text);
    let Some(first) = body.chars().next() else { return text.len() };
    if kind(first) != Kind::Blank {
        return text.len() - body.len() + run(body, kind(first));
    }
    let blanks = run(text, Kind::Blank);
    let last = text[..blanks].chars().next_back().map_or(0, char::len_utf8);
    // The last blank belongs to what follows, unless nothing does or it is the only one.
    if blanks < text.len() && blanks > last { blanks - last } else { blanks }
}

/// How many bytes of one kind a text begins with.
fn run(text: &str, wanted: Kind) -> usize {
    text.find(|letter| kind(letter) != wanted).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_gpt2_cuts_it() {
        let cut = |text| words(text).collect::<Vec<&str>>();
        assert_eq!(cut("Hello world"), ["Hello", " world"]);
        assert_eq!(
            cut("it's they're I'll can't 'so"),
            ["it", "'s", " they", "'re", " I", "'ll", " can", "'t", " '", "so"]
        );
        assert_eq!(cut("a1 b22c ...!?"), ["a", "1", " b", "22", "c", " ...!?"]);
        assert_eq!(cut("a   b"), ["a", "  ", " b"]);
        assert_eq!(cut("a \n\n b  "), ["a", " \n\n", " b", "  "]);
        assert_eq!(cut("a\nb"), ["a", "\n", "b"]);
        assert_eq!(cut("x\n\ny"), ["x", "\n", "\n", "y"]);
        assert_eq!(cut("naïve größe 世界"), ["naïve", " größe", " 世界"]);
        assert_eq!(cut(""), Vec::<&str>::new());
    }
}
