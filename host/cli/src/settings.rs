//! Makes flags of the plan's settings, so that each command that takes a plan takes all of them. Used by `run`, `demo`
//! and `plan`. No value is judged here: texts go into the plan's layers, where all mistakes are found together.

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, value_parser};

use vespeiro_plan::preset::OTHER_NAME;
use vespeiro_plan::{Flags, Preset, Section, Setting, SettingKind, can_override, settings};

/// Where else settings come from; shown below the help of the commands that take them.
pub(super) const LAYERS: &str = "\
Each setting can also stand in the plan file (`users = 100`) and in the environment (VESPEIRO_USERS=100).
Flags override the environment, which overrides the plan file, which overrides the preset.
`none` takes back an optional setting; a switch takes --key, --key=false or --no-key.

--archetype NAME=MODULE[:WEIGHT] makes only those named play. MODULE is a .wasm, .js, .ts or .toml file, or builtin:NAME; a
name that the plan has keeps its module, weight and config where the flag leaves them out, a new one has the weight 1.

--feed NAME=FILE[:ORDER] gives behaviors the rows of a .csv, .jsonl or .json file. ORDER is in-turn, random or once; a feed
that the plan has keeps what the flag leaves out.

An archetype may have a load profile of its own, beside that of the run: NAME=VALUE gives it --users, --requests, --rate,
--stage, --profile, --max-users, --arrivals, --max-wait, --duration, --min-request-count or --max-request-count, as in
--rate power=20/s --users admin=5. In a plan file they stand in its [[archetype]] table.";

/// Shown below the general help.
pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 done or stopped on request, 1 the run could not do its job, 2 wrong usage or configuration,
3 aborted by its own guard, 99 thresholds crossed.";

/// Shown below the help on what is used most.
const MORE: &str = "--help-all lists all options, and where else settings come from.";

/// The settings that are used most; help has the others when it is asked for all.
const COMMON: &[&str] = &[
    "preset",
    "shard",
    "seed",
    "users",
    "rate",
    "stage",
    "duration",
    "requests",
    "ramp_up",
    "delay_min",
    "delay_max",
    "min_request_count",
    "max_request_count",
    "workers",
    "base_url",
    "allow_host",
    "insecure",
    "header",
    "request_timeout",
    "threshold",
    "abort_on",
    "cleanup",
    "results",
    "metrics",
    "summary_json",
    "html",
    "panel",
    "lang",
    "log",
    "control",
    "ui",
];

const PLAN: &str = "plan";
const ARCHETYPE: &str = "archetype";
const FEED: &str = "feed";
const FILE: &str = "body-file";

/// All that the flags of a command say of its plan.
#[derive(Debug, Clone, Default)]
pub(super) struct PlanFlags(pub(super) Flags);

impl Args for PlanFlags {
    fn augment_args(command: Command) -> Command {
        let plan = Arg::new(PLAN)
            .long(PLAN)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help_heading(Section::Plan.as_str())
            .help("Plan file (TOML)");
        let scenario = Arg::new(OTHER_NAME)
            .long(OTHER_NAME)
            .value_name("NAME")
            .help_heading(Section::Plan.as_str())
            .help("Another name of --preset");
        let archetype = Arg::new(ARCHETYPE)
            .long(ARCHETYPE)
            .value_name("NAME[=MODULE]")
            .action(ArgAction::Append)
            .help_heading(Section::Behaviors.as_str())
            .help("Only those named play; repeatable, --help-all says how");
        let feed = Arg::new(FEED)
            .long(FEED)
            .value_name("NAME=FILE[:ORDER]")
            .action(ArgAction::Append)
            .help_heading(Section::Behaviors.as_str())
            .help("Rows for behaviors that ask for this feed; repeatable, --help-all says how");
        let file = Arg::new(FILE)
            .long("file")
            .value_name("NAME=PATH")
            .action(ArgAction::Append)
            .help_heading(Section::Behaviors.as_str())
            .help("A file that behaviors send under this name; repeatable");
        let help = Arg::new("help")
            .short('h')
            .long("help")
            .action(ArgAction::HelpShort)
            .help("Print help on what is used most");
        let all = Arg::new("help-all")
            .long("help-all")
            .action(ArgAction::HelpLong)
            .help("Print help on everything");
        let command = command.disable_help_flag(true).args([help, all]);
        let command = command.after_help(MORE).after_long_help(LAYERS);
        settings()
            .iter()
            .fold(
                command.arg(plan).arg(scenario.hide_short_help(true)),
                |command, setting| {
                    let is_common = COMMON.contains(&setting.key);
                    let flags = flags(setting).into_iter();
                    command.args(flags.map(|flag| flag.hide_short_help(!is_common)))
                },
            )
            .arg(archetype)
            .arg(feed)
            .arg(file)
    }

    fn augment_args_for_update(command: Command) -> Command {
        PlanFlags::augment_args(command)
    }
}

/// The flag of a setting; for a switch also the flag that turns it off.
fn flags(setting: &Setting) -> Vec<Arg> {
    let flag = Arg::new(setting.key)
        .long(setting.flag())
        .value_name(setting.value_name)
        .value_parser(ValueParser::string())
        .help_heading(setting.section.as_str())
        .help(help(setting, &setting.default));
    match setting.kind {
        SettingKind::Switch => {}
        // Once for the run, and once more for each archetype.
        SettingKind::Value if can_override(setting.key) => {
            return vec![flag.action(ArgAction::Append).allow_negative_numbers(true)];
        }
        SettingKind::List | SettingKind::SecretList => return vec![flag.action(ArgAction::Append)],
        SettingKind::Value | SettingKind::Secret => return vec![flag.allow_negative_numbers(true)],
    }
    let off = no(setting);
    let on_by_default = setting.default == "true";
    let negative = Arg::new(off.clone())
        .long(off.clone())
        .action(ArgAction::SetTrue)
        .help_heading(setting.section.as_str())
        .hide(!on_by_default)
        .help(format!("Do not {}", lower(&setting.help)));
    let flag = flag
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .conflicts_with(off)
        .hide(on_by_default)
        .help(setting.help.to_string());
    vec![flag, negative]
}

fn no(setting: &Setting) -> String {
    format!("no-{}", setting.flag())
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

fn help(setting: &Setting, default: &str) -> String {
    if default == "none" || setting.kind.is_secret() {
        setting.help.to_string()
    } else {
        format!("{} [default: {default}]", setting.help)
    }
}

/// The same command, whose help shows the defaults of its own preset.
pub(super) fn with_defaults_of(command: Command, preset: &Preset) -> Command {
    settings().iter().fold(command, |command, setting| {
        match preset.settings.iter().find(|(key, _)| *key == setting.key) {
            Some((_, default)) => {
                command.mut_arg(setting.key, |arg| arg.help(help(setting, default)))
            }
            None => command,
        }
    })
}

impl FromArgMatches for PlanFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<PlanFlags, clap::Error> {
        let mut given = PlanFlags::default();
        given.update_from_arg_matches(matches)?;
        Ok(given)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let given = &mut self.0;
        if let Some(plan) = matches.get_one::<PathBuf>(PLAN) {
            given.plan = Some(plan.clone());
        }
        given.archetypes.extend(
            matches
                .get_many::<String>(ARCHETYPE)
                .into_iter()
                .flatten()
                .cloned(),
        );
        if let Some(name) = matches.get_one::<String>(OTHER_NAME) {
            given.set(OTHER_NAME, name, format!("--{OTHER_NAME}"));
        }
        let feeds = matches.get_many::<String>(FEED);
        given.feeds.extend(feeds.into_iter().flatten().cloned());
        let files = matches.get_many::<String>(FILE);
        given.files.extend(files.into_iter().flatten().cloned());
        for setting in settings() {
            if let Some(texts) = matches.get_many::<String>(setting.key) {
                let flag = format!("--{}", setting.flag());
                let mut of_the_run = Vec::new();
                for text in texts {
                    match text.split_once('=') {
                        // A path may have such a sign too.
                        Some((name, own))
                            if can_override(setting.key) && !name.contains(['/', '.']) =>
                        {
                            given.set_override(name, setting.key, own, flag.as_str());
                        }
                        _ => of_the_run.push(text.as_str()),
                    }
                }
                if of_the_run.len() > 1 && setting.kind == SettingKind::Value {
                    let name = setting.value_name;
                    let twice =
                        format!("the argument '{flag} <{name}>' cannot be used multiple times");
                    return Err(clap::Error::raw(ErrorKind::ArgumentConflict, twice));
                }
                if !of_the_run.is_empty() {
                    given.set(setting.key, of_the_run.join(setting.kind.separator()), flag);
                }
            }
            if setting.kind == SettingKind::Switch && matches.get_flag(&no(&setting)) {
                given.set(setting.key, "false", format!("--{}", no(&setting)));
            }
        }
        Ok(())
    }
}
