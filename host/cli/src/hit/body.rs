//! The body that `vespeiro hit` sends, as curl takes it: form data, a file, or a multipart form.

use std::path::{Path, PathBuf};

use crate::exit::Misuse;
use vespeiro_behavior::MAX_PROGRAM;
use vespeiro_plan::bounded;

/// What goes into the body.
#[derive(Debug, clap::Args)]
pub(super) struct BodyFlags {
    /// Body; @FILE reads it from a file, without its line ends; repeated, the parts are joined with &. It counts as a form unless a
    /// header gives another content-type
    #[arg(
        short = 'd',
        long = "data",
        value_name = "DATA",
        help_heading = "Request"
    )]
    data: Vec<String>,
    /// Body from a file, byte for byte
    #[arg(
        short = 'D',
        long = "data-file",
        value_name = "FILE",
        help_heading = "Request",
        conflicts_with = "data"
    )]
    file: Option<PathBuf>,
    /// Field of a multipart form: NAME=VALUE, or NAME=@FILE for an upload; ;type=TYPE behind it gives its content-type
    #[arg(short = 'F', long = "form", value_name = "FIELD", help_heading = "Request", conflicts_with_all = ["data", "file"])]
    form: Vec<String>,
}

/// A body, and the type that it has unless a header says otherwise.
pub(super) struct Body {
    pub(super) content_type: Option<String>,
    pub(super) bytes: Vec<u8>,
}

impl BodyFlags {
    /// The body, if there is one.
    pub(super) fn read(&self) -> Result<Option<Body>, Misuse> {
        if let Some(path) = &self.file {
            return Ok(Some(Body {
                content_type: None,
                bytes: file(path)?,
            }));
        }
        if !self.form.is_empty() {
            return multipart(&self.form).map(Some);
        }
        if self.data.is_empty() {
            return Ok(None);
        }
        let parts = self.data.iter().map(|data| match data.strip_prefix('@') {
            Some(path) => {
                let mut bytes = file(Path::new(path))?;
                bytes.retain(|byte| !matches!(byte, b'\r' | b'\n'));
                Ok(bytes)
            }
            None => Ok(data.clone().into_bytes()),
        });
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Body {
            content_type: Some("application/x-www-form-urlencoded".into()),
            bytes: parts.join(&b'&'),
        }))
    }
}

fn file(path: &Path) -> Result<Vec<u8>, Misuse> {
    bounded::read(path, MAX_PROGRAM as u64).map_err(|error| {
        Misuse(format!(
            "{}: the body cannot be read: {error}: check the path",
            path.display()
        ))
    })
}

/// A form as RFC 7578 has it.
fn multipart(fields: &[String]) -> Result<Body, Misuse> {
    let parts = fields
        .iter()
        .map(|field| part(field))
        .collect::<Result<Vec<_>, _>>()?;
    // It must not occur in a part: it gets longer until it does not.
    let mut boundary = "vespeiro-form".to_owned();
    while parts.iter().any(|part| holds(part, boundary.as_bytes())) {
        boundary.push_str("-x");
    }
    let mut bytes = Vec::new();
    for part in &parts {
        bytes.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(Body {
        content_type: Some(format!("multipart/form-data; boundary={boundary}")),
        bytes,
    })
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// The headers and content of one field.
fn part(field: &str) -> Result<Vec<u8>, Misuse> {
    let (name, value) = field.split_once('=').ok_or_else(|| {
        Misuse(format!(
            "-F {field:?} is no field of a form: write NAME=VALUE or NAME=@FILE"
        ))
    })?;
    let (value, content_type) = match value.rsplit_once(";type=") {
        Some((value, content_type)) => (value, Some(content_type)),
        None => (value, None),
    };
    let mut head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
    let (content, content_type) = match value.strip_prefix('@') {
        Some(path) => {
            let path = Path::new(path);
            let content = file(path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            head.push_str(&format!("; filename=\"{}\"", quoted(&name)));
            (content, content_type.or(Some("application/octet-stream")))
        }
        None => (value.as_bytes().to_vec(), content_type),
    };
    if let Some(content_type) = content_type {
        head.push_str(&format!("\r\nContent-Type: {}", quoted(content_type)));
    }
    head.push_str("\r\n\r\n");
    Ok([head.into_bytes(), content].concat())
}

/// What the HTML standard escapes in a name, so that a part's head cannot be left.
fn quoted(text: &str) -> String {
    text.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(flags: BodyFlags) -> (Option<String>, String) {
        let body = flags.read().unwrap().unwrap();
        (body.content_type, String::from_utf8(body.bytes).unwrap())
    }

    fn none() -> BodyFlags {
        BodyFlags {
            data: Vec::new(),
            file: None,
            form: Vec::new(),
        }
    }

    #[test]
    fn data_is_joined_and_a_file_loses_its_line_ends() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("more");
        std::fs::write(&path, "b=\r\n2\n").unwrap();
        let data = vec!["a=1".into(), format!("@{}", path.display())];
        let (content_type, body) = read(BodyFlags { data, ..none() });
        assert_eq!(body, "a=1&b=2");
        assert_eq!(content_type.unwrap(), "application/x-www-form-urlencoded");
        let file = Some(path);
        let (content_type, body) = read(BodyFlags { file, ..none() });
        assert_eq!((content_type, &*body), (None, "b=\r\n2\n"));
    }

    #[test]
    fn a_form_has_a_part_for_each_field_and_a_boundary_of_its_own() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "--vespeiro-form").unwrap();
        let form = vec![
            "name=Ana".into(),
            format!("file=@{};type=text/plain", path.display()),
        ];
        let (content_type, body) = read(BodyFlags { form, ..none() });
        assert_eq!(
            content_type.unwrap(),
            "multipart/form-data; boundary=vespeiro-form-x"
        );
        assert_eq!(
            body,
            "--vespeiro-form-x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAna\r\n\
             --vespeiro-form-x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
             Content-Type: text/plain\r\n\r\n--vespeiro-form\r\n--vespeiro-form-x--\r\n"
        );
        let form = vec!["nothing".into()];
        let refused = BodyFlags { form, ..none() }.read().err().unwrap();
        assert!(refused.to_string().contains("NAME=VALUE"), "{refused}");
    }
}
