//! Help in the user's language: the texts of all commands and flags, and clap's own few words around them. Used when the
//! command line is parsed and when its help is printed.

use std::io::{self, Write as _};

use clap::builder::StyledStr;
use clap::{Arg, Command};

use vespeiro_output::stdout::is_colored;
use vespeiro_output::translated;
use vespeiro_plan::Language;

/// What clap itself says around them.
const AROUND: [(&str, &str); 11] = [
    ("Usage:", "Uso:"),
    ("Commands:", "Comandos:"),
    ("Arguments:", "Argumentos:"),
    ("Options:", "Opções:"),
    ("[OPTIONS]", "[OPÇÕES]"),
    ("<COMMAND>", "<COMANDO>"),
    ("[default:", "[padrão:"),
    ("[possible values:", "[valores possíveis:"),
    (
        "Print this message or the help of the given subcommand(s)",
        "Mostrar esta ajuda ou a de um comando",
    ),
    ("Print help", "Mostrar esta ajuda"),
    ("Print version", "Mostrar a versão"),
];

/// The same commands with their texts in this language.
pub(super) fn in_language(command: Command, language: Language) -> Command {
    if language == Language::English {
        return command;
    }
    let say = move |text: &StyledStr| translated(&text.to_string(), language);
    let arg = move |arg: Arg| {
        let (help, heading) = (arg.get_help().map(say), arg.get_help_heading());
        let heading = heading.map(|text| translated(text, language));
        let long = arg.get_long_help().map(say);
        let arg = help.into_iter().fold(arg, Arg::help);
        let arg = long.into_iter().fold(arg, Arg::long_help);
        heading
            .into_iter()
            .fold(arg, |arg, text| arg.help_heading(text))
    };
    let about = command.get_about().map(say);
    let long = command.get_long_about().map(say);
    let after = command.get_after_help().map(say);
    let after_long = command.get_after_long_help().map(say);
    let command = about.into_iter().fold(command, Command::about);
    let command = long.into_iter().fold(command, Command::long_about);
    let command = after.into_iter().fold(command, Command::after_help);
    let command = after_long
        .into_iter()
        .fold(command, Command::after_long_help);
    command
        .mut_args(arg)
        .mut_subcommands(move |one| in_language(one, language))
}

/// Prints help, or the version, to standard output.
pub(super) fn print(help: &clap::Error, language: Language) -> io::Result<()> {
    if language == Language::English {
        return help.print();
    }
    let rendered = help.render();
    let mut out = io::stdout();
    let text = match is_colored() {
        true => rendered.ansi().to_string(),
        false => rendered.to_string(),
    };
    let around = AROUND.iter();
    let text = around.fold(text, |text, (english, portuguese)| {
        text.replace(english, portuguese)
    });
    writeln!(out, "{}", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that help says of a command and those below it.
    fn said(command: &Command, texts: &mut Vec<String>) {
        let of_command = [
            command.get_about(),
            command.get_long_about(),
            command.get_after_help(),
            command.get_after_long_help(),
        ];
        texts.extend(of_command.into_iter().flatten().map(StyledStr::to_string));
        for arg in command.get_arguments() {
            let of_arg = [arg.get_help(), arg.get_long_help()];
            texts.extend(of_arg.into_iter().flatten().map(StyledStr::to_string));
            texts.extend(arg.get_help_heading().map(str::to_owned));
        }
        command.get_subcommands().for_each(|one| said(one, texts));
    }

    #[test]
    fn all_help_is_there_in_portuguese() {
        let mut texts = Vec::new();
        said(&crate::command(), &mut texts);
        assert!(texts.len() > 500, "{}", texts.len());
        // What stands around a setting's own help has its own.
        for text in &mut texts {
            if let Some((help, _)) = text.rsplit_once(" [default: ") {
                *text = help.to_owned();
            }
        }
        texts.sort();
        texts.dedup();
        let lacks = |text: &&String| translated(text, Language::Portuguese) == **text;
        let missing: Vec<_> = texts.iter().filter(lacks).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
