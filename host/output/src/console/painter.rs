//! Writes lines, and draws a buffer in place below them on a terminal. Used by the console's thread.
//!
//! It only moves relative to the cursor and switches no mode beyond one write, so the terminal is in its normal state
//! between frames whatever happens to the process. (ratatui's own inline viewport asks the terminal for the cursor
//! through standard output, which people redirect: `vespeiro run > summary.txt`.)

use std::fmt::{Debug, Write as _};
use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use ratatui::text::Span;

use crate::stdout::colors_wanted;

/// One synchronized update with a hidden cursor and without line wrap…
const BEGIN: &str = "\x1b[?2026h\x1b[?25l\x1b[?7l";
/// …and back to normal.
const END: &str = "\x1b[?7h\x1b[?25h\x1b[?2026l";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// What is on the terminal now, above the cursor.
pub(super) struct Painter {
    out: Box<dyn Write + Send>,
    /// Width of each line that is drawn.
    drawn: Vec<usize>,
    /// Terminal width at that time.
    width: usize,
    color: bool,
}

impl Debug for Painter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Painter")
            .field("lines", &self.drawn.len())
            .finish_non_exhaustive()
    }
}

impl Painter {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Painter {
        Painter {
            out,
            drawn: Vec::new(),
            width: 0,
            color: colors_wanted(),
        }
    }

    /// Replace what is drawn.
    pub(super) fn paint(&mut self, buffer: &Buffer) {
        let mut text = BEGIN.to_owned();
        self.rewind(&mut text, usize::from(buffer.area.width));
        self.drawn.clear();
        for row in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
            self.drawn.push(self.line(row, &mut text));
            text += CLEAR_LINE;
            text += "\r\n";
        }
        text += CLEAR_BELOW;
        self.width = usize::from(buffer.area.width);
        self.write(text + END);
    }

    /// Put a line of text where the panel began; the panel is gone until the next `paint`.
    pub(super) fn above(&mut self, line: &str) {
        if self.drawn.is_empty() {
            return self.write(format!("{line}\n"));
        }
        let mut text = String::new();
        self.rewind(&mut text, self.width);
        let _ = write!(text, "{CLEAR_BELOW}{line}\r\n");
        self.drawn.clear();
        self.write(text);
    }

    /// Take away what is drawn.
    pub(super) fn clear(&mut self) {
        if !self.drawn.is_empty() {
            let mut text = String::new();
            self.rewind(&mut text, self.width);
            self.drawn.clear();
            self.write(text + CLEAR_BELOW);
        }
    }

    /// Back to the first line of what is drawn.
    fn rewind(&self, text: &mut String, width: usize) {
        // A terminal that became narrower has folded the lines that were wider.
        let lines: usize = match width {
            0 => self.drawn.len(),
            width if width < self.width => self
                .drawn
                .iter()
                .map(|used| used.div_ceil(width).max(1))
                .sum(),
            _ => self.drawn.len(),
        };
        if lines > 0 {
            let _ = write!(text, "\x1b[{lines}A\r");
        }
    }

    /// Append one line and say how wide it is. Trailing blanks are left out.
    fn line(&self, row: &[Cell], text: &mut String) -> usize {
        let used = row
            .iter()
            .rposition(|cell| cell.symbol() != " ")
            .map_or(0, |at| at + 1);
        let mut style = String::new();
        let mut at = 0;
        while let Some(cell) = row[..used].get(at) {
            let wanted = self.style(cell);
            if wanted != style {
                let _ = write!(text, "\x1b[0{wanted}m");
                style = wanted;
            }
            text.push_str(cell.symbol());
            // The cells behind a wide symbol are placeholders.
            at += Span::raw(cell.symbol()).width().max(1);
        }
        if !style.is_empty() {
            text.push_str("\x1b[0m");
        }
        used
    }

    fn style(&self, cell: &Cell) -> String {
        let mut style = String::new();
        if cell.modifier.contains(Modifier::BOLD) {
            style += ";1";
        }
        if cell.modifier.contains(Modifier::DIM) {
            style += ";2";
        }
        if self.color {
            style += match cell.fg {
                Color::Red => ";31",
                Color::Green => ";32",
                Color::Yellow => ";33",
                Color::Cyan => ";36",
                _ => "",
            };
        }
        style
    }

    fn write(&mut self, text: String) {
        // A terminal that is gone does not end the run.
        let _ = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn take(&self) -> String {
            String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn draws_in_place_and_leaves_no_mode_switched_on() {
        let out = Shared::default();
        let mut painter = Painter::new(Box::new(out.clone()));
        let first = Buffer::with_lines(["hello  ", "you    "]);
        painter.paint(&first);
        assert_eq!(
            out.take(),
            format!("{BEGIN}hello\x1b[K\r\nyou\x1b[K\r\n\x1b[J{END}")
        );
        painter.paint(&Buffer::with_lines(["one    "]));
        assert_eq!(
            out.take(),
            format!("{BEGIN}\x1b[2A\rone\x1b[K\r\n\x1b[J{END}")
        );
        painter.above("note");
        assert_eq!(out.take(), "\x1b[1A\r\x1b[Jnote\r\n");
        painter.paint(&first);
        out.take();
        painter.clear();
        assert_eq!(out.take(), "\x1b[2A\r\x1b[J");
        painter.clear();
        painter.above("a line without a panel");
        assert_eq!(out.take(), "a line without a panel\n");
        for (on, off) in [("?25l", "?25h"), ("?7l", "?7h"), ("?2026h", "?2026l")] {
            assert!(BEGIN.contains(on) && END.contains(off));
        }
    }

    #[test]
    fn a_narrower_terminal_has_folded_the_old_lines() {
        let out = Shared::default();
        let mut painter = Painter::new(Box::new(out.clone()));
        painter.paint(&Buffer::with_lines(["0123456789", "", "01234"]));
        out.take();
        painter.paint(&Buffer::with_lines(["0123"]));
        // 3 + 1 + 2 lines of 4 columns.
        assert!(out.take().contains("\x1b[6A\r"));
    }

    #[test]
    fn a_wide_symbol_is_written_once() {
        let out = Shared::default();
        let mut painter = Painter::new(Box::new(out.clone()));
        painter.paint(&Buffer::with_lines(["a蜂b"]));
        assert!(out.take().contains("a蜂b\x1b[K"));
    }
}
