//! A Slurm of three nodes on this machine: munged, slurmctld and three slurmd on free loopback ports, which end with their test.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Owned, command, eventually, tool};

const NODES: usize = 3;

/// The cluster, and the folder that jobs are submitted in.
pub struct Slurm {
    folder: TempDir,
    daemons: Vec<Owned>,
}

/// A job that has ended.
#[derive(Debug)]
pub struct EndedJob {
    /// As Slurm has it: `99:0`.
    pub exit_code: String,
    pub log: String,
}

impl Slurm {
    /// What jobs inherit from whoever submits them.
    pub const TOKEN: &str = "a token of the tests alone";

    /// `None`: skip the test.
    pub fn start() -> Option<Slurm> {
        let munged = tool("munged", "munge")?;
        let (slurmctld, slurmd) = (
            tool("slurmctld", "slurm-wlm")?,
            tool("slurmd", "slurm-wlm")?,
        );
        // Somebody else may take a port in between.
        for _ in 0..5 {
            let mut slurm = Slurm {
                folder: TempDir::new().unwrap(),
                daemons: Vec::new(),
            };
            slurm.configure();
            slurm.daemon(&munged, |munged, here| {
                for file in ["socket", "key-file", "log-file", "pid-file", "seed-file"] {
                    munged.arg(format!("--{file}={}", here.join(file).display()));
                }
                munged.args(["--foreground", "--force"]);
            });
            eventually("munged", || {
                slurm.folder().join("socket").exists().then_some(())
            });
            slurm.daemon(&slurmctld, |slurmctld, _| {
                slurmctld.arg("-D");
            });
            for node in 1..=NODES {
                slurm.daemon(&slurmd, |slurmd, _| {
                    slurmd.args(["-D", "-N", &format!("n{node}")]);
                });
            }
            if slurm.is_up() {
                return Some(slurm);
            }
        }
        panic!("no Slurm came up");
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn configure(&self) {
        let here = self.folder().display();
        let free: Vec<TcpListener> = (0..=NODES)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let port = |at: usize| free[at].local_addr().unwrap().port();
        let (host, user) = (said("uname", "-n"), said("id", "-un"));
        let host = host.split('.').next().unwrap();
        let mut text = format!(
            "ClusterName=loop\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={}\n\
             AuthType=auth/munge\nAuthInfo=socket={here}/socket\nCredType=cred/munge\n\
             SlurmUser={user}\nSlurmdUser={user}\nStateSaveLocation={here}/state\n\
             SlurmdSpoolDir={here}/spool.%n\nSlurmctldPidFile={here}/slurmctld.pid\n\
             SlurmdPidFile={here}/slurmd.%n.pid\nSlurmctldLogFile={here}/slurmctld.log\n\
             SlurmdLogFile={here}/slurmd.%n.log\nCommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSwitchType=switch/none\n\
             MpiDefault=none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\n\
             SchedulerType=sched/backfill\nSchedulerParameters=sched_min_interval=0,batch_sched_delay=0\n\
             ReturnToService=2\nKillWait=20\nMessageTimeout=20\n",
            port(0)
        );
        for node in 1..=NODES {
            fs::create_dir(self.folder().join(format!("spool.n{node}"))).unwrap();
            text += &format!(
                "NodeName=n{node} NodeHostname={host} NodeAddr=127.0.0.1 Port={} CPUs=2 State=UNKNOWN\n",
                port(node)
            );
        }
        text += "PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP\n";
        fs::create_dir(self.folder().join("state")).unwrap();
        fs::write(self.folder().join("slurm.conf"), text).unwrap();
        let key = self.folder().join("key-file");
        fs::write(&key, [7; 128]).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
    }

    fn daemon(&mut self, program: &Path, arguments: impl FnOnce(&mut Command, &Path)) {
        let mut command = self.command(program.to_str().unwrap());
        arguments(&mut command, self.folder());
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        self.daemons.push(Owned(command.spawn().unwrap()));
    }

    /// A program that finds this cluster.
    fn command(&self, program: &str) -> Command {
        let mut command = command(program);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command
            .env("VESPEIRO_CONTROL_TOKEN", Slurm::TOKEN)
            .env("SLURM_CONF", self.folder().join("slurm.conf"))
            .env("HOME", self.folder())
            .env("PATH", path)
            .current_dir(self.folder());
        command
    }

    fn says(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Whether all nodes have come up, and none of the daemons has gone.
    fn is_up(&mut self) -> bool {
        eventually("idle nodes", || {
            let gone = |daemon: &mut Owned| daemon.try_wait().unwrap().is_some();
            if self.daemons.iter_mut().any(gone) {
                return Some(false);
            }
            let nodes = self.says("sinfo", &["--noheader", "--Node", "--format=%T"]);
            let idle = nodes.lines().filter(|state| *state == "idle").count();
            (idle == NODES).then_some(true)
        })
    }

    /// Hand in a script; the job's number.
    pub fn submit(&self, script: &str) -> String {
        let path = self.folder().join("job.sh");
        fs::write(&path, script).unwrap();
        let job = self.says("sbatch", &["--parsable", path.to_str().unwrap()]);
        let job = job.trim().to_owned();
        assert!(job.parse::<u32>().is_ok(), "{job:?}\n{script}");
        job
    }

    fn of_job(&self, job: &str, key: &str) -> String {
        let said = self.says("scontrol", &["--oneliner", "show", "job", job]);
        let mut words = said.split_whitespace();
        let value = words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        value.unwrap_or_default().to_owned()
    }

    /// Wait for the end of a job.
    pub fn ended(&self, job: &str) -> EndedJob {
        eventually("the end of the job", || {
            let state = self.of_job(job, "JobState");
            let going_on = ["PENDING", "CONFIGURING", "RUNNING", "COMPLETING"];
            (!going_on.contains(&&*state)).then_some(())
        });
        EndedJob {
            exit_code: self.of_job(job, "ExitCode"),
            log: self.log(job),
        }
    }

    /// What a job has said so far.
    pub fn log(&self, job: &str) -> String {
        let log = fs::read(self.folder().join(format!("vespeiro-{job}.log")));
        String::from_utf8_lossy(&log.unwrap_or_default()).into_owned()
    }

    pub fn results(&self, job: &str) -> PathBuf {
        self.folder().join(format!("vespeiro-{job}"))
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        // What a test has left running is nobody's child here, and would outlive the daemons. No panic: there may be one already.
        for _ in 0..500 {
            let left = self.says("squeue", &["--noheader", "--states=all", "--format=%i %T"]);
            let over = ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"];
            let mut jobs = left.lines().filter_map(|line| line.split_once(' '));
            let Some((job, _)) = jobs.find(|(_, state)| !over.contains(state)) else {
                break;
            };
            self.says("scancel", &["--full", "--signal=KILL", job]);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

fn said(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
