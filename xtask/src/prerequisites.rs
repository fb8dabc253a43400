//! What the demo and the tests need besides Rust: PostgreSQL, and for the tests MariaDB and a Python
//! environment with other people's clients and servers.
//!
//! Debian packages are installed where we may (root or password-less sudo); elsewhere the exact
//! command is printed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{cache, run, say, succeeds};

/// Makes sure that PostgreSQL's server programs are there.
pub(crate) fn postgres() -> Result<(), String> {
    if postgres_is_there() {
        return Ok(());
    }
    // Debian's package would otherwise create and start a server that nobody asked for.
    let defaults = Path::new("/etc/postgresql-common/createcluster.conf");
    if is_root() && !defaults.exists() {
        let written = fs::create_dir_all("/etc/postgresql-common")
            .and_then(|()| fs::write(defaults, "create_main_cluster = false\n"));
        if let Err(error) = written {
            say(&format!("cannot write {}: {error}", defaults.display()));
        }
    }
    install(&["postgresql"])?;
    if postgres_is_there() {
        Ok(())
    } else {
        Err(
            "PostgreSQL was installed, but `initdb` and `postgres` are neither on PATH nor in \
             /usr/lib/postgresql/*/bin"
                .into(),
        )
    }
}

/// Makes sure that MariaDB's server and its copying program are there.
pub(crate) fn mariadb() -> Result<(), String> {
    let is_there = || {
        let programs = ["mariadbd", "mariadb-backup"];
        programs.iter().all(|program| {
            let places = ["/usr/sbin", "/usr/bin", "/usr/local/bin"];
            succeeds(Command::new(program).args(["--no-defaults", "--version"]))
                || places
                    .iter()
                    .any(|place| Path::new(place).join(program).exists())
        })
    };
    if is_there() {
        return Ok(());
    }
    // Not `mariadb-server`, which would start a server that nobody asked for.
    install(&["mariadb-server-core", "mariadb-client", "mariadb-backup"])?;
    if is_there() {
        Ok(())
    } else {
        Err("MariaDB was installed, but `mariadbd` and `mariadb-backup` are not found".into())
    }
}

/// Makes sure that the Python environment of the tests is there; returns its interpreter.
pub(crate) fn python() -> Result<PathBuf, String> {
    let requirements = Path::new("tests/python/requirements.txt");
    let wanted = fs::read_to_string(requirements)
        .map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
    let environment = cache().join("python");
    let interpreter = environment.join("bin/python");
    let installed = environment.join("installed-requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) && interpreter.exists() {
        return Ok(interpreter);
    }
    say(&format!(
        "installing the tests' Python packages into {}",
        environment.display()
    ));
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    if !succeeds(&mut make) {
        install(&["python3", "python3-venv"])?;
        run(&mut make)?;
    }
    run(Command::new(&interpreter)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ])
        .arg(requirements))?;
    // Written last: an interrupted installation is made again.
    fs::write(&installed, wanted)
        .map_err(|error| format!("cannot write {}: {error}", installed.display()))?;
    Ok(interpreter)
}

fn postgres_is_there() -> bool {
    let on_path = succeeds(Command::new("postgres").arg("--version"))
        && succeeds(Command::new("initdb").arg("--version"));
    let in_debian_place = fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| {
        versions
            .flatten()
            .any(|version| version.path().join("bin/initdb").exists())
    });
    on_path || in_debian_place
}

fn install(packages: &[&str]) -> Result<(), String> {
    let by_hand = format!(
        "sudo apt-get update && sudo apt-get install --yes {}",
        packages.join(" ")
    );
    let sudo: &[&str] = if is_root() {
        &[]
    } else if succeeds(Command::new("sudo").args(["--non-interactive", "true"])) {
        &["sudo", "--non-interactive"]
    } else {
        return Err(format!(
            "this needs: {}\nInstall it with:\n  {by_hand}",
            packages.join(", ")
        ));
    };
    if !succeeds(Command::new("apt-get").arg("--version")) {
        return Err(format!(
            "this needs: {}\nThere is no apt-get here: install it with your system's package \
             manager (on Debian: {by_hand})",
            packages.join(", ")
        ));
    }
    say(&format!("installing {}", packages.join(", ")));
    let apt = |arguments: &[&str]| {
        let mut words = sudo.to_vec();
        words.extend([
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "--quiet",
            "--quiet",
        ]);
        words.extend(arguments);
        // What the package manager prints is for a person, not for a pipe.
        run(Command::new(words[0])
            .args(&words[1..])
            .stdout(std::io::stderr()))
    };
    let outcome = apt(&["update"]).and_then(|()| {
        let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
        arguments.extend(packages);
        apt(&arguments)
    });
    outcome.map_err(|error| format!("{error}\nInstall it by hand:\n  {by_hand}"))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
