//! What plan files, variables and flags make of feeds, and what is refused.

use std::path::PathBuf;

use super::super::{Feed, FeedFormat, FeedOrder, Flags, Resolved, Sources, resolve};

/// A folder with some files of rows, and a plan file in it.
struct Case {
    folder: tempfile::TempDir,
    flags: Flags,
    env: Vec<(String, String)>,
}

fn case(plan: &str) -> Case {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "b.JSONL", "c.ndjson", "d.json", "plain.txt"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let path = folder.path().join("plan.toml");
    std::fs::write(&path, plan).unwrap();
    let flags = Flags {
        plan: Some(path),
        ..Flags::default()
    };
    Case {
        folder,
        flags,
        env: Vec::new(),
    }
}

impl Case {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn flag(mut self, text: &str) -> Case {
        let folder = self.folder.path().display().to_string();
        self.flags.feeds.push(text.replace("@", &folder));
        self
    }

    fn resolve(self) -> Result<Resolved, String> {
        let folder = format!("{}/", self.folder.path().display());
        let resolved = resolve(Sources {
            base: None,
            flags: self.flags,
            env: self.env,
        });
        resolved.map_err(|errors| errors.to_string().replace(&folder, ""))
    }

    fn feeds(self) -> Vec<Feed> {
        self.resolve().unwrap().plan.feeds
    }
}

#[test]
fn a_feed_is_a_table_or_a_file() {
    let case = case(
        "[feeds]\nb = \"b.JSONL\"\n[feeds.a]\nfile = \"a.csv\"\norder = \"once\"\nper_user = 3\narchetypes = [\"power\", \"active\"]\n\
         [feeds.c]\nfile = \"c.ndjson\"\n[feeds.d]\nfile = \"d.json\"\norder = \"Random\"\n",
    );
    let file = case.path("a.csv");
    let feeds = case.feeds();
    let [a, b, c, d] = feeds.as_slice() else {
        panic!("{feeds:?}")
    };
    assert_eq!(
        *a,
        Feed {
            name: "a".into(),
            file,
            format: FeedFormat::Csv,
            order: FeedOrder::Once,
            per_user: Some(3),
            archetypes: vec![3, 1],
        }
    );
    assert_eq!((b.name.as_str(), b.format), ("b", FeedFormat::JsonLines));
    assert_eq!((b.order, b.per_user), (FeedOrder::InTurn, None));
    assert_eq!(b.archetypes, [0, 1, 2, 3]);
    assert_eq!(c.format, FeedFormat::JsonLines);
    assert_eq!((d.format, d.order), (FeedFormat::Json, FeedOrder::Random));
}

#[test]
fn each_layer_says_its_part_and_the_higher_one_wins() {
    let mut given = case("[feeds.people]\nfile = \"a.csv\"\norder = \"once\"\n");
    let path = given.path("c.ndjson").display().to_string();
    given.env.push((
        "VESPEIRO_FEED".into(),
        format!("people={path},other={path}:random"),
    ));
    let file = given.path("d.json");
    let resolved = given.flag("people=@/d.json").resolve().unwrap();
    let [other, people] = resolved.plan.feeds.as_slice() else {
        panic!("{resolved:?}")
    };
    assert_eq!(
        (other.order, other.file.to_str()),
        (FeedOrder::Random, Some(path.as_str()))
    );
    assert_eq!((people.order, &people.file), (FeedOrder::Once, &file));
    let fed = &resolved.origins.feeds[1];
    let lines: Vec<String> = fed
        .settings
        .iter()
        .map(|line| format!("{} {}", line.setting.key, line.origin))
        .collect();
    assert_eq!(lines[0], "file --feed");
    assert!(
        lines[1].starts_with("order ") && lines[1].ends_with("plan.toml:3"),
        "{lines:?}"
    );
    assert_eq!(fed.origin.to_string(), "--feed");
}

#[test]
fn a_scenario_file_has_feeds_too() {
    let mut given = case("scenario = \"mine.toml\"\n");
    std::fs::write(given.path("mine.toml"), "[feeds]\npeople = \"a.csv\"\n").unwrap();
    given.flags.set("users", "3", "--users");
    assert_eq!(given.feeds()[0].name, "people");
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let given = case(
        "[feeds.a]\nfil = \"a.csv\"\n[feeds.b]\nfile = \"plain.txt\"\norder = \"next\"\n[feeds.c]\nfile = \"gone.csv\"\n\
         [feeds.d]\nfile = \"d.json\"\nper_user = 2\n[feeds.\"e e\"]\nfile = \"a.csv\"\n",
    );
    let errors = given
        .flag("g")
        .flag("h=")
        .flag("=@/a.csv")
        .resolve()
        .unwrap_err();
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(
        lines,
        [
            "feeds.a.fil (plan.toml:2): no such key; did you mean `file`?",
            "feeds.e e (plan.toml:11): \"e e\" is no valid name of a feed; use 1 to 32 letters, digits, - and _",
            "feeds (--feed): \"g\" names no file; write it as people=people.csv",
            "feeds. (--feed): \"\" is no valid name of a feed; use 1 to 32 letters, digits, - and _",
            "feeds.a.file (plan.toml:1): a feed without a file; add file = \"people.csv\"",
            "feeds.b.file (plan.toml:4): the extension of \"plain.txt\" names no format; name a file that ends in .csv, .jsonl, .ndjson or .json",
            "feeds.b.order (plan.toml:5): \"next\" is not among the choices; use one of in-turn, random, once",
            "feeds.c.file (plan.toml:7): gone.csv is not there; give the path of a file that ends in .csv, .jsonl, .ndjson or .json; \
             in a plan file it starts from that file's folder",
            "feeds.d.per_user (plan.toml:10): it has an effect with the order once only; leave it out, or write order = \"once\"",
            "feeds.h.file (--feed): the text is empty or contains control characters; give a text of one line",
        ]
    );
    for (plan, says) in [
        (
            "feeds = 3\n",
            "feeds (plan.toml:1): this is no table of feeds",
        ),
        (
            "[[feeds]]\nfile = \"a.csv\"\n",
            "this is no table of feeds; write [feeds.people]",
        ),
        (
            "[feed.a]\nfile = \"a.csv\"\n",
            "no such key; did you mean `[feeds.NAME]`?",
        ),
        (
            "[feeds]\na = 5\n",
            "feeds.a.file (plan.toml:2): the extension of \"5\"",
        ),
        (
            "[feeds.a]\nfile = \"a.csv\"\narchetypes = [\"powr\"]\n",
            "feeds.a.archetypes (plan.toml:3): no archetype named \"powr\" plays; did you mean \"power\"?",
        ),
        (
            "[feeds.a]\nfile = \"a.csv\"\narchetypes = []\n",
            "feeds.a.archetypes (plan.toml:3): an archetype's name is missing",
        ),
        (
            "[feeds.a]\nfile = \".csv\"\n",
            "the extension of \".csv\" names no format",
        ),
    ] {
        let errors = case(plan).resolve().unwrap_err();
        assert!(errors.contains(says), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
    let many: String = (0..65).map(|n| format!("f{n} = \"a.csv\"\n")).collect();
    let errors = case(&format!("[feeds]\n{many}")).resolve().unwrap_err();
    assert!(errors.contains("a plan has at most 64 feeds"), "{errors}");
}

#[test]
fn once_needs_to_know_how_many_share_the_rows() {
    let once = "[feeds.a]\nfile = \"a.csv\"\norder = \"once\"\n";
    let with = |settings: &[(&str, &str)], more: &str| {
        let mut given = case(&format!("{once}{more}"));
        for (key, text) in settings {
            given.flags.set(key, *text, "test");
        }
        given.resolve().map(|resolved| resolved.plan.feeds.len())
    };
    assert_eq!(with(&[], ""), Ok(1));
    assert_eq!(with(&[("requests", "100")], ""), Ok(1));
    for settings in [
        &[("profile", "constant-users")][..],
        &[("stage", "1s:5")],
        &[("rate", "5/s")],
    ] {
        let errors = with(settings, "").unwrap_err();
        assert!(
            errors.starts_with("feeds.a.order (plan.toml:3): in ")
                && errors.contains("as in per_user = 1"),
            "{errors}"
        );
        assert_eq!(with(settings, "per_user = 1\n"), Ok(1));
    }
    // A rate of its own is nothing to those who share the run's users.
    let own = "[[archetype]]\nname = \"power\"\nrate = \"5/s\"\n[[archetype]]\nname = \"active\"\n";
    assert!(with(&[], own).is_err());
    assert_eq!(
        with(&[], &format!("archetypes = [\"active\"]\n{own}")),
        Ok(1)
    );
}
