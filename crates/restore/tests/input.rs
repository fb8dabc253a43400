//! The input document: the Python tool's is valid as it stands, and a slip is never a default.

use serde_json::{Value, json};
use trapheus_restore::{
    FinalSnapshot, InputError, KeptOriginal, MasterPassword, Place, Request, RestoreTime,
    SnapshotChoice, Strategy, Task,
};

fn parse(input: Value) -> Result<Request, InputError> {
    Request::parse(&input)
}

/// The smallest input with one more key.
fn with(key: &str, value: Value) -> Result<Request, InputError> {
    parse(json!({"identifier": "orders", "task": "db_restore", key: value}))
}

#[test]
fn the_python_tools_input_is_valid_as_it_stands() {
    let request =
        parse(json!({"identifier": "Orders", "task": "db_restore", "isCluster": false})).unwrap();
    assert_eq!(request.task, Task::DbRestore);
    assert_eq!(request.identifier.as_str(), "orders");
    assert_eq!(request.source, request.identifier);
    assert_eq!(request.is_cluster, Some(false));
    assert_eq!(request.strategy, Strategy::Swap);
    assert_eq!(request.snapshot, SnapshotChoice::Default);
    assert_eq!(request.final_snapshot, FinalSnapshot::Skip);
    assert_eq!(
        (request.keep_original_seconds, request.keep_snapshots),
        (0, 1)
    );
    assert_eq!(request.kept_original, None);
}

#[test]
fn every_task_is_read_as_it_is_written() {
    for (name, task) in Task::NAMES {
        assert_eq!(task.as_str(), name);
        let input = match task {
            Task::Rollback => continue,
            Task::RestoreInTargets => {
                json!({"identifier": "orders", "task": name, "targetRegions": "eu-west-1"})
            }
            _ => json!({"identifier": "orders", "task": name}),
        };
        assert_eq!(parse(input).unwrap().task, task);
    }
}

#[test]
fn durations_are_seconds_or_words() {
    for (value, seconds) in [
        (json!(90), 90),
        (json!("90s"), 90),
        (json!("15m"), 900),
        (json!("24h"), 86_400),
        (json!("1h30m"), 5400),
        (json!("7d"), 604_800),
        (Value::Null, 0),
    ] {
        assert_eq!(
            with("keepOriginal", value.clone())
                .unwrap()
                .keep_original_seconds,
            seconds,
            "{value}"
        );
    }
    for value in [
        json!("soon"),
        json!("-1h"),
        json!(-1),
        json!(1.5),
        json!(true),
        json!(""),
    ] {
        assert!(
            matches!(
                with("keepOriginal", value.clone()),
                Err(InputError::Value { .. })
            ),
            "{value}"
        );
    }
}

#[test]
fn snapshots_are_named_by_id_by_arn_or_as_the_latest() {
    let snapshot = |text: &str| with("snapshotIdentifier", json!(text)).unwrap().snapshot;
    assert_eq!(snapshot("latest"), SnapshotChoice::Latest);
    for text in [
        "nightly",
        "rds:orders-2026-01-31-03-05",
        "arn:aws:rds:eu-west-1:123456789012:snapshot:nightly",
    ] {
        assert_eq!(snapshot(text), SnapshotChoice::Named(text.parse().unwrap()));
    }
    assert_eq!(
        with("finalSnapshot", json!(true)).unwrap().final_snapshot,
        FinalSnapshot::Make
    );
    assert_eq!(
        with("keptOriginal", json!("release"))
            .unwrap()
            .kept_original,
        Some(KeptOriginal::Release)
    );
}

#[test]
fn a_moment_is_a_time_or_the_latest() {
    let moment = |value: Value| with("restoreTime", value).map(|request| request.restore_time);
    assert_eq!(moment(json!("latest")), Ok(Some(RestoreTime::Latest)));
    let at = "2026-01-31T12:00:00Z".parse().unwrap();
    for text in ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00"] {
        assert_eq!(moment(json!(text)), Ok(Some(RestoreTime::At(at))));
    }
    for value in [json!("yesterday"), json!("2026-01-31"), json!(0)] {
        assert!(
            matches!(moment(value.clone()), Err(InputError::Value { .. })),
            "{value}"
        );
    }
    for (key, value) in [
        ("task", "create_snapshot"),
        ("snapshotIdentifier", "latest"),
    ] {
        let mut input =
            json!({"identifier": "orders", "task": "db_restore", "restoreTime": "latest"});
        input[key] = json!(value);
        assert!(matches!(parse(input), Err(InputError::Contradiction(_))));
    }
}

#[test]
fn a_target_is_made_only_when_the_input_says_so() {
    let create =
        |value: Value| with("createIfMissing", value).map(|request| request.create_if_missing);
    for value in [Value::Null, json!(false)] {
        assert_eq!(create(value), Ok(None));
    }
    assert!(create(json!(true)).unwrap().is_some());
    for value in [json!("yes"), json!({}), json!({"blueprint": {}, "more": 1})] {
        assert!(
            matches!(create(value.clone()), Err(InputError::Value { .. })),
            "{value}"
        );
    }
    let newer = json!({"blueprint": {"version": 2}});
    let error = create(newer).unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
}

#[test]
fn a_master_password_is_chosen_and_never_written_down() {
    let password =
        |value: Value| with("masterPassword", value).map(|request| request.master_password);
    let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop";
    for (value, chosen) in [
        (Value::Null, None),
        (json!("keep-snapshot"), Some(MasterPassword::KeepSnapshot)),
        (json!("managed"), Some(MasterPassword::Managed)),
        (
            json!({"secretArn": arn}),
            Some(MasterPassword::Secret(arn.to_owned())),
        ),
    ] {
        assert_eq!(password(value), Ok(chosen));
    }
    for value in [json!("tr0ub4dor&3"), json!({"password": "tr0ub4dor&3"})] {
        let error = password(value).unwrap_err();
        assert!(!error.to_string().contains("tr0ub4dor&3"), "{error}");
    }
}

#[test]
fn a_misspelt_key_names_the_one_that_was_meant() {
    for (key, meant) in [
        ("keep_original", "keepOriginal"),
        ("stratgy", "strategy"),
        ("snapshot", "snapshotIdentifier"),
    ] {
        let error = with(key, json!("24h")).unwrap_err();
        assert_eq!(
            error,
            InputError::UnknownKey {
                key: key.to_owned(),
                nearest: meant
            },
            "{key}"
        );
    }
    assert_eq!(
        with("export", json!("s3://lake")),
        Err(InputError::NotYet("export".to_owned()))
    );
}

#[test]
fn what_contradicts_itself_is_refused() {
    let contradictions = [
        json!({"identifier": "orders", "task": "create_snapshot", "snapshotIdentifier": "nightly"}),
        json!({"identifier": "orders", "task": "create_snapshot_only", "sourceIdentifier": "staging"}),
        json!({"identifier": "orders", "task": "db_restore", "credentials": {"secretArn": "shop"}}),
        json!({"identifier": "orders", "task": "db_restore", "verify": {"database": "shop"}}),
    ];
    for input in contradictions {
        assert!(
            matches!(parse(input.clone()), Err(InputError::Contradiction(_))),
            "{input}"
        );
    }
    let rollback = json!({"identifier": "orders", "task": "rollback"});
    assert_eq!(parse(rollback), Err(InputError::Missing("rollbackOf")));
    assert_eq!(parse(json!("orders")), Err(InputError::NotAnObject));
    assert!(matches!(
        with("keepSnapshots", json!(0)),
        Err(InputError::Value { .. })
    ));
}

/// The smallest input of a restore in other accounts with some more keys.
fn elsewhere(more: Value) -> Result<Request, InputError> {
    let mut input = json!({"identifier": "orders", "task": "restore_rds_in_target_accounts"});
    let keys = input.as_object_mut().unwrap();
    keys.extend(more.as_object().unwrap().clone());
    parse(input)
}

#[test]
fn the_python_tools_accounts_are_read_as_it_took_them() {
    let request = elsewhere(json!({
        "isCluster": false, "vpcId": "vpc-2342432", "AutomationAssumeRole": "role",
        "targetAccountIds": "123452", "targetRegions": "us-west-2",
    }));
    let targets = request.unwrap().targets.unwrap();
    assert_eq!(targets.accounts[0].as_str(), "000000123452");
    assert_eq!(targets.regions[0].as_str(), "us-west-2");
    assert_eq!(targets.role.as_deref(), Some("role"));
    assert_eq!(targets.vpc.as_deref(), Some("vpc-2342432"));
    let accounts = |value: Value| {
        let targets = elsewhere(json!({"targetAccountIds": value}))
            .unwrap()
            .targets;
        let accounts = targets.unwrap().accounts;
        accounts.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for value in [
        json!("111111111111, 222222222222"),
        json!(["111111111111", "222222222222", "111111111111"]),
        json!([111_111_111_111_u64, "222222222222"]),
    ] {
        assert_eq!(accounts(value), ["111111111111", "222222222222"]);
    }
}

#[test]
fn a_place_says_what_holds_there() {
    let request = elsewhere(json!({
        "targetAccountIds": ["111111111111", "222222222222"],
        "targetRegions": "eu-west-1",
        "targets": [
            {"externalId": "sesame", "kmsKeyId": "alias/one"},
            {"account": "222222222222", "kmsKeyId": "alias/two"},
        ],
    }));
    let targets = request.unwrap().targets.unwrap();
    let place = |account: usize| {
        let (account, region) = (&targets.accounts[account], &targets.regions[0]);
        let places = targets.places.iter();
        let places = places.filter(|place| place.holds_for(account, region));
        places.fold(Place::default(), Place::with)
    };
    assert_eq!(place(0).kms_key.as_deref(), Some("alias/one"));
    assert_eq!(place(1).kms_key.as_deref(), Some("alias/two"));
    assert_eq!(place(1).external_id.as_deref(), Some("sesame"));
}

#[test]
fn what_is_said_of_other_accounts_must_make_sense() {
    let wrong = |more: Value| elsewhere(more).unwrap_err();
    assert_eq!(wrong(json!({})), InputError::Missing("targetAccountIds"));
    assert_eq!(
        wrong(json!({"vpcId": "vpc-1"})),
        InputError::Missing("targetAccountIds")
    );
    for more in [
        json!({"targetAccountIds": "somebody"}),
        json!({"targetAccountIds": "1111111111111"}),
        json!({"targetRegions": "west"}),
        json!({"targetRegions": "eu-west-1", "targets": [{"region": "eu-west-1", "kmsKey": "k"}]}),
    ] {
        let error = wrong(more.clone());
        assert!(matches!(error, InputError::Value { .. }), "{more}: {error}");
    }
    for more in [
        json!({"targetRegions": "eu-west-1", "restoreTime": "latest"}),
        json!({"targetRegions": "eu-west-1", "targets": [{"region": "eu-west-2"}]}),
        json!({"targetRegions": "eu-west-1", "task": "db_restore"}),
        json!({"targetRegions": "eu-west-1", "account": {"id": "111111111111", "region": "eu-west-1"}}),
    ] {
        let error = wrong(more.clone());
        assert!(
            matches!(error, InputError::Contradiction(_)),
            "{more}: {error}"
        );
    }
}
