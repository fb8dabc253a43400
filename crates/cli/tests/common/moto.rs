//! Somebody else's RDS: moto's server, corrected where it is unlike the service model, one per
//! test. See `tests/python/moto_corrections.py`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::background::Background;
use super::python::python;
use super::trapheus::trapheus;

/// A running moto, and a home for the executions of the test.
pub(crate) struct Moto {
    server: Background,
    home: TempDir,
    endpoint_url: String,
    /// The port at which its databases shake hands.
    pub(crate) database_port: u64,
}

/// How a run of the real binary ended.
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// What it printed.
    pub(crate) result: Value,
}

impl Moto {
    /// Starts it on a free port, with the options of `moto_rds.py`.
    pub(crate) fn start(options: &[&str]) -> Self {
        let home = TempDir::new().expect("there is room for a temporary directory");
        let log = home.path().join("moto.log");
        let (server, ready) = Background::start(python().arg("moto_rds.py").args(options), &log);
        let endpoint_url = ready["endpointUrl"]
            .as_str()
            .expect("it says where it answers");
        let database_port = ready["databasePort"]
            .as_u64()
            .expect("it says where databases are");
        Self {
            server,
            home,
            endpoint_url: endpoint_url.to_owned(),
            database_port,
        }
    }

    /// Ends it.
    pub(crate) fn stop(self) {
        self.server.wait();
    }

    /// Runs `trapheus` against it, to the end.
    pub(crate) fn trapheus(&self, arguments: &[&str]) -> Ended {
        let done = self.command(arguments).output().expect("trapheus starts");
        let messages = String::from_utf8_lossy(&done.stderr);
        let result = serde_json::from_slice(&done.stdout).unwrap_or_else(|error| {
            let printed = String::from_utf8_lossy(&done.stdout);
            panic!("{arguments:?} printed no JSON: {error}\n{printed}\n{messages}")
        });
        Ended {
            code: done.status.code(),
            result,
        }
    }

    /// `trapheus` as a user of it types it, in a home of the test's own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = trapheus(self.home.path());
        command
            .args(arguments)
            .env("AWS_ENDPOINT_URL", &self.endpoint_url);
        command
    }

    /// Where executions are, and the working directory of `trapheus`.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file that lives as long as the test; returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        fs::write(&path, text).expect("a temporary file can be written");
        path.into_os_string()
            .into_string()
            .expect("temporary paths are text")
    }

    /// Makes calls with boto3, one after the other; returns the answers.
    pub(crate) fn boto3(&self, calls: &Value) -> Vec<Value> {
        Self::calls(&self.endpoint_url, calls)
    }

    /// The same at any server.
    pub(crate) fn calls(endpoint_url: &str, calls: &Value) -> Vec<Value> {
        let mut client = python()
            .args(["rds_calls.py", endpoint_url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut stdin = client.stdin.take().expect("standard input is a pipe");
        stdin
            .write_all(calls.to_string().as_bytes())
            .expect("the calls can be sent");
        drop(stdin);
        let done = client.wait_with_output().expect("Python can be waited for");
        assert!(done.status.success(), "boto3 failed at {calls}");
        serde_json::from_slice(&done.stdout).expect("answers are JSON")
    }

    /// The instance that answers at a name, once it has settled.
    pub(crate) fn instance(&self, name: &str) -> Value {
        let look = json!(["describe_db_instances", { "DBInstanceIdentifier": name }]);
        let seen = self.boto3(&json!([look, look])).pop().expect("two answers");
        let instance = seen["DBInstances"][0].clone();
        assert_eq!(instance["DBInstanceStatus"], "available", "{name}: {seen}");
        instance
    }

    /// The names of all instances.
    pub(crate) fn instances(&self) -> Vec<String> {
        let all = self.boto3(&json!([["describe_db_instances", {}]]));
        names(&all[0]["DBInstances"], "DBInstanceIdentifier")
    }

    /// The names of all snapshots but the automated ones.
    pub(crate) fn snapshots(&self) -> Vec<String> {
        let all = self.boto3(&json!([["describe_db_snapshots", { "SnapshotType": "manual" }]]));
        names(&all[0]["DBSnapshots"], "DBSnapshotIdentifier")
    }

    /// The RDS actions that it has received, in order.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.read("/_requests")
    }

    /// Has the call of this number fail, from now on and of those that change something of RDS.
    pub(crate) fn fail(&self, number: usize, code: &str) {
        self.read::<Value>(&format!("/_fail?number={number}&code={code}"));
    }

    /// What SES and SNS were given to deliver.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.read("/_messages")
    }

    fn read<T: DeserializeOwned>(&self, path: &str) -> Vec<T> {
        let address = self.endpoint_url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("moto answers");
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").expect("moto listens");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("moto answers in text");
        let (_, body) = answer.split_once("\r\n\r\n").expect("HTTP has a body");
        serde_json::from_str(body).expect("the list is JSON")
    }
}

fn names(list: &Value, key: &str) -> Vec<String> {
    let name = |item: &Value| {
        item[key]
            .as_str()
            .expect("everything has a name")
            .to_owned()
    };
    let mut names: Vec<_> = list.as_array().expect("a list").iter().map(name).collect();
    names.sort();
    names
}
