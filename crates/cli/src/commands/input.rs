//! From flags to the input document, the one form in which a restore is asked for.

use camino::Utf8PathBuf;
use serde_json::{Map, Value, json};

use crate::arguments::{Shape, Sql, Targets};
use crate::error::{Context, Failure};

/// The document for `task` on `identifier`; flags that are not given are left out, so that the
/// defaults are decided in one place.
pub(crate) fn document(task: &str, identifier: &str, shape: &Shape) -> Result<Value, Failure> {
    let mut input = Map::new();
    let elsewhere = targets(&shape.elsewhere)?;
    let task = match (task, elsewhere.is_empty()) {
        (task, true) => task,
        ("db_restore", false) => "restore_rds_in_target_accounts",
        (_, false) => {
            return Err(Failure::refused(
                "other accounts and Regions get a snapshot that exists: none is made for them",
            )
            .hint(format!(
                "`trapheus snapshot {identifier}`, then `trapheus restore {identifier}` with these flags"
            )));
        }
    };
    input.insert("identifier".into(), json!(identifier));
    input.insert("task".into(), json!(task));
    input.extend(elsewhere);
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            input.insert(key.into(), value);
        }
    };
    set("isCluster", shape.is_cluster.map(Value::from));
    set(
        "snapshotIdentifier",
        shape.snapshot.clone().map(Value::from),
    );
    set("restoreTime", shape.time.clone().map(Value::from));
    set("sourceIdentifier", shape.from.clone().map(Value::from));
    set(
        "strategy",
        shape.strategy.map(|strategy| json!(strategy.name())),
    );
    set(
        "keepOriginal",
        shape
            .keep_original
            .map(|seconds| json!(format!("{seconds}s"))),
    );
    set(
        "timeLimit",
        shape.time_limit.map(|seconds| json!(format!("{seconds}s"))),
    );
    set("keepSnapshots", shape.keep_snapshots.map(Value::from));
    set(
        "finalSnapshot",
        shape.final_snapshot.clone().map(Value::from),
    );
    set(
        "keptOriginal",
        shape.kept_original.map(|kept| json!(kept.name())),
    );
    set(
        "automatedBackups",
        shape.automated_backups.map(|backups| json!(backups.name())),
    );
    set(
        "masterPassword",
        shape.master_password.as_deref().map(master_password),
    );
    set("createIfMissing", create_if_missing(shape)?);
    set(
        "crossRegionReplicas",
        shape.cross_region_replicas.map(|what| json!(what.name())),
    );
    set(
        "allowLost",
        (!shape.allow_lost.is_empty()).then(|| json!(shape.allow_lost)),
    );
    set("notify", notify(shape));
    let (prepare, verify) = (prepare(&shape.sql)?, verify(&shape.sql)?);
    if shape.sql.database.is_some() && prepare.is_none() && verify.is_none() {
        return Err(Failure::refused(
            "--database is for the SQL of --prepare and --verify: there is none",
        ));
    }
    set("prepare", prepare);
    set("verify", verify);
    let credentials = shape.sql.credentials.as_deref();
    set(
        "credentials",
        credentials.map(|arn| json!({ "secretArn": arn })),
    );
    Ok(Value::Object(input))
}

/// The keys of a restore in other accounts and Regions; none where it is not asked for.
fn targets(asked: &Targets) -> Result<Map<String, Value>, Failure> {
    let listed = |words: &[String]| (!words.is_empty()).then(|| json!(words));
    let places = asked.targets.as_ref().map(|file| {
        let text = std::fs::read_to_string(file).context(format_args!("read {file}"))?;
        serde_json::from_str(&text)
            .map_err(|error| Failure::refused(format!("{file} is not JSON: {error}")))
    });
    let keys = [
        ("targetAccountIds", listed(&asked.target_account)),
        ("targetRegions", listed(&asked.target_region)),
        (
            "AutomationAssumeRole",
            asked.target_role.as_ref().map(|role| json!(role)),
        ),
        ("vpcId", asked.target_vpc.as_ref().map(|vpc| json!(vpc))),
        (
            "shareKmsKeyId",
            asked.share_key.as_ref().map(|key| json!(key)),
        ),
        ("targets", places.transpose()?),
    ];
    let given = keys.into_iter();
    Ok(given
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect())
}

fn notify(shape: &Shape) -> Option<Value> {
    let mut asked = Map::new();
    if !shape.notify.is_empty() {
        asked.insert("to".into(), json!(shape.notify));
    }
    if !shape.notify_on.is_empty() {
        asked.insert("on".into(), json!(shape.notify_on));
    }
    (!asked.is_empty()).then_some(Value::Object(asked))
}

/// A word of the document as it is; anything else names a secret.
fn master_password(which: &str) -> Value {
    match which {
        "keep-snapshot" | "managed" => json!(which),
        arn => json!({ "secretArn": arn }),
    }
}

fn create_if_missing(shape: &Shape) -> Result<Option<Value>, Failure> {
    let Some(file) = &shape.blueprint else {
        return Ok(shape.create_if_missing.then_some(Value::Bool(true)));
    };
    let text = std::fs::read_to_string(file).context(format_args!("read {file}"))?;
    let blueprint: Value = serde_json::from_str(&text)
        .map_err(|error| Failure::refused(format!("{file} is not JSON: {error}")))?;
    Ok(Some(json!({ "blueprint": blueprint })))
}

/// The files' texts: a file may be gone when an execution goes on on another day.
fn scripts(files: &[Utf8PathBuf]) -> Result<Value, Failure> {
    let read = |file| std::fs::read_to_string(file).context(format_args!("read {file}"));
    let texts: Result<Vec<String>, Failure> = files.iter().map(read).collect();
    texts.map(Value::from)
}

fn prepare(sql: &Sql) -> Result<Option<Value>, Failure> {
    if sql.prepare.is_empty() && sql.require_masked.is_empty() && !sql.quarantine {
        return Ok(None);
    }
    Ok(Some(json!({
        "sql": scripts(&sql.prepare)?,
        "database": sql.database,
        "requireMasked": sql.require_masked,
        "quarantine": sql.quarantine,
    })))
}

fn verify(sql: &Sql) -> Result<Option<Value>, Failure> {
    if sql.verify.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        json!({ "sql": scripts(&sql.verify)?, "database": sql.database }),
    ))
}

/// The document that takes a snapshot and nothing else.
pub(crate) fn snapshot_only(identifier: &str, keep_snapshots: Option<u32>) -> Value {
    let mut input = json!({ "identifier": identifier, "task": "create_snapshot_only" });
    if let Some(keep) = keep_snapshots {
        input["keepSnapshots"] = json!(keep);
    }
    input
}
