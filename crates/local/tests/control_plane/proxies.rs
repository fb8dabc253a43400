//! RDS proxies: what they reach, and what a rename of their target does to them.

use std::time::Duration;

use aws_sdk_rds::Client;
use aws_sdk_rds::types::{DbProxyTarget, EngineFamily, TargetState, TargetType};
use trapheus_local::{Effect, Fault};

use crate::support::{available, code, create, local, local_with_aws_durations};
use crate::topology::aurora;

async fn proxy(rds: &Client, name: &str, family: EngineFamily) -> String {
    let create = rds
        .create_db_proxy()
        .db_proxy_name(name)
        .engine_family(family);
    let create = create.role_arn("arn:aws:iam::123456789012:role/proxy");
    let made = create.vpc_subnet_ids("subnet-1").send().await.unwrap();
    made.db_proxy().unwrap().endpoint().unwrap().to_owned()
}

async fn targets(rds: &Client, proxy: &str) -> Vec<DbProxyTarget> {
    let describe = rds.describe_db_proxy_targets().db_proxy_name(proxy);
    describe.send().await.unwrap().targets().to_vec()
}

async fn state(rds: &Client, proxy: &str) -> Option<TargetState> {
    let targets = targets(rds, proxy).await;
    targets.first()?.target_health()?.state().cloned()
}

async fn rename(rds: &Client, from: &str, to: &str) {
    let modify = rds.modify_db_instance().db_instance_identifier(from);
    let modify = modify
        .new_db_instance_identifier(to)
        .apply_immediately(true);
    modify.send().await.unwrap();
    available(rds, to).await;
}

/// Goal: a target belongs to the database that was registered, and is reached under that name only.
#[tokio::test(start_paused = true)]
async fn a_target_is_lost_with_its_name() {
    let (_, rds) = local_with_aws_durations().await;
    for name in ["orders", "orders-new"] {
        create(&rds, name).await;
    }
    let endpoint = proxy(&rds, "front", EngineFamily::Postgresql).await;
    assert!(endpoint.starts_with("127."), "{endpoint}");
    let register = || {
        let register = rds.register_db_proxy_targets().db_proxy_name("front");
        register.db_instance_identifiers("orders").send()
    };
    register().await.unwrap();
    assert_eq!(state(&rds, "front").await, Some(TargetState::Registering));
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(state(&rds, "front").await, Some(TargetState::Available));
    assert_eq!(
        code(register().await),
        "DBProxyTargetAlreadyRegisteredFault"
    );

    rename(&rds, "orders", "orders-temp").await;
    assert_eq!(state(&rds, "front").await, Some(TargetState::Unavailable));
    rename(&rds, "orders-new", "orders").await;
    assert_eq!(state(&rds, "front").await, Some(TargetState::Unavailable));
    let lost = targets(&rds, "front").await;
    assert_eq!(lost[0].rds_resource_id(), Some("orders"));

    let deregister = || {
        let deregister = rds.deregister_db_proxy_targets().db_proxy_name("front");
        deregister.db_instance_identifiers("orders").send()
    };
    deregister().await.unwrap();
    assert_eq!(code(deregister().await), "DBProxyTargetNotFoundFault");
    register().await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(state(&rds, "front").await, Some(TargetState::Available));

    let delete = rds.delete_db_instance().db_instance_identifier("orders");
    delete.skip_final_snapshot(true).send().await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(state(&rds, "front").await, None);
}

/// Goal: the calls on proxies refuse what RDS refuses.
#[tokio::test(start_paused = true)]
async fn proxies_refuse_what_does_not_fit() {
    let (plane, rds) = local().await;
    create(&rds, "orders").await;
    proxy(&rds, "front", EngineFamily::Mysql).await;
    let again = rds.create_db_proxy().db_proxy_name("front").role_arn("r");
    let again = again
        .engine_family(EngineFamily::Mysql)
        .vpc_subnet_ids("s")
        .send()
        .await;
    assert_eq!(code(again), "DBProxyAlreadyExistsFault");
    let register = |name: &str| {
        let register = rds.register_db_proxy_targets().db_proxy_name("front");
        register.db_instance_identifiers(name).send()
    };
    assert_eq!(
        code(register("orders").await),
        "InvalidParameterCombination"
    );
    assert_eq!(code(register("nobody").await), "DBInstanceNotFound");
    let elsewhere = rds
        .describe_db_proxy_targets()
        .db_proxy_name("back")
        .send()
        .await;
    assert_eq!(code(elsewhere), "DBProxyNotFoundFault");
    let group = rds
        .describe_db_proxy_targets()
        .db_proxy_name("front")
        .target_group_name("x");
    assert_eq!(code(group.send().await), "DBProxyTargetGroupNotFoundFault");
    let groups = rds
        .describe_db_proxy_target_groups()
        .db_proxy_name("front")
        .send()
        .await;
    assert_eq!(groups.unwrap().target_groups()[0].is_default(), Some(true));
    let listed = rds.describe_db_proxies().send().await.unwrap();
    assert_eq!(listed.db_proxies().len(), 1);
    rds.delete_db_proxy()
        .db_proxy_name("front")
        .send()
        .await
        .unwrap();
    assert!(
        rds.describe_db_proxies()
            .send()
            .await
            .unwrap()
            .db_proxies()
            .is_empty()
    );

    proxy(&rds, "front", EngineFamily::Postgresql).await;
    plane.arm(Fault {
        action: "RegisterDBProxyTargets".into(),
        when: Default::default(),
        times: Some(1),
        skip: 0,
        effect: Effect::EndsIn("UNAVAILABLE".into()),
    });
    register("orders").await.unwrap();
    assert_eq!(state(&rds, "front").await, Some(TargetState::Unavailable));
}

/// Goal: a cluster behind a proxy shows its members, also those that come later.
#[tokio::test(start_paused = true)]
async fn a_tracked_cluster_brings_its_members() {
    let (plane, rds) = local().await;
    aurora(&rds, "shop").await;
    let endpoint = proxy(&rds, "front", EngineFamily::Postgresql).await;
    let register = rds.register_db_proxy_targets().db_proxy_name("front");
    register
        .db_cluster_identifiers("shop")
        .send()
        .await
        .unwrap();
    let all = targets(&rds, "front").await;
    let tracked = all
        .iter()
        .find(|target| target.r#type() == Some(&TargetType::TrackedCluster));
    assert_eq!(tracked.unwrap().rds_resource_id(), Some("shop"));
    let member = all
        .iter()
        .find(|target| target.tracked_cluster_id() == Some("shop"))
        .unwrap();
    assert_eq!(member.rds_resource_id(), Some("shop-1"));
    assert_eq!(state(&rds, "front").await, Some(TargetState::Available));
    let through_proxy = plane.simulated_client_at(endpoint.parse().unwrap());
    through_proxy.put("row", "good").unwrap();
    let direct = plane.simulated_client("shop-1");
    assert_eq!(direct.get("row").unwrap().as_deref(), Some("good"));
}
