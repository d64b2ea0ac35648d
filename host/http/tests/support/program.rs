//! Programs that run beside a test and end with it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::certificates::Issued;
use super::tools::tool;

/// Longest wait for a program to be there.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that is ended when dropped, and where it listens.
pub struct Program {
    child: Child,
    /// Some end when their input does.
    stdin: Option<ChildStdin>,
    pub address: SocketAddr,
}

impl Program {
    /// Start a program that listens on a port of its own choice and writes `…:PORT` in a line that begins with `word`.
    fn that_says(mut command: Command, word: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let stdin = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        while !line.starts_with(word) {
            line.clear();
            assert_ne!(lines.read_line(&mut line).expect("a line"), 0, "it ended");
        }
        // Whoever writes into a pipe that nobody reads stands still.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        let port = line.trim().rsplit(':').next().expect("a port");
        Self {
            child,
            stdin,
            address: at(port.parse().expect("a number")),
        }
    }

    /// Start a program that listens on a port that it is given, and wait for it.
    fn on_a_port(start: impl Fn(u16) -> Command) -> Self {
        // Somebody else may take the port in between.
        for _ in 0..5 {
            let port = free_port();
            let mut command = start(port);
            let child = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let mut program = Self {
                child: child.expect("the program starts"),
                stdin: None,
                address: at(port),
            };
            if program.listens() {
                return program;
            }
        }
        panic!("the program did not come to listen");
    }

    fn listens(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            if self.child.try_wait().expect("its state").is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Write a line into the program.
    pub fn say(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("an input");
        stdin.write_all(line.as_bytes()).expect("it listens");
        stdin.flush().expect("it listens");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `openssl s_server` with this certificate.
pub fn openssl(issued: &Issued, options: &[&str]) -> Option<Program> {
    let mut command = Command::new(tool("openssl", "openssl")?);
    command
        .args(["s_server", "-accept", "127.0.0.1:0", "-cert"])
        .arg(&issued.cert)
        .arg("-key")
        .arg(&issued.key)
        .args(options);
    Some(Program::that_says(command, "ACCEPT"))
}

/// nginx in a folder of its own, with `servers` in its `http` block; `@PORT@` stands for the port.
pub fn nginx(folder: &Path, servers: &str) -> Option<Program> {
    let nginx = tool("nginx", "nginx-light")?;
    Some(Program::on_a_port(|port| {
        let config = folder.join("nginx.conf");
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display()))
            .concat();
        let text = format!(
            "daemon off; master_process off; error_log stderr; pid {0}/pid;\nevents {{ worker_connections 512; }}\n\
             http {{ access_log {0}/access.log;\n{temporary}{1}\n}}\n",
            folder.display(),
            servers.replace("@PORT@", &port.to_string())
        );
        std::fs::write(&config, text).expect("its configuration");
        let mut command = Command::new(&nginx);
        command.arg("-p").arg(folder).arg("-c").arg(config);
        command
    }))
}

/// A SOCKS5 server.
pub fn microsocks(options: &[&str]) -> Option<Program> {
    let microsocks = tool("microsocks", "microsocks")?;
    Some(Program::on_a_port(|port| {
        let mut command = Command::new(&microsocks);
        command
            .args(["-i", "127.0.0.1", "-p"])
            .arg(port.to_string());
        command.args(options);
        command
    }))
}

/// An HTTP proxy, with more lines for its configuration.
pub fn tinyproxy(folder: &Path, lines: &str) -> Option<Program> {
    let tinyproxy = tool("tinyproxy", "tinyproxy-bin")?;
    Some(Program::on_a_port(|port| {
        let config = folder.join("tinyproxy.conf");
        let text = format!("Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\n{lines}\n");
        std::fs::write(&config, text).expect("its configuration");
        let mut command = Command::new(&tinyproxy);
        command.arg("-d").arg("-c").arg(config);
        command
    }))
}

/// Run one test of this binary again as a process of its own, under `wrapper` (which ends by executing its arguments).
/// The test finds out by the variable that it is the one inside.
pub fn again(test: &str, wrapper: &[&str], variables: &[(&str, &OsStr)]) -> (bool, String) {
    let this = std::env::current_exe().expect("this binary");
    let mut command = match wrapper {
        [] => Command::new(&this),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(&this);
            command
        }
    };
    let output = command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .envs(variables.iter().copied())
        .output()
        .expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// Whether this process is the one that [`again`] began.
pub fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

const INSIDE: &str = "VESPEIRO_TEST_INSIDE";

fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(at(0)).expect("a port");
    listener.local_addr().expect("its address").port()
}
