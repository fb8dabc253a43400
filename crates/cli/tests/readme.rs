//! Everything that the README says to type is typed here, in its order, against local RDS.
//!
//! The local section comes first, because a guide is read with a database at hand. Lines that
//! begin with `cargo` are what runs this test, or would install it.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod trapheus;
}

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::background::Background;
use common::trapheus::trapheus;
use tempfile::TempDir;

const README: &str = include_str!("../../../README.md");

/// The port that the guide names; the test's server has another.
const URL: &str = "http://127.0.0.1:4510";

/// The commands of the guide that do not end with 0, and why.
const ENDS: [(&str, i32, &str); 2] = [
    (
        "trapheus rollback last",
        5,
        "the restored database is kept aside, which is left over",
    ),
    (
        "trapheus executions watch last",
        5,
        "it ends as what it watches has ended",
    ),
];

/// The lines of the README's `sh` blocks below a heading, continued lines joined.
fn commands(heading: &str) -> Vec<String> {
    let section = README
        .split(&format!("### {heading}\n"))
        .nth(1)
        .expect("the heading is there");
    let section = section.split("\n### ").next().unwrap_or_default();
    let blocks = section
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    blocks
        .flat_map(|block| {
            block
                .replace("\\\n", " ")
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|line| !line.is_empty() && !line.starts_with("cargo "))
        .collect()
}

/// The shell that the guide is typed into.
struct Shell<'a> {
    /// The lines that it was given first.
    exports: &'a [String],
    /// The server that stands for the one that the guide names.
    url: &'a str,
    directory: &'a Path,
}

impl Shell<'_> {
    fn run(&self, line: &str) -> Output {
        let script = [self.exports, &[line.to_owned()]]
            .concat()
            .join("\n")
            .replace(URL, self.url);
        let binary = trapheus(self.directory).get_program().to_owned();
        let places = [Path::new(&binary), &interpreter()].map(|program| {
            program
                .parent()
                .expect("a program lies in a directory")
                .display()
                .to_string()
        });
        Command::new("bash")
            .args(["-c", &script])
            .current_dir(self.directory)
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", places.join(":")))
            .env("HOME", self.directory)
            .stdin(Stdio::null())
            .output()
            .expect("there is a bash")
    }

    /// Types a line of the guide.
    fn type_line(&self, line: &str) {
        let wanted = ENDS.iter().find(|(command, ..)| line.starts_with(command));
        self.ends(line, wanted.map_or(0, |(_, code, _)| *code));
    }

    /// Types a line that ends with a code; returns what it printed.
    fn ends(&self, line: &str, code: i32) -> String {
        let done = self.run(line);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(code), "{line}\n{said}");
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}

fn interpreter() -> PathBuf {
    let python = env::var_os("TRAPHEUS_PYTHON");
    python
        .map(PathBuf::from)
        .expect("TRAPHEUS_PYTHON is set by `cargo xtask test`: the AWS CLI lies beside that Python")
}

/// Verify takes the login of a secret, and a restore whose login is refused is rolled back.
fn logs_in_with_a_secret(shell: &Shell<'_>) {
    let mut moto = Command::new(interpreter());
    moto.arg("moto_rds.py")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python"));
    let (moto, ready) = Background::start(&mut moto, &shell.directory.join("moto.log"));
    let secrets = ready["endpointUrl"]
        .as_str()
        .expect("it says where it answers");
    for (name, password) in [("right", "a-password"), ("wrong", "another-password")] {
        shell.ends(
            &format!(
                "aws --endpoint-url {secrets} secretsmanager create-secret --name {name} \
                 --secret-string '{{\"username\": \"shop\", \"password\": \"{password}\"}}'"
            ),
            0,
        );
    }
    let restore = |secret: &str| {
        format!(
            "TRAPHEUS_VERIFY_SECRET={secret} AWS_ENDPOINT_URL_SECRETS_MANAGER={secrets} \
             trapheus restore orders"
        )
    };
    shell.ends(&restore("right"), 0);
    let history = shell.ends("trapheus executions show last --history --output json", 0);
    assert!(history.contains(r#""proof": "login""#), "{history}");
    assert!(
        !history.contains("a-password"),
        "the history holds the password"
    );
    let failed = shell.ends(&restore("wrong"), 1);
    assert!(failed.contains("Trapheus.VerificationFailed"), "{failed}");
    shell.ends(&restore("missing"), 2);
    moto.wait();
}

/// The AWS CLI's own waiter would look every 30 seconds only.
fn wait_until_available(identifier: &str, shell: &Shell<'_>) {
    let status = format!(
        "aws --endpoint-url {URL} rds describe-db-instances --db-instance-identifier {identifier} \
         --query 'DBInstances[0].DBInstanceStatus' --output text"
    );
    shell.type_line(&format!(
        "until [ \"$({status})\" = available ]; do sleep 0.2; done"
    ));
}

/// A database that has just been restored has no automated backup for a moment.
fn wait_for_backups(identifier: &str, shell: &Shell<'_>) {
    let latest = format!(
        "aws --endpoint-url {URL} rds describe-db-instances --db-instance-identifier {identifier} \
         --query 'DBInstances[0].LatestRestorableTime' --output text"
    );
    shell.type_line(&format!(
        "while [ \"$({latest})\" = None ]; do sleep 0.2; done"
    ));
}

#[test]
fn what_the_guide_says_to_type_works() {
    let directory = TempDir::new().expect("there is room for a temporary directory");
    // Its servers may run as another user than the test does.
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("it is ours");
    let mut up = trapheus(directory.path());
    up.args([
        "local",
        "up",
        "--data-dir",
        "./rds",
        "--listen",
        "127.0.0.1:0",
    ]);
    let (local, ready) = Background::start(&mut up, &directory.path().join("local.log"));
    let url = ready["endpointUrl"]
        .as_str()
        .expect("it says where it answers");

    let section = commands("Local RDS");
    let (exports, rest): (Vec<_>, Vec<_>) = section
        .into_iter()
        .partition(|line| line.starts_with("export "));
    let shell = Shell {
        exports: &exports,
        url,
        directory: directory.path(),
    };
    let up = rest.first().expect("the section begins with a command");
    assert!(
        up.starts_with("trapheus local up --data-dir ./rds"),
        "{up} is what has been done"
    );
    for line in &rest[1..] {
        shell.type_line(line);
    }
    let create = rest.iter().find(|line| line.contains("create-db-instance"));
    let create = create.expect("the guide creates a database");
    shell.type_line(&create.replace("orders", "staging"));
    for identifier in ["orders", "staging"] {
        wait_until_available(identifier, &shell);
    }
    shell.type_line("trapheus snapshot orders");

    let mut typed = 0;
    for heading in [
        "Install",
        "Look before you leap",
        "Restore, refresh, snapshot",
        "Clusters, replicas, and databases that are gone",
        "SQL before the swap",
        "The way back",
        "Executions",
    ] {
        for line in commands(heading) {
            if line.contains("--time") {
                wait_for_backups("orders", &shell);
            }
            shell.type_line(&line);
            typed += 1;
        }
    }
    assert_eq!(
        typed, 20,
        "the guide has more or fewer commands than this test has seen before"
    );
    logs_in_with_a_secret(&shell);
    shell.type_line("trapheus local down --data-dir ./rds");
    local.wait();
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = trapheus(Path::new("."))
        .arg("--help")
        .output()
        .expect("trapheus starts");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let table: Vec<String> = README
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .filter(|(code, _)| code.parse::<u8>().is_ok())
        .map(|(code, meaning)| format!("  {code}  {}", meaning.trim_end_matches(" |")))
        .collect();
    assert_eq!(table.len(), 6);
    for line in table {
        assert!(help.contains(&line), "the help lacks {line:?}\n{help}");
    }
}
