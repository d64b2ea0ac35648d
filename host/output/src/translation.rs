//! Our own messages and help texts in Portuguese. They are written in English where they belong, and put into Portuguese
//! where they are shown: a line is looked up in `pt-BR.toml` by the text that it was made from, whose `{holes}` stand for
//! what was filled in. What fills a hole is looked up in turn; what is not found (a name, a library's cause) stays as it is,
//! and so does what fills a quoted hole (`{name:?}`) or one called `{words}`: a behavior or a target has written it.
//! Used by the console for each line, and by the commands for help. Words of the panel and the summary are in `words.rs`.
//!
//! What must stay true: every text that people read is in the table, with the same holes in both languages; a test looks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use vespeiro_plan::Language;

/// A text with fewer letters of its own than this says little: it is found where lists and bare words fill it alone. One
/// without any letter puts other texts together.
const WEAK: std::ops::Range<usize> = 1..5;

/// The table's section of words that stand alone: no hole is looked up there.
const WORDS: &str = "words";

static FILE: LazyLock<BTreeMap<String, BTreeMap<String, String>>> =
    LazyLock::new(|| toml::from_str(include_str!("pt-BR.toml")).unwrap_or_default());

static TABLE: LazyLock<Vec<Message>> = LazyLock::new(|| {
    let rooms = FILE.iter().filter(|(room, _)| *room != WORDS);
    let texts = rooms.flat_map(|(_, texts)| texts);
    texts
        .map(|(english, portuguese)| Message {
            english: Pattern::new(english),
            portuguese: Pattern::new(portuguese),
        })
        .collect()
});

/// The text in a language, line by line.
pub fn translated(text: &str, language: Language) -> String {
    if language == Language::English {
        return text.to_owned();
    }
    if let Some(whole) = portuguese(text) {
        return whole;
    }
    let lines = text.split('\n');
    let lines = lines.map(|line| portuguese(line).unwrap_or_else(|| line.to_owned()));
    lines.collect::<Vec<_>>().join("\n")
}

/// A word that stands alone, as a label or a state: names may be the same, so it is never looked for within a text.
pub fn word(english: &str, language: Language) -> String {
    let words = FILE.get(WORDS).filter(|_| language != Language::English);
    let found = words.and_then(|words| words.get(english));
    found.map_or(english, |word| word).to_owned()
}

fn portuguese(text: &str) -> Option<String> {
    let found = TABLE
        .iter()
        .filter_map(|message| Some((message, message.english.holes_of(text)?)));
    // Keys in front are not to be taken for a part of the sentence.
    let (message, holes) =
        found.max_by_key(|(message, _)| (message.english.letters() == 0, message.english.own()))?;
    Some(message.portuguese.filled(|name| {
        let (_, filling) = holes.iter().find(|(hole, _)| *hole == name)?;
        let is_among = |names: &[String]| names.iter().any(|one| one == name);
        Some(if is_among(&message.english.decimals) {
            filling.replace('.', ",")
        } else if is_among(&message.english.of_others) {
            (*filling).to_owned()
        } else {
            part(filling)
        })
    }))
}

/// What fills a hole: a text, several behind each other, as a problem and the way out of it, or what is not ours.
fn part(text: &str) -> String {
    let marks = text.char_indices().rev().filter(|(_, c)| ":;".contains(*c));
    let mut cuts = marks.map(|(at, _)| text.split_at(at));
    let two = || {
        cuts.find_map(|(head, tail)| {
            let (mark, tail) = tail.split_at_checked(2)?;
            Some(format!("{}{mark}{}", part(head), portuguese(tail)?))
        })
    };
    portuguese(text)
        .or_else(two)
        .unwrap_or_else(|| in_a_sentence(text))
}

/// What a sentence of its own would begin with a capital for: `Do not {}` is filled with help.
fn in_a_sentence(text: &str) -> String {
    let turn = |text: &str, to: fn(char) -> char| {
        let mut letters = text.chars();
        let first = letters.next().map(to);
        first.into_iter().chain(letters).collect::<String>()
    };
    let alone = turn(text, |c| c.to_ascii_uppercase());
    match alone == text || !text.contains(' ') {
        true => text.to_owned(),
        false => portuguese(&alone).map_or_else(
            || text.to_owned(),
            |found| turn(&found, |c| c.to_ascii_lowercase()),
        ),
    }
}

struct Message {
    english: Pattern,
    portuguese: Pattern,
}

/// A text with holes as `format!` has them: pieces of its own around them, and the hole after each but the last.
#[derive(Debug, PartialEq)]
struct Pattern {
    pieces: Vec<String>,
    holes: Vec<String>,
    /// Those that numbers with a decimal point fill.
    decimals: Vec<String>,
    /// Those that others' words fill.
    of_others: Vec<String>,
}

impl Pattern {
    fn new(text: &str) -> Pattern {
        let mut pattern = Pattern {
            pieces: vec![String::new()],
            holes: Vec::new(),
            decimals: Vec::new(),
            of_others: Vec::new(),
        };
        let mut unnamed = 0;
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let piece = pattern.pieces.last_mut();
            let hole = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            if let Some(after) = ["{{", "}}"].iter().find_map(|two| rest.strip_prefix(two)) {
                piece.into_iter().for_each(|piece| piece.push(letter));
                rest = after;
            } else if let Some((hole, after)) = hole {
                let (name, form) = hole.split_once(':').unwrap_or((hole, ""));
                let mut name = name.to_owned();
                if name.is_empty() {
                    name = unnamed.to_string();
                    unnamed += 1;
                }
                if form.starts_with('.') {
                    pattern.decimals.push(name.clone());
                }
                if form == "?" || name == "words" {
                    pattern.of_others.push(name.clone());
                }
                pattern.holes.push(name);
                pattern.pieces.push(String::new());
                rest = after;
            } else {
                piece.into_iter().for_each(|piece| piece.push(letter));
                rest = &rest[letter.len_utf8()..];
            }
        }
        pattern
    }

    /// What fills the holes where the text was made from this.
    fn holes_of<'a>(&self, text: &'a str) -> Option<Vec<(&str, &'a str)>> {
        let (first, others) = self.pieces.split_first()?;
        let mut rest = text.strip_prefix(first.as_str())?;
        let Some((last, middle)) = others.split_last() else {
            return rest.is_empty().then(Vec::new);
        };
        let mut found = Vec::with_capacity(self.holes.len());
        for (piece, hole) in middle.iter().zip(&self.holes) {
            let (filling, after) = rest.split_once(piece.as_str())?;
            found.push((hole.as_str(), filling));
            rest = after;
        }
        let filling = rest.strip_suffix(last.as_str())?;
        found.push((self.holes.last()?.as_str(), filling));
        let weak = WEAK.contains(&self.letters());
        let fits = |(name, filling): &(&str, &str)| match *name {
            _ if filling.contains('\n') => false,
            "n" => filling.bytes().all(|byte| byte.is_ascii_digit()),
            "key" => !filling.contains(' '),
            "words" => true,
            _ if filling.len() > 1 && filling.starts_with('"') && filling.ends_with('"') => true,
            _ => !weak || !filling.replace(", ", "").contains(' '),
        };
        found.iter().all(fits).then_some(found)
    }

    /// How much of it is its own.
    fn own(&self) -> usize {
        self.pieces.iter().map(|piece| piece.trim().len()).sum()
    }

    fn letters(&self) -> usize {
        let own = self.pieces.iter().flat_map(|piece| piece.chars());
        own.filter(|c| c.is_alphabetic()).count()
    }

    fn filled(&self, filling: impl Fn(&str) -> Option<String>) -> String {
        let mut text = String::new();
        for (at, piece) in self.pieces.iter().enumerate() {
            text += piece;
            if let Some(hole) = self.holes.get(at) {
                text += &filling(hole).unwrap_or_default();
            }
        }
        text
    }
}

#[cfg(test)]
mod tests;
