//! A real Prometheus on a free port, with data of its own, that ends with its test.

use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::{Owned, eventually, free_address, get, tool};

pub struct Prometheus {
    pub url: String,
    authority: String,
    child: Owned,
    folder: TempDir,
}

impl Prometheus {
    /// One that takes remote writes, and scrapes `target` every second if there is one. `None` on a machine without it.
    #[track_caller]
    pub fn start(target: Option<&str>) -> Option<Prometheus> {
        let program = tool("prometheus", "prometheus")?;
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("prometheus.yml");
        let scrapes = target.map_or(String::new(), |target| {
            format!(
                "scrape_configs:\n- job_name: vespeiro\n  static_configs:\n  - targets: ['{target}']\n"
            )
        });
        let text = format!("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n{scrapes}");
        std::fs::write(&config, text).unwrap();
        let authority = free_address();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--web.listen-address={authority}"))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .args([
                "--web.enable-remote-write-receiver",
                "--enable-feature=native-histograms",
                "--log.level=warn",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut prometheus = Prometheus {
            url: format!("http://{authority}"),
            authority,
            child: Owned(child),
            folder,
        };
        eventually("Prometheus is ready", || {
            let ended = prometheus.child.try_wait().unwrap();
            assert!(ended.is_none(), "Prometheus ended: {}", prometheus.log());
            get(&prometheus.authority, "/-/ready").ok()
        });
        Some(prometheus)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The result of an instant query, now or at a time in seconds since 1970. A query that cannot be parsed fails.
    #[track_caller]
    pub fn query(&self, query: &str, at: Option<f64>) -> Vec<Value> {
        let encoded: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let time = at.map_or(String::new(), |at| format!("&time={at}"));
        let path = format!("/api/v1/query?query={encoded}{time}");
        let answer = get(&self.authority, &path).unwrap_or_else(|e| panic!("{query}: {e}"));
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"]
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {answer}"))
            .clone()
    }

    /// The only number of a query's result, if there is one.
    #[track_caller]
    pub fn number(&self, query: &str) -> Option<f64> {
        let result = self.query(query, None);
        assert!(result.len() < 2, "{query}: {result:?}");
        result
            .first()
            .map(|one| one["value"][1].as_str().unwrap().parse().unwrap())
    }
}
