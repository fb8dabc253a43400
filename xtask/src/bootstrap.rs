//! `cargo xtask bootstrap`: the program of the Lambda functions, as the template wants it:
//! `target/lambda/bootstrap.zip`, for Amazon Linux 2023.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{cargo, run, say, succeeds};

/// The newest glibc that Amazon Linux 2023 has.
const GLIBC_MINOR_MAX: u32 = 34;
/// Of the profile in `Cargo.toml`.
const PROFILE: &str = "lambda";
/// What is built for this machine.
pub(crate) const PROGRAM: &str = "target/lambda/bootstrap";

/// Builds it for this machine, or for what `--arm64` or `--x86-64` says.
pub(crate) fn run_for(arguments: &[String]) -> Result<(), String> {
    let target = match arguments {
        [] => None,
        [one] if one == "--arm64" => Some("aarch64-unknown-linux-gnu"),
        [one] if one == "--x86-64" => Some("x86_64-unknown-linux-gnu"),
        _ => return Err("bootstrap takes --arm64, --x86-64 or nothing".into()),
    };
    let program = build(target)?;
    let needed = glibc_minor(&program)?;
    if needed > GLIBC_MINOR_MAX {
        return Err(format!(
            "{} needs GLIBC_2.{needed}, and Amazon Linux 2023 has 2.{GLIBC_MINOR_MAX}: build it \
             by `cargo xtask bootstrap --x86-64` or --arm64",
            program.display()
        ));
    }
    let archive = zip(&program)?;
    let size = |file: &Path| fs::metadata(file).map_or(0, |it| it.len()) / 1024;
    say(&format!(
        "{}: {} KiB ({} KiB unpacked), needs GLIBC_2.{needed}",
        archive.display(),
        size(&archive),
        size(&program)
    ));
    Ok(())
}

/// Builds the program. Where a target is named, the glibc that it is linked with is named, too.
fn build(target: Option<&str>) -> Result<PathBuf, String> {
    let mut command = cargo();
    let Some(target) = target else {
        run(command
            .args(["build", "--locked", "--profile", PROFILE])
            .args(["--package", "trapheus-lambda"]))?;
        return Ok(PathBuf::from(PROGRAM));
    };
    if !succeeds(Command::new("cargo-zigbuild").arg("--version")) {
        return Err(format!(
            "building for {target} needs cargo-zigbuild and zig: \
             `pip install cargo-zigbuild ziglang`, `rustup target add {target}`"
        ));
    }
    run(command
        .args(["zigbuild", "--locked", "--profile", PROFILE])
        .args(["--package", "trapheus-lambda"])
        .args(["--target", &format!("{target}.2.{GLIBC_MINOR_MAX}")]))?;
    Ok(Path::new("target")
        .join(target)
        .join(PROFILE)
        .join("bootstrap"))
}

/// The newest glibc that a program asks for: the names of the versions are in its table of symbols.
fn glibc_minor(program: &Path) -> Result<u32, String> {
    const NAME: &[u8] = b"GLIBC_2.";
    let bytes =
        fs::read(program).map_err(|error| format!("cannot read {}: {error}", program.display()))?;
    let versions = bytes
        .windows(NAME.len())
        .enumerate()
        .filter_map(|(at, window)| {
            let digits = bytes[at + NAME.len()..].iter().take(3);
            let digits = digits.take_while(|digit| digit.is_ascii_digit());
            let digits: String = digits.map(|digit| char::from(*digit)).collect();
            (window == NAME).then(|| digits.parse().ok()).flatten()
        });
    Ok(versions.max().unwrap_or_default())
}

/// Packs the program as Lambda wants it: named `bootstrap`, and executable.
fn zip(program: &Path) -> Result<PathBuf, String> {
    const PACK: &str = "\
import sys, zipfile
program, archive = sys.argv[1:]
entry = zipfile.ZipInfo('bootstrap')
entry.external_attr = 0o100755 << 16
entry.compress_type = zipfile.ZIP_DEFLATED
with zipfile.ZipFile(archive, 'w', compresslevel=9) as packed, open(program, 'rb') as file:
    packed.writestr(entry, file.read(), compresslevel=9)
";
    let directory = Path::new("target/lambda");
    fs::create_dir_all(directory).map_err(|error| format!("cannot make target/lambda: {error}"))?;
    let archive = directory.join("bootstrap.zip");
    run(Command::new("python3")
        .args(["-c", PACK])
        .arg(program)
        .arg(&archive))?;
    Ok(archive)
}
