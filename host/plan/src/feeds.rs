//! The data feeds of a plan: `[feeds.NAME]` tables and `--feed NAME=FILE`, of which each layer says as much as it likes.
//! Used by `resolve.rs`. This is what a plan says of feeds; their rows are read by the room of that name.
//!
//! What must stay true: where a feed promises that no row is handed out twice, the plan bounds who shares its rows.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::archetypes::check_name;
use super::errors::{Origin, PlanError, ValueError};
use super::layers::{Layer, Reader};
use super::{Plan, ResolvedFeed};
use crate::value_types::{ValueType, choice, count, path};

pub(super) const KEYS: [&str; 4] = ["file", "order", "per_user", "archetypes"];
/// Most feeds of a plan.
const MAX_FEEDS: usize = 64;
const ENDINGS: &str = ".csv, .jsonl, .ndjson or .json";

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

/// Which row of a feed is the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedOrder {
    /// Users take turns, from the first row to the last and over again.
    InTurn,
    /// Drawn from the run's seed, each time from all rows.
    Random,
    /// In turn, and none twice.
    Once,
}

const ORDERS: &[(&str, FeedOrder)] = &[
    ("in-turn", FeedOrder::InTurn),
    ("random", FeedOrder::Random),
    ("once", FeedOrder::Once),
];

/// What one source says of feeds, by name.
pub(super) type FeedLayers = BTreeMap<String, FeedLayer>;

/// What one source says of a feed.
pub(super) struct FeedLayer {
    pub(super) layer: Layer,
    origin: Origin,
}

impl FeedLayer {
    pub(super) fn new(origin: Origin) -> Self {
        let layer = Layer::default();
        Self { layer, origin }
    }
}

/// Reads each `NAME=FILE` or `NAME=FILE:ORDER`.
pub(super) fn by_flags(
    texts: &[String],
    origin: &Origin,
    errors: &mut Vec<PlanError>,
) -> FeedLayers {
    let mut feedings = FeedLayers::new();
    for text in texts {
        let Some((name, file)) = text.split_once('=') else {
            let bad = ValueError::new(
                format!("{text:?} names no file"),
                "write it as people=people.csv",
            );
            errors.push(bad.at("feeds", origin));
            continue;
        };
        if let Err(bad) = check_name(name, "feed") {
            errors.push(bad.at(format!("feeds.{name}"), origin));
            continue;
        }
        let known = |word: &str| ORDERS.iter().any(|(order, _)| *order == word);
        let (file, order) = match file.rsplit_once(':') {
            Some((file, order)) if known(order) => (file, Some(order)),
            _ => (file, None),
        };
        let mut feeding = FeedLayer::new(origin.clone());
        feeding.layer.set("file", file, origin.clone());
        if let Some(order) = order {
            feeding.layer.set("order", order, origin.clone());
        }
        feedings.insert(name.to_owned(), feeding);
    }
    feedings
}

/// Makes feeds of what the sources say, lowest first. The plan has its load and its archetypes already.
pub(super) fn resolve(
    sources: Vec<FeedLayers>,
    plan: &Plan,
    errors: &mut Vec<PlanError>,
) -> Vec<ResolvedFeed> {
    let mut feedings = FeedLayers::new();
    for (name, higher) in sources.into_iter().flatten() {
        let feeding = feedings
            .entry(name)
            .or_insert_with(|| FeedLayer::new(higher.origin.clone()));
        feeding.layer.entries.extend(higher.layer.entries);
        feeding.origin = higher.origin;
    }
    if let Some((name, feeding)) = feedings.iter().nth(MAX_FEEDS) {
        let bad = ValueError::new(
            format!("a plan has at most {MAX_FEEDS} feeds"),
            "put more fields into fewer files",
        );
        errors.push(bad.at(format!("feeds.{name}"), &feeding.origin));
    }
    // Who plays is not known where something is wrong with it.
    let is_cast = errors.is_empty();
    let each = feedings.into_iter();
    each.filter_map(|(name, feeding)| {
        let found = errors.len();
        let fed = one(name, feeding, plan, is_cast, errors);
        (errors.len() == found).then_some(fed).flatten()
    })
    .collect()
}

fn one(
    name: String,
    feeding: FeedLayer,
    plan: &Plan,
    is_cast: bool,
    errors: &mut Vec<PlanError>,
) -> Option<ResolvedFeed> {
    let FeedLayer { layer, origin } = feeding;
    let layers = [layer];
    let mut r = Reader::new(&layers);
    let file = r.read("file", "none", data_file().or_none(), "");
    let order = r.read("order", "in-turn", choice("ORDER", ORDERS), "");
    let per_user = r.read("per_user", "none", count(1..=u32::MAX).or_none(), "");
    let named = r.read("archetypes", "all", names().or_word("all"), "");
    if per_user.is_some() && order != FeedOrder::Once {
        let bad = ValueError::new(
            "only the order once has a use for it",
            "leave it out, or write order = \"once\"",
        );
        r.refuse("per_user", bad);
    }
    let all = || (0..plan.archetypes.len() as u16).collect();
    let archetypes = match &named {
        Some(named) if is_cast => cast(named, plan).unwrap_or_else(|bad| {
            r.refuse("archetypes", bad);
            all()
        }),
        _ => all(),
    };
    if order == FeedOrder::Once
        && per_user.is_none()
        && let Some(profile) = replaces(plan, &archetypes)
    {
        let bad = ValueError::new(
            format!(
                "in {profile} somebody new comes for whoever has spent its budget, so nobody knows how many share the rows"
            ),
            "say how many rows one user may take at most, as in per_user = 1",
        );
        r.refuse("order", bad);
    }
    let place = file.as_ref().and_then(|file| {
        let line = r.lines.iter_mut().find(|line| line.setting.key == "file")?;
        let path = beside(&line.origin).join(&file.0);
        line.value = std::path::absolute(&path)
            .unwrap_or_else(|_| path.clone())
            .display()
            .to_string();
        Some(path)
    });
    if let Some(bad) = place.as_deref().and_then(unusable) {
        r.refuse("file", bad);
    }
    let Reader {
        lines,
        errors: mut wrong,
        ..
    } = r;
    if file.is_none() && wrong.is_empty() {
        let bad = ValueError::new("a feed without a file", "add file = \"people.csv\"");
        wrong.push(bad.at("file", &origin));
    }
    errors.extend(wrong.into_iter().map(|error| PlanError {
        key: format!("feeds.{name}.{}", error.key),
        ..error
    }));
    let feed = Feed {
        name,
        file: place?,
        format: file?.1,
        order,
        per_user,
        archetypes,
    };
    Some(ResolvedFeed {
        feed,
        lines,
        origin,
    })
}

/// The profile of one of these archetypes in which somebody new comes for whoever leaves.
fn replaces(plan: &Plan, archetypes: &[u16]) -> Option<&'static str> {
    let workloads = plan.workloads().into_iter();
    let mut replacing = workloads.filter(|workload| {
        workload.profile.replaces() && workload.archetypes.iter().any(|a| archetypes.contains(a))
    });
    replacing.next().map(|workload| workload.profile.name())
}

/// The plan's archetypes of these names.
fn cast(names: &[String], plan: &Plan) -> Result<Vec<u16>, ValueError> {
    let playing: Vec<&str> = plan.archetypes.iter().map(|a| &*a.name).collect();
    let find = |name: &String| {
        let at = playing.iter().position(|playing| playing == name);
        at.map(|at| at as u16)
            .ok_or_else(|| ValueError::not_playing(name, playing.iter().copied()))
    };
    names.iter().map(find).collect()
}

/// The folder that a path of this origin starts from.
fn beside(origin: &Origin) -> &Path {
    match origin {
        Origin::File { path, .. } => path.parent().unwrap_or(Path::new("")),
        _ => Path::new(""),
    }
}

fn unusable(path: &Path) -> Option<ValueError> {
    let what = if path.is_file() {
        return None;
    } else if path.is_dir() {
        "is a folder"
    } else if path.exists() {
        "is no plain file"
    } else {
        "is not there"
    };
    let fix = format!(
        "give the path of a file that ends in {ENDINGS}; in a plan file it starts from that file's folder"
    );
    Some(ValueError::new(format!("{} {what}", path.display()), fix))
}

/// The path of a file of rows, whose ending tells how it is written.
fn data_file() -> ValueType<(PathBuf, FeedFormat)> {
    let ValueType { parse, show, .. } = path();
    let parse = move |text: &str| {
        let path = parse(text)?;
        let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        let format = match ending.to_ascii_lowercase().as_str() {
            "csv" => FeedFormat::Csv,
            "jsonl" | "ndjson" => FeedFormat::JsonLines,
            "json" => FeedFormat::Json,
            _ => {
                return Err(ValueError::new(
                    format!("the ending of {text:?} tells no form"),
                    format!("name a file that ends in {ENDINGS}"),
                ));
            }
        };
        Ok((path, format))
    };
    ValueType::new("FILE", parse, move |(path, _): &(PathBuf, FeedFormat)| {
        show(path)
    })
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
