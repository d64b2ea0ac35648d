//! Names are looked up once for each time that an answer is good for: held against a name server that counts what it is
//! asked. It stands in a network of its own, in which this test runs once more.

use std::net::{Ipv4Addr, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::spawn;

use crate::support::{Counting, RunOf, example, tool};

const INSIDE: &str = "VESPEIRO_TEST_INSIDE";
const NAME: &str = "lookups::names_are_looked_up_once_for_so_long";
/// Loopback, a name server, and a host's name for nobody.
const SETUP: &str = "ip link set lo up && printf 'nameserver 127.0.0.1\\n' > \"$2/resolv.conf\" && \
                     printf 'hosts: files dns\\n' > \"$2/nsswitch.conf\" && \
                     mount --bind \"$2/resolv.conf\" /etc/resolv.conf && \
                     mount --bind \"$2/nsswitch.conf\" /etc/nsswitch.conf && exec \"$1\" --exact \"$3\" --nocapture";

#[test]
fn names_are_looked_up_once_for_so_long() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let Some(unshare) = tool("unshare", "util-linux") else {
        return;
    };
    let permitted = Command::new(&unshare).args(["-rnm", "true"]).status();
    if !permitted.is_ok_and(|status| status.success()) {
        eprintln!("*** SKIPPED: unshare -rnm is not permitted: this test has shown nothing ***");
        return;
    }
    // Built out here, where there may be a network.
    example("first");
    let folder = tempfile::TempDir::new().unwrap();
    let output = Command::new(&unshare)
        .args(["-rnm", "sh", "-c", SETUP, "sh"])
        .arg(std::env::current_exe().unwrap())
        .arg(folder.path())
        .arg(NAME)
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

fn inside() {
    let target = Counting::at("0.0.0.0:0");
    let asked = name_server([Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)]);
    let lookups = |ttl: &str| {
        let before = asked.load(Ordering::SeqCst);
        let options = format!(
            "--archetype first={} --users 1 --workers 1 --requests 30 --delay-min 50ms --delay-max 50ms --no-reuse \
             --guest-timeout 10s --dns-ttl {ttl}",
            example("first").display()
        );
        let played = RunOf::fine(&format!("http://a.test:{}", target.port()), &options);
        assert_eq!((played.sent(), played.errors()), (30, 0));
        assert_eq!(played.connections("opened"), 30);
        let addresses = &played.summary["connections"]["addresses"];
        for at in 0..2 {
            assert_eq!(addresses[at]["requests"], 15, "{addresses}");
        }
        asked.load(Ordering::SeqCst) - before
    };
    // The guard of hosts, the look before the run, and the run.
    let once = lookups("1h");
    assert!((1..=3).contains(&once), "{once}");
    // The run takes a second and a half at least.
    let often = lookups("300ms");
    assert!((once + 3..30).contains(&often), "{once} {often}");
    let each = lookups("0");
    assert!((30..=33).contains(&each), "{each}");
}

/// Answers every question for IPv4 with these addresses, and any other with none. Counts the former.
fn name_server(addresses: [Ipv4Addr; 2]) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let socket = UdpSocket::bind("127.0.0.1:53").unwrap();
    spawn(move || {
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            // One question behind a head of 12 bytes: labels, a zero, two bytes each of type and class.
            let end = 12
                + packet[12..length]
                    .iter()
                    .position(|byte| *byte == 0)
                    .unwrap()
                + 5;
            let is_ipv4 = packet[end - 4..end] == [0, 1, 0, 1];
            let answers = if is_ipv4 { &addresses[..] } else { &[] };
            counted.fetch_add(usize::from(is_ipv4), Ordering::SeqCst);
            let mut reply = packet[..end].to_vec();
            // An answer, recursion available, one question, so many answers.
            reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, answers.len() as u8, 0, 0, 0, 0]);
            for address in answers {
                // The name of the question, IPv4, an hour, four bytes.
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4]);
                reply.extend(address.octets());
            }
            socket.send_to(&reply, from).unwrap();
        }
    });
    asked
}
