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

    /// Where each group of options is explained.
    const MORE: [(&str, &str); 8] = [
        (
            "Plan",
            "[layers, plan files and presets](plan.md), [several machines](distributed.md)",
        ),
        (
            "Load",
            "[load profiles](load-profiles.md), [how users differ](realism.md)",
        ),
        (
            "Target",
            "[connections to the target](http.md), [request mix and error mix](mixes.md)",
        ),
        ("Connections", "[connections to the target](http.md)"),
        (
            "Behaviors",
            "[swapping](swap.md), [data feeds](feeds.md), [files to send](files.md), [modules](modules.md)",
        ),
        (
            "Guard",
            "[conditions, guards and results](results.md), [regard for the target](resilience.md)",
        ),
        ("Cleanup", "[cleanup](cleanup.md)"),
        (
            "Output",
            "[ways out](outputs.md), [metrics](metrics.md), [the live page](live-page.md)",
        ),
    ];

    const PAGE: &str = "\
# Options

What `vespeiro run`, `vespeiro demo` and `vespeiro plan` take; `vespeiro run --help-all` says the same. `--min-request-count` is also
`min_request_count` in a plan file and `VESPEIRO_MIN_REQUEST_COUNT` in the environment, and so on for each. Durations are `250ms`, `30s`,
`5m`, `1h30m`, or bare numbers of the unit that is named; sizes are `64KiB`, `1MiB`, `1GiB`, or bytes. `vespeiro demo` starts from 20
users, 20 s, and pauses of 50 to 400 ms. This page is made of the settings: a test holds it to them, and writes it where `UPDATE_DOCS=1`
is set.
";

    /// The page with all options of `vespeiro run`.
    fn options_page() -> String {
        let command = crate::command();
        let run = command.find_subcommand("run").unwrap();
        let mut page = PAGE.to_owned();
        for (group, more) in MORE {
            page += &format!(
                "\n## {group}\n\nMore: {more}.\n\n| option | default | what it does |\n| --- | --- | --- |\n"
            );
            let own = run
                .get_arguments()
                .filter(|arg| arg.get_help_heading() == Some(group));
            for arg in own {
                let help = arg.get_long_help().or(arg.get_help()).unwrap().to_string();
                let (help, default) = match help.rsplit_once(" [default: ") {
                    Some((help, default)) => (help, format!("`{}`", default.trim_end_matches(']'))),
                    None => (&*help, String::new()),
                };
                let long = arg.get_long().unwrap();
                let names = arg.get_value_names().unwrap_or_default();
                let takes_one = arg.get_action().takes_values()
                    && arg.get_num_args().is_none_or(|few| few.min_values() > 0);
                let value = match names.first().filter(|_| takes_one) {
                    Some(name) => format!(" {name}"),
                    None => String::new(),
                };
                // A bar would end the cell.
                let [default, help] = [&*default, help].map(|text| text.replace('|', "\\|"));
                page += &format!("| `--{long}{value}` | {default} | {help} |\n");
            }
        }
        page
    }

    #[test]
    fn the_page_of_options_is_what_the_settings_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/options.md");
        let made = options_page();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap();
        let differs = kept
            .lines()
            .zip(made.lines())
            .find(|(kept, made)| kept != made);
        assert!(kept == made, "run it with UPDATE_DOCS=1: {differs:?}");
    }
}
