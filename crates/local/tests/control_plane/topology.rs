//! What databases are part of, and what isn't possible with them meanwhile.

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{ActivityStreamMode, DbCluster, Filter};

use crate::support::{available, code, create, local};

/// A cluster of Aurora with one member, `<identifier>-1`.
pub(crate) async fn aurora(rds: &Client, identifier: &str) -> DbCluster {
    let create = rds.create_db_cluster().db_cluster_identifier(identifier);
    let create = create.engine("aurora-postgresql").master_username("app");
    create
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    until_available(rds, identifier).await;
    let member = format!("{identifier}-1");
    let create = rds.create_db_instance().db_instance_identifier(&member);
    let create = create
        .engine("aurora-postgresql")
        .db_instance_class("db.r6g.large");
    create
        .db_cluster_identifier(identifier)
        .send()
        .await
        .unwrap();
    available(rds, &member).await;
    until_available(rds, identifier).await
}

async fn until_available(rds: &Client, identifier: &str) -> DbCluster {
    for _ in 0..1000 {
        let cluster = cluster(rds, identifier).await;
        if cluster.status() == Some("available") {
            return cluster;
        }
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
    panic!("{identifier} never becomes available");
}

async fn cluster(rds: &Client, identifier: &str) -> DbCluster {
    let describe = rds.describe_db_clusters().db_cluster_identifier(identifier);
    describe.send().await.unwrap().db_clusters()[0].clone()
}

/// The codes of the refusals of a rename and of a deletion.
async fn refusals(rds: &Client, identifier: &str) -> [String; 2] {
    let rename = rds.modify_db_cluster().db_cluster_identifier(identifier);
    let rename = rename
        .new_db_cluster_identifier("other")
        .apply_immediately(true);
    let delete = rds.delete_db_cluster().db_cluster_identifier(identifier);
    let delete = delete.skip_final_snapshot(true);
    [code(rename.send().await), code(delete.send().await)]
}

/// Goal: a cluster in a global database keeps its name until it is taken out.
#[tokio::test(start_paused = true)]
async fn a_member_of_a_global_database_keeps_its_name() {
    let (_, rds) = local().await;
    let shop = aurora(&rds, "shop").await;
    let arn = shop.db_cluster_arn().unwrap();
    let create = || {
        let create = rds
            .create_global_cluster()
            .global_cluster_identifier("world");
        create.source_db_cluster_identifier(arn).send()
    };
    create().await.unwrap();
    assert_eq!(code(create().await), "GlobalClusterAlreadyExistsFault");
    let seen = rds.describe_global_clusters().send().await.unwrap();
    let member = &seen.global_clusters()[0].global_cluster_members()[0];
    assert_eq!(
        (member.db_cluster_arn(), member.is_writer()),
        (Some(arn), Some(true))
    );
    assert_eq!(
        cluster(&rds, "shop").await.global_cluster_identifier(),
        Some("world")
    );
    assert_eq!(
        refusals(&rds, "shop").await[0],
        "InvalidDBClusterStateFault"
    );
    let delete = || {
        rds.delete_global_cluster()
            .global_cluster_identifier("world")
            .send()
    };
    assert_eq!(code(delete().await), "InvalidGlobalClusterStateFault");
    let remove = rds
        .remove_from_global_cluster()
        .global_cluster_identifier("world");
    remove.db_cluster_identifier(arn).send().await.unwrap();
    delete().await.unwrap();
    let gone = rds
        .describe_global_clusters()
        .global_cluster_identifier("world")
        .send()
        .await;
    assert_eq!(code(gone), "GlobalClusterNotFoundFault");
    let rename = rds
        .modify_db_cluster()
        .db_cluster_identifier("shop")
        .apply_immediately(true);
    rename
        .new_db_cluster_identifier("other")
        .send()
        .await
        .unwrap();
}

/// Goal: the source of a zero-ETL integration is neither renamed nor deleted.
#[tokio::test(start_paused = true)]
async fn the_source_of_an_integration_stays() {
    let (_, rds) = local().await;
    create(&rds, "orders").await;
    let orders = available(&rds, "orders").await;
    let create = rds.create_integration().integration_name("lake");
    let create = create.source_arn(orders.db_instance_arn().unwrap());
    let create = create.target_arn("arn:aws:redshift:eu-west-1:123456789012:namespace/n");
    let made = create.clone().send().await.unwrap();
    assert_eq!(code(create.send().await), "IntegrationAlreadyExistsFault");
    let seen = rds.describe_integrations().send().await.unwrap();
    assert_eq!(
        seen.integrations()[0].source_arn(),
        orders.db_instance_arn()
    );
    let rename = || {
        let modify = rds.modify_db_instance().db_instance_identifier("orders");
        modify
            .new_db_instance_identifier("other")
            .apply_immediately(true)
            .send()
    };
    assert_eq!(code(rename().await), "InvalidDBInstanceState");
    let delete = rds.delete_db_instance().db_instance_identifier("orders");
    let delete = delete.skip_final_snapshot(true).send().await;
    assert_eq!(code(delete), "InvalidDBInstanceState");
    let arn = made.integration_arn().unwrap();
    rds.delete_integration()
        .integration_identifier(arn)
        .send()
        .await
        .unwrap();
    let gone = rds
        .describe_integrations()
        .integration_identifier(arn)
        .send()
        .await;
    assert_eq!(code(gone), "IntegrationNotFoundFault");
    rename().await.unwrap();
}

/// Goal: a blue/green deployment is found by its source.
#[tokio::test(start_paused = true)]
async fn a_blue_green_deployment_is_found_by_its_source() {
    let (_, rds) = local().await;
    create(&rds, "orders").await;
    let orders = available(&rds, "orders").await;
    let arn = orders.db_instance_arn().unwrap();
    let create = rds.create_blue_green_deployment().source(arn);
    let create = create.blue_green_deployment_name("upgrade");
    let made = create.clone().send().await.unwrap();
    assert_eq!(
        code(create.send().await),
        "BlueGreenDeploymentAlreadyExistsFault"
    );
    let found = async |source: &str| {
        let filter = Filter::builder().name("source").values(source).build();
        let describe = rds.describe_blue_green_deployments().filters(filter);
        describe
            .send()
            .await
            .unwrap()
            .blue_green_deployments()
            .len()
    };
    assert_eq!((found(arn).await, found("arn:x").await), (1, 0));
    let id = made.blue_green_deployment().unwrap();
    let id = id.blue_green_deployment_identifier().unwrap();
    let delete = rds
        .delete_blue_green_deployment()
        .blue_green_deployment_identifier(id);
    delete.send().await.unwrap();
    assert_eq!(found(arn).await, 0);
}

/// Goal: a Limitless database has shard groups, other clusters haven't.
#[tokio::test(start_paused = true)]
async fn only_a_limitless_cluster_has_shard_groups() {
    let (_, rds) = local().await;
    aurora(&rds, "plain").await;
    let create = rds.create_db_cluster().db_cluster_identifier("wide");
    let create = create.engine("aurora-postgresql").master_username("app");
    let create = create
        .cluster_scalability_type("limitless".into())
        .storage_type("aurora-iopt1");
    create
        .master_user_password("secret-1234")
        .send()
        .await
        .unwrap();
    until_available(&rds, "wide").await;
    let group = |cluster: &str| {
        let create = rds
            .create_db_shard_group()
            .db_shard_group_identifier("shards");
        create.db_cluster_identifier(cluster).max_acu(64.0).send()
    };
    assert_eq!(code(group("plain").await), "InvalidDBClusterStateFault");
    group("wide").await.unwrap();
    assert_eq!(code(group("wide").await), "DBShardGroupAlreadyExists");
    let seen = rds.describe_db_shard_groups().send().await.unwrap();
    assert_eq!(
        seen.db_shard_groups()[0].db_cluster_identifier(),
        Some("wide")
    );
    let refused = "InvalidDBClusterStateFault".to_owned();
    assert_eq!(refusals(&rds, "wide").await, [refused.clone(), refused]);
    let delete = rds
        .delete_db_shard_group()
        .db_shard_group_identifier("shards");
    delete.send().await.unwrap();
    let gone = rds
        .describe_db_shard_groups()
        .db_shard_group_identifier("shards")
        .send()
        .await;
    assert_eq!(code(gone), "DBShardGroupNotFound");
}

/// Goal: roles, the HTTP endpoint and an activity stream are a cluster's as long as it lives.
#[tokio::test(start_paused = true)]
async fn a_cluster_has_attachments_of_its_own() {
    let (_, rds) = local().await;
    let arn = aurora(&rds, "shop")
        .await
        .db_cluster_arn()
        .unwrap()
        .to_owned();
    let role = |number: u8| format!("arn:aws:iam::123456789012:role/r{number}");
    let add = |number: u8| {
        let add = rds.add_role_to_db_cluster().db_cluster_identifier("shop");
        add.role_arn(role(number)).send()
    };
    for number in 0..5 {
        add(number).await.unwrap();
    }
    assert_eq!(code(add(0).await), "DBClusterRoleAlreadyExists");
    assert_eq!(code(add(5).await), "DBClusterRoleQuotaExceeded");
    assert_eq!(cluster(&rds, "shop").await.associated_roles().len(), 5);
    let remove = || {
        let remove = rds
            .remove_role_from_db_cluster()
            .db_cluster_identifier("shop");
        remove.role_arn(role(0)).send()
    };
    remove().await.unwrap();
    assert_eq!(code(remove().await), "DBClusterRoleNotFound");

    rds.enable_http_endpoint()
        .resource_arn(&arn)
        .send()
        .await
        .unwrap();
    assert_eq!(
        cluster(&rds, "shop").await.http_endpoint_enabled(),
        Some(true)
    );
    rds.disable_http_endpoint()
        .resource_arn(&arn)
        .send()
        .await
        .unwrap();
    assert_eq!(
        cluster(&rds, "shop").await.http_endpoint_enabled(),
        Some(false)
    );
    let nobody = rds
        .enable_http_endpoint()
        .resource_arn(format!("{arn}-x"))
        .send()
        .await;
    assert_eq!(code(nobody), "ResourceNotFoundFault");

    let modify = || {
        rds.modify_db_cluster()
            .db_cluster_identifier("shop")
            .apply_immediately(true)
    };
    modify()
        .manage_master_user_password(true)
        .send()
        .await
        .unwrap();
    let secret = until_available(&rds, "shop")
        .await
        .master_user_secret()
        .cloned();
    let secret = secret.unwrap().secret_arn().unwrap().to_owned();
    assert!(secret.contains(":secret:rds!cluster-"), "{secret}");
    let off = modify().manage_master_user_password(false).send().await;
    assert_eq!(code(off), "InvalidParameterCombination");

    let start = rds
        .start_activity_stream()
        .resource_arn(&arn)
        .kms_key_id("key");
    start
        .mode(ActivityStreamMode::Sync)
        .apply_immediately(true)
        .send()
        .await
        .unwrap();
    let shop = cluster(&rds, "shop").await;
    assert_eq!(shop.activity_stream_mode(), Some(&ActivityStreamMode::Sync));
    assert_eq!(shop.activity_stream_status().unwrap().as_str(), "started");
}
