//! Standard error, written by a thread of its own: the log, messages and the panel. Every command writes to it through a
//! [`Console`] and in no other way, so that what somebody else has named steers no terminal.
//!
//! What must stay true: no call waits longer than [`PATIENCE`] for whoever reads standard error, and none at all once somebody
//! was found not to read. Lines that then find no room are dropped, the oldest first; how many is told where they are missing.

mod painter;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ratatui::buffer::Buffer;

use vespeiro_plan::Language;

use self::painter::Painter;
use crate::language::harmless_lines;
use crate::translation::translated;

/// How long a line waits for room while others are written: a file or a pipe takes them as fast as they come.
const PATIENCE: Duration = Duration::from_millis(100);
/// Lines and bytes that may wait.
const MAX_LINES: usize = 1_000;
const MAX_BYTES: usize = 1 << 20;

/// A handle to the thread; clones write to the same one.
#[derive(Debug, Clone)]
pub struct Console(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Lines are put into Portuguese.
    portuguese: AtomicBool,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<String>,
    bytes: usize,
    /// Whoever reads it has let somebody wait in vain, and has read nothing since.
    stuck: bool,
    /// Lines that were dropped since the last one was written.
    dropped: u64,
    /// The panel to draw below the lines; `Some(None)` removes it.
    panel: Option<Option<Buffer>>,
    /// The thread is writing.
    writing: bool,
}

impl Console {
    /// Start the thread.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start() -> io::Result<Console> {
        Console::on(io::stderr())
    }

    fn on(out: impl Write + Send + 'static) -> io::Result<Console> {
        let shared = Arc::<Shared>::default();
        let queue = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("console".into());
        thread.spawn(move || queue.write_to(out))?;
        Ok(Console(shared))
    }

    /// Put the lines that follow into this language.
    pub fn speak(&self, language: Language) {
        let portuguese = language == Language::Portuguese;
        self.0.portuguese.store(portuguese, Ordering::Relaxed);
    }

    /// What it speaks.
    pub fn language(&self) -> Language {
        self.0.language()
    }

    /// The text in the language that it speaks.
    pub fn translated(&self, text: &str) -> String {
        translated(text, self.language())
    }

    /// Print a line of text in the language that it speaks, above the panel if there is one.
    pub fn line(&self, text: impl Into<String>) {
        self.line_as_it_is(match self.language() {
            Language::English => text.into(),
            portuguese => translated(&text.into(), portuguese),
        });
    }

    /// Print what went wrong, which is in its language already.
    pub fn error(&self, words: &str) {
        self.line_as_it_is(self.translated(&format!("error: {words}")));
    }

    /// Print a line of text that is in its language already, or is not ours; what is hidden in it is made visible.
    pub fn line_as_it_is(&self, text: String) {
        let text = harmless_lines(&text);
        let mut queue = self.0.room();
        queue.bytes += text.len();
        queue.lines.push_back(text);
        while queue.lines.len() > MAX_LINES || queue.bytes > MAX_BYTES && queue.lines.len() > 1 {
            queue.bytes -= queue.lines.pop_front().map_or(0, |line| line.len());
            queue.dropped += 1;
        }
        self.0.changed.notify_all();
    }

    /// Draw this below the lines from now on, or nothing. Only the latest counts.
    pub fn panel(&self, panel: Option<Buffer>) {
        self.0.lock().panel = Some(panel);
        self.0.changed.notify_all();
    }

    /// Wait until everything is written, at most for `limit`.
    pub fn flush(&self, limit: Duration) {
        let is_unwritten = |queue: &mut Queue| queue.writing || !queue.is_empty();
        let queue = self.0.lock();
        let _ = self
            .0
            .changed
            .wait_timeout_while(queue, limit, is_unwritten);
    }
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.panel.is_none()
    }
}

impl Shared {
    fn language(&self) -> Language {
        match self.portuguese.load(Ordering::Relaxed) {
            true => Language::Portuguese,
            false => Language::English,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue once it has room for a line, or when it is no use to wait for that.
    fn room(&self) -> MutexGuard<'_, Queue> {
        let full = |queue: &mut Queue| {
            !queue.stuck && (queue.lines.len() >= MAX_LINES || queue.bytes >= MAX_BYTES)
        };
        let waited = self.changed.wait_timeout_while(self.lock(), PATIENCE, full);
        let (mut queue, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.stuck |= waited.timed_out();
        queue
    }

    /// Write what comes, as fast as it is read.
    fn write_to(&self, out: impl Write + Send + 'static) {
        let mut painter = Painter::new(Box::new(out));
        let mut latest = None;
        loop {
            let mut queue = self.lock();
            queue.writing = false;
            self.changed.notify_all();
            while queue.is_empty() {
                queue = self
                    .changed
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let lines = std::mem::take(&mut queue.lines);
            let dropped = std::mem::take(&mut queue.dropped);
            let panel = queue.panel.take();
            (queue.bytes, queue.writing, queue.stuck) = (0, true, false);
            drop(queue);
            self.changed.notify_all();
            if dropped > 0 {
                let line =
                    format!("{dropped} lines are missing here: nobody read standard error in time");
                painter.above(&translated(&line, self.language()));
            }
            if !lines.is_empty() {
                // In one write: as many calls as lines would be slower than many lines come.
                let lines: Vec<String> = lines.into();
                painter.above(&lines.join("\n"));
            }
            latest = panel.unwrap_or(latest);
            match &latest {
                Some(panel) => painter.paint(panel),
                None => painter.clear(),
            }
        }
    }
}

/// For the log, which has put its messages into the language: a write is one line.
impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line_as_it_is(String::from_utf8_lossy(bytes).trim_end().to_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::pipe;
    use std::time::Instant;

    use super::*;

    #[test]
    fn lines_come_out_in_order_and_a_flush_waits_for_them() {
        let (mut reader, writer) = pipe().unwrap();
        let console = Console::on(writer).unwrap();
        for number in 0..100 {
            console.line(format!("line {number}"));
        }
        console.flush(Duration::from_secs(60));
        let mut read = [0; 8];
        io::Read::read_exact(&mut reader, &mut read).unwrap();
        assert_eq!(&read, b"line 0\nl");
    }

    #[test]
    fn what_nobody_reads_is_bounded_counted_and_told() {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(&[b'.'; 65_536]).unwrap();
        let console = Console::on(writer).unwrap();
        console.line("the first is taken, and waits in its write");
        while !console.0.lock().writing {
            std::thread::yield_now();
        }
        for number in 0..5_000 {
            console.line(format!("line {number}"));
        }
        console.line("x".repeat(2 * MAX_BYTES));
        assert_eq!(console.0.lock().lines.len(), 1);
        console.line("the last");
        assert_eq!(console.0.lock().lines.len(), 1);
        let began = Instant::now();
        console.flush(Duration::from_millis(50));
        assert!(began.elapsed() < Duration::from_secs(10));
        let mut lines = io::BufRead::lines(io::BufReader::new(reader)).map(Result::unwrap);
        let told = lines.find(|line| line.contains("missing here")).unwrap();
        assert!(told.starts_with("5001 lines "), "{told}");
        assert_eq!(lines.next().unwrap(), "the last");
    }
}
