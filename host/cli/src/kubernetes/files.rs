//! The files that a plan names, as the containers of its shards get them: below one folder, where they lie to each other as they
//! lie here.
//!
//! What must stay true: nothing that nobody may see is among those whose contents are printed.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::exit::Misuse;
use crate::plan::has_secrets;
use crate::sharded::Job;
use vespeiro_behavior::ModuleFile;
use vespeiro_plan::{Connections, Module, Origin, ResolvedSetting, SecretPlace, bounded};

/// What a ConfigMap may hold, in bytes.
const MAX_FILE: usize = 1 << 20;

/// All files of a plan, by their paths below their common folder.
#[derive(Debug, PartialEq)]
pub(super) struct Files {
    pub(super) plan: String,
    /// Where relative paths begin.
    pub(super) folder: String,
    /// The plan and what it names.
    pub(super) open: Vec<File>,
    /// Certificates, keys and secrets: they come from a Secret.
    pub(super) hidden: Vec<String>,
    /// Environment variables that have secrets.
    pub(super) variables: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
}

impl Files {
    /// `elsewhere`: somebody has put them into the image.
    pub(super) fn of(job: &Job, elsewhere: bool) -> Result<Files, Misuse> {
        let Named {
            open,
            hidden,
            variables,
        } = named(job)?;
        let all = || open.iter().chain(&hidden);
        let root = job.file.parent().unwrap_or(Path::new("/")).to_owned();
        let root = all().fold(normal(&root), |root, file| common(&root, file));
        let below = |path: &Path| {
            let below = path.strip_prefix(&root).unwrap_or(path).to_str();
            let refused = || {
                let path = path.display();
                Misuse(format!("{path} is not Unicode: give the file another name"))
            };
            below.map(str::to_owned).ok_or_else(refused)
        };
        let here = std::env::current_dir().unwrap_or_default();
        let known = all().any(|file| file.starts_with(&here)) && here.starts_with(&root);
        let mut files = Files {
            plan: below(&normal(&job.file))?,
            folder: if known { below(&here)? } else { String::new() },
            open: Vec::new(),
            hidden: hidden
                .iter()
                .map(|file| below(file))
                .collect::<Result<_, _>>()?,
            variables,
        };
        if elsewhere {
            return Ok(files);
        }
        refuse_secrets(job)?;
        refuse_absolute(job, &all().collect::<Vec<_>>())?;
        for file in &open {
            let bytes = bounded::read(file, bounded::MAX_FILE);
            let bytes = bytes.map_err(|error| Misuse(format!("{}: {error}", file.display())))?;
            if bytes.len() > MAX_FILE {
                let (file, kib) = (file.display(), bytes.len() >> 10);
                return Err(Misuse(format!(
                    "{file} has {kib} KiB, and a ConfigMap takes 1 MiB: build an image of yours with the plan's folder in it (FROM vespeiro, COPY . /plan) and give --image and --in-image /plan"
                )));
            }
            files.open.push(File {
                path: below(file)?,
                bytes,
            });
        }
        Ok(files)
    }
}

/// What the plan reads.
struct Named {
    open: BTreeSet<PathBuf>,
    hidden: BTreeSet<PathBuf>,
    /// Those of its secrets.
    variables: Vec<String>,
}

fn named(job: &Job) -> Result<Named, Misuse> {
    let plan = &job.plan;
    let mut open = vec![job.file.clone()];
    let mut hidden = Vec::new();
    for archetype in &plan.archetypes {
        if let Module::File(path) = &archetype.module {
            let module = ModuleFile::read(path);
            let module = module.map_err(|error| Misuse(format!("{}: {error}", path.display())))?;
            open.extend(module.files);
        }
        let identity = archetype.identity.iter();
        hidden.extend(identity.flat_map(|own| [own.cert.clone(), own.key.clone()]));
    }
    open.extend(plan.feeds.iter().map(|feed| feed.file.clone()));
    open.extend(plan.files.iter().map(|file| file.path.clone()));
    let of_targets = plan.targets.iter().map(|named| &named.connections);
    for Connections { tls, .. } in of_targets.chain([&plan.connections]) {
        open.extend(tls.ca_certs.iter().cloned());
        hidden.extend(tls.client_cert.iter().chain(&tls.client_key).cloned());
    }
    let mut variables = Vec::new();
    for place in &job.origins.secrets {
        match place {
            SecretPlace::File(path) => hidden.push(path.clone()),
            SecretPlace::Variable(name) => variables.push(name.clone()),
        }
    }
    let preset = &plan.preset;
    if preset.ends_with(".toml") {
        return Err(Misuse(format!(
            "the preset {preset} would not be there: write its settings into the plan"
        )));
    }
    let absolute = |files: Vec<PathBuf>| files.iter().map(|file| normal(file)).collect();
    Ok(Named {
        open: absolute(open),
        hidden: absolute(hidden),
        variables,
    })
}

/// A ConfigMap is no place for secrets.
fn refuse_secrets(job: &Job) -> Result<(), Misuse> {
    let of_targets = job.origins.targets.iter().flat_map(|one| &one.settings);
    let shown = |line: &&ResolvedSetting| {
        line.setting.kind.is_secret() && matches!(line.origin, Origin::File { .. })
    };
    if let Some(line) = job.origins.settings.iter().chain(of_targets).find(shown) {
        let (key, variable) = (line.setting.key, line.setting.variable());
        return Err(Misuse(format!(
            "{key} ({}) may be a secret, and a ConfigMap would show it: leave it out of the plan, and put {variable} into the Secret",
            line.origin
        )));
    }
    let mut archetypes = job.origins.archetypes.iter();
    match archetypes.find(|one| has_secrets(&one.archetype.config)) {
        Some(one) => Err(Misuse(format!(
            "the config of archetype {} has what sounds like a secret, and a ConfigMap would show it: name it in [secrets]",
            one.archetype.name
        ))),
        None => Ok(()),
    }
}

/// In a container a path from the root leads elsewhere.
fn refuse_absolute(job: &Job, files: &[&PathBuf]) -> Result<(), Misuse> {
    let text = bounded::read_text(&job.file, bounded::MAX_PLAN).unwrap_or_default();
    let mut said = Vec::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        texts(&toml::Value::Table(table), &mut said);
    }
    said.extend(job.flags.iter().cloned());
    // A flag names a file behind NAME=, and its order behind it.
    let names = |text: &str, file: &Path| {
        let path = text.rsplit('=').next().unwrap_or(text);
        let path = path.split(':').next().unwrap_or(path);
        Path::new(path).is_absolute() && normal(Path::new(path)) == *file
    };
    let mut all = files.iter();
    let found = all.find(|file| said.iter().any(|text| names(text, file)));
    match found {
        Some(file) => Err(Misuse(format!(
            "{} is named from the root, which is another one in a container: name it from the plan's folder",
            file.display()
        ))),
        None => Ok(()),
    }
}

fn texts(value: &toml::Value, all: &mut Vec<String>) {
    match value {
        toml::Value::String(text) => all.push(text.clone()),
        toml::Value::Array(values) => values.iter().for_each(|value| texts(value, all)),
        toml::Value::Table(table) => table.values().for_each(|value| texts(value, all)),
        _ => {}
    }
}

/// From the root, without steps back. A link is taken for what it is called, as the containers will.
fn normal(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

/// The folder that both are in.
fn common(folder: &Path, file: &Path) -> PathBuf {
    let parts = folder.components().zip(file.components());
    let same = parts.take_while(|(one, other)| one == other);
    same.map(|(part, _)| part).collect()
}
