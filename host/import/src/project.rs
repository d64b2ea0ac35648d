//! What a document comes to, and how it is written as files: a plan, and one file for each journey.

use std::fmt::Write as _;

use super::journey::{Journey, key_of, one_line, quoted};
use super::script::{self, Language};

/// A plan and its journeys.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Project {
    /// Where the service is, as far as the document says.
    pub base_url: Option<String>,
    pub journeys: Vec<Journey>,
    /// The run is to follow redirects.
    pub follows: bool,
    /// What the caller has to fill in: keys of the archetypes' `config`, and what they are for.
    pub config: Vec<(String, String)>,
    /// What was not taken over, and why.
    pub notes: Vec<String>,
}

impl Project {
    /// The files, by name: the plan and each journey. `from` says what they were made of, `base_url` where the service is.
    pub fn files(&self, language: Language, from: &str, base_url: &str) -> Vec<(String, String)> {
        let mut files = vec![("plan.toml".to_owned(), self.plan(language, from, base_url))];
        files.extend(self.journeys.iter().map(|journey| {
            let text = match language {
                Language::Toml => journey.text(),
                script => script::write(journey, script, from),
            };
            (file_of(journey, language), text)
        }));
        files
    }

    fn plan(&self, language: Language, from: &str, base_url: &str) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "# Made by vespeiro import from {}.", one_line(from));
        let _ = writeln!(text, "# Run it: vespeiro run --plan plan.toml");
        for note in &self.notes {
            let _ = writeln!(text, "# Not taken over: {}", one_line(note));
        }
        let _ = writeln!(text, "base_url = {}", quoted(base_url));
        text.push_str(
            "users = 10\nduration = \"30s\"\nprofile = \"constant-users\"\n\
             # These are about the reference user service.\n\
             mix = \"off\"\nerror_mix = \"off\"\ncleanup = \"never\"\npreflight = false\n",
        );
        if self.follows {
            text.push_str("# Redirects are followed: where they lead to is no step of its own.\nredirects = 20\n");
        }
        for journey in &self.journeys {
            let _ = writeln!(text, "\n[[archetype]]\nname = {}", quoted(&journey.name));
            let _ = writeln!(text, "module = {}", quoted(&file_of(journey, language)));
            if !self.config.is_empty() {
                text.push_str("[archetype.config]\n");
                for (key, about) in &self.config {
                    let _ = writeln!(text, "{} = \"\"    # {}", key_of(key), one_line(about));
                }
            }
        }
        text
    }
}

fn file_of(journey: &Journey, language: Language) -> String {
    format!("{}.{}", journey.name, language.ending())
}
