//! Multipart forms (RFC 7578): what a browser sends where a form has files. Made by journeys, sent by
//! [`Call::multipart`](crate::Call::multipart).
//!
//! What must stay true: nothing that a field is called or holds can leave its part.

use crate::contract::{Body, Piece};

/// A multipart form being built.
#[derive(Debug, Clone, Default)]
#[must_use = "a form does nothing before `Call::multipart`"]
pub struct Multipart {
    fields: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Field {
    /// Without the line that begins it.
    head: String,
    content: Piece,
}

/// The type of a file whose author gives none.
const BINARY: &str = "application/octet-stream";

impl Multipart {
    /// A form without fields.
    pub fn new() -> Multipart {
        Multipart::default()
    }

    /// A field of text.
    pub fn text(self, field: &str, value: impl Into<String>) -> Multipart {
        let content = value.into().into_bytes();
        self.field(field, None, Piece::Bytes(content))
    }

    /// A file that the journey makes.
    pub fn bytes(
        self,
        field: &str,
        file_name: &str,
        content_type: &str,
        content: impl Into<Vec<u8>>,
    ) -> Multipart {
        let shown = Some((file_name, content_type));
        self.field(field, shown, Piece::Bytes(content.into()))
    }

    /// One of the plan's `[files]`, by its name, which the target is told too.
    pub fn file(self, field: &str, file: &str) -> Multipart {
        self.file_as(field, file, file, BINARY)
    }

    /// One of the plan's `[files]`, under another name and with its type: `photo.jpg`, `image/jpeg`.
    pub fn file_as(
        self,
        field: &str,
        file: &str,
        file_name: &str,
        content_type: &str,
    ) -> Multipart {
        let shown = Some((file_name, content_type));
        self.field(field, shown, Piece::File(file.into()))
    }

    fn field(mut self, field: &str, file: Option<(&str, &str)>, content: Piece) -> Multipart {
        let mut head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(field));
        if let Some((name, content_type)) = file {
            head.push_str(&format!(
                "; filename=\"{}\"\r\nContent-Type: {}",
                quoted(name),
                quoted(content_type)
            ));
        }
        self.fields.push(Field { head, content });
        self
    }

    /// The form as a body, and its content type. Nobody who has written a field or a file knows `chance`.
    pub(crate) fn finish(self, chance: u64) -> (Body, String) {
        let boundary = format!("vespeiro-{chance:016x}");
        let mut pieces = Vec::new();
        let mut text = Vec::new();
        for Field { head, content } in self.fields {
            text.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
            match content {
                Piece::Bytes(bytes) => text.extend_from_slice(&bytes),
                file => pieces.extend([Piece::Bytes(std::mem::take(&mut text)), file]),
            }
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let body = match pieces.is_empty() {
            true => Body::Bytes(text),
            false => {
                pieces.push(Piece::Bytes(text));
                Body::Pieces(pieces)
            }
        };
        (body, format!("multipart/form-data; boundary={boundary}"))
    }
}

/// What the HTML standard escapes in a name.
fn quoted(text: &str) -> String {
    text.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_a_part_for_each_field_and_files_between_bytes() {
        let form = Multipart::new()
            .text("na\"me", "Ana\r\n--x")
            .file("cv", "cv")
            .file_as("photo", "photo", "a\"b.jpg", "image/jpeg")
            .bytes("note", "n.txt", "text/plain", "hi");
        let (body, content_type) = form.finish(7);
        let boundary = "vespeiro-0000000000000007";
        assert_eq!(
            content_type,
            format!("multipart/form-data; boundary={boundary}")
        );
        let Body::Pieces(pieces) = body else {
            panic!("{body:?}")
        };
        let text = |text: String| Piece::Bytes(text.into_bytes());
        let part = "Content-Disposition: form-data; name=";
        let expected = [
            text(format!(
                "--{boundary}\r\n{part}\"na%22me\"\r\n\r\nAna\r\n--x\r\n--{boundary}\r\n\
                 {part}\"cv\"; filename=\"cv\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            )),
            Piece::File("cv".into()),
            text(format!(
                "\r\n--{boundary}\r\n{part}\"photo\"; filename=\"a%22b.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
            )),
            Piece::File("photo".into()),
            text(format!(
                "\r\n--{boundary}\r\n{part}\"note\"; filename=\"n.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--{boundary}--\r\n"
            )),
        ];
        assert_eq!(pieces, expected);
        let (body, _) = Multipart::new().text("a", "1").finish(7);
        assert!(matches!(body, Body::Bytes(_)));
    }
}
