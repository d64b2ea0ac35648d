//! An event stream, as the HTML standard has it (section 9.2.6, "Interpreting an event stream"): bytes in, events out. The
//! connection in `stream.rs` drives it; tests and a fuzz target cut its input.
//!
//! What must stay true: however the bytes are cut into pieces, the same events come out, and no more is kept than `most`
//! allows.

/// An event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// Empty where the stream does not say: then it is a `message`.
    pub name: String,
    /// The last one that the stream has said, of this event or one before it.
    pub id: String,
    pub data: String,
}

/// An event or a line of it is larger than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is larger than it may be")]
pub struct TooLong;

/// Reads one stream.
#[derive(Debug)]
pub struct EventReader {
    /// Most bytes of a line, and of an event's data.
    most: usize,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed behind it ends no other line.
    after_return: bool,
    /// The first line has come, which alone may begin with a byte order mark.
    begun: bool,
    name: String,
    id: String,
    /// Each line of it with its end.
    data: String,
}

impl EventReader {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            line: Vec::new(),
            after_return: false,
            begun: false,
            name: String::new(),
            id: String::new(),
            data: String::new(),
        }
    }

    /// Take what has come, and hand on the events that it completes. What is incomplete when a stream ends is none.
    pub fn feed(&mut self, mut bytes: &[u8], to: &mut impl FnMut(Event)) -> Result<(), TooLong> {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + part.len() > self.most {
                return Err(TooLong);
            }
            let Some(end) = end else {
                self.line.extend_from_slice(part);
                return Ok(());
            };
            self.after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if self.line.is_empty() {
                self.take_line(part, to)?;
            } else {
                self.line.extend_from_slice(part);
                let line = std::mem::take(&mut self.line);
                self.take_line(&line, to)?;
            }
        }
        Ok(())
    }

    fn take_line(&mut self, line: &[u8], to: &mut impl FnMut(Event)) -> Result<(), TooLong> {
        let mark: &[u8] = "\u{feff}".as_bytes();
        let line = match std::mem::replace(&mut self.begun, true) {
            false => line.strip_prefix(mark).unwrap_or(line),
            true => line,
        };
        if line.is_empty() {
            self.dispatch(to);
            return Ok(());
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            // One with a NUL is none. Events carry it along, so that a long one is none either.
            b"id" if !value.contains(&0) && value.len() <= MAX_ID => {
                self.id = String::from_utf8_lossy(value).into_owned();
            }
            b"data" => {
                if self.data.len() + value.len() > self.most {
                    return Err(TooLong);
                }
                self.data.push_str(&String::from_utf8_lossy(value));
                self.data.push('\n');
            }
            // A comment, the time before the next connection, or nothing known.
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, to: &mut impl FnMut(Event)) {
        let name = std::mem::take(&mut self.name);
        let mut data = std::mem::take(&mut self.data);
        if data.pop().is_some() {
            to(Event {
                name,
                id: self.id.clone(),
                data,
            });
        }
    }
}

/// Longest id that is kept, in bytes.
const MAX_ID: usize = 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]], most: usize) -> Result<Vec<Event>, TooLong> {
        let mut reader = EventReader::new(most);
        let mut events = Vec::new();
        for piece in pieces {
            reader.feed(piece, &mut |event| events.push(event))?;
        }
        Ok(events)
    }

    fn event(name: &str, id: &str, data: &str) -> Event {
        Event {
            name: name.into(),
            id: id.into(),
            data: data.into(),
        }
    }

    #[test]
    fn the_examples_of_the_standard() {
        let of = |text: &str| read(&[text.as_bytes()], 1000).unwrap();
        assert_eq!(
            of("data: YHOO\ndata: +2\ndata: 10\n\n"),
            [event("", "", "YHOO\n+2\n10")]
        );
        assert_eq!(
            of(
                ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
            ),
            [
                event("", "1", "first event"),
                event("", "", "second event"),
                event("", "", " third event")
            ]
        );
        assert_eq!(
            of("data\n\ndata\ndata\n\ndata:"),
            [event("", "", ""), event("", "", "\n")]
        );
        assert_eq!(
            of("data:test\n\ndata: test\n\n"),
            [event("", "", "test"), event("", "", "test")]
        );
    }

    #[test]
    fn ends_of_lines_names_ids_and_what_is_not_utf_8() {
        let of = |bytes: &[u8]| read(&[bytes], 4000).unwrap();
        assert_eq!(
            of(b"\xef\xbb\xbfevent: add\rid: 7\r\ndata: 1\r\rdata: 2\n\r\n"),
            [event("add", "7", "1"), event("", "7", "2")]
        );
        // A name alone is no event, and none of the next.
        assert_eq!(of(b"event: add\n\ndata: 1\n\n"), [event("", "", "1")]);
        assert_eq!(
            of(b"id: a\0b\ndata: \xff\nretry: 10\nevents: x\n\n"),
            [event("", "", "\u{fffd}")]
        );
        assert_eq!(of(b"\n\xef\xbb\xbfdata: 1\n\n"), []);
        let id = "i".repeat(MAX_ID + 1);
        assert_eq!(
            of(format!("id: {id}\ndata: 1\n\n").as_bytes()),
            [event("", "", "1")]
        );
    }

    #[test]
    fn what_is_too_long_is_refused_and_not_kept() {
        let line = [b"data: ".as_slice(), &[b'x'; 100], b"\n\n"].concat();
        assert_eq!(read(&[&line], 106).unwrap().len(), 1);
        assert_eq!(read(&[&line], 105), Err(TooLong));
        let lines = b"data: 0123456789\n".repeat(5);
        assert!(read(&[&lines], 54).is_ok());
        assert_eq!(read(&[&lines], 53), Err(TooLong));
        // A comment without end.
        let mut reader = EventReader::new(100);
        let piece = [b':'; 60];
        assert!(reader.feed(&piece, &mut |_| ()).is_ok());
        assert_eq!(reader.feed(&piece, &mut |_| ()), Err(TooLong));
    }

    /// A second reading of the standard, of a whole text.
    fn whole(text: &str) -> Vec<Event> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut lines: Vec<&str> = text.split('\n').collect();
        lines.pop(); // it has no end
        let (mut events, mut name, mut id) = (Vec::new(), "", "");
        let mut data: Vec<&str> = Vec::new();
        for line in lines {
            if line.is_empty() {
                if !data.is_empty() {
                    events.push(event(name, id, &data.join("\n")));
                }
                (name, data) = ("", Vec::new());
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => name = value,
                "id" => id = value,
                "data" => data.push(value),
                _ => {}
            }
        }
        events
    }

    proptest! {
        /// However a stream is cut, the same events come out, and they are the standard's.
        #[test]
        fn pieces_do_not_matter(
            text in r"\u{feff}?((data|event|id|retry|x)?(:| |: |\u{e9}|[a-c]){0,3}(\n|\r|\r\n|\n\n)){0,12}[a-z:]{0,4}",
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|two| &bytes[two[0]..two[1]]).collect();
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            let expected = whole(&text);
            prop_assert_eq!(&read(&[bytes], 1000).unwrap(), &expected);
            prop_assert_eq!(&read(&pieces, 1000).unwrap(), &expected);
            prop_assert_eq!(&read(&single, 1000).unwrap(), &expected);
        }
    }
}
