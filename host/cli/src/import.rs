//! `vespeiro import`: journeys and a plan from what people have already. The room `import` reads the document; here files are
//! read and written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::exit::{Exit, Misuse};
use clap::builder::PossibleValuesParser;
use vespeiro_import::{ImportOptions, Language, import};
use vespeiro_output::{Console, stdout};
use vespeiro_plan::bounded;

/// Larger documents are not meant to be read at once.
const MAX_DOCUMENT: u64 = 64 << 20;
/// Where nothing says where the service is.
const BASE_URL: &str = "http://localhost:8080";

/// Make journeys of an OpenAPI document, a browser's recording, a Postman collection or a curl line
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// A file (OpenAPI 3 as YAML or JSON, HAR, or a Postman collection), or a curl line in quotes
    #[arg(value_name = "FILE|'curl …'")]
    source: String,
    /// Where the service is, instead of what the document says
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    #[command(flatten)]
    written: Written,
}

/// What comes of a document, and where it goes.
#[derive(Debug, clap::Args)]
pub(super) struct Written {
    /// What to write
    #[arg(long, value_name = "LANG", value_parser = PossibleValuesParser::new(Language::ALL.map(|(word, _)| word)), default_value = "toml")]
    lang: String,
    /// Folder for plan.toml and the journeys; it is made
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// Keep the pictures, scripts and styles of a recording
    #[arg(long)]
    keep_static: bool,
}

impl Import {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let is_line = self.source.trim_start().starts_with("curl ");
        let (text, from) = match is_line {
            true => (self.source.clone(), "a curl line"),
            false => (document(Path::new(&self.source))?, self.source.as_str()),
        };
        self.written
            .write(&text, from, self.base_url.as_deref(), console)?;
        Ok(Exit::Fine)
    }
}

impl Written {
    /// Writes what comes of a text that was read `from` there, and tells of it.
    pub(super) fn write(
        &self,
        text: &str,
        from: &str,
        base_url: Option<&str>,
        console: &Console,
    ) -> anyhow::Result<()> {
        let options = ImportOptions {
            keep_static: self.keep_static,
        };
        let project = import(text, options).map_err(|error| Misuse(format!("{from}: {error}")))?;
        let base_url = base_url.or(project.base_url.as_deref());
        if base_url.is_none() {
            console.line(format!(
                "the document does not say where the service is: change base_url in plan.toml, or use --base-url ({BASE_URL} for now)"
            ));
        }
        let known = Language::ALL.iter().find(|(word, _)| *word == self.lang);
        let language = known.map_or(Language::Toml, |(_, language)| *language);
        let files = project.files(language, from, base_url.unwrap_or(BASE_URL));
        write(&self.out, &files)?;
        for note in &project.notes {
            console.line(format!("not taken over: {note}"));
        }
        let steps: usize = project
            .journeys
            .iter()
            .map(|journey| journey.steps.len())
            .sum();
        let shown = self.out.display();
        let mut told = vec![format!(
            "{shown}/: {} journeys with {steps} requests, and a plan",
            project.journeys.len()
        )];
        let asked = project.config.iter();
        told.extend(asked.map(|(key, about)| format!("fill in `{key}` in plan.toml: {about}")));
        let told: String = told
            .iter()
            .map(|line| console.translated(line) + "\n")
            .collect();
        stdout::print(&format!(
            "{told}\n    vespeiro run --plan {shown}/plan.toml\n"
        ))?;
        Ok(())
    }
}

/// The text of a document.
fn document(path: &Path) -> Result<String, Misuse> {
    bounded::read_text(path, MAX_DOCUMENT).map_err(|error| {
        Misuse(format!(
            "{}: cannot be read: {error}: check the path",
            path.display()
        ))
    })
}

/// Writes the files into a folder. One that is there already is left alone.
fn write(folder: &Path, files: &[(String, String)]) -> Result<(), Misuse> {
    let bad = |path: &Path, why: &str| Misuse(format!("{}: {why}", path.display()));
    fs::create_dir_all(folder).map_err(|error| {
        bad(
            folder,
            &format!("{error}: name a folder that you may write to"),
        )
    })?;
    let taken = files.iter().map(|(name, _)| folder.join(name));
    if let Some(taken) = taken.into_iter().find(|path| path.exists()) {
        return Err(bad(
            &taken,
            "is there already: name another folder, or remove it",
        ));
    }
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text)
            .map_err(|error| bad(&path, &format!("cannot be written: {error}")))?;
    }
    Ok(())
}
