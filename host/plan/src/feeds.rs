//! The data feeds of a plan: `[feeds.NAME]` tables and `--feed NAME=FILE`, where each layer may set some of a feed's settings.
//! Used by `resolve.rs`; the rows themselves are read by the engine.
//!
//! What must stay true: where a feed promises that no row is handed out twice, the plan bounds who shares its rows.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use vespeiro_model::{Word as _, words};

use crate::archetypes::{Archetype, check_name};
use crate::errors::{Origin, PlanError, ValueError};
use crate::layers::{NamedLayer, NamedLayers, Reader, ResolvedSetting, stacked};
use crate::profile::Profile;
use crate::value_types::{ValueType, choice, count, endings, path_with};
use crate::workloads::workloads;

pub(crate) const KEYS: [&str; 4] = ["file", "order", "per_user", "archetypes"];
/// Most feeds of a plan.
const MAX_FEEDS: usize = 64;
/// The extensions of its formats.
const EXTENSIONS: &[&str] = &["csv", "jsonl", "ndjson", "json"];

/// A file of rows for behaviors.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    pub name: String,
    /// Resolved against the folder of the plan file that names it.
    pub file: PathBuf,
    pub format: FeedFormat,
    pub order: FeedOrder,
    /// Most rows of one user, where no row is handed out twice. `None`: the users that the plan knows share all of them.
    pub per_user: Option<u32>,
    /// Those of the plan's archetypes that it is for.
    pub archetypes: Vec<u16>,
}

/// How a feed's file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedFormat {
    /// A header that names the fields, then a row a line; every value is a text.
    Csv,
    /// One JSON value a line.
    JsonLines,
    /// One JSON array.
    Json,
}

impl FeedFormat {
    fn of(file: &Path) -> FeedFormat {
        let extension = file.extension().and_then(OsStr::to_str).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "csv" => FeedFormat::Csv,
            "json" => FeedFormat::Json,
            _ => FeedFormat::JsonLines,
        }
    }
}

words! {
    /// Which row of a feed is the next one.
    pub enum FeedOrder {
        /// Users take turns, from the first row to the last and over again.
        InTurn => "in-turn",
        /// Drawn with the run's seed, each time from all rows.
        Random => "random",
        /// In turn, and none twice.
        Once => "once",
    }
}

/// One data feed and the settings that made it.
#[derive(Debug)]
pub struct ResolvedFeed {
    pub feed: Feed,
    pub settings: Vec<ResolvedSetting>,
    /// The highest source that has a setting of it.
    pub origin: Origin,
}

/// Reads each `NAME=FILE` or `NAME=FILE:ORDER`.
pub(crate) fn by_flags(
    texts: &[String],
    origin: &Origin,
    errors: &mut Vec<PlanError>,
) -> NamedLayers {
    let mut feedings = NamedLayers::new();
    for text in texts {
        let Some((name, file)) = text.split_once('=') else {
            let bad = ValueError::new(
                format!("{text:?} names no file"),
                "write it as people=people.csv",
            );
            errors.push(bad.at("feeds", origin));
            continue;
        };
        if let Err(bad) = check_name(name, "a feed") {
            errors.push(bad.at(format!("feeds.{name}"), origin));
            continue;
        }
        let (file, order) = match file.rsplit_once(':') {
            Some((file, order)) if FeedOrder::from_word(order).is_some() => (file, Some(order)),
            _ => (file, None),
        };
        let mut feeding = NamedLayer::new(origin.clone());
        feeding.layer.set("file", file, origin.clone());
        if let Some(order) = order {
            feeding.layer.set("order", order, origin.clone());
        }
        feedings.insert(name.to_owned(), feeding);
    }
    feedings
}

/// Makes feeds of what the sources say, lowest first, for these archetypes beside the run's load profile.
pub(crate) fn resolve(
    sources: Vec<NamedLayers>,
    profile: &Profile,
    archetypes: &[Archetype],
    errors: &mut Vec<PlanError>,
) -> Vec<ResolvedFeed> {
    let feedings = stacked(sources);
    if let Some((name, feeding)) = feedings.iter().nth(MAX_FEEDS) {
        let bad = ValueError::new(
            format!("a plan has at most {MAX_FEEDS} feeds"),
            "put more fields into fewer files",
        );
        errors.push(bad.at(format!("feeds.{name}"), &feeding.origin));
    }
    // Who plays is not known where something is wrong with it.
    let playing = errors.is_empty().then_some(archetypes);
    let each = feedings.into_iter();
    each.filter_map(|(name, feeding)| {
        let found = errors.len();
        let feed = one(name, feeding, profile, playing, errors);
        (errors.len() == found).then_some(feed).flatten()
    })
    .collect()
}

/// `playing` are the archetypes, where it is known who plays.
fn one(
    name: String,
    feeding: NamedLayer,
    profile: &Profile,
    playing: Option<&[Archetype]>,
    errors: &mut Vec<PlanError>,
) -> Option<ResolvedFeed> {
    let NamedLayer { layer, origin } = feeding;
    let layers = [layer];
    let mut r = Reader::new(&layers);
    let file = r.read("file", "none", path_with(EXTENSIONS).or_none(), "");
    let order = r.read("order", "in-turn", choice("ORDER"), "");
    let per_user = r.read("per_user", "none", count(1..=u32::MAX).or_none(), "");
    let named = r.read("archetypes", "all", names().or_word("all"), "");
    if per_user.is_some() && order != FeedOrder::Once {
        let fix = "leave it out, or write order = \"once\"";
        r.refuse(
            "per_user",
            ValueError::new("it has an effect with the order once only", fix),
        );
    }
    let playing = playing.unwrap_or_default();
    let all = || (0..playing.len() as u16).collect();
    let archetypes = match named.filter(|_| !playing.is_empty()) {
        Some(named) => positions(&named, playing).unwrap_or_else(|error| {
            r.refuse("archetypes", error);
            all()
        }),
        None => all(),
    };
    if order == FeedOrder::Once
        && per_user.is_none()
        && let Some(profile) = replacing(profile, playing, &archetypes)
    {
        let problem = format!(
            "in {profile} a new user comes for each that has spent its budget, so nobody knows how many share the rows"
        );
        let fix = "say how many rows one user may take at most, as in per_user = 1";
        r.refuse("order", ValueError::new(problem, fix));
    }
    let path = file.as_ref().and_then(|file| {
        let setting = r
            .settings
            .iter_mut()
            .find(|one| one.setting.key == "file")?;
        let path = setting.origin.folder().join(file);
        let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        setting.value = absolute.display().to_string();
        Some(path)
    });
    if let Some(error) = path.as_deref().and_then(unusable) {
        r.refuse("file", error);
    }
    if file.is_none() && r.errors.is_empty() {
        let error = ValueError::new("a feed without a file", "add file = \"people.csv\"");
        r.errors.push(error.at("file", &origin));
    }
    let table = format!("feeds.{name}");
    errors.extend(r.errors.into_iter().map(|error| error.under(&table)));
    let file = path?;
    let feed = Feed {
        name,
        format: FeedFormat::of(&file),
        file,
        order,
        per_user,
        archetypes,
    };
    Some(ResolvedFeed {
        feed,
        settings: r.settings,
        origin,
    })
}

/// The profile of one of these archetypes in which a new user comes for each that leaves.
fn replacing(profile: &Profile, playing: &[Archetype], feed: &[u16]) -> Option<&'static str> {
    let workloads = workloads(profile, playing).into_iter();
    let mut replacing = workloads.filter(|workload| {
        workload.profile.replaces() && workload.archetypes.iter().any(|a| feed.contains(a))
    });
    replacing.next().map(|workload| workload.profile.name())
}

/// The positions of the archetypes of these names.
fn positions(names: &[String], playing: &[Archetype]) -> Result<Vec<u16>, ValueError> {
    let find = |name: &String| {
        let at = playing.iter().position(|playing| playing.name == *name);
        let names = playing.iter().map(|playing| playing.name.as_str());
        at.map(|at| at as u16)
            .ok_or_else(|| ValueError::not_playing(name, names))
    };
    names.iter().map(find).collect()
}

fn unusable(path: &Path) -> Option<ValueError> {
    let what = if path.is_file() {
        return None;
    } else if path.is_dir() {
        "is a folder"
    } else if path.exists() {
        "is not a regular file"
    } else {
        "is not there"
    };
    let fix = format!(
        "give the path of a file that ends in {}; in a plan file it starts from that file's folder",
        endings(EXTENSIONS)
    );
    Some(ValueError::new(format!("{} {what}", path.display()), fix))
}

/// Names, separated by commas.
fn names() -> ValueType<Vec<String>> {
    let parse = |text: &str| {
        let names = text.split(',').map(|name| name.trim().to_owned());
        let names: Vec<String> = names.collect();
        match names.iter().any(String::is_empty) {
            true => Err(ValueError::new(
                "an archetype's name is missing",
                "write archetypes = [\"admin\"], or leave it out for all",
            )),
            false => Ok(names),
        }
    };
    ValueType::new("NAMES", parse, |names: &Vec<String>| names.join(","))
}

#[cfg(test)]
mod tests;
