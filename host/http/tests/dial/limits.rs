//! What this machine runs out of is the generator's, never the target's. Each case runs in a process of its own, which
//! has less than others.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use vespeiro_http::Failure;
use vespeiro_http::dial::DialOptions;

use crate::support::program::{again, inside};
use crate::support::tools::tool;
use crate::{dial, dialer, to, worker};

#[test]
fn open_files() {
    if !inside() {
        let wrapper = ["sh", "-c", "ulimit -n 40; exec \"$0\" \"$@\""];
        let (fine, text) = again("limits::open_files", &wrapper, &[]);
        assert!(fine, "{text}");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    worker(async {
        let mut held = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            held.push(file);
        }
        for host in ["127.0.0.1", "localhost"] {
            let error = dial(to(host, port)).await.unwrap_err();
            assert_eq!(error.failure, Failure::Generator, "{error}");
            assert!(error.cause.contains("ulimit -n"), "{error}");
        }
        drop(held);
        dial(to("127.0.0.1", port)).await.unwrap();
    });
    println!("reached");
}

/// Whether a network of its own may be had here. Some containers do not let anybody.
fn permitted(unshare: &Path) -> bool {
    let tried = Command::new(unshare).args(["-rn", "true"]).status();
    let may = tried.is_ok_and(|status| status.success());
    if !may {
        assert!(
            std::env::var_os("VESPEIRO_REQUIRE_TOOLS").is_none_or(|value| value != "1"),
            "unshare -rn is not permitted"
        );
        eprintln!("*** SKIPPED: unshare -rn is not permitted: this test has shown nothing ***");
    }
    may
}

/// A network of its own with four local ports: the kernel takes them in pairs.
#[test]
fn local_ports() {
    if !inside() {
        let Some(unshare) = tool("unshare", "util-linux") else {
            return;
        };
        if !permitted(&unshare) {
            return;
        }
        let script = "ip link set lo up 2>/dev/null || ifconfig lo up; \
                      echo 60000 60003 > /proc/sys/net/ipv4/ip_local_port_range; \
                      echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6; exec \"$0\" \"$@\"";
        let unshare = unshare.to_string_lossy().into_owned();
        let wrapper = [unshare.as_str(), "-rn", "sh", "-c", script];
        let (fine, text) = again("limits::local_ports", &wrapper, &[]);
        assert!(fine, "{text}");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:9000").unwrap();
    worker(async {
        let one = dialer(to("127.0.0.1", 9000));
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(one.dial().await.unwrap());
        }
        let error = one.dial().await.unwrap_err();
        assert_eq!(error.failure, Failure::Generator, "{error}");
        assert!(error.cause.contains("60000 to 60003"), "{error}");
        assert!(error.cause.contains("--local-address"), "{error}");

        // Another address has ports of its own, also where it is bound: towards each target all of them.
        let more = dialer(DialOptions {
            local_addresses: vec!["127.0.0.2".parse().unwrap()],
            ..to("127.0.0.1", 9000)
        });
        for _ in 0..4 {
            held.push(more.dial().await.unwrap());
        }
        let error = more.dial().await.unwrap_err();
        assert_eq!(error.failure, Failure::Generator, "{error}");
        assert!(error.cause.contains("from 127.0.0.2"), "{error}");
        let other = TcpListener::bind("127.0.0.1:9001").unwrap();
        held.push(
            dial(DialOptions {
                local_addresses: vec!["127.0.0.2".parse().unwrap()],
                ..to("127.0.0.1", 9001)
            })
            .await
            .unwrap(),
        );
        drop(other);

        // No address of IPv6 at all gives the same error as no port, but is none of the generator's limits.
        let error = dial(to("::1", 9000)).await.unwrap_err();
        assert_eq!(error.failure, Failure::Connect, "{error}");
        assert!(!error.cause.contains("local port"), "{error}");
    });
    drop(listener);
}
