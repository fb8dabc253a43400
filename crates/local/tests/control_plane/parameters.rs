//! Parameter groups of every family: what they take, and what becomes of it.

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{ApplyMethod, Parameter};

use crate::support::{available, code, local};
use crate::topology::aurora;

fn parameter(name: &str, value: &str, method: ApplyMethod) -> Parameter {
    let parameter = Parameter::builder().parameter_name(name);
    parameter
        .parameter_value(value)
        .apply_method(method)
        .build()
}

async fn group(rds: &Client, name: &str, family: &str) {
    let create = rds
        .create_db_parameter_group()
        .db_parameter_group_name(name);
    let create = create
        .db_parameter_group_family(family)
        .description("a group");
    create.send().await.unwrap();
}

/// Goal: MySQL's and MariaDB's parameters have the values, and the moments of their effect, that the servers have.
#[tokio::test(start_paused = true)]
async fn parameters_of_mysql_and_mariadb_are_known() {
    let (_, rds) = local().await;
    for family in [
        "mysql8.0",
        "mysql8.4",
        "mariadb10.11",
        "mariadb11.4",
        "aurora-mysql8.0",
    ] {
        let name = family.replace('.', "-");
        group(&rds, &name, family).await;
        let set = |parameter: Parameter| {
            let modify = rds
                .modify_db_parameter_group()
                .db_parameter_group_name(&name);
            modify.parameters(parameter).send()
        };
        set(parameter("max_connections", "500", ApplyMethod::Immediate))
            .await
            .unwrap();
        set(parameter("binlog_format", "row", ApplyMethod::Immediate))
            .await
            .unwrap();
        let modes = "STRICT_TRANS_TABLES,NO_ZERO_DATE";
        set(parameter("sql_mode", modes, ApplyMethod::Immediate))
            .await
            .unwrap();
        let pages = "{DBInstanceClassMemory*3/4}";
        set(parameter(
            "innodb_buffer_pool_size",
            pages,
            ApplyMethod::PendingReboot,
        ))
        .await
        .unwrap();
        for (wrong, method, expected) in [
            (
                ("binlog_format", "TEXT"),
                ApplyMethod::Immediate,
                "InvalidParameterValue",
            ),
            (
                ("sql_mode", "LENIENT"),
                ApplyMethod::Immediate,
                "InvalidParameterValue",
            ),
            (
                ("max_connections", "0"),
                ApplyMethod::Immediate,
                "InvalidParameterValue",
            ),
            (
                ("datadir", "/tmp"),
                ApplyMethod::PendingReboot,
                "InvalidParameterValue",
            ),
            (
                ("no_such_thing", "1"),
                ApplyMethod::Immediate,
                "InvalidParameterValue",
            ),
            (
                ("thread_stack", "300000"),
                ApplyMethod::Immediate,
                "InvalidParameterCombination",
            ),
        ] {
            let refused = set(parameter(wrong.0, wrong.1, method)).await;
            assert_eq!(code(refused), expected, "{family}: {wrong:?}");
        }
        let describe = rds.describe_db_parameters().db_parameter_group_name(&name);
        let set_by_user = describe.source("user").send().await.unwrap();
        assert_eq!(set_by_user.parameters().len(), 4, "{family}");
    }
}

/// Goal: what a group sets waits for the reboot where the parameter is static.
#[tokio::test(start_paused = true)]
async fn a_static_parameter_waits_for_the_reboot() {
    let (_, rds) = local().await;
    group(&rds, "tuned", "mariadb11.4").await;
    let create = rds
        .create_db_instance()
        .db_instance_identifier("shop")
        .engine("mariadb");
    let create = create
        .db_instance_class("db.t3.micro")
        .allocated_storage(20);
    let create = create
        .master_username("app")
        .master_user_password("secret-1234");
    create
        .db_parameter_group_name("tuned")
        .send()
        .await
        .unwrap();
    available(&rds, "shop").await;
    let modify = rds
        .modify_db_parameter_group()
        .db_parameter_group_name("tuned");
    let stack = parameter("thread_stack", "300000", ApplyMethod::PendingReboot);
    modify.parameters(stack).send().await.unwrap();
    let shop = available(&rds, "shop").await;
    let status = |shop: &aws_sdk_rds::types::DbInstance| {
        shop.db_parameter_groups()[0]
            .parameter_apply_status()
            .map(str::to_owned)
    };
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert_eq!(
        status(&available(&rds, "shop").await).as_deref(),
        Some("pending-reboot"),
        "{shop:?}"
    );
    rds.reboot_db_instance()
        .db_instance_identifier("shop")
        .send()
        .await
        .unwrap();
    assert_eq!(
        status(&available(&rds, "shop").await).as_deref(),
        Some("in-sync")
    );
}

/// Goal: DB cluster parameter groups live beside the DB parameter groups of the same names.
#[tokio::test(start_paused = true)]
async fn cluster_parameter_groups_have_names_of_their_own() {
    let (_, rds) = local().await;
    group(&rds, "tuned", "aurora-postgresql16").await;
    let create = || {
        let create = rds.create_db_cluster_parameter_group();
        create
            .db_cluster_parameter_group_name("tuned")
            .description("of clusters")
    };
    let made = create()
        .db_parameter_group_family("aurora-postgresql16")
        .send()
        .await
        .unwrap();
    let made = made.db_cluster_parameter_group().unwrap().clone();
    let arn = made.db_cluster_parameter_group_arn().unwrap();
    assert!(arn.ends_with(":cluster-pg:tuned"), "{arn}");
    let again = create()
        .db_parameter_group_family("aurora-postgresql16")
        .send()
        .await;
    assert_eq!(code(again), "DBParameterGroupAlreadyExists");
    let oracle = create()
        .db_parameter_group_family("oracle-ee-19")
        .send()
        .await;
    assert_eq!(code(oracle), "InvalidParameterValue");

    let modify = rds
        .modify_db_cluster_parameter_group()
        .db_cluster_parameter_group_name("tuned");
    let memory = parameter("work_mem", "8192", ApplyMethod::Immediate);
    modify.parameters(memory).send().await.unwrap();
    let set = |name: &str| {
        let describe = rds
            .describe_db_cluster_parameters()
            .db_cluster_parameter_group_name(name);
        describe.source("user").send()
    };
    assert_eq!(set("tuned").await.unwrap().parameters().len(), 1);
    assert_eq!(
        set("default.aurora-postgresql16")
            .await
            .unwrap()
            .parameters()
            .len(),
        0
    );
    assert_eq!(code(set("other").await), "DBParameterGroupNotFound");
    let instances = rds
        .describe_db_parameters()
        .db_parameter_group_name("tuned")
        .source("user");
    assert_eq!(instances.send().await.unwrap().parameters().len(), 0);

    let tag = aws_sdk_rds::types::Tag::builder()
        .key("team")
        .value("shop")
        .build();
    rds.add_tags_to_resource()
        .resource_name(arn)
        .tags(tag)
        .send()
        .await
        .unwrap();
    let reset = rds
        .reset_db_cluster_parameter_group()
        .db_cluster_parameter_group_name("tuned");
    reset.reset_all_parameters(true).send().await.unwrap();
    assert_eq!(set("tuned").await.unwrap().parameters().len(), 0);
    let delete = |name: &str| {
        rds.delete_db_cluster_parameter_group()
            .db_cluster_parameter_group_name(name)
            .send()
    };
    assert_eq!(
        code(delete("default.aurora-postgresql16").await),
        "InvalidDBParameterGroupState"
    );
    delete("tuned").await.unwrap();
    let groups = rds
        .describe_db_cluster_parameter_groups()
        .send()
        .await
        .unwrap();
    assert!(groups.db_cluster_parameter_groups().is_empty());
    let other = rds
        .describe_db_parameter_groups()
        .db_parameter_group_name("tuned");
    other.send().await.unwrap();
    let defaults = rds.describe_engine_default_cluster_parameters();
    let defaults = defaults
        .db_parameter_group_family("aurora-mysql8.0")
        .send()
        .await
        .unwrap();
    assert!(!defaults.engine_defaults().unwrap().parameters().is_empty());
}

/// Goal: a cluster's values reach the servers of its members, and each member tells how far it is.
#[tokio::test(start_paused = true)]
async fn a_clusters_values_reach_its_members() {
    let (_, rds) = local().await;
    let create = rds
        .create_db_cluster_parameter_group()
        .db_cluster_parameter_group_name("tuned");
    let create = create
        .db_parameter_group_family("aurora-postgresql16")
        .description("tuned");
    create.send().await.unwrap();
    aurora(&rds, "shop").await;
    let reader = rds.create_db_instance().db_instance_identifier("shop-2");
    let reader = reader
        .engine("aurora-postgresql")
        .db_instance_class("db.r6g.large");
    reader.db_cluster_identifier("shop").send().await.unwrap();
    available(&rds, "shop-2").await;
    let statuses = async || {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        let describe = rds
            .describe_db_clusters()
            .db_cluster_identifier("shop")
            .send()
            .await;
        let members = describe.unwrap().db_clusters()[0]
            .db_cluster_members()
            .to_vec();
        let status = members
            .iter()
            .map(|member| member.db_cluster_parameter_group_status());
        status
            .map(|status| status.unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (pending, synced) = ("pending-reboot", "in-sync");
    let modify = rds.modify_db_cluster().db_cluster_identifier("shop");
    let modify = modify
        .db_cluster_parameter_group_name("tuned")
        .apply_immediately(true);
    modify.send().await.unwrap();
    assert_eq!(statuses().await, [pending, pending]);
    let reboot = async |member: &str| {
        rds.reboot_db_instance()
            .db_instance_identifier(member)
            .send()
            .await
            .unwrap();
        available(&rds, member).await;
    };
    reboot("shop-2").await;
    assert_eq!(statuses().await, [pending, synced]);
    reboot("shop-1").await;
    assert_eq!(statuses().await, [synced, synced]);

    let set = |parameter: Parameter| {
        let modify = rds.modify_db_cluster_parameter_group();
        modify
            .db_cluster_parameter_group_name("tuned")
            .parameters(parameter)
            .send()
    };
    set(parameter("work_mem", "8192", ApplyMethod::Immediate))
        .await
        .unwrap();
    assert_eq!(statuses().await, [synced, synced]);
    set(parameter(
        "max_connections",
        "200",
        ApplyMethod::PendingReboot,
    ))
    .await
    .unwrap();
    assert_eq!(statuses().await, [pending, pending]);
    let own = available(&rds, "shop-1").await;
    assert_eq!(
        own.db_parameter_groups()[0].parameter_apply_status(),
        Some(synced)
    );
    reboot("shop-1").await;
    assert_eq!(statuses().await, [synced, pending]);
    let delete = rds
        .delete_db_cluster_parameter_group()
        .db_cluster_parameter_group_name("tuned");
    assert_eq!(code(delete.send().await), "InvalidDBParameterGroupState");
}
