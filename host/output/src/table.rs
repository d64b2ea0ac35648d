//! Plain text in columns, for the summary: tables, and labels with facts beside them. Nothing here knows what the
//! text means; a line stays within its width wherever the content allows it.

/// Width of the labels at the left.
const LABEL: usize = 16;

/// A table whose first column is text and whose others are numbers.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// The first row is the heading.
    pub(super) fn new<const N: usize>(heading: [&str; N]) -> Table {
        Table {
            rows: vec![heading.map(String::from).to_vec()],
        }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.rows[0].len());
        self.rows.push(cells);
    }

    pub(super) fn heading(&self) -> &[String] {
        &self.rows[0]
    }

    pub(super) fn rows(&self) -> &[Vec<String>] {
        &self.rows[1..]
    }

    /// No row but the heading.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// Lines of at most `width` characters where the numbers allow it, each with its line end; nothing without a row.
    pub(super) fn render(&self, width: usize) -> String {
        if self.is_empty() {
            return String::new();
        }
        let columns = self.rows[0].len();
        let widest = |column: usize| {
            self.rows
                .iter()
                .map(|row| length(&row[column]))
                .max()
                .unwrap_or(0)
        };
        let numbers: Vec<usize> = (1..columns).map(widest).collect();
        let taken: usize = numbers.iter().map(|w| w + 2).sum();
        let first = widest(0).min(width.saturating_sub(taken).max(8));
        let mut text = String::new();
        for row in &self.rows {
            let mut line = format!("{:first$}", cut(&row[0], first));
            for (cell, width) in row[1..].iter().zip(&numbers) {
                line += &format!("  {cell:>width$}");
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

/// A label and its items, wrapped between items; empty without items.
pub(super) fn labelled(width: usize, label: &str, facts: &[String]) -> String {
    let mut text = String::new();
    let mut line = format!("{label:LABEL$}");
    if length(label) >= LABEL {
        line += "  ";
    }
    let mut first = true;
    for fact in facts {
        if !first && length(&line) + 2 + length(fact) > width {
            text += line.trim_end();
            text += ",\n";
            line = " ".repeat(LABEL);
            first = true;
        }
        if !first {
            line += ", ";
        }
        line += fact;
        first = false;
    }
    if facts.is_empty() {
        return text;
    }
    text + line.trim_end() + "\n"
}

/// Length in characters.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

fn cut(text: &str, width: usize) -> String {
    if length(text) <= width {
        return text.into();
    }
    text.chars()
        .take(width.saturating_sub(1))
        .chain(['…'])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_long_text_is_cut() {
        let mut table = Table::new(["route", "count", "máx"]);
        table.row(vec!["/short".into(), "1".into(), "2.0".into()]);
        table.row(vec![
            "/a/very/long/path".into(),
            "15,432".into(),
            "10.0".into(),
        ]);
        let text = table.render(26);
        assert_eq!(
            text,
            "route          count   máx\n/short             1   2.0\n/a/very/lon…  15,432  10.0\n"
        );
    }

    #[test]
    fn a_label_is_apart_from_what_it_names_however_long_it_is() {
        let line = |label| labelled(60, label, &["2".into()]);
        assert_eq!(line("tls"), "tls             2\n");
        assert_eq!(line("headers too large"), "headers too large  2\n");
    }
}
