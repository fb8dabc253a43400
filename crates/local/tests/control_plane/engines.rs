//! What each engine takes, and what it refuses, as its rules in RDS are.

use aws_sdk_rds::Client;
use aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder as Create;
use aws_sdk_rds::operation::restore_db_instance_from_db_snapshot::builders::RestoreDBInstanceFromDBSnapshotFluentBuilder as Restore;
use aws_sdk_rds::types::{DbInstance, OptionConfiguration, ProcessorFeature};

use crate::support::{available, code, local, snapshot};

/// The least that an instance of an engine needs.
fn new(rds: &Client, identifier: &str, engine: &str) -> Create {
    let create = rds
        .create_db_instance()
        .db_instance_identifier(identifier)
        .engine(engine)
        .db_instance_class("db.m6g.large")
        .allocated_storage(20);
    create
        .master_username("app")
        .master_user_password("secret-1234")
}

/// Makes an instance, a snapshot `<identifier>-snapshot` of it, and returns it.
async fn made(rds: &Client, identifier: &str, create: Create) -> DbInstance {
    create.send().await.unwrap();
    let made = available(rds, identifier).await;
    snapshot(rds, identifier, &format!("{identifier}-snapshot")).await;
    made
}

fn restore(rds: &Client, of: &str) -> Restore {
    let restore = rds.restore_db_instance_from_db_snapshot();
    restore
        .db_instance_identifier(format!("{of}-new"))
        .db_snapshot_identifier(format!("{of}-snapshot"))
}

const COMBINATION: &str = "InvalidParameterCombination";

/// Goal: a database of Oracle has its own character sets, licences, processor features and directory, and only it has
/// its password managed from the restore on.
#[tokio::test(start_paused = true)]
async fn oracle_has_what_others_do_not() {
    let (_, rds) = local().await;
    let cores = ProcessorFeature::builder().name("coreCount").value("2");
    let create = new(&rds, "ora", "oracle-se2")
        .license_model("bring-your-own-license")
        .character_set_name("WE8ISO8859P1")
        .processor_features(cores.build())
        .domain("d-1")
        .domain_iam_role_name("directory");
    let original = made(&rds, "ora", create).await;
    assert_eq!(original.db_name(), Some("ORCL"));
    assert_eq!(original.endpoint().unwrap().port(), Some(1521));
    assert_eq!(original.domain_memberships()[0].status(), Some("joined"));
    assert!(original.domain_memberships()[0].fqdn().is_some());

    let restore = restore(&rds, "ora").db_name("SALES");
    restore
        .manage_master_user_password(true)
        .send()
        .await
        .unwrap();
    let restored = available(&rds, "ora-new").await;
    assert_eq!(restored.db_name(), Some("SALES"));
    assert_eq!(restored.license_model(), Some("bring-your-own-license"));
    assert_eq!(restored.character_set_name(), Some("WE8ISO8859P1"));
    assert_eq!(restored.nchar_character_set_name(), Some("AL16UTF16"));
    assert_eq!(restored.processor_features().len(), 1);
    assert!(restored.domain_memberships().is_empty());
    assert!(restored.master_user_secret().is_some());

    let wrong = new(&rds, "wrong", "oracle-ee").license_model("license-included");
    assert_eq!(code(wrong.send().await), COMBINATION);
    let modify = rds.modify_db_instance().db_instance_identifier("ora");
    assert_eq!(code(modify.engine("oracle-ee").send().await), COMBINATION);
}

/// Goal: an open-source engine refuses what only the others have, in every request.
#[tokio::test(start_paused = true)]
async fn what_an_engine_does_not_have_is_refused() {
    let (_, rds) = local().await;
    let pg = made(
        &rds,
        "pg",
        new(&rds, "pg", "postgres").manage_master_user_password(false),
    )
    .await;
    assert_eq!(pg.license_model(), Some("postgresql-license"));
    let refused = [
        restore(&rds, "pg").db_name("app"),
        restore(&rds, "pg").manage_master_user_password(true),
        restore(&rds, "pg").domain_fqdn("corp.example.com"),
        restore(&rds, "pg").license_model("license-included"),
        restore(&rds, "pg").storage_type("io1"),
        restore(&rds, "pg").dedicated_log_volume(true),
        restore(&rds, "pg").engine("mysql"),
        restore(&rds, "pg").enable_cloudwatch_logs_exports("slowquery"),
        restore(&rds, "pg").option_group_name("default:oracle-ee-19"),
        restore(&rds, "pg").custom_iam_instance_profile("AWSRDSCustom"),
    ];
    for request in refused {
        let asked = format!("{:?}", request.as_input());
        assert_eq!(code(request.send().await), COMBINATION, "{asked}");
    }
    let magnetic = restore(&rds, "pg").storage_type("standard").send().await;
    assert_eq!(code(magnetic), "StorageTypeNotSupported");
    let mariadb = new(&rds, "maria", "mariadb")
        .domain("d-1")
        .domain_iam_role_name("r");
    assert_eq!(code(mariadb.send().await), COMBINATION);
    let db2 = new(&rds, "db", "db2-se").enable_performance_insights(true);
    assert_eq!(code(db2.send().await), COMBINATION);
    let alone = new(&rds, "alone", "aurora-postgresql");
    assert_eq!(code(alone.send().await), COMBINATION);
    let zone = new(&rds, "db", "db2-se").timezone("US/Pacific");
    let zone = made(&rds, "db", zone).await;
    assert_eq!(zone.endpoint().unwrap().port(), Some(50000));
    restore(&rds, "db").send().await.unwrap();
    assert_eq!(
        available(&rds, "db-new").await.timezone(),
        Some("US/Pacific")
    );
}

/// Goal: storage of SQL Server is set by modify only, and it is mirrored only where it's backed up.
#[tokio::test(start_paused = true)]
async fn sql_server_gets_its_storage_by_modify() {
    let (_, rds) = local().await;
    let create = new(&rds, "ms", "sqlserver-se")
        .storage_type("gp2")
        .backup_retention_period(0);
    let original = made(&rds, "ms", create).await;
    assert_eq!(
        original.db_parameter_groups()[0].db_parameter_group_name(),
        Some("default.sqlserver-se-16.0")
    );
    for request in [
        restore(&rds, "ms").storage_type("gp2"),
        restore(&rds, "ms").allocated_storage(40),
        restore(&rds, "ms").iops(4000),
        restore(&rds, "ms").multi_az(true),
    ] {
        let asked = format!("{:?}", request.as_input());
        assert_eq!(code(request.send().await), COMBINATION, "{asked}");
    }
    restore(&rds, "ms").send().await.unwrap();
    assert_eq!(available(&rds, "ms-new").await.storage_type(), Some("gp3"));
    let modify = rds.modify_db_instance().db_instance_identifier("ms-new");
    let modify = modify
        .storage_type("gp2")
        .backup_retention_period(7)
        .multi_az(true);
    modify.apply_immediately(true).send().await.unwrap();
    let restored = available(&rds, "ms-new").await;
    assert_eq!(
        (restored.storage_type(), restored.multi_az()),
        (Some("gp2"), Some(true))
    );
    let named = new(&rds, "named", "sqlserver-ex").db_name("app");
    assert_eq!(code(named.send().await), COMBINATION);
}

/// Goal: gp3 is provisioned from a size on that depends on the engine, and has its baseline where it isn't.
#[tokio::test(start_paused = true)]
async fn gp3_is_provisioned_from_a_size_on() {
    let (_, rds) = local().await;
    for (engine, from_gib, baseline) in [
        ("postgres", 400, 12_000),
        ("mysql", 400, 12_000),
        ("oracle-ee", 200, 12_000),
        ("sqlserver-se", 20, 3000),
    ] {
        let name = engine.split('-').next().unwrap();
        if from_gib > 20 {
            let small = new(&rds, name, engine).allocated_storage(from_gib - 1);
            let small = small.storage_type("gp3").iops(13_000).send().await;
            assert_eq!(code(small), COMBINATION, "{engine}");
        }
        let plain = new(&rds, name, engine).allocated_storage(from_gib);
        let plain = made(&rds, name, plain).await;
        assert_eq!(plain.iops(), Some(baseline), "{engine}");
        let modify = rds.modify_db_instance().db_instance_identifier(name);
        let modify = modify.iops(14_000).storage_throughput(600);
        modify.apply_immediately(true).send().await.unwrap();
        let faster = available(&rds, name).await;
        assert_eq!(
            (faster.iops(), faster.storage_throughput()),
            (Some(14_000), Some(600))
        );
        let modify = rds.modify_db_instance().db_instance_identifier(name);
        modify
            .storage_type("gp2")
            .apply_immediately(true)
            .send()
            .await
            .unwrap();
        assert_eq!(available(&rds, name).await.iops(), None, "{engine}");
    }
}

/// Goal: RDS Custom has its profile and its automation, and neither a new name nor anything of the managed service.
#[tokio::test(start_paused = true)]
async fn rds_custom_keeps_its_name() {
    let (_, rds) = local().await;
    let bare = new(&rds, "own", "custom-oracle-ee").auto_minor_version_upgrade(false);
    assert_eq!(code(bare.clone().send().await), COMBINATION);
    let profile = bare.custom_iam_instance_profile("AWSRDSCustomProfile");
    let own = made(&rds, "own", profile).await;
    assert_eq!(own.auto_minor_version_upgrade(), Some(false));
    let modify = || {
        rds.modify_db_instance()
            .db_instance_identifier("own")
            .apply_immediately(true)
    };
    let rename = modify().new_db_instance_identifier("other").send().await;
    assert_eq!(code(rename), COMBINATION);
    let multi_az = modify().multi_az(true).send().await;
    assert_eq!(code(multi_az), COMBINATION);
    modify()
        .automation_mode("all-paused".into())
        .send()
        .await
        .unwrap();
    available(&rds, "own").await;
    let role = rds.add_role_to_db_instance().db_instance_identifier("own");
    let role = role
        .role_arn("arn:aws:iam::123456789012:role/r")
        .feature_name("S3");
    assert_eq!(code(role.send().await), COMBINATION);
}

/// Goal: an option that can't be taken off a database is asked for when it is restored.
#[tokio::test(start_paused = true)]
async fn a_lasting_option_is_wanted_at_restore() {
    let (_, rds) = local().await;
    let group = rds.create_option_group().option_group_name("encrypted");
    let group = group.engine_name("oracle-ee").major_engine_version("19");
    group.option_group_description("tde").send().await.unwrap();
    let tde = OptionConfiguration::builder().option_name("TDE").build();
    let modify = rds.modify_option_group().option_group_name("encrypted");
    modify
        .options_to_include(tde)
        .apply_immediately(true)
        .send()
        .await
        .unwrap();
    let create = new(&rds, "ora", "oracle-ee").option_group_name("encrypted");
    made(&rds, "ora", create).await;
    assert_eq!(code(restore(&rds, "ora").send().await), COMBINATION);
    let restore = restore(&rds, "ora").option_group_name("encrypted");
    restore.send().await.unwrap();
}
